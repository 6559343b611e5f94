"""Decisions: DMN tables of packs, checked, tried on history, versioned; every answer keeps the rule that gave it."""
