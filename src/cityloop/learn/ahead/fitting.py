"""One model over all entities and horizons: boosted trees, blended with a ridge where that helps."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import lightgbm
import numpy as np

from cityloop.learn.ahead.columns import Columns
from cityloop.learn.ahead.grid import Floats, Ints, at

SEED = 20261123
Target = Literal["change", "deviation"]
"""What is learned: the change from the newest value, or the deviation from the profile."""
Loss = Literal["l1", "l2"]
_RIDGE = 3.0
_CHUNK = 200_000


@dataclass(frozen=True)
class Effort:
    """How much work goes into one fit."""

    rows: int = 300_000
    rounds: int = 120
    leaves: int = 63
    rate: float = 0.15
    threads: int = 1


@dataclass(frozen=True)
class Rows:
    """Rows of a design: origin and horizon in steps, number of the entity; each of shape (rows,)."""

    origin: Ints
    entity: Ints
    horizon: Ints

    def __len__(self) -> int:
        return len(self.origin)

    def part(self, wanted: slice | Ints) -> Rows:
        """Some of the rows."""
        return Rows(self.origin[wanted], self.entity[wanted], self.horizon[wanted])


@dataclass(frozen=True)
class Ridge:
    """A linear model of standardised columns for each horizon; a missing value counts as the mean."""

    horizons: Ints
    mean: Floats
    """Of each column, as ``scale``."""
    scale: Floats
    weight: Floats
    """(horizons, columns + 1); the last is the bias."""

    def predict(self, table: Floats, horizon: Ints) -> Floats:
        """One value for each row."""
        plain = standardised(table, self.mean, self.scale)
        weight = self.weight[np.searchsorted(self.horizons, horizon)]
        return np.asarray(np.einsum("rc,rc->r", plain, weight))


def standardised(table: Floats, mean: Floats, scale: Floats) -> Floats:
    """Columns with mean 0 and spread 1, and a column of ones behind them."""
    plain = np.nan_to_num((table - mean) / scale)
    return np.column_stack((plain, np.ones(len(plain), plain.dtype)))


@dataclass(frozen=True)
class Fit:
    """A fitted model; ``share`` is what the trees have of the blend, the ridge has the rest."""

    target: Target
    loss: Loss
    trees: str
    """The text of LightGBM."""
    ridge: Ridge
    share: float
    threads: int = 1

    def predict(self, columns: Columns, rows: Rows) -> Floats:
        """Forecasts in the property's unit; NaN where neither a newest value nor a profile is known."""
        found = np.empty(len(rows), np.float32)
        for start in range(0, len(rows), _CHUNK):
            part = rows.part(slice(start, start + _CHUNK))
            table = columns.rows(part.origin, part.entity, part.horizon)
            found[start : start + _CHUNK] = self.blend(*self.both(table, part.horizon)) + base(
                columns, part, self.target
            )
        return found

    def both(self, table: Floats, horizon: Ints) -> tuple[Floats, Floats]:
        """What trees and ridge say of the target."""
        trees = self._booster.predict(table, num_threads=self.threads) if self.share > 0 else np.zeros(len(table))
        ridge = self.ridge.predict(table, horizon) if self.share < 1 else np.zeros(len(table))
        return np.asarray(trees), np.asarray(ridge)

    def blend(self, trees: Floats, ridge: Floats) -> Floats:
        """The two by their shares."""
        return np.asarray(self.share * trees + (1 - self.share) * ridge)

    @cached_property
    def _booster(self) -> lightgbm.Booster:
        return lightgbm.Booster(model_str=self.trees)


def base(columns: Columns, rows: Rows, target: Target) -> Floats:
    """What the learned target is added to; the profile stands in where there is no newest value, and vice versa."""
    usual = columns.usual(rows.origin + rows.horizon, rows.entity)
    value = columns.value(rows.origin, rows.entity)
    first, second = (value, usual) if target == "change" else (usual, value)
    return np.where(np.isnan(first), second, first)


def truth(values: Floats, rows: Rows) -> Floats:
    """What was observed at the targets; NaN where nothing was."""
    return at(values, rows.origin + rows.horizon, rows.entity)


def sample(values: Floats, horizons: tuple[int, ...], most: int, first: int, seed: int = SEED) -> Rows:
    """At most so many rows whose targets are known, drawn evenly from origins at and after ``first``."""
    chance = np.random.default_rng(seed)
    steps, entities = values.shape
    last = steps - min(horizons)
    if last <= first:
        return Rows(*(np.zeros(0, np.int64),) * 3)
    whole = (last - first) * entities * len(horizons)
    drawn = np.arange(whole) if whole <= most else chance.integers(0, whole, int(most * 1.1))
    horizon = np.array(horizons, np.int64)[drawn % len(horizons)]
    entity = drawn // len(horizons) % entities
    rows = Rows(first + drawn // (len(horizons) * entities), entity, horizon)
    return rows.part(np.flatnonzero(~np.isnan(truth(values, rows)))[:most])


def fit(columns: Columns, rows: Rows, target: Target, loss: Loss, effort: Effort) -> Fit:
    """Trees and ridge on the same rows; the trees have the whole blend until :meth:`Fit.share` is chosen."""
    table = columns.rows(rows.origin, rows.entity, rows.horizon)
    wanted = truth(columns.grid.values, rows) - base(columns, rows, target)
    known = np.flatnonzero(~np.isnan(wanted))
    table, wanted = table[known], wanted[known]
    booster = lightgbm.train(
        {
            "objective": loss,
            "learning_rate": effort.rate,
            "num_leaves": effort.leaves,
            "min_data_in_leaf": 50,
            "max_bin": 127,
            "feature_fraction": 0.6,
            "bagging_fraction": 0.8,
            "bagging_freq": 1,
            "seed": SEED,
            "deterministic": True,
            "force_row_wise": True,
            "num_threads": effort.threads,
            "verbosity": -1,
        },
        lightgbm.Dataset(table, wanted),
        effort.rounds,
    )
    ridge = _ridge(table, wanted, rows.horizon[known])
    return Fit(target, loss, booster.model_to_string(), ridge, 1.0, effort.threads)


def _ridge(table: Floats, wanted: Floats, horizon: Ints) -> Ridge:
    told = ~np.isnan(table)
    count = np.maximum(told.sum(0), 1)
    mean = np.where(told, table, 0).sum(0, dtype=np.float64) / count
    spread = np.sqrt((np.where(told, table - mean, 0) ** 2).sum(0) / count)
    scale = np.where(spread > 0, spread, 1)
    horizons = np.unique(horizon)
    plain = standardised(table, mean, scale).astype(np.float64)
    penalty = _RIDGE * np.diag(np.append(np.ones(table.shape[1]), 0))
    weight = []
    for one in horizons:
        mine = plain[horizon == one]
        weight.append(np.linalg.solve(mine.T @ mine + penalty, mine.T @ wanted[horizon == one]))
    return Ridge(horizons, mean, scale, np.array(weight))
