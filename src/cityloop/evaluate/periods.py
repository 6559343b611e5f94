"""Days, weeks, months, quarters and years of a city's own zone. A week begins on Monday."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from cityloop.core.values import Title

PeriodKind = Literal["day", "week", "month", "quarter", "year"]


@dataclass(frozen=True, slots=True)
class Period:
    """``first`` to ``last`` day, both included; the instants ``start`` (included) and ``end`` (excluded) in UTC."""

    kind: PeriodKind
    first: date
    last: date
    start: datetime
    end: datetime

    @property
    def title(self) -> Title:
        """How people call it."""
        day = self.first
        match self.kind:
            case "day":
                return Title(zh=f"{day.year}年{day.month}月{day.day}日", en=f"{day:%-d %B %Y}")
            case "week":
                year, week, _ = day.isocalendar()
                return Title(zh=f"{year}年第{week}周", en=f"Week {week} of {year}")
            case "month":
                return Title(zh=f"{day.year}年{day.month}月", en=f"{day:%B %Y}")
            case "quarter":
                quarter = (day.month + 2) // 3
                return Title(zh=f"{day.year}年第{quarter}季度", en=f"Quarter {quarter} of {day.year}")
        return Title(zh=f"{day.year}年", en=str(day.year))


def period_of(kind: PeriodKind, day: date, zone: ZoneInfo) -> Period:
    """The period of a kind that holds a day."""
    first = _first(kind, day)
    last = _first(kind, _beyond(kind, first)) - timedelta(days=1)
    return Period(kind, first, last, _midnight(first, zone), _midnight(last + timedelta(days=1), zone))


def previous(period: Period, zone: ZoneInfo) -> Period:
    """The period just before."""
    return period_of(period.kind, period.first - timedelta(days=1), zone)


def periods(kind: PeriodKind, first: date, last: date, zone: ZoneInfo) -> Iterator[Period]:
    """Every period that holds a day from ``first`` to ``last``, oldest first."""
    found = period_of(kind, first, zone)
    while found.first <= last:
        yield found
        found = period_of(kind, found.last + timedelta(days=1), zone)


def _first(kind: PeriodKind, day: date) -> date:
    match kind:
        case "day":
            return day
        case "week":
            return day - timedelta(days=day.weekday())
        case "month":
            return day.replace(day=1)
        case "quarter":
            return day.replace(month=day.month - (day.month - 1) % 3, day=1)
    return day.replace(month=1, day=1)


def _beyond(kind: PeriodKind, first: date) -> date:
    """Some day of the period after the one that begins on ``first``."""
    return first + timedelta(days={"day": 1, "week": 7, "month": 31, "quarter": 92, "year": 366}[kind])


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)
