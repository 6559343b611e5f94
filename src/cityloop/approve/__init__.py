"""Instant approval: items that are answered in seconds by a decision table, or handed to a person."""
