"""The ground floor: clock, ids, errors, settings, content files, database, outbox, bus.

Knows nothing of cities. Every other room may import from here; this room imports from none.
"""
