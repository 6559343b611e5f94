"""The way of an inspection, and the calendar it keeps. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from cityloop.city.calendar import Calendar
from cityloop.city.days import instant_of, ticks
from cityloop.core.values import Title
from cityloop.quality.content import Schedule, span
from cityloop.quality.schemas import FindingState, Move, State

TITLES: Mapping[State, Title] = {
    "planned": Title(zh="已计划", en="Planned"),
    "sampling": Title(zh="取数检查", en="Examining"),
    "findings": Title(zh="汇总问题", en="Gathering findings"),
    "cases": Title(zh="立案派发", en="Opening cases"),
    "repair": Title(zh="部门整改", en="Being repaired"),
    "recheck": Title(zh="复查", en="Being rechecked"),
    "report": Title(zh="已出报告", en="Reported"),
    "closed": Title(zh="已归档", en="Closed"),
}
RUNNING: tuple[State, ...] = ("sampling", "findings", "cases", "repair", "recheck")
_MONTHS: Mapping[str, int] = {"month": 1, "monthly": 1, "quarter": 3, "quarterly": 3, "year": 12, "yearly": 12}


def moves(state: State, halted: bool) -> list[Move]:
    """What may be done by hand in a state."""
    if halted:
        return ["resume"]
    if state == "planned":
        return ["start"]
    if state in ("repair", "recheck"):
        return ["stop", "recheck", "close"]
    if state in RUNNING:
        return ["stop"]
    return ["recheck", "close"] if state == "report" else []


def after_work(waiting: int, unopened: int, states: Sequence[FindingState], due: int) -> State:
    """Where an inspection stands: checks ``waiting``, findings without a case, their states, rechecks that are due."""
    if waiting:
        return "sampling"
    if unopened:
        return "cases"
    if due:
        return "recheck"
    return "repair" if any(state in ("open", "repaired") for state in states) else "report"


def season_start(kind: str, at: datetime, zone: ZoneInfo) -> datetime:
    """The local midnight on which the month, quarter or year of ``at`` began."""
    return _midnight(_first(kind, at.astimezone(zone).date()), zone)


def next_date(schedule: Schedule, after: datetime, calendar: Calendar) -> datetime:
    """When the next inspection of a schedule is due: the first office hour of the next month, quarter or year."""
    months = _MONTHS[schedule]
    first = _first(schedule, after.astimezone(calendar.zone).date())
    opening = calendar.opening(ticks(_midnight(_later(first, months), calendar.zone)))
    return instant_of(opening)


def period(text: str, planned_for: datetime, now: datetime, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """What an inspection that starts ``now`` looks at, [first, last).

    A span (``7d``) ends now. A month, quarter or year is the one that ended before the planned day; started by hand
    before that day, it is the running one, up to now.
    """
    if text not in _MONTHS:
        return now - span(text), now
    if now < planned_for:
        return season_start(text, now, zone), now
    end = season_start(text, planned_for, zone)
    return season_start(text, end - timedelta(days=1), zone), end


def _first(kind: str, day: date) -> date:
    months = _MONTHS[kind]
    return date(day.year, (day.month - 1) // months * months + 1, 1)


def _later(first: date, months: int) -> date:
    count = first.year * 12 + first.month - 1 + months
    return date(count // 12, count % 12 + 1, 1)


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=zone)
