"""Stretches of local time, and how calendar units follow each other."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

Unit = Literal["hour", "day", "week", "month", "quarter", "year", "days", "holiday"]
DAY = timedelta(days=1)
_MONTHS = {"month": 1, "quarter": 3, "year": 12}


@dataclass(frozen=True)
class Span:
    """[start, end) in the city's zone, counted on its wall clock; ``unit`` says as what it was named."""

    start: datetime
    end: datetime
    unit: Unit = "days"

    @property
    def days(self) -> float:
        """Its length in days."""
        return (self.end - self.start) / DAY

    def until(self, end: datetime) -> Span:
        """The same start with another end."""
        return replace(self, end=end, unit="days")


@dataclass(frozen=True)
class Hours:
    """Hours within a day, in minutes after midnight."""

    first: int
    last: int

    def of(self, day: datetime) -> Span:
        """These hours of the day that holds an instant."""
        start = midnight(day)
        return Span(start + timedelta(minutes=self.first), start + timedelta(minutes=self.last), "hour")


def midnight(day: datetime) -> datetime:
    """The beginning of a day."""
    return day.replace(hour=0, minute=0, second=0, microsecond=0)


def begin(now: datetime, year: int, month: int = 1, day: int = 1) -> datetime:
    """The midnight of a date in the zone of ``now``."""
    return datetime(year, month, day, tzinfo=now.tzinfo)


def one_day(day: datetime) -> Span:
    """A whole day."""
    start = midnight(day)
    return Span(start, start + DAY, "day")


def week_of(day: datetime, weeks: int = 0) -> Span:
    """The week of a day, Monday first, moved by some weeks."""
    monday = midnight(day) - timedelta(days=day.weekday()) + timedelta(weeks=weeks)
    return Span(monday, monday + timedelta(days=7), "week")


def unit_of(day: datetime, unit: Literal["day", "week", "month", "quarter", "year"], moved: int = 0) -> Span:
    """The calendar unit that holds a day, moved by some units."""
    if unit == "day":
        return one_day(midnight(day) + moved * DAY)
    if unit == "week":
        return week_of(day, moved)
    width = _MONTHS[unit]
    first = ((day.month - 1) // width) * width + 1
    start = months_on(begin(day, day.year, first), moved * width)
    return Span(start, months_on(start, width), unit)


def months_on(at: datetime, months: int) -> datetime:
    """The same day some months later, or the last one of a shorter month."""
    year, month = divmod(at.year * 12 + at.month - 1 + months, 12)
    first = at.replace(year=year, month=month + 1, day=1)
    days = ((first + timedelta(days=31)).replace(day=1) - first).days
    return first.replace(day=min(at.day, days))


def before(span: Span) -> Span:
    """The stretch just before, of the same unit."""
    if span.unit in ("day", "week", "month", "quarter", "year"):
        return unit_of(span.start, span.unit, -1)
    return Span(span.start - (span.end - span.start), span.start, span.unit)


def rolling(now: datetime, count: int, unit: str) -> Span:
    """The last so many units: hours up to now, days and longer with today as their last day."""
    if unit == "hour":
        return Span(now - timedelta(hours=count), now, "hour")
    end = midnight(now) + DAY
    if unit in ("day", "week"):
        return Span(end - timedelta(days=count * (7 if unit == "week" else 1)), end)
    return Span(months_on(end, -count * _MONTHS[unit]), end)
