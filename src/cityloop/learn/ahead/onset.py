"""Whether something above its limit will soon fall below: the onset of congestion, half an hour ahead.

A classifier of its own, not a forecast held against the limit: a forecast tells the middle of what may come, and a
warning is about the edge.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import lightgbm
import numpy as np
import numpy.typing as npt

from cityloop.learn.ahead.columns import Columns
from cityloop.learn.ahead.fitting import SEED, Effort
from cityloop.learn.ahead.grid import Floats, Ints

Mask = npt.NDArray[np.bool_]
_CHUNK = 200_000


@dataclass(frozen=True)
class States:
    """Where entities stand, each (steps, entities): ``below`` the limit; an onset within reach (``soon``); and
    ``ready``: above the limit now, with every value up to the end of the reach known."""

    below: Mask
    soon: Mask
    ready: Mask


def states(values: Floats, limit: Floats, within: int) -> States:
    """By a limit for each entity and a reach in steps; the last ``within`` steps are not ready."""
    below, known = values < limit, ~np.isnan(values)
    soon, seen = np.zeros_like(below), known.copy()
    for ahead in range(1, within + 1):
        soon[:-ahead] |= below[ahead:]
        seen[:-ahead] &= known[ahead:]
    seen[len(seen) - within :] = False
    return States(below, soon, seen & ~below)


@dataclass(frozen=True)
class Onset:
    """A fitted classifier; ``limit`` (entities,) in the property's unit, ``within`` in steps."""

    trees: str
    limit: Floats
    within: int
    threads: int = 1

    def chance(self, columns: Columns, origin: Ints, entity: Ints) -> Floats:
        """The chance of falling below the limit within reach, for pairs of step and entity."""
        found = np.empty(len(origin), np.float32)
        for start in range(0, len(origin), _CHUNK):
            part = slice(start, start + _CHUNK)
            table = _table(columns, origin[part], entity[part], self.limit, self.within)
            found[part] = self._booster.predict(table, num_threads=self.threads)
        return found

    @cached_property
    def _booster(self) -> lightgbm.Booster:
        return lightgbm.Booster(model_str=self.trees)


def fit_onset(columns: Columns, limit: Floats, within: int, until: int, effort: Effort) -> Onset:
    """From origins whose whole reach lies before the step ``until``."""
    found = states(columns.grid.values[:until], limit, within)
    origin, entity = np.nonzero(found.ready)
    if len(origin) > effort.rows:
        some = np.sort(np.random.default_rng(SEED).choice(len(origin), effort.rows, replace=False))
        origin, entity = origin[some], entity[some]
    booster = lightgbm.train(
        {
            "objective": "binary",
            "learning_rate": effort.rate,
            "num_leaves": effort.leaves,
            "min_data_in_leaf": 100,
            "lambda_l2": 10.0,
            "feature_fraction": 0.5,
            "bagging_fraction": 0.8,
            "bagging_freq": 1,
            "max_bin": 127,
            "seed": SEED,
            "deterministic": True,
            "force_row_wise": True,
            "num_threads": effort.threads,
            "verbosity": -1,
        },
        lightgbm.Dataset(_table(columns, origin, entity, limit, within), found.soon[origin, entity].astype(np.float32)),
        effort.rounds,
    )
    return Onset(booster.model_to_string(), limit, within, effort.threads)


def _table(columns: Columns, origin: Ints, entity: Ints, limit: Floats, within: int) -> Floats:
    """What a forecast sees, and where the limit lies from the newest value and from what is usual soon."""
    reach = [columns.usual(origin + ahead, entity) - limit[entity] for ahead in (1, within)]
    value = columns.value(origin, entity)
    rows = columns.rows(origin, entity, np.full(len(origin), within))
    return np.column_stack((rows, value - limit[entity], value / limit[entity], *reach))
