"""Where cases will be tomorrow: hexagons of the city ranked by what happened in and around them of late."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import h3
import numpy as np

from cityloop.learn.ahead.grid import Floats, Ints

RESOLUTION = 9
"""Of H3: about 0.1 km² a cell."""
WINDOW = 90
"""Days that count."""


@dataclass(frozen=True)
class Zones:
    """Cells in a fixed order, and for each the places of the (up to six) cells around it; −1 where there is none."""

    cells: tuple[str, ...]
    around: Ints

    def places(self, cells: Sequence[str]) -> Ints:
        """The place of each cell; −1 for one that is not among them."""
        number = {cell: place for place, cell in enumerate(self.cells)}
        return np.array([number.get(cell, -1) for cell in cells], np.int64)


def cells_of(lat: Floats, lon: Floats, resolution: int = RESOLUTION) -> list[str]:
    """The cell of every position (degrees, WGS 84)."""
    return [h3.latlng_to_cell(a, b, resolution) for a, b in zip(lat.tolist(), lon.tolist(), strict=True)]


def zones_of(cells: Sequence[str]) -> Zones:
    """The distinct cells, sorted, with their neighbours among them."""
    names = tuple(sorted(set(cells)))
    number = {cell: place for place, cell in enumerate(names)}
    around = np.full((len(names), 6), -1, np.int64)
    for place, cell in enumerate(names):
        near = [number[other] for other in h3.grid_ring(cell, 1) if other in number]
        around[place, : len(near)] = near
    return Zones(names, around)


def rates(zones: Zones, place: Ints, day: Ints, today: int, prior: float, window: int = WINDOW) -> Floats:
    """Expected cases a day in each cell, from those of the ``window`` days before ``today``.

    Empirical Bayes: a Poisson rate whose gamma prior has the mean of the cells around it, and weighs as much as
    ``prior`` days. 0 days: plain counts.
    """
    counted = (place >= 0) & (day < today) & (day >= today - window)
    count = np.bincount(place[counted], minlength=len(zones.cells)).astype(float)
    there = zones.around >= 0
    ring = np.where(there, count[zones.around], 0).sum(1) / np.maximum(there.sum(1), 1)
    local = np.where(there.any(1), ring, count.mean()) / window
    return np.asarray((count + prior * local) / (window + prior))


def hottest(rate: Floats, share: float) -> Ints:
    """The places of the share of cells with the highest rates, highest first."""
    return np.argsort(-rate, kind="stable")[: max(1, round(share * len(rate)))]


def accuracy_index(hits: int, cases: int, share: float) -> float:
    """Predictive accuracy index: the share of cases that the chosen cells held, over the share of cells chosen."""
    return hits / cases / share if cases else float("nan")
