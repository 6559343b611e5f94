"""Rules by which things measured elsewhere are given a place in the demo city.

Every rule is deterministic: the same sources always give the same places. No rule claims that a thing stands there.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from shapely.geometry import Point, shape
from shapely.geometry.base import BaseGeometry

GOLDEN = (5**0.5 - 1) / 2
PLASTIC = (0.7548776662466927, 0.5698402909980532)
"""Steps of the R2 sequence (M. Roberts): points that fill a square evenly."""

LonLat = tuple[float, float]


def land_cells(path: Path) -> list[BaseGeometry]:
    """The grid cells of a city's GeoJSON file, in the order of a Hilbert curve: near places are near in it."""
    features = json.loads(path.read_text(encoding="utf-8"))["features"]
    cells = [shape(feature["geometry"]) for feature in features]
    west, south = min(c.bounds[0] for c in cells), min(c.bounds[1] for c in cells)
    span = max(max(c.bounds[2] for c in cells) - west, max(c.bounds[3] for c in cells) - south)

    def along(cell: BaseGeometry) -> int:
        point = cell.representative_point()
        return _hilbert(int((point.x - west) / span * 1023), int((point.y - south) / span * 1023))

    return sorted(cells, key=along)


def small_half(cells: Sequence[BaseGeometry]) -> list[BaseGeometry]:
    """The smaller half of the cells, in the same order: zones are drawn small where the city is dense."""
    limit = float(np.median([cell.area for cell in cells]))
    return [cell for cell in cells if cell.area <= limit]


def spread(cells: Sequence[BaseGeometry], count: int) -> list[BaseGeometry]:
    """``count`` different cells, spread evenly: the golden-ratio sequence along the Hilbert curve."""
    free = list(range(len(cells)))
    chosen = []
    for index in range(count):
        wish = (0.5 + index * GOLDEN) % 1.0 * len(cells)
        at = min(free, key=lambda cell: abs(cell - wish))
        free.remove(at)
        chosen.append(cells[at])
    return chosen


def centre(cell: BaseGeometry) -> LonLat:
    """A point inside the cell, near its middle, to five decimals (about a metre)."""
    return inside(cell, 0.5, 0.5)


def scatter(cell: BaseGeometry, count: int) -> list[LonLat]:
    """``count`` points inside the cell, evenly scattered."""
    return [inside(cell, (0.5 + i * PLASTIC[0]) % 1, (0.5 + i * PLASTIC[1]) % 1) for i in range(1, count + 1)]


def inside(cell: BaseGeometry, u: float, v: float) -> LonLat:
    """The point at shares ``u``, ``v`` (0 to 1) of the cell's bounds, drawn towards its middle until it is inside."""
    west, south, east, north = cell.bounds
    x, y = west + u * (east - west), south + v * (north - south)
    middle = cell.representative_point()
    for step in range(21):
        pull = step / 20
        point = (round(x + (middle.x - x) * pull, 5), round(y + (middle.y - y) * pull, 5))
        if cell.contains(Point(point)):
            return point
    raise ValueError("the middle of a cell lies outside of it after rounding")


def quantile_places(cells: Sequence[BaseGeometry], lon: Sequence[float], lat: Sequence[float]) -> list[LonLat]:
    """Places by rank: the western tenth of the records goes to the western tenth of the cells, and so on.

    Cells are cut into equal columns from west to east and each column is ordered from south to north; records
    likewise. Records of one place stay at one place, and neighbours stay neighbours, so clusters stay clusters.
    """
    columns = _columns(cells)
    where = np.column_stack([np.asarray(lon), np.asarray(lat)])
    spots, back = np.unique(where, axis=0, return_inverse=True)
    across = _share(spots[:, 0]) * len(columns)
    column = across.astype(int)
    places: list[LonLat] = [(0.0, 0.0)] * len(spots)
    for index, stack in enumerate(columns):
        members = np.flatnonzero(column == index)
        upward = _share(spots[members, 1]) * len(stack)
        for spot, height in zip(members, upward, strict=True):
            places[spot] = inside(stack[int(height)], float(across[spot] % 1), float(height % 1))
    return [places[index] for index in back.ravel()]


def scattered_places(cells: Sequence[BaseGeometry], count: int) -> list[LonLat]:
    """Places for records that have none of their own: one after the other over the whole city, never in a heap."""
    places = []
    for index in range(count):
        cell = cells[int((0.5 + index * GOLDEN) % 1.0 * len(cells))]
        places.append(inside(cell, (index * PLASTIC[0]) % 1, (index * PLASTIC[1]) % 1))
    return places


def _columns(cells: Sequence[BaseGeometry]) -> list[list[BaseGeometry]]:
    eastward = sorted(cells, key=lambda cell: cell.representative_point().x)
    bounds = np.linspace(0, len(eastward), round(len(eastward) ** 0.5) + 1).astype(int)
    columns = [eastward[a:b] for a, b in pairwise(bounds)]
    return [sorted(column, key=lambda cell: cell.representative_point().y) for column in columns]


def _share(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """The rank of each value as a share from 0 to just below 1; equal values share one rank."""
    levels, back = np.unique(values, return_inverse=True)
    return (back.ravel() + 0.5) / max(len(levels), 1)


def _hilbert(x: int, y: int, size: int = 1024) -> int:
    """Distance along the Hilbert curve of a ``size`` × ``size`` grid (the classic bit loop)."""
    distance, step = 0, size // 2
    while step:
        right, up = int(bool(x & step)), int(bool(y & step))
        distance += step * step * ((3 * right) ^ up)
        if not up:
            if right:
                x, y = size - 1 - x, size - 1 - y
            x, y = y, x
        step //= 2
    return distance
