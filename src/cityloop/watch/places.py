"""Places where records of one kind gather. The first record of a place is its centre; all within reach belong to it.

A record within reach of several places counts for each of them, so that a border between two never hides a cluster. A
place carries its centre in its name, ``<columns that agree>@<lon>,<lat>``, so that a warning of it outlives a restart.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

import numpy as np

from cityloop.watch.aggregating import METRES_A_DEGREE
from cityloop.watch.rules import Near
from cityloop.watch.state import Bools, Floats, Ints


class Places:
    """The places of one rule. ``span`` (µs) without a record and a place is forgotten."""

    def __init__(self, near: Near, span: int) -> None:
        self._near, self._span = near, span
        self._centres: dict[str, list[tuple[float, float]]] = defaultdict(list)
        self._heard: dict[str, int] = {}

    def know(self, names: Iterable[str], at: int) -> None:
        """Places that are remembered by name."""
        for name in names:
            self._note(name.rpartition("@")[0], centre_of(name), at)

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

    def _within(self, kind: str, point: tuple[float, float]) -> list[str]:
        centres = self._centres.get(kind)
        if not centres:
            return []
        found = within(np.array(centres), point, self._near.metres)
        return [name_of(kind, centres[row]) for row in np.flatnonzero(found)]

    def _open(self, kind: str, point: tuple[float, float], at: int) -> str:
        name = name_of(kind, point)
        self._note(kind, centre_of(name), at)
        return name

    def _note(self, kind: str, centre: tuple[float, float], at: int) -> None:
        name = name_of(kind, centre)
        if name not in self._heard:
            self._centres[kind].append(centre)
            self._heard[name] = at

    def _forget(self, now: int) -> None:
        for name in [name for name, at in self._heard.items() if at < now - self._span]:
            del self._heard[name]
            self._centres[name.rpartition("@")[0]].remove(centre_of(name))


def name_of(kind: str, centre: tuple[float, float]) -> str:
    """The name of a place; five decimals are about a metre."""
    return f"{kind}@{centre[0]:.5f},{centre[1]:.5f}"


def centre_of(name: str) -> tuple[float, float]:
    """Longitude and latitude of a place, from its name."""
    lon, _, lat = name.rpartition("@")[2].partition(",")
    return float(lon), float(lat)


def within(points: Floats, centre: tuple[float, float], metres: float) -> Bools:
    """Which of these points (rows of longitude, latitude) lie within so many metres of the centre."""
    across = np.cos(np.radians((points[:, 1] + centre[1]) / 2))
    off = np.hypot((points[:, 0] - centre[0]) * across, points[:, 1] - centre[1])
    return np.asarray(off * METRES_A_DEGREE <= metres)
