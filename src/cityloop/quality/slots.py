"""What was to be expected: slots of a feed's rhythm in its hours of operation. Pure; indices count from an origin.

A slot is ``every`` long, aligned to a Monday midnight of the city, and is *due* once its record must have come: at its
start plus the longer of rhythm and promised delay.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICRO = timedelta(microseconds=1)
_DAY = 86_400
HOUR = timedelta(hours=1)


def micros(instant: datetime) -> int:
    """Microseconds since 1970."""
    return (instant - _EPOCH) // _MICRO


def origin(zone: ZoneInfo) -> datetime:
    """A Monday midnight in the city, long ago."""
    return datetime(2001, 1, 1, tzinfo=zone).astimezone(UTC)


@dataclass(frozen=True)
class Grid:
    """Even stretches of time, counted from ``start``."""

    start: datetime
    every: timedelta

    def index(self, at: datetime) -> int:
        """The stretch that holds an instant."""
        return (at - self.start) // self.every

    def at(self, index: int) -> datetime:
        """When a stretch begins."""
        return self.start + index * self.every

    def within(self, first: datetime, last: datetime) -> range:
        """The stretches that begin in [first, last)."""
        return range(-((self.start - first) // self.every), -((self.start - last) // self.every))


@dataclass(frozen=True)
class Hours:
    """A daily window of operation, in seconds of the local day; silence outside of it is no fault."""

    start: int
    end: int
    zone: ZoneInfo

    def holds(self, at: datetime) -> bool:
        """Whether an instant lies in the window."""
        local = at.astimezone(self.zone)
        return self.start <= local.hour * 3600 + local.minute * 60 + local.second < self.end

    def between(self, first: datetime, last: datetime) -> timedelta:
        """How much time of operation lies between two instants, by the clock on the wall."""
        if last <= first:
            return timedelta()
        start, end = _wall(first, self.zone), _wall(last, self.zone)
        return timedelta(seconds=max(0.0, self._upto(end) - self._upto(start)))

    def _upto(self, wall: tuple[int, float]) -> float:
        day, seconds = wall
        return day * (self.end - self.start) + min(max(seconds - self.start, 0.0), self.end - self.start)


@dataclass(frozen=True)
class Rhythm:
    """How often each entity of a feed is expected, in which hours, and how late a record may come."""

    grid: Grid
    delay: timedelta
    hours: Hours | None = None

    def due(self, first: datetime, last: datetime, now: datetime) -> list[int]:
        """Slots that begin in [first, last), lie in the hours of operation, and are due at ``now``."""
        wait = max(self.grid.every, self.delay)
        end = min(last, now - wait + _MICRO)
        daily = self.hours is not None and self.grid.every < timedelta(seconds=_DAY)
        found = self.grid.within(first, end) if end > first else range(0)
        return [n for n in found if not daily or self.hours is None or self.hours.holds(self.grid.at(n))]


def expected(slots: Sequence[int], grid: Grid, since: Sequence[datetime | None]) -> list[int]:
    """For each slot how many entities were there by its end; ``None`` in ``since`` means from the beginning."""
    always = sum(at is None for at in since)
    joined = sorted(at for at in since if at is not None)
    return [always + bisect_left(joined, grid.at(slot + 1)) for slot in slots]


def age(newest: datetime, now: datetime, hours: Hours | None) -> timedelta:
    """How old the newest record is, counting hours of operation only."""
    return hours.between(newest, now) if hours else max(now - newest, timedelta())


def _wall(at: datetime, zone: ZoneInfo) -> tuple[int, float]:
    local = at.astimezone(zone)
    seconds = local.hour * 3600 + local.minute * 60 + local.second + local.microsecond / 1e6
    return local.date().toordinal(), seconds
