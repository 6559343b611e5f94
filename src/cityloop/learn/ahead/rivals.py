"""The plain forecasts that every model is held against."""

from __future__ import annotations

import numpy as np

from cityloop.learn.ahead.grid import Floats, Grid, Ints, at


def persistence(grid: Grid, step: Ints, entity: Ints) -> Floats:
    """The newest value stays: that of the origin."""
    return at(grid.values, step, entity)


def seasonal(grid: Grid, step: Ints, entity: Ints, horizon: Ints, season: int) -> Floats:
    """The value one season (in steps) before the target, or as many seasons as it takes to be known at the origin."""
    back = season * -(-horizon // season)
    return at(grid.values, step + horizon - back, entity)


def last_known(values: Floats) -> Floats:
    """The newest value up to every step, carried over gaps; shape of ``values``."""
    row = np.where(np.isnan(values), -1, np.arange(len(values))[:, None])
    newest = np.maximum.accumulate(row, 0)
    return np.where(newest >= 0, np.take_along_axis(values, np.maximum(newest, 0), 0), np.nan).astype(np.float32)
