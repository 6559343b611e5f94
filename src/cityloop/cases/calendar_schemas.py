"""What the change of calendars tells the wire."""

from __future__ import annotations

from datetime import date
from typing import Literal

from pydantic import Field

from cityloop.cases.schemas import MovedCase
from cityloop.city.almanac import CalendarChange
from cityloop.city.content import CalendarPart
from cityloop.city.days import DayKind
from cityloop.core.values import Frozen, Instant


class TableDay(Frozen):
    """A day of the table that breaks the weekday rule."""

    date: date
    kind: DayKind


class CalendarVersion(Frozen):
    """When which calendars came into force, why, and how many cases that moved."""

    version: int
    origin: Literal["content", "changed"]
    at: Instant
    by: str
    reason: str
    cases: int


class CalendarsView(Frozen):
    """The calendars in force; ``changed`` is what has been laid over the city's files."""

    version: int
    confirmed_years: list[int]
    days: list[TableDay]
    calendars: dict[str, CalendarPart]
    changed: CalendarChange
    versions: list[CalendarVersion]
    """The newest first."""


class CalendarWish(Frozen):
    """Either a change on top of what is in force, or the version to go back to."""

    change: CalendarChange | None = None
    revert_to: int | None = Field(default=None, ge=1)


class NewCalendar(CalendarWish):
    """A change that was explained and is now wanted."""

    plan: str = Field(max_length=64)
    base: int
    reason: str = Field(min_length=2, max_length=400)


class ChangedDay(Frozen):
    """One date on which a calendar's hours differ; empty hours: closed."""

    calendar: str
    date: date
    before: str
    after: str


class CalendarPlan(Frozen):
    """What a change would do; nothing is written. ``plan`` ties the application to this explanation."""

    plan: str
    base: int
    days: list[ChangedDay]
    """From a month ago to two years ahead; at most 400."""
    open_cases: int
    cases: int
    """Open cases whose deadline moves, in the whole city."""
    earlier: int
    later: int
    overdue_now: int
    """Cases that become overdue by the change."""
    parts: int
    """Parts of co-handlers whose deadline moves."""
    shown: list[MovedCase]
    """The first 200 within the asker's sight, the earliest due first."""
