"""The drill: players that work the demo city through the same API as people, and the replay of a real city's past.

Nothing here decides for the platform. A player asks ``GET /api/v1/cases`` what is on its desk, waits as long as a
person would (by a plan, or by the real handling time of the replayed record), and makes a move that is on offer.
"""
