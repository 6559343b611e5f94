"""Forecasts held against what became true and against the plain rivals, on the same rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from cityloop.learn.ahead import rivals
from cityloop.learn.ahead.columns import Columns
from cityloop.learn.ahead.fitting import Fit, Rows, truth
from cityloop.learn.ahead.grid import Floats, Ints
from cityloop.watch.outlook import Server

SERVERS: tuple[Server, ...] = ("model", "persistence", "seasonal")
_MOST = 400_000
"""Forecasts of one part that are judged by default; of a longer part only every n-th origin is."""


@dataclass(frozen=True)
class Errors:
    """Errors of one horizon, in the property's unit."""

    mae: float
    rmse: float


@dataclass(frozen=True)
class Judged:
    """Forecasts of origins that the model had not seen, with what became true.

    ``told`` (by who forecast) and ``truth`` have the shape (origins, entities, horizons); NaN where there is nothing.
    """

    origins: Ints
    told: dict[Server, Floats]
    truth: Floats

    def known(self, place: int) -> Floats:
        """Rows of a horizon with a truth, that all could forecast; a mask (origins, entities)."""
        every = sum((one[:, :, place] for one in self.told.values()), self.truth[:, :, place])
        return ~np.isnan(every)

    def errors(self, who: Server, place: int) -> Errors | None:
        """Of one horizon, on the rows of :meth:`known`; ``None`` when there are none."""
        known = self.known(place)
        if not known.any():
            return None
        error = (self.told[who][:, :, place] - self.truth[:, :, place])[known]
        return Errors(float(np.abs(error).mean()), float(np.sqrt((error**2).mean())))

    def server(self, place: int) -> Server:
        """Who serves a horizon: the model only where its mean absolute error is below that of both rivals."""
        found = {who: errors.mae for who in SERVERS if (errors := self.errors(who, place)) is not None}
        return min(found, key=lambda who: (found[who], who == "model")) if found else "persistence"

    def of(self, servers: Sequence[Server]) -> Floats:
        """The forecasts of who serves each horizon; shape (origins, entities, horizons)."""
        return np.stack([self.told[who][:, :, place] for place, who in enumerate(servers)], axis=2)


def judge(columns: Columns, fit: Fit, horizons: Sequence[int], season: int, span: range, most: int = _MOST) -> Judged:
    """Forecast every origin of ``span`` (steps) whose longest horizon ends in it, or every n-th of them."""
    entities = columns.grid.entities
    last = span.stop - max(horizons)
    every = max(1, -(-(last - span.start) * entities * len(horizons) // most))
    origins = np.arange(span.start, last, every)
    shape = (len(origins), entities, len(horizons))
    rows = rows_of(origins, entities, horizons)
    told: dict[Server, Floats] = {
        "model": fit.predict(columns, rows),
        "persistence": columns.value(rows.origin, rows.entity),
        "seasonal": rivals.seasonal(columns.grid, rows.origin, rows.entity, rows.horizon, season),
    }
    return Judged(
        origins,
        {who: one.reshape(shape) for who, one in told.items()},
        truth(columns.grid.values, rows).reshape(shape),
    )


def rows_of(origins: Ints, entities: int, horizons: Sequence[int]) -> Rows:
    """All rows of some origins, in the order (origins, entities, horizons)."""
    grid = np.meshgrid(origins, np.arange(entities), np.array(horizons, np.int64), indexing="ij")
    return Rows(*(axis.ravel() for axis in grid))
