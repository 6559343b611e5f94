"""What stands near a point: a spatial index over the entities of a type, made anew when the directory has changed."""

from __future__ import annotations

import threading
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import STRtree

from cityloop.city.areas import METRES_A_DEGREE
from cityloop.collect.directory import Directory
from cityloop.standard.batch import EntityCard


@dataclass(frozen=True)
class _Ground:
    """The entities of one type that have a place; degrees of longitude squeezed to the length of those of latitude."""

    version: int
    cards: list[EntityCard]
    squeeze: float
    tree: STRtree


class Near:
    """Finds entities by distance; used by many threads."""

    def __init__(self, directory: Directory) -> None:
        self._directory = directory
        self._grounds: dict[str, _Ground] = {}
        self._turn = threading.Lock()

    def within(self, entity_type: str, lon: float, lat: float, metres: float) -> list[tuple[float, EntityCard]]:
        """Entities of a type within so many metres of a point (WGS 84), the nearest first, with their distances."""
        ground = self._ground(entity_type)
        point = shapely.Point(lon * ground.squeeze, lat)
        hits = ground.tree.query(point, predicate="dwithin", distance=metres / METRES_A_DEGREE)
        away = shapely.distance(ground.tree.geometries[hits], point) * METRES_A_DEGREE
        found = [(float(distance), ground.cards[hit]) for distance, hit in zip(away, hits, strict=True)]
        return sorted(found, key=lambda item: (item[0], item[1].id))

    def _ground(self, entity_type: str) -> _Ground:
        version = self._directory.version(entity_type)
        with self._turn:
            ground = self._grounds.get(entity_type)
            if ground is None or ground.version != version:
                ground = self._grounds[entity_type] = _grown(version, list(self._directory.of(entity_type).values()))
            return ground


def _grown(version: int, cards: list[EntityCard]) -> _Ground:
    placed = [card for card in cards if card.lon is not None and card.lat is not None]
    lons = np.array([card.lon for card in placed], dtype=float)
    lats = np.array([card.lat for card in placed], dtype=float)
    squeeze = float(np.cos(np.radians(lats.mean()))) if placed else 1.0
    points: NDArray[np.object_] = np.array(shapely.points(np.column_stack([lons * squeeze, lats])), dtype=object)
    return _Ground(version, placed, squeeze, STRtree(points))
