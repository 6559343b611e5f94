"""A contact tree without I/O: who is called next, and which roles follow. Restart-safe, for its timers are rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

from cityloop.emergency.declarations import KindDef, Level, rank

CallState = Literal["calling", "reached", "missed"]


@dataclass(frozen=True)
class Call:
    """A role being called: whose ``turn`` it is of ``size`` people, and when the next is called."""

    role: str
    state: CallState
    turn: int
    size: int
    wait: timedelta
    next_at: datetime | None


def begun(role: str, size: int, wait: timedelta, now: datetime) -> Call:
    """A role whose first person is called now; without people nobody answers."""
    if size == 0:
        return Call(role, "missed", 0, 0, wait, None)
    return Call(role, "calling", 0, size, wait, now + wait)


def waited(call: Call, now: datetime) -> Call:
    """The call once its wait is over: the next person, or nobody is left. Unchanged before that.

    What was slept through counts: after a stop of the program the person is called who would have been by then.
    """
    while call.state == "calling" and call.next_at is not None and call.next_at <= now:
        if call.turn + 1 >= call.size:
            return replace(call, state="missed", next_at=None)
        call = replace(call, turn=call.turn + 1, next_at=call.next_at + call.wait)
    return call


def answered(call: Call) -> Call:
    """Somebody has answered; also after everybody was passed over."""
    return replace(call, state="reached", next_at=None)


def roots(kind: KindDef, level: Level, called: Sequence[str]) -> list[str]:
    """The roles that are called first at a level and have not been called yet."""
    return [role for role in kind.call_first if role not in called and _due(kind, role, level)]


def follows(kind: KindDef, role: str, level: Level, called: Sequence[str]) -> list[str]:
    """The roles that are called once ``role`` was reached or missed."""
    contact = kind.contact(role)
    after = contact.then if contact else ()
    return [one for one in after if one not in called and _due(kind, one, level)]


def catching_up(kind: KindDef, level: Level, called: Sequence[str], settled: Sequence[str]) -> list[str]:
    """The roles that a new level adds: first ones, and those that follow on roles that are settled already."""
    found = roots(kind, level, called)
    for role in settled:
        found += follows(kind, role, level, [*called, *found])
    return found


def _due(kind: KindDef, role: str, level: Level) -> bool:
    contact = kind.contact(role)
    return contact is not None and rank(contact.level) <= rank(level)
