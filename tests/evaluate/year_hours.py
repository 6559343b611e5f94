"""Working time as a clerk adds it up with the wall calendar in hand, day by day. Nothing of the city room is used.

The calendar of 2026 is read from the city's own file; all else stands here as it stands on the office door.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

CALENDAR = Path(__file__).parents[2] / "cities" / "demo" / "calendar.csv"
ZONE = ZoneInfo("Asia/Shanghai")
Span = tuple[datetime, datetime | None]
"""From and to; ``None``: still running."""


@cache
def _named_days() -> dict[date, str]:
    with CALENDAR.open(encoding="utf-8", newline="") as file:
        return {date.fromisoformat(row["date"]): row["kind"] for row in csv.DictReader(file)}


@dataclass(frozen=True)
class Hours:
    """When a department works: hours of the day, and whether also on days off."""

    slots: tuple[tuple[int, int], ...]
    every_day: bool = False

    def on(self, day: date) -> Iterator[tuple[datetime, datetime]]:
        """The working spans of a day."""
        named = _named_days().get(day)
        if not self.every_day and (named == "holiday" or (named is None and day.weekday() >= 5)):
            return
        midnight = datetime.combine(day, time(), ZONE)
        for start, end in self.slots:
            yield midnight + timedelta(hours=start), midnight + timedelta(hours=end)


OFFICE = Hours(((8, 12), (14, 18)))
SHIFTS = Hours(((6, 22),), every_day=True)
ALWAYS = Hours(((0, 24),), every_day=True)


def _worked(hours: Hours, spans: Sequence[Span], horizon: datetime) -> Iterator[tuple[datetime, datetime]]:
    for start, end in spans:
        day, last = start.astimezone(ZONE).date(), end or horizon
        while datetime.combine(day, time(), ZONE) < last:
            for opens, shuts in hours.on(day):
                begin, stop = max(opens, start), min(shuts, last)
                if begin < stop:
                    yield begin, stop
            day += timedelta(days=1)


def reached(seconds: int, hours: Hours, spans: Sequence[Span]) -> datetime:
    """The instant at which so many seconds have been worked within the spans; the last one is open."""
    horizon = spans[-1][0] + timedelta(days=400)
    for begin, stop in _worked(hours, spans, horizon):
        length = int((stop - begin).total_seconds())
        if length >= seconds:
            return begin + timedelta(seconds=seconds)
        seconds -= length
    raise AssertionError("the horizon is too near")


def spent(hours: Hours, spans: Sequence[Span], until: datetime) -> int:
    """Seconds worked within the spans until an instant."""
    cut = [(start, min(end or until, until)) for start, end in spans if start < until]
    return sum(int((stop - begin).total_seconds()) for begin, stop in _worked(hours, cut, until))
