"""Linkage wired to the rooms that its plans act on: each service of the catalogue, carried out."""
