"""FEEL: the one safe expression language in which people write conditions, of guards, decision tables and plans."""
