"""What a property usually is at a time of day, and how far it strays: what an anomaly is held against."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cityloop.learn.ahead.grid import Calendar, Floats, Grid, Ints

TO_DEVIATION = 1.4826
"""From a median absolute deviation to a standard deviation of normal errors."""
_LEAST = 3
"""Fewest records of a slot on one kind of day before they count by themselves."""
_FLOOR = 0.05
"""A slot's spread is at least this share of the entity's own over all slots."""


@dataclass(frozen=True)
class Usual:
    """Median and robust spread by kind of day, slot and entity; both (2, slots, entities), in the property's unit."""

    level: Floats
    spread: Floats

    def of(self, entity: Ints, slot: Ints, kind: Ints) -> tuple[Floats, Floats]:
        """Level and spread of rows; NaN where an entity has no such past."""
        return self.level[kind, slot, entity], self.spread[kind, slot, entity]


def usual(grid: Grid, days: int) -> Usual:
    """From the last ``days`` of a grid, each slot together with its neighbours."""
    first = int(np.searchsorted(grid.calendar.day[: grid.steps], grid.calendar.day[grid.steps - 1] - days + 1))
    values, calendar = grid.values[first:], grid.calendar
    kind, slot = calendar.kind[first : grid.steps], calendar.slot[first : grid.steps]
    every = _slots(values, calendar, slot, np.ones(len(values), bool))
    level, spread = [], []
    for one in (0, 1):
        own_level, own_spread, count = _slots(values, calendar, slot, kind == one)
        enough = count >= _LEAST
        level.append(np.where(enough, own_level, every[0]))
        spread.append(np.where(enough, own_spread, every[1]))
    levels = np.array(level, np.float32)
    floor = _floor(values, levels[0], slot)
    return Usual(levels, np.maximum(np.array(spread, np.float32), floor))


def _slots(values: Floats, calendar: Calendar, slot: Ints, wanted: Floats) -> tuple[Floats, Floats, Floats]:
    """Median, spread and count of the wanted steps by slot; each (slots, entities)."""
    shape = (calendar.slots, values.shape[1])
    level, spread, count = np.full(shape, np.nan), np.full(shape, np.nan), np.zeros(shape)
    for one in range(calendar.slots):
        near = np.abs((slot - one + calendar.slots // 2) % calendar.slots - calendar.slots // 2) <= 1
        held = values[near & (wanted > 0)]
        count[one] = (~np.isnan(held)).sum(0)
        there = np.flatnonzero(count[one])
        level[one, there] = np.nanmedian(held[:, there], 0)
        spread[one, there] = TO_DEVIATION * np.nanmedian(np.abs(held[:, there] - level[one, there]), 0)
    return level, spread, count


def _floor(values: Floats, level: Floats, slot: Ints) -> Floats:
    """A spread of 0 (a value that never changes) would make every other value endlessly odd."""
    away = np.abs(values - level[slot])
    known = np.flatnonzero(~np.isnan(away).all(0))
    floor = np.full(values.shape[1], np.nan, np.float32)
    floor[known] = TO_DEVIATION * np.nanmean(away[:, known], 0) * _FLOOR
    return np.where(floor > 0, floor, 1e-6).astype(np.float32)
