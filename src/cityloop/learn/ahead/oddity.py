"""How odd a value is, one after another: what is left of it beside its level and its slot of the day.

The level follows the last days and the slots learn how each time of day departs from it, on weekdays and weekends.
The rest is divided by a fading record of the rests before, each counted no larger than four times the usual: one event
does not make the next look harmless.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from cityloop.learn.ahead.grid import DAY, Floats

_BOUND = 4.0
_WARMING = 50
"""Values before anything can be odd."""


@dataclass(frozen=True)
class Pace:
    """Half-lives in days, and how finely the day is cut."""

    level: float = 7.0
    season: float = 7.0
    size: float = 30.0
    slots: int = 24


class Oddity:
    """One series; :meth:`take` is called for every value in order of time."""

    def __init__(self, interval: float, pace: Pace | None = None) -> None:
        """``interval``: usual seconds between two values."""
        pace, a_day = pace or Pace(), DAY / interval
        self._slots = pace.slots
        self._level_rate = _rate(pace.level * a_day)
        self._season_rate = _rate(max(1.0, pace.season * a_day / pace.slots))
        self._size_rate = _rate(pace.size * a_day)
        self._level, self._size, self._taken = 0.0, 0.0, 0
        self._season = [[0.0] * pace.slots, [0.0] * pace.slots]
        self._known = [[0] * pace.slots, [0] * pace.slots]

    def take(self, local: float, value: float) -> float:
        """How many usual sizes a value at ``local`` seconds of the city's time is away; 0 where nothing is known."""
        if math.isnan(value):
            return 0.0
        kind, slot = int((local // DAY + 3) % 7 >= 5), int(local % DAY * self._slots // DAY)
        season = self._season[kind if self._known[kind][slot] else 1 - kind][slot]
        rest = value - (self._level if self._taken else value) - season
        odd = abs(rest) / self._size if self._taken >= _WARMING and self._size > 0 else 0.0
        self._learn(kind, slot, value, rest)
        return odd

    def _learn(self, kind: int, slot: int, value: float, rest: float) -> None:
        self._taken += 1
        self._level = value if self._taken == 1 else self._level + max(self._level_rate, 1 / self._taken) * rest
        self._known[kind][slot] += 1
        self._season[kind][slot] += max(self._season_rate, 1 / (self._known[kind][slot] + 1)) * rest
        bounded = min(abs(rest), _BOUND * self._size) if self._taken > _WARMING and self._size else abs(rest)
        self._size += max(self._size_rate, 1 / self._taken) * (bounded - self._size)


def _rate(steps: float) -> float:
    return 1 - math.exp(-math.log(2) / steps)


def oddities(local: Floats, values: Floats, interval: float, pace: Pace | None = None) -> Floats:
    """The oddity of every value of a series in order."""
    judge = Oddity(interval, pace)
    return np.array([judge.take(at, value) for at, value in zip(local.tolist(), values.tolist(), strict=True)])
