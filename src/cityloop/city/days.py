"""The table of holidays and make-up working days (调休) that a city imports each year, and instants as integers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Literal, get_args

from cityloop.city.faults import Faults

SECOND = 1_000_000
"""Ticks of one second: an instant is a whole number of microseconds since 1970 UTC, exact and fast."""
DayKind = Literal["workday", "holiday", "makeup_workday"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TICK = timedelta(microseconds=1)


def ticks(instant: datetime) -> int:
    """An aware instant as microseconds since 1970 UTC."""
    return (instant - _EPOCH) // _TICK


def instant_of(at: int) -> datetime:
    """Microseconds since 1970 as an aware UTC instant."""
    return _EPOCH + timedelta(microseconds=at)


@dataclass(frozen=True)
class DayTable:
    """The announced days that break the weekday rule, and the years whose announcement is known."""

    days: Mapping[date, DayKind] = field(default_factory=dict)
    confirmed_years: frozenset[int] = frozenset()
    names: Mapping[date, str] = field(default_factory=dict)
    """The holiday that a day belongs to, where the table says so."""

    def works(self, day: date) -> bool:
        """Whether an ordinary office works on ``day``: the table, else Monday to Friday."""
        kind = self.days.get(day)
        return kind != "holiday" if kind else day.weekday() < 5


def read_days(path: Path, confirmed_years: Iterable[int], faults: Faults) -> DayTable:
    """Read the ``date,weekday,kind,name,note`` rows of a table; ``faults`` take the broken ones with their line."""
    days: dict[date, DayKind] = {}
    names: dict[date, str] = {}
    for line, row in faults.rows(path, ("date", "kind")):
        fault = _take(row, days)
        if fault:
            faults.add(f"{path}:{line} {fault[0]}", fault[1], fault[2])
        elif row.get("name"):
            names[date.fromisoformat(row["date"])] = row["name"]
    return DayTable(days, frozenset(confirmed_years), names)


def _take(row: Mapping[str, str], days: dict[date, DayKind]) -> tuple[str, str, str] | None:
    """Add one row; return key, what and mend of its fault if it has one."""
    text, kind, weekday = (row.get(name, "") for name in ("date", "kind", "weekday"))
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return "date", f"'{text}' is not a date", "write it as 2026-01-31"
    known: dict[str, DayKind] = {name: name for name in get_args(DayKind)}
    if kind not in known:
        return "kind", f"'{kind}' is no kind of day", f"use one of {', '.join(known)}"
    if day in days:
        return "date", f"{text} is written twice", "keep one of the two rows"
    if weekday and weekday != f"{day:%a}":
        return "weekday", f"{text} is a {day:%a}, not a {weekday}", "correct the date or the weekday"
    days[day] = known[kind]
    return None
