"""Which entities stand beside which, and how much each counts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cityloop.learn.ahead.grid import Floats, Ints

_EARTH = 6371.0088


@dataclass(frozen=True)
class Near:
    """The nearest of each entity, nearest first: ``index`` and ``weight``, shape (entities, most).

    Weights of an entity sum to 1, or are all 0 where nothing is near; a free place names the entity itself with weight
    0.
    """

    index: Ints
    weight: Floats

    def mean(self, panel: Floats) -> Floats:
        """The weighed mean of the neighbours at every step, over those that have a value; shape of ``panel``."""
        total, weight = np.zeros(panel.shape, np.float32), np.zeros(panel.shape, np.float32)
        for place in range(self.index.shape[1]):
            values = panel[:, self.index[:, place]]
            there = ~np.isnan(values)
            total += np.where(there, values, 0) * self.weight[:, place]
            weight += there * self.weight[:, place]
        return np.where(weight > 0, total / np.where(weight > 0, weight, 1), np.nan).astype(np.float32)


def of_graph(weights: Floats, most: int) -> Near:
    """The ``most`` heaviest neighbours by a matrix (entities, entities); its diagonal does not count."""
    bare = np.array(weights, np.float32)
    np.fill_diagonal(bare, 0)
    index = np.argsort(-bare, axis=1, kind="stable")[:, : min(most, len(bare) - 1)]
    heavy = np.take_along_axis(bare, index, 1)
    total = heavy.sum(1, keepdims=True)
    own = np.arange(len(bare))[:, None]
    return Near(np.where(heavy > 0, index, own), heavy / np.where(total > 0, total, 1))


def of_places(lon: Floats, lat: Floats, most: int, kilometres: float) -> Near:
    """The ``most`` nearest by great circle within so many kilometres, each weighed by exp(−distance ÷ reach)."""
    from sklearn.neighbors import BallTree

    placed = np.flatnonzero(~(np.isnan(lon) | np.isnan(lat)))
    index = np.repeat(np.arange(len(lon))[:, None], most, 1)
    weight = np.zeros((len(lon), most), np.float32)
    if len(placed) > 1:
        points = np.radians(np.column_stack((lat[placed], lon[placed])))
        count = min(most + 1, len(placed))
        away, found = BallTree(points, metric="haversine").query(points, count)
        away, found = away[:, 1:] * _EARTH, found[:, 1:]
        inside = away <= kilometres
        index[placed, : count - 1] = np.where(inside, placed[found], placed[:, None])
        heavy = np.where(inside, np.exp(-away / kilometres), 0)
        total = heavy.sum(1, keepdims=True)
        weight[placed, : count - 1] = heavy / np.where(total > 0, total, 1)
    return Near(index, weight)


def of_likeness(values: Floats, most: int) -> Near:
    """The ``most`` entities whose changes went along best in a known past; ``values`` (steps, entities)."""
    change = np.diff(values, axis=0)
    spread = np.nanstd(change, 0)
    plain = np.nan_to_num((change - np.nanmean(change, 0)) / np.where(spread > 0, spread, 1))
    return of_graph(np.maximum(plain.T @ plain / max(len(plain), 1), 0), most)
