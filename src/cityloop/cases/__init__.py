"""The case: one matter from report to close. Moves and guards are data, every change leaves a timeline entry.

``moves.py`` decides without I/O, ``service.py`` (:class:`CaseDesk`) makes it last: case, timeline, audit line and
outbox event in one transaction.
"""
