"""What a model sees of an entity at an origin: nothing that was observed later.

Differences from the newest value and from the profile carry over from one entity to another; so one model serves all.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from cityloop.learn.ahead.grid import Floats, Grid, Ints, at
from cityloop.learn.ahead.near import Near
from cityloop.learn.ahead.needs import LAGS
from cityloop.learn.ahead.profile import Profile
from cityloop.learn.ahead.rivals import last_known

_BACK = (1, 2, 5, 11)
_WHILE = 12
"""Steps of the mean deviation of late."""
_YEAR = 400
"""Days of a past that has seen every season."""
_TOP = 3
"""Neighbours that are shown one by one."""


class Columns:
    """Panels over the steps of a grid from ``first`` on, from which rows of columns are taken."""

    def __init__(self, grid: Grid, profile: Profile, near: Near | None, longest: int, first: int = 0) -> None:
        """``first``: the first origin that will be asked for; ``longest``: the longest horizon in steps."""
        self.grid, self._near = grid, near
        self._low = max(0, first - max(*LAGS, 7 * grid.calendar.slots))
        steps = np.arange(self._low, min(grid.steps + longest, len(grid.calendar)))
        self._usual = profile.at(steps)
        self._values = grid.values[self._low :].astype(np.float32)
        self._off = self._values - self._usual[: len(self._values)]
        self._off_mean = _lately(self._off, _WHILE)
        self._newest = last_known(self._values)
        self._city = _across(self._off)
        self._around = near.mean(self._values) if near else None
        self._around_off = near.mean(self._off) if near else None
        self._day_mean = _lately(self._values, grid.calendar.slots)
        self._year = grid.steps > _YEAR * grid.calendar.slots
        self._beside = {name: panel[self._low :].astype(np.float32) for name, panel in sorted(grid.beside.items())}
        self._beside_city = {name: _across(panel) for name, panel in self._beside.items()}

    def usual(self, step: Ints, entity: Ints) -> Floats:
        """The profile of pairs of step and entity."""
        return at(self._usual, step - self._low, entity)

    def value(self, step: Ints, entity: Ints) -> Floats:
        """The newest value known at pairs of step and entity."""
        return at(self._newest, step - self._low, entity)

    def rows(self, origin: Ints, entity: Ints, horizon: Ints) -> Floats:
        """Columns of rows; ``origin``, ``entity``, ``horizon`` have the shape (rows,), all in steps."""
        return np.column_stack([column for _, column in self._named(origin, entity, horizon)])

    def names(self) -> list[str]:
        """The name of every column."""
        none = np.zeros(1, np.int64)
        return [name for name, _ in self._named(none + self._low, none, none + 1)]

    def _named(self, origin: Ints, entity: Ints, horizon: Ints) -> Iterator[tuple[str, Floats]]:
        step, target = origin - self._low, origin - self._low + horizon
        calendar, value = self.grid.calendar, at(self._newest, step, entity)
        usual = at(self._usual, target, entity)
        yield "horizon", horizon.astype(np.float32)
        yield "slot", calendar.slot[origin + horizon].astype(np.float32)
        yield "kind", calendar.kind[origin + horizon].astype(np.float32)
        yield "weekday", ((calendar.day[origin + horizon] + 3) % 7).astype(np.float32)
        yield "value", value
        yield "usual", usual
        yield "to_usual", usual - value
        yield "off", value - at(self._usual, step, entity)
        for lag in LAGS:
            yield f"lag_{lag}", at(self._values, step - lag, entity) - value
        for back in _BACK:
            yield f"off_{back}", at(self._off, step - back, entity)
        season = calendar.slots * -(-horizon // calendar.slots)
        yield "season", at(self._values, target - season, entity) - value
        week = 7 * calendar.slots * -(-horizon // (7 * calendar.slots))
        yield "week", at(self._values, target - week, entity) - usual
        yield "off_mean", at(self._off_mean, step, entity)
        yield "day_mean", at(self._day_mean, step, entity) - value
        if self._year:
            angle = calendar.day[origin + horizon] * (2 * np.pi / 365.25)
            yield "year_sin", np.sin(angle).astype(np.float32)
            yield "year_cos", np.cos(angle).astype(np.float32)
        yield "city", np.asarray(self._city[step], np.float32)
        yield from self._neighbours(step, entity, value)
        for name, panel in self._beside.items():
            now = at(panel, step, entity)
            yield name, now
            yield f"{name}_3", now - at(panel, step - 3, entity)
            yield f"{name}_12", now - at(panel, step - 12, entity)
            yield f"{name}_city", np.asarray(self._beside_city[name][step], np.float32)

    def _neighbours(self, step: Ints, entity: Ints, value: Floats) -> Iterator[tuple[str, Floats]]:
        if self._near is None or self._around is None or self._around_off is None:
            return
        around = at(self._around, step, entity)
        yield "around", around - value
        yield "around_off", at(self._around_off, step, entity)
        yield "around_1", at(self._around, step - 1, entity) - around
        yield "around_3", at(self._around, step - 3, entity) - around
        for place in range(min(_TOP, self._near.index.shape[1])):
            beside = self._near.index[entity, place]
            yield f"near_{place}", at(self._values, step, beside) - value
            yield f"near_off_{place}", at(self._off, step, beside)


def _across(panel: Floats) -> Floats:
    """The mean over the entities that have a value, at every step; NaN where none has."""
    there = ~np.isnan(panel)
    count = there.sum(1)
    return np.where(count > 0, np.where(there, panel, 0).sum(1) / np.maximum(count, 1), np.nan)


def _lately(panel: Floats, steps: int) -> Floats:
    """The mean of the last ``steps``, over those that have a value; shape of ``panel``."""
    there = ~np.isnan(panel)
    total, count = (np.cumsum(one, 0, dtype=np.float64) for one in (np.where(there, panel, 0), there))
    total[steps:], count[steps:] = total[steps:] - total[:-steps], count[steps:] - count[:-steps]
    return np.where(count > 0, total / np.maximum(count, 1), np.nan).astype(np.float32)
