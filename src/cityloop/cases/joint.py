"""Joint handling made last: parts of a case in their own table, in the transaction of the case that they belong to."""

from __future__ import annotations

import builtins
from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from datetime import datetime
from typing import Any

from pydantic import TypeAdapter, ValidationError
from sqlalchemy import ColumnElement, func, select, update
from sqlalchemy.orm import Session

from cityloop.access.actor import Actor
from cityloop.access.door import Door, Scope
from cityloop.cases.ask import PartWish, Reason, reason
from cityloop.cases.handling import HandlingRules
from cityloop.cases.models import PartEntryRow, PartRow
from cityloop.cases.parts import MOVES, OPEN, STATES, WORKING, Part, released
from cityloop.cases.schemas import TaskView
from cityloop.cases.values import Case
from cityloop.city.deadline import HandlingClock
from cityloop.city.service import City
from cityloop.core import canonical
from cityloop.core.database import Transaction
from cityloop.core.errors import AccessDenied
from cityloop.core.ids import new_id

TASK = "case_task"
TABLE = PartRow.__table__
_COLUMNS: dict[str, ColumnElement[Any]] = {column.name: column for column in TABLE.columns}
_SHOWN = ("id", "case", "department", "required", "after", "state", "due_at", "opened_at", "closed_at", "on_time",
          "version")  # fmt: skip
_NAMES = tuple(item.name for item in fields(Part))
_WISHES = TypeAdapter(tuple[PartWish, ...])


def read_wishes(value: Any) -> tuple[tuple[PartWish, ...], Reason | None]:
    """The field ``parts`` of a move, or why it cannot be read."""
    try:
        return _WISHES.validate_python(value or ()), None
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        return (), reason(f"协办任务 {where}：{first['msg']}", f"parts {where}: {first['msg']}", "parts")


def load(session: Session, where: ColumnElement[bool], locked: bool = False) -> list[Part]:
    """Parts under a condition, oldest first."""
    query = select(TABLE).where(where).order_by(TABLE.c.opened_at, TABLE.c.id)
    return [_of(dict(row)) for row in session.execute(query.with_for_update() if locked else query).mappings()]


class Parts:
    """What happens to parts when their case moves, and how one part changes."""

    def __init__(self, *, door: Door, city: City, rules: HandlingRules) -> None:
        self._door, self._city, self._rules = door, city, rules

    def there(self, tx: Transaction, case: Case) -> frozenset[str]:
        """Departments that have an open part."""
        if not case.parts:
            return frozenset()
        return frozenset(part.department for part in load(tx.session, _open_of(case.id)))

    def begin(self, tx: Transaction, actor: Actor, case: Case, wishes: Sequence[PartWish], now: datetime) -> None:
        """Open the wished parts; those that wait for no other begin at once."""
        for wish in wishes:
            part = Part(
                id=new_id("part"),
                case=case.id,
                department=wish.department,
                required=wish.required,
                demand=wish.demand.strip(),
                after=wish.after,
                state="waiting",
                limit_text=wish.limit or case.limit_text,
                opened_at=now,
            )
            tx.session.add(PartRow(**_row(part)))
            tx.session.flush()
            self.enter(tx, actor, part, "part_open", now, {"demand": part.demand})
        self.release(tx, actor, case, now)

    def release(self, tx: Transaction, actor: Actor, case: Case, now: datetime) -> None:
        """Let every waiting part begin whose turn has come."""
        parts = load(tx.session, TABLE.c.case == case.id, locked=True)
        for part in parts:
            if released(part, parts):
                begun = replace(part, state="to_handle", version=part.version + 1)
                begun = self._clocked(begun, self._rules.begin(part.limit_text, part.department, now), now)
                self.save(tx, self._held(case, begun, now))
                self.enter(tx, actor, begun, "part_release", now, {})

    def follow(self, tx: Transaction, actor: Actor, case: Case, now: datetime) -> None:
        """After a move of the case: parts end with it, rest while it rests, and go on with it."""
        for part in load(tx.session, _open_of(case.id), locked=True):
            if not case.open:
                ended = replace(part, state="ended", closed_at=now, version=part.version + 1)
                clock = self._rules.stop(part.handling, now) if part.handling else None
                self.save(tx, self._clocked(ended, clock, now))
                self.enter(tx, actor, ended, "part_end", now, {})
                continue
            held = self._held(case, part, now)
            if held.clock_state != part.clock_state:
                self.save(tx, replace(held, version=part.version + 1))

    def recounted(
        self, session: Session, rules: HandlingRules, now: datetime, locked: bool = False
    ) -> builtins.list[Part]:
        """The open parts whose due instant other rules move, as they would then be."""
        found = []
        for part in load(session, TABLE.c.state.in_(OPEN) & TABLE.c.due_at.is_not(None), locked):
            clock = part.handling
            if clock is not None and (clock.running or clock.stopped_at is not None):
                at = rules.standing(clock, now)
                if at.due_at != part.due_at:
                    found.append(replace(part, due_at=at.due_at, yellow_at=at.yellow_at, red_at=at.red_at))
        return found

    def recount(self, tx: Transaction, actor: Actor, rules: HandlingRules, now: datetime, reason: str) -> int:
        """Move the deadlines of open parts to other rules, each with a line in its history; returns their number."""
        moved = self.recounted(tx.session, rules, now, locked=True)
        for part in moved:
            self.save(tx, replace(part, version=part.version + 1))
            due = part.due_at.isoformat() if part.due_at else None
            self.enter(tx, actor, part, "part_deadline", now, {"due_at": due}, reason)
        return len(moved)

    def finish(self, part: Part, now: datetime) -> Part:
        """Stop the clock of a part that is done, with its verdict."""
        if part.handling is None:
            return part
        in_time = self._rules.in_time(part.handling, now)
        return replace(self._clocked(part, self._rules.stop(part.handling, now), now), on_time=in_time)

    def stop(self, part: Part, now: datetime) -> Part:
        """Stop the clock without a verdict."""
        return self._clocked(part, self._rules.stop(part.handling, now), now) if part.handling else part

    def save(self, tx: Transaction, part: Part) -> None:
        """Write a part."""
        row = _row(part)
        tx.session.execute(update(PartRow).where(PartRow.id == part.id).values(**{k: row[k] for k in row if k != "id"}))

    def enter(
        self,
        tx: Transaction,
        actor: Actor,
        part: Part,
        move: str,
        now: datetime,
        facts: Mapping[str, Any],
        said: str = "",
    ) -> str:
        """One line of the part's own history, which only its department and the centre read; returns its digest."""
        count = tx.session.scalar(select(func.count()).select_from(PartEntryRow).where(PartEntryRow.part == part.id))
        row = {
            "part": part.id,
            "seq": (count or 0) + 1,
            "at": now,
            "move": move,
            "state": part.state,
            "actor": actor.id,
            "actor_zh": actor.name.zh,
            "actor_en": actor.name.en,
            "opinion": said,
            "facts": dict(facts),
        }
        tx.session.add(PartEntryRow(**row))
        tx.session.flush()
        return canonical.digest({**row, "at": now.isoformat()})

    def sight(self, actor: Actor) -> Scope | None:
        """The actor's sight of parts, or ``None``."""
        try:
            return self._door.scope(actor, TASK)
        except AccessDenied:
            return None

    def views(self, session: Session, actor: Actor, case: Case, now: datetime) -> builtins.list[TaskView]:
        """The parts of a case that the asker has been let to; of another department's part only how it stands."""
        if not case.parts:
            return []
        sight = self.sight(actor)
        found = load(session, TABLE.c.case == case.id)
        return [self.view(part, case, now, sight is not None and sight.lets(scoped(part))) for part in found]

    def view(self, part: Part, case: Case, now: datetime, seen: bool) -> TaskView:
        """A part for the wire."""
        body = self._city.departments.get(part.department)
        return TaskView(
            **{name: getattr(part, name) for name in _SHOWN},
            number=case.number,
            title=case.title,
            department_title=body.title if body else None,
            state_title=STATES[part.state],
            open=part.state in OPEN,
            light=_light(part, now),
            seen=seen,
            demand=part.demand if seen else None,
            handler=part.handler if seen else None,
            result=part.result if seen else None,
            limit_text=part.limit_text if seen else None,
        )  # fmt: skip

    def _held(self, case: Case, part: Part, now: datetime) -> Part:
        """The clock of a part stands while the clock of its case is held by a suspension or a deferral."""
        clock = part.handling
        if clock is None or part.state not in WORKING:
            return part
        rests = case.state == "suspended" or (case.deferred and case.clock_state == "paused")
        return self._clocked(part, self._rules.pause(clock, now) if rests else self._rules.resume(clock, now), now)

    def _clocked(self, part: Part, clock: HandlingClock | None, now: datetime) -> Part:
        if clock is None:
            return part
        if clock.stopped_at is not None:
            return replace(part, handling=clock, clock_state="stopped", handled_at=now)
        at = self._rules.standing(clock, now)
        return replace(
            part,
            handling=clock,
            clock_state=at.state,
            due_at=at.due_at,
            yellow_at=at.yellow_at,
            red_at=at.red_at,
            handled_at=None,
        )


def scoped(part: Part) -> dict[str, str | None]:
    """The columns that row rules work on."""
    return {"department": part.department, "handler": part.handler}


def where(scope: Scope) -> ColumnElement[bool]:
    """The row filter of a sight of parts."""
    return scope.where(_COLUMNS)


def titled(move: str) -> Any:
    """The title of a line of a part's history."""
    return MOVES[move].title if move in MOVES else HISTORY[move]


HISTORY = {
    "part_open": STATES["waiting"].model_copy(update={"zh": "下达协办", "en": "Part opened"}),
    "part_release": STATES["to_handle"].model_copy(update={"zh": "开始协办", "en": "Part begins"}),
    "part_end": STATES["ended"],
    "part_deadline": STATES["ended"].model_copy(
        update={"zh": "日历变更，时限重算", "en": "Deadline moved by a change of the calendar"}
    ),
}


def _light(part: Part, now: datetime) -> Any:
    if part.clock_state in ("none", "paused"):
        return part.clock_state
    at = part.handled_at or now
    if part.red_at is None or part.yellow_at is None:
        return "none"
    return "red" if at > part.red_at else "yellow" if at >= part.yellow_at else "green"


def _open_of(case: str) -> ColumnElement[bool]:
    return (TABLE.c.case == case) & TABLE.c.state.in_(OPEN)


def _row(part: Part) -> dict[str, Any]:
    row = {name: getattr(part, name) for name in _NAMES}
    clock = part.handling.model_dump(mode="json") if part.handling else None
    return {**row, "after": list(part.after), "handling": clock}


def _of(row: Mapping[str, Any]) -> Part:
    values = {name: row[name] for name in _NAMES}
    clock = HandlingClock.model_validate(row["handling"]) if row["handling"] else None
    return Part(**{**values, "after": tuple(row["after"]), "handling": clock})
