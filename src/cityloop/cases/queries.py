"""Lists of cases in SQL: filter, light, what is mine, order. Every condition stands on a column."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, and_, bindparam, false, func, not_, or_
from sqlalchemy.orm import InstrumentedAttribute

from cityloop.access.actor import Actor
from cityloop.access.door import Door
from cityloop.cases.models import CaseRow
from cityloop.cases.schemas import CaseFilter, Light
from cityloop.cases.workflow import MoveDef, Workflow
from cityloop.core.database import UtcDateTime
from cityloop.core.errors import Invalid
from cityloop.core.values import utc

COLUMNS: dict[str, ColumnElement[Any]] = {column.name: column for column in CaseRow.__table__.columns}
SORTS: dict[str, InstrumentedAttribute[Any]] = {
    "opened_at": CaseRow.opened_at,
    "due_at": CaseRow.due_at,
    "updated_at": CaseRow.updated_at,
    "closed_at": CaseRow.closed_at,
    "number": CaseRow.number,
    "risk": CaseRow.risk,
}
URGENCY = "urgency"
"""The order of a desk, see :mod:`cityloop.cases.urgency`; it has one direction."""


NOW = bindparam("now", type_=UtcDateTime())
"""The instant at which a list is looked at; whoever asks gives it."""


def conditions(wanted: CaseFilter) -> list[ColumnElement[bool]]:
    """The filter as conditions (``mine`` is apart, see :func:`mine`); a light asks for :data:`NOW`."""
    found: list[ColumnElement[bool]] = []
    if wanted.state:
        found.append(CaseRow.state.in_(wanted.state))
    if wanted.matter:
        found.append(or_(*[_matter_is(pattern) for pattern in wanted.matter]))
    if wanted.area is not None:
        found.append(CaseRow.area.startswith(wanted.area, autoescape=True))
    if wanted.light is not None:
        found.append(light_is(wanted.light))
    if wanted.text:
        found.append(or_(*[c.contains(wanted.text.strip(), autoescape=True) for c in _TEXTS]))
    found += [column == value for column, value in _equal(wanted) if value is not None]
    return [*found, *_spans(wanted)]


def _matter_is(pattern: str) -> ColumnElement[bool]:
    """A key, or with ``*`` at its end everything that begins so, as in a dispatch table."""
    if pattern.endswith("*"):
        return CaseRow.matter.startswith(pattern[:-1], autoescape=True)
    return CaseRow.matter == pattern


_TEXTS = (CaseRow.number, CaseRow.title, CaseRow.address)


def _equal(wanted: CaseFilter) -> list[tuple[InstrumentedAttribute[Any], Any]]:
    return [
        (CaseRow.open, wanted.open),
        (CaseRow.department, wanted.department),
        (CaseRow.channel, wanted.channel),
        (CaseRow.on_time, wanted.on_time),
        (CaseRow.series, wanted.series),
        (CaseRow.warning, wanted.warning),
        (CaseRow.entity, wanted.entity),
    ]


def _spans(wanted: CaseFilter) -> list[ColumnElement[bool]]:
    """From counts, to does not."""
    found: list[ColumnElement[bool]] = []
    for column, start, end in (
        (CaseRow.opened_at, wanted.opened_from, wanted.opened_to),
        (CaseRow.closed_at, wanted.closed_from, wanted.closed_to),
    ):
        if start is not None:
            found.append(column >= utc(start))
        if end is not None:
            found.append(column < utc(end))
    return found


def light_is(wanted: Light) -> ColumnElement[bool]:
    """The same lights as :func:`cityloop.cases.views.light`; a stopped clock shows what it showed when it stopped."""
    at = func.coalesce(CaseRow.handled_at, NOW)
    ticking = and_(CaseRow.clock_state.in_(("running", "stopped")), CaseRow.red_at.is_not(None))
    match wanted:
        case "paused":
            return CaseRow.clock_state == "paused"
        case "red":
            return and_(ticking, CaseRow.red_at < at)
        case "yellow":
            return and_(ticking, CaseRow.yellow_at <= at, CaseRow.red_at >= at)
        case "green":
            return and_(ticking, CaseRow.yellow_at > at, CaseRow.red_at >= at)
        case "none":
            dark = and_(CaseRow.clock_state.in_(("running", "stopped")), CaseRow.red_at.is_(None))
            return or_(CaseRow.clock_state == "none", dark)


@dataclass(frozen=True, slots=True)
class Mine:
    """Cases on which an actor can carry on now."""

    where: ColumnElement[bool]
    within: tuple[ColumnElement[bool], ...]
    """Where they are: in a state that waits for the actor, or in one where only a request or a wish to close by force
    does; no case is in two. They follow from ``where``. Beside it counts go straight there, while a page is found
    quicker in its order."""


def mine(workflow: Workflow, door: Door, actor: Actor) -> Mine:
    """What an actor can carry on with, by the moves that the actor's posts may make.

    Moves that ask the same of a case make one condition over all their states. A move after a call-back waits for
    nobody: it depends on what a reporter says, not on a queue. Nor does a move that only asks somebody else (for more
    time, for a return): whoever can do no more than that is not waited for.
    """
    states: dict[_Asked, list[str]] = {}
    for state in workflow.states:
        for move in workflow.moves_from[state.id]:
            if _carries_on(move) and door.may(actor, move.needs):
                found = states.setdefault(_asked(move), [])
                found += [] if state.id in found else [state.id]
    parts = [and_(CaseRow.state.in_(names), *_conditions(asked, actor)) for asked, names in states.items()]
    return Mine(or_(*parts) if parts else false(), _within(states))


def _within(states: Mapping[_Asked, Sequence[str]]) -> tuple[ColumnElement[bool], ...]:
    kinds = sorted({asked.decides for asked in states if asked.decides})
    rare = {name for asked, names in states.items() if asked.decides or asked.forced for name in names}
    plain = {name for asked, names in states.items() if not (asked.decides or asked.forced) for name in names}
    other = CaseRow.state.in_(sorted(rare - plain))
    asked_for, forced = CaseRow.request.in_(kinds), CaseRow.force_by.is_not(None)
    found: list[ColumnElement[bool]] = [CaseRow.state.in_(sorted(plain))]
    if kinds and rare - plain:
        found.append(and_(other, asked_for))
    if any(asked.forced for asked in states) and rare - plain:
        found.append(and_(other, forced, or_(CaseRow.request.is_(None), not_(asked_for))))
    return tuple(found)


def _carries_on(move: MoveDef) -> bool:
    on_call_back = any(guard.name == "within_callback" for guard in move.guards)
    return not (move.aside or move.asks or on_call_back)


def _appeal_is(stage: Any, _: Actor) -> ColumnElement[bool]:
    return CaseRow.appeal.is_(None) if stage == "none" else CaseRow.appeal == stage


_GUARDED: dict[str, Callable[[Any, Actor], ColumnElement[bool]]] = {
    "request_open": lambda kind, _: CaseRow.request == kind,
    "deferred_is": lambda wanted, _: CaseRow.deferred.is_(bool(wanted)),
    "supervised_is": lambda wanted, _: CaseRow.reply_due_at.is_not(None) if wanted else CaseRow.reply_due_at.is_(None),
    "force_asked_is": lambda wanted, _: CaseRow.force_by.is_not(None) if wanted else CaseRow.force_by.is_(None),
    "not_force_asker": lambda _, actor: CaseRow.force_by != actor.id,
    "appeal_is": _appeal_is,
    "not_first_reviewer": lambda _, actor: or_(CaseRow.appeal_reviewer.is_(None), CaseRow.appeal_reviewer != actor.id),
    "parts_done": lambda _, __: CaseRow.parts_open == 0,
}
"""What a guard of :mod:`cityloop.cases.duties` means in a list."""


@dataclass(frozen=True, slots=True)
class _Asked:
    """What a move asks of a case, as far as a list can tell."""

    guards: tuple[tuple[str, Any], ...]
    decides: str | None
    alone: bool
    """Only while no request is open."""

    @property
    def forced(self) -> bool:
        """Only while somebody wants the case closed by force."""
        return ("force_asked_is", True) in self.guards


def _asked(move: MoveDef) -> _Asked:
    told = {"of_department", "is_handler", *_GUARDED, *(["not_asker"] if move.decides else [])}
    guards = sorted(((guard.name, _still(guard.value)) for guard in move.guards if guard.name in told), key=repr)
    return _Asked(tuple(guards), move.decides, bool(move.unless_pending or move.asks))


def _still(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _conditions(asked: _Asked, actor: Actor) -> list[ColumnElement[bool]]:
    parts: list[ColumnElement[bool]] = []
    guards = dict(asked.guards)
    if "of_department" in guards and actor.kind != "system":
        parts.append(CaseRow.department == actor.department if actor.department else false())
    if "is_handler" in guards and actor.kind != "system":
        parts.append(or_(CaseRow.handler.is_(None), CaseRow.handler == actor.id))
    parts += [condition(value, actor) for name, value in asked.guards if (condition := _GUARDED.get(name))]
    if asked.decides:
        parts.append(CaseRow.request == asked.decides)
    if "not_asker" in guards:
        parts.append(CaseRow.request_by != actor.id)
    if asked.alone:
        parts.append(CaseRow.request.is_(None))
    return parts


def order(sort: str) -> list[ColumnElement[Any]]:
    """The order of a list, newest reports first by default; raises :class:`Invalid` for an unknown field."""
    if sort == URGENCY:
        return [CaseRow.late.desc(), CaseRow.urgent_at.is_(None), CaseRow.urgent_at.asc(), CaseRow.id.desc()]
    name, descending = (sort[1:], True) if sort.startswith("-") else (sort, False)
    if not sort:
        name, descending = "opened_at", True
    column = SORTS.get(name)
    if column is None:
        raise Invalid(
            f"cases cannot be sorted by '{name}'",
            f"{URGENCY}, or one of: {', '.join(SORTS)}, with - before it for descending",
        )
    empty_last = [column.is_(None)] if name in ("due_at", "closed_at", "risk") else []
    return [*empty_last, column.desc() if descending else column.asc(), CaseRow.id.desc()]
