"""Writes what happens to an application: its line, the timeline, the event and the audit line, in one transaction."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from cityloop.access.audit import Audit
from cityloop.approve.models import ApplicationEntryRow, ApplicationRow
from cityloop.city import deadline
from cityloop.city.deadline import Turns
from cityloop.city.grammar import NeedsHuman
from cityloop.city.service import City
from cityloop.core.database import Transaction
from cityloop.core.outbox import Outbox

MOVED = "cityloop.application.moved"
REMINDER = "cityloop.application.reminder"
_TOLD = (
    "id",
    "number",
    "item",
    "department",
    "post",
    "area",
    "state",
    "instant",
    "proposal",
    "check",
    "late",
    "appeals",
)
_INSTANTS = ("applied_at", "answered_at", "due_at", "check_due_at")


class Ledger:
    """One place where applications change."""

    def __init__(self, outbox: Outbox, audit: Audit, city: City) -> None:
        self._outbox, self._audit, self._city = outbox, audit, city

    def moved(
        self, tx: Transaction, row: ApplicationRow, move: str, before: str, actor: str, reason: str, now: datetime
    ) -> None:
        """Keep that ``move`` was made."""
        row.version += 1
        tx.session.add(row)
        tx.session.flush()
        entry = {"application": row.id, "at": now, "actor": actor, "move": move, "from_state": before,
                 "state": row.state, "reason": reason}  # fmt: skip
        tx.insert(ApplicationEntryRow, entry)
        data = {"application": self.told(row), "move": move, "from_state": before, "actor": actor}
        self._outbox.record(tx, MOVED, row.id, now, data)
        detail = {"number": row.number, "item": row.item, "state": row.state, "reason": reason}
        self._audit.record(tx, now, actor, f"application.{move}", row.id, detail)

    def remind(self, tx: Transaction, row: ApplicationRow, step: str, now: datetime) -> None:
        """Tell the post that an application waits."""
        data = {"application": self.told(row), "step": step, "department": row.department, "posts": [row.post]}
        self._outbox.record(tx, REMINDER, row.id, now, data)

    def told(self, row: ApplicationRow) -> dict[str, Any]:
        """An application as events tell of it: nothing of its form, nothing of a register."""
        values: dict[str, Any] = {name: getattr(row, name) for name in _TOLD}
        times: Mapping[str, datetime | None] = {name: getattr(row, name) for name in _INSTANTS}
        district = self._city.areas.district_of(row.area) if row.area else None
        return {**values, "district": district, **{n: at.isoformat() if at else None for n, at in times.items()}}

    def turns(self, limit: str, department: str, at: datetime) -> Turns:
        """When the light of a limit turns by itself; nothing where the limit does not say (it was checked before)."""
        clock = self._city.deadlines.start(limit, at, department)
        if isinstance(clock, NeedsHuman):
            return Turns(yellow_at=None, red_at=None)
        return deadline.turns(clock, self._city.calendars.get(clock.calendar))
