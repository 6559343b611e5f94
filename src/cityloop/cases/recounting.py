"""What a change of the city's rules does to deadlines of open cases: told before, and then carried out case by case."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from cityloop.access.actor import Actor
from cityloop.access.door import Scope
from cityloop.cases.definitions import Book
from cityloop.cases.models import OPEN, CaseRow
from cityloop.cases.mover import Mover
from cityloop.cases.schemas import MovedCase
from cityloop.cases.store import CaseStore
from cityloop.cases.values import Case, from_row, scoped
from cityloop.core.database import Transaction
from cityloop.core.errors import Conflict, Fault, Invalid

Changed = Callable[[Case], Mapping[str, Any]]
"""What a change alters on a case; empty where everything stays."""
_BATCH, _SHOWN = 500, 200
_TABLE = CaseRow.__table__


def still(in_force: int, base: int, what: str) -> None:
    """Raises :class:`Conflict` when another version than the explained one's base has come into force."""
    if in_force != base:
        detail = f"version {in_force} of {what} is in force, the plan is based on {base}"
        raise Conflict(detail, "ask for the plan again and look at it")


def explained(plan: str, wished: str) -> None:
    """Raises :class:`Invalid` when what is applied is not what was explained."""
    if plan != wished:
        mend = "ask for the plan of exactly this change and look at it first"
        raise Invalid("the plan does not belong to this change", mend, [Fault("plan", "another", mend)])


@dataclass(frozen=True, slots=True)
class Line:
    """Who writes which line onto the cases that move."""

    mover: Mover
    actor: Actor
    entry: str
    facts: Mapping[str, Any]
    reason: str


@dataclass(frozen=True, slots=True)
class Recounted:
    """Open cases that were looked at, and those that a change would move with their new values."""

    seen: int
    moved: Sequence[tuple[Case, Mapping[str, Any]]]

    def figures(self, now: datetime) -> dict[str, int]:
        """How many deadlines come earlier or later, and how many cases become overdue by it."""
        dues = [(case.due_at, values.get("due_at")) for case, values in self.moved]
        both = [(before, after) for before, after in dues if before and after]
        return {
            "earlier": sum(after < before for before, after in both),
            "later": sum(after > before for before, after in both),
            "overdue_now": sum(after <= now < before for before, after in both),
        }

    def shown(self, scope: Scope, book: Book) -> list[MovedCase]:
        """The first within the asker's sight, the earliest due first, those without a deadline last."""
        visible = sorted((item for item in self.moved if scope.lets(scoped(item[0]))), key=_first_due)
        return [_view(book, case, values) for case, values in visible[:_SHOWN]]


@dataclass(frozen=True, slots=True)
class Recount:
    """Open cases under a condition, and what a change alters on each."""

    where: ColumnElement[bool]
    changed: Changed

    def told(self, session: Session) -> Recounted:
        """What the change would do; nothing is written."""
        seen, moved = 0, []
        for row in session.execute(select(_TABLE).where(OPEN & self.where)).mappings():
            case = from_row(dict(row))
            seen += 1
            if values := self.changed(case):
                moved.append((case, values))
        return Recounted(seen, moved)

    def carry_out(self, tx: Transaction, line: Line, now: datetime) -> int:
        """Change every case that the change moves, each with a line of its own; returns their number."""
        store, count, last = CaseStore.of(tx), 0, ""
        while True:
            more = OPEN & self.where & (_TABLE.c.id > last)
            cases = store.select(more, limit=_BATCH, order=_TABLE.c.id)
            for case in cases:
                if values := self.changed(case):
                    facts = {**_told(case, values), **line.facts}
                    line.mover.enter(tx, line.actor, case, line.entry, now, values, facts, line.reason)
                    count += 1
            if len(cases) < _BATCH:
                return count
            last = cases[-1].id


def _told(case: Case, values: Mapping[str, Any]) -> dict[str, Any]:
    """The deadline before and after; nothing of a case whose clock does not run yet."""
    if "due_at" not in values:
        return {}
    before, after = case.due_at, values["due_at"]
    due = {"before": before.isoformat() if before else None, "after": after.isoformat() if after else None}
    return {"due_at": due, "provisional": values["provisional"]}


def _first_due(item: tuple[Case, Mapping[str, Any]]) -> tuple[bool, datetime, str]:
    case, values = item
    due = values.get("due_at")
    return due is None, due or case.opened_at, case.number


def _view(book: Book, case: Case, values: Mapping[str, Any]) -> MovedCase:
    return MovedCase(
        id=case.id,
        number=case.number,
        title=case.title,
        state_title=book.of(case.workflow, case.filed).state_title(case.state),
        department=case.department,
        before=case.due_at,
        after=values.get("due_at"),
        provisional_before=case.provisional,
        provisional_after=values.get("provisional", False),
    )
