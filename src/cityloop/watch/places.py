"""Places where records of one kind gather. The first record of a place is its centre; all within reach belong to it.

A record within reach of several places counts for each of them, so that a border between two never hides a cluster. A
place carries its centre in its name, ``<columns that agree>@<lon>,<lat>``, so that a warning of it outlives a restart.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence

import numpy as np

from cityloop.watch.aggregating import METRES_A_DEGREE
from cityloop.watch.cells import Bools, Floats, Ints
from cityloop.watch.rules import Near

Cell = tuple[str, int, int]
"""Kind, row and column of a square of the map."""


class Places:
    """The places of one rule. ``span`` (µs) without a record and a place is forgotten."""

    def __init__(self, near: Near, span: int) -> None:
        self._near, self._span = near, span
        self._cells: dict[Cell, dict[str, tuple[float, float]]] = defaultdict(dict)
        """Names and centres of the places in each cell."""
        self._heard: dict[str, int] = {}
        self._gone: list[str] = []
        self._across: float | None = None
        self._swept = 0

    def know(self, names: Iterable[str], at: int) -> None:
        """Places that are remembered by name."""
        for name in names:
            self._note(name, at)

    def assign(self, kinds: Sequence[str], lon: Floats, lat: Floats, at: Ints) -> tuple[Ints, list[str]]:
        """For records in order of arrival: which record belongs to which place, a pair for each place it is near."""
        owner: list[int] = []
        names: list[str] = []
        for number, kind in enumerate(kinds):
            point, instant = (float(lon[number]), float(lat[number])), int(at[number])
            for name in self._within(kind, point) or [self._open(kind, point, instant)]:
                owner.append(number)
                names.append(name)
                self._heard[name] = max(self._heard[name], instant)
        if len(at):
            self._forget(int(at.max()))
        return np.array(owner, np.int64), names

    def forgotten(self) -> list[str]:
        """Names of the places that were forgotten since the last call."""
        gone, self._gone = self._gone, []
        return gone

    def _within(self, kind: str, point: tuple[float, float]) -> list[str]:
        _, row, column = self._cell(kind, point)
        found: list[str] = []
        for cell in [(kind, row + up, column + right) for up in (-1, 0, 1) for right in (-1, 0, 1)]:
            if places := self._cells.get(cell):
                near = (name for name, centre in places.items() if metres_between(centre, point) <= self._near.metres)
                found += near
        return found

    def _open(self, kind: str, point: tuple[float, float], at: int) -> str:
        name = name_of(kind, point)
        self._note(name, at)
        return name

    def _note(self, name: str, at: int) -> None:
        if name not in self._heard:
            centre = centre_of(name)
            self._cells[self._cell(name.rpartition("@")[0], centre)][name] = centre
        self._heard[name] = max(self._heard.get(name, at), at)

    def _forget(self, now: int) -> None:
        """Look through all places, but not more often than a tenth of their span."""
        if now < self._swept + self._span // 10:
            return
        self._swept = now
        for name in [name for name, at in self._heard.items() if at < now - self._span]:
            del self._heard[name]
            cell = self._cell(name.rpartition("@")[0], centre_of(name))
            del self._cells[cell][name]
            if not self._cells[cell]:
                del self._cells[cell]
            self._gone.append(name)

    def _cell(self, kind: str, point: tuple[float, float]) -> Cell:
        """The cell of a point: at least as wide as the reach, in the latitude of the first point and near it."""
        if self._across is None:
            self._across = max(0.05, 0.95 * math.cos(math.radians(point[1])))
        high = self._near.metres / METRES_A_DEGREE
        return kind, math.floor(point[1] / high), math.floor(point[0] * self._across / high)


def name_of(kind: str, centre: tuple[float, float]) -> str:
    """The name of a place; five decimals are about a metre."""
    return f"{kind}@{centre[0]:.5f},{centre[1]:.5f}"


def centre_of(name: str) -> tuple[float, float]:
    """Longitude and latitude of a place, from its name."""
    lon, _, lat = name.rpartition("@")[2].partition(",")
    return float(lon), float(lat)


def metres_between(one: tuple[float, float], other: tuple[float, float]) -> float:
    """Metres between two points that lie near each other."""
    across = math.cos(math.radians((one[1] + other[1]) / 2))
    return math.hypot((one[0] - other[0]) * across, one[1] - other[1]) * METRES_A_DEGREE


def within(points: Floats, centre: tuple[float, float], metres: float) -> Bools:
    """Which of these points (rows of longitude, latitude) lie within so many metres of the centre."""
    across = np.cos(np.radians((points[:, 1] + centre[1]) / 2))
    off = np.hypot((points[:, 0] - centre[0]) * across, points[:, 1] - centre[1])
    return np.asarray(off * METRES_A_DEGREE <= metres)
