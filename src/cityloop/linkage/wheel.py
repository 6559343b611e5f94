"""The table of what is to happen by itself. A row is taken in the transaction of what it causes, so it fires once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy import delete, or_, select, update
from sqlalchemy.orm import Session

from cityloop.core.database import Transaction
from cityloop.linkage.models import LinkageTimerRow

TimerKind = Literal["step", "effect", "remind", "escalate", "schedule"]
LEASE = timedelta(minutes=5)
"""So long whoever left the house with an effect has time to come back; then it is asked for again with the same key."""
_FIRST_WAIT, _LONGEST_WAIT = timedelta(seconds=5), timedelta(minutes=15)


def put(tx: Transaction, kind: TimerKind, ref: str, run: str | None, due: datetime, *, held: bool = False) -> None:
    """Let something happen at ``due``; what was there under the same name is replaced."""
    row = {"kind": kind, "ref": ref, "run": run, "due": due, "state": "held" if held else "set"}
    tx.put_now(LinkageTimerRow, [{**row, "lease": None, "tries": 0}])


def drop(tx: Transaction, kind: TimerKind, *refs: str) -> None:
    """Forget it."""
    if refs:
        named = (LinkageTimerRow.kind == kind) & LinkageTimerRow.ref.in_(refs)
        tx.session.execute(delete(LinkageTimerRow).where(named))


def drop_run(tx: Transaction, run: str) -> None:
    """Forget everything of a run."""
    tx.session.execute(delete(LinkageTimerRow).where(LinkageTimerRow.run == run))


def hold(tx: Transaction, run: str) -> None:
    """Let everything of a run stand still."""
    tx.session.execute(update(LinkageTimerRow).where(LinkageTimerRow.run == run).values(state="held"))


def release(tx: Transaction, run: str, span: timedelta) -> None:
    """Let it go on: effects at once, all else later by ``span``."""
    for row in tx.session.scalars(select(LinkageTimerRow).where(LinkageTimerRow.run == run)):
        row.state = "set"
        row.due += timedelta() if row.kind == "effect" else span


def due(session: Session, now: datetime, limit: int) -> Sequence[LinkageTimerRow]:
    """What is due and in nobody's hands, the oldest first."""
    free = or_(LinkageTimerRow.lease.is_(None), LinkageTimerRow.lease <= now)
    where = (LinkageTimerRow.state == "set") & (LinkageTimerRow.due <= now) & free
    return session.scalars(select(LinkageTimerRow).where(where).order_by(LinkageTimerRow.due).limit(limit)).all()


def still_due(tx: Transaction, kind: str, ref: str, now: datetime) -> LinkageTimerRow | None:
    """The row, locked, if it is still to be done: another process may have been quicker."""
    row = tx.session.get(LinkageTimerRow, (kind, ref), with_for_update=True, populate_existing=True)
    if row is None or row.state != "set" or row.due > now or (row.lease is not None and row.lease > now):
        return None
    return row


def lease(row: LinkageTimerRow, now: datetime) -> None:
    """Take it in hand for a while."""
    row.lease, row.tries = now + LEASE, row.tries + 1


def later(row: LinkageTimerRow, now: datetime) -> None:
    """Try again, ever more slowly."""
    row.lease, row.tries = None, row.tries + 1
    row.due = now + min(_LONGEST_WAIT, _FIRST_WAIT * 2 ** min(row.tries - 1, 12))
