"""The data steward's room: the catalogue of data, where figures come from, sharing, and changes of the standard."""
