"""Linkage: plans of several departments as diagrams, and the runs that follow them step by step."""
