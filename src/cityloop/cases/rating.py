"""What the reporter thinks of the result: one rating of a closed case, from 1 to 5."""

from __future__ import annotations

from datetime import datetime

from cityloop.access.actor import Actor
from cityloop.cases import entries
from cityloop.cases.mover import Mover
from cityloop.cases.values import Case
from cityloop.core.database import Transaction
from cityloop.core.errors import Conflict
from cityloop.core.outbox import Outbox

RATE = "case.rate"
RATED = "cityloop.case.rated"
CLOSING_STAGE = 6
"""Cases that end earlier were never handled: declined, void, merged."""


def ratable(case: Case) -> bool:
    """Whether the case was handled to its end."""
    return not case.open and case.stage >= CLOSING_STAGE


def rate(
    tx: Transaction, mover: Mover, outbox: Outbox, actor: Actor, case: Case, stars: int, words: str, now: datetime
) -> Case:
    """Write the rating onto the case, its timeline and the outbox; the event carries no words."""
    if case.rating is not None:
        raise Conflict(f"{case.number} has been rated already", "a case is rated once")
    rated = mover.enter(tx, actor, case, entries.RATED, now, {"rating": stars}, {"rating": stars}, words)
    outbox.record(tx, RATED, case.id, now, {"case": case.id, "number": case.number, "rating": stars})
    return rated
