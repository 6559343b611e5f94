"""A trained forecast at work: the grid of the last days, forecasts from its end, and how they came true."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

import numpy as np

from cityloop.learn.ahead.columns import Columns
from cityloop.learn.ahead.fitting import Rows
from cityloop.learn.ahead.grid import Floats, Ints
from cityloop.learn.ahead.judging import rows_of
from cityloop.learn.ahead.profile import Profile
from cityloop.learn.ahead.rivals import seasonal
from cityloop.learn.forecast_model import Trained
from cityloop.learn.observed import Seen
from cityloop.watch.outlook import Server

FRESH = 2
"""Steps that an entity's newest record may lag behind the origin."""
_MOST_BACK = 96
_MOST_ROWS = 150_000
"""Origins, and forecasts, that are looked back on when a model is taken up."""


@dataclass(frozen=True)
class Told:
    """Forecasts from one origin, a step number since 1970; arrays (entities, horizons) in the property's unit."""

    origin: int
    value: Floats
    low: Floats
    high: Floats
    radius: Floats
    """(horizons,), in usual errors."""


@dataclass(frozen=True)
class Lately:
    """How forecasts of the first horizon came true of late."""

    rows: int
    mae: float | None
    naive_mae: float | None
    coverage: float | None
    since: int | None
    """Step number of the first origin looked at."""


class Foreteller:
    """Forecasts from origin to origin; the truths that come in between move the intervals. Not safe for threads."""

    def __init__(self, trained: Trained) -> None:
        self.trained = trained
        self._adaptive = trained.adaptive()
        self.told: OrderedDict[int, Told] = OrderedDict()
        """By origin, the oldest first."""
        self._learned: list[int] = [0] * len(trained.horizons)
        self.seen: Seen | None = None

    def advance(self, seen: Seen) -> Told | None:
        """Take the grid as it is now and forecast from its newest origin; ``None`` when nothing is recorded."""
        self.seen = seen
        origin = newest(seen)
        if origin is None:
            return None
        if origin not in self.told:
            last = max(self.told, default=origin - self._back())
            fresh = np.arange(max(last + 1, origin - self._back() + 1), origin + 1)
            self._tell(seen, fresh)
        return self.told.get(origin)

    def lately(self) -> Lately:
        """The first horizon's forecasts whose truth is known by now."""
        seen, told = self.seen, list(self.told.values())
        if seen is None:
            return Lately(0, None, None, None, None)
        horizon = self.trained.horizons[0]
        told = [one for one in told if one.origin + horizon < seen.end]
        if not told:
            return Lately(0, None, None, None, None)
        at = np.array([one.origin - seen.first for one in told])
        truth, now = seen.grid.values[at + horizon], seen.grid.values[at]
        value, low, high = (np.stack([getattr(one, name)[:, 0] for one in told]) for name in ("value", "low", "high"))
        known = ~np.isnan(truth + now + value)
        if not known.any():
            return Lately(0, None, None, None, told[0].origin)
        return Lately(
            rows=int(known.sum()),
            mae=float(np.abs(truth - value)[known].mean()),
            naive_mae=float(np.abs(truth - now)[known].mean()),
            coverage=float(((truth >= low) & (truth <= high))[known].mean()),
            since=told[0].origin,
        )

    def _back(self) -> int:
        each = max(1, len(self.trained.entities) * len(self.trained.horizons))
        return max(1, min(_MOST_BACK, _MOST_ROWS // each))

    def _tell(self, seen: Seen, origins: Ints) -> None:
        trained, grid = self.trained, seen.grid
        steps = origins - seen.first
        inside = steps >= 0
        origins, steps = origins[inside], steps[inside]
        longest = max(trained.horizons)
        columns = Columns(grid, Profile(grid, longest), trained.near, longest, int(steps[0]))
        value = self._served(columns, rows_of(steps, grid.entities, trained.horizons), len(steps))
        for number, origin in enumerate(origins.tolist()):
            self._learn(seen, origin)
            self._keep(seen, origin, value[number])

    def _served(self, columns: Columns, rows: Rows, origins: int) -> Floats:
        """What who serves each horizon says; shape (origins, entities, horizons)."""
        trained = self.trained
        shape = (origins, columns.grid.entities, len(trained.horizons))
        found = {who: self._by(who, columns, rows).reshape(shape) for who in set(trained.servers)}
        return np.stack([found[who][:, :, place] for place, who in enumerate(trained.servers)], axis=2)

    def _by(self, who: Server, columns: Columns, rows: Rows) -> Floats:
        if who == "model":
            return np.maximum(self.trained.fit.predict(columns, rows), self.trained.lowest)
        if who == "persistence":
            return columns.value(rows.origin, rows.entity)
        return seasonal(columns.grid, rows.origin, rows.entity, rows.horizon, self.trained.season)

    def _keep(self, seen: Seen, origin: int, value: Floats) -> None:
        trained = self.trained
        step = origin - seen.first
        silent = np.asarray(np.isnan(seen.grid.values[max(0, step - FRESH) : step + 1]).all(0))
        value = np.where(silent[:, None], np.nan, value)
        radius = np.array([self._adaptive.radius(place) for place in range(len(trained.horizons))])
        usual = np.stack([trained.scale.of(place, value[:, place]) for place in range(len(radius))], axis=1)
        low = np.maximum(value - radius * usual, trained.lowest)
        self.told[origin] = Told(origin, value, low, value + radius * usual, radius)
        while len(self.told) > max(self._back(), max(trained.horizons) + 2):
            self.told.popitem(last=False)

    def _learn(self, seen: Seen, origin: int) -> None:
        """Let every forecast move the intervals whose target step lies behind ``origin`` for good."""
        for place, horizon in enumerate(self.trained.horizons):
            for one in list(self.told.values()):
                target = one.origin + horizon
                if target >= origin or one.origin <= self._learned[place] or target < seen.first:
                    continue
                self._learned[place] = one.origin
                value = one.value[:, place]
                error = np.abs(seen.grid.values[target - seen.first] - value)
                self._adaptive.learn(place, error / self.trained.scale.of(place, value), float(one.radius[place]))


def newest(seen: Seen) -> int | None:
    """The newest step at which at least half of those spoke that spoke within a day; ``None`` without any record."""
    there = ~np.isnan(seen.grid.values)
    awake = there[-seen.grid.calendar.slots :].any(0).sum()
    full = np.flatnonzero(there.sum(1) * 2 >= max(awake, 1))
    return seen.first + int(full[-1]) if len(full) else None
