"""How odd a value is, one after another: against its level, its slot of the day, and the oddest of late.

The level follows the last hours, the slots learn how each time of day departs from the level of the day. What is left is
divided by its usual size; a value scores only by how far it exceeds the *record*, the oddest value of late, which fades.
So a series that is always wild raises no alarm each hour, and one event is told once.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from cityloop.learn.ahead.grid import DAY, Floats


@dataclass(frozen=True)
class Pace:
    """How fast each part follows; spans in days."""

    level: float = 7.0
    season: float = 7.0
    size: float = 3.0
    record: float = 7.0
    slots: int = 48
    """Slots of a day."""
    short: float = 0.04
    """Span of the mean of late that is judged beside the value itself."""


class Oddity:
    """One series; :meth:`take` is called for every value in order of time."""

    def __init__(self, interval: float, pace: Pace = Pace()) -> None:
        """``interval``: usual seconds between two values."""
        a_day = DAY / interval
        self._slots = pace.slots
        self._level_rate = _rate(pace.level * a_day)
        self._season_rate = _rate(pace.season)
        self._size_rate = _rate(pace.size * a_day)
        self._short_rate = _rate(max(1.0, pace.short * a_day))
        self._fade = 0.5 ** (1 / (pace.record * a_day))
        self._level = self._size = self._short_size = math.nan
        self._short = self._record = 0.0
        self._season = np.zeros((2, pace.slots))
        self._known = np.zeros((2, pace.slots))
        self._taken = 0

    def take(self, local: float, value: float) -> float:
        """The score, 0 to 1, of a value at ``local`` seconds of the city's time; a missing one scores 0."""
        if math.isnan(value):
            return 0.0
        if math.isnan(self._level):
            self._level, self._size = value, 0.0
        kind, slot = int((local // DAY + 3) % 7 >= 5), int(local % DAY * self._slots // DAY)
        season = self._season[kind, slot] if self._known[kind, slot] else self._season[1 - kind, slot]
        rest = value - self._level - season
        odd = self._odd(rest)
        self._learn(kind, slot, value, rest)
        self._taken += 1
        before, self._record = self._record, max(self._record * self._fade, odd)
        return max(0.0, 1 - before / odd) if odd > before else 0.0

    def _odd(self, rest: float) -> float:
        """How many usual sizes the rest, or its mean of late, is away from nothing."""
        self._short += self._short_rate * (rest - self._short)
        if not self._size or math.isnan(self._size):
            return 0.0
        mean_size = self._size * math.sqrt(self._short_rate / (2 - self._short_rate)) * 2
        return max(abs(rest) / self._size, abs(self._short) / mean_size)

    def _learn(self, kind: int, slot: int, value: float, rest: float) -> None:
        rate = max(self._level_rate, 1 / (self._taken + 1))
        self._level += rate * (value - self._level - self._season[kind, slot] * (self._taken > 0))
        self._known[kind, slot] += 1
        rate = max(self._season_rate, 1 / (self._known[kind, slot] + 1))
        self._season[kind, slot] += rate * rest
        size_rate = max(self._size_rate, 1 / (self._taken + 1))
        bounded = min(abs(rest), 4 * self._size) if self._taken > 100 else abs(rest)
        self._size += size_rate * (bounded - self._size)


def _rate(steps: float) -> float:
    return 1 - 0.5 ** (1 / steps)


def scores(local: Floats, values: Floats, interval: float, pace: Pace = Pace()) -> Floats:
    """The score of every value of a series in order."""
    judge = Oddity(interval, pace)
    return np.array([judge.take(at, value) for at, value in zip(local.tolist(), values.tolist(), strict=True)])
