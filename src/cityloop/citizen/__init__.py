"""The citizen's door: report, follow and rate without an account, through the door to data as a declared actor."""
