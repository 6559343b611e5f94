"""The area tree, and the way from a point to its area.

Codes nest by prefix. Shapes of one level tile without gap or overlap, so a point lies in one smallest area; a
point on a border goes to the lower code, always the same side.
"""

from __future__ import annotations

import builtins
import json
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, get_args

import numpy as np
import shapely
from numpy.typing import ArrayLike, NDArray
from shapely import STRtree
from shapely.geometry.base import BaseGeometry

from cityloop.city.schemas import Area, AreaLevel, Place
from cityloop.core.errors import NotFound
from cityloop.core.values import Title

METRES_A_DEGREE = 111_195.0
"""Metres of one degree of a great circle on the mean sphere of 6,371.0088 km."""
LEVELS: tuple[AreaLevel, ...] = get_args(AreaLevel)


class Areas:
    """All areas of a city, parents before children, with their shapes (WGS 84 degrees, longitude first)."""

    def __init__(self, areas: Sequence[Area], shapes: Mapping[str, BaseGeometry], outside_metres: float = 0.0) -> None:
        ordered = sorted(areas, key=lambda area: (LEVELS.index(area.level), area.code))
        self._areas = {area.code: area for area in ordered}
        self._shapes = dict(shapes)
        self.outside_metres = outside_metres
        """A point up to so far outside all areas goes to the nearest."""
        self._places = {area.code: self._place(area) for area in ordered}
        self._layers = [layer for level in reversed(LEVELS) if (layer := self._layer(level)) is not None]
        self._geojson: dict[AreaLevel, dict[str, Any]] = {}

    def list(self, level: AreaLevel | None = None) -> builtins.list[Area]:
        """The areas of one level, or the whole tree flat with parents before children."""
        return [area for area in self._areas.values() if level is None or area.level == level]

    def get(self, code: str) -> Area:
        """The area with this code; raises :class:`NotFound`."""
        area = self._areas.get(code)
        if area is None:
            raise NotFound(f"there is no area '{code}'", "GET /api/v1/city/areas lists the codes")
        return area

    def title(self, code: str) -> Title:
        """The title of an area; raises :class:`NotFound`."""
        return self.get(code).title

    def district_of(self, code: str) -> str | None:
        """The district that holds an area or is it; ``None`` for the city itself and for an unknown code."""
        place = self._places.get(code)
        return place.district if place else None

    def shape(self, code: str) -> BaseGeometry | None:
        """The shape of an area, or ``None`` where the city has none for it."""
        return self._shapes.get(code)

    def geojson(self, level: AreaLevel) -> dict[str, Any]:
        """One level as a GeoJSON FeatureCollection; ``properties`` are ``code``, ``zh``, ``en``."""
        if level not in self._geojson:
            features = [feature for area in self.list(level) if (feature := self._feature(area))]
            self._geojson[level] = {"type": "FeatureCollection", "features": features}
        return self._geojson[level]

    def locate(self, lon: float, lat: float) -> Place | None:
        """The smallest area that holds the point, and its district; ``None`` outside the city."""
        return self.locate_many([lon], [lat])[0]

    def locate_many(self, lons: ArrayLike, lats: ArrayLike) -> builtins.list[Place | None]:
        """:meth:`locate` for many points of WGS 84 degrees at once, about two microseconds a point."""
        points: NDArray[np.object_] = np.array(shapely.points(np.column_stack([lons, lats])), dtype=object)
        found: builtins.list[Place | None] = [None] * len(points)
        open_points = np.arange(len(points))
        for tree, places in self._layers:
            if not len(open_points):
                break
            hits = _lowest_hit(tree, points[open_points])
            for index in np.flatnonzero(hits >= 0):
                found[open_points[index]] = places[hits[index]]
            open_points = open_points[hits < 0]
        if self.outside_metres > 0 and len(open_points):
            self._take_nearest(points, open_points, found)
        return found

    def nearest(self, lon: float, lat: float) -> tuple[Area, float]:
        """The smallest area nearest to a point, and how many metres off it is (0 inside)."""
        tree, codes, squeeze = self._ground
        point = shapely.Point(lon * squeeze, lat)
        index = int(tree.nearest(point))
        metres = float(shapely.distance(tree.geometries[index], point)) * METRES_A_DEGREE
        return self._areas[codes[index]], metres

    @cached_property
    def _ground(self) -> tuple[STRtree, builtins.list[str], float]:
        """The smallest shapes with longitude squeezed by the cosine of the latitude, so that degrees are even."""
        level = next(
            lv for lv in reversed(LEVELS) if any(a.level == lv and a.code in self._shapes for a in self.list())
        )
        codes = [area.code for area in self.list(level) if area.code in self._shapes]
        shapes = np.array([self._shapes[code] for code in codes])
        bounds = shapely.total_bounds(shapes)
        squeeze = float(np.cos(np.radians((bounds[1] + bounds[3]) / 2)))
        return STRtree(shapely.transform(shapes, lambda xy: xy * [squeeze, 1.0])), codes, squeeze

    def _take_nearest(
        self, points: NDArray[np.object_], indices: NDArray[np.int64], found: builtins.list[Place | None]
    ) -> None:
        """Give points outside all shapes to the nearest one within reach, to the lower code when two are as near."""
        tree, codes, squeeze = self._ground
        asked = shapely.transform(points[indices], lambda xy: xy * [squeeze, 1.0])
        hits = tree.query_nearest(asked, max_distance=self.outside_metres / METRES_A_DEGREE)
        for index, hit in zip(indices, _lowest(hits, len(indices)), strict=True):
            if hit >= 0:
                found[index] = self._places[codes[hit]]

    def _layer(self, level: AreaLevel) -> tuple[STRtree, builtins.list[Place]] | None:
        areas = [area for area in self.list(level) if area.code in self._shapes]
        places = [place for area in areas if (place := self._places[area.code])]
        if not areas or len(places) < len(areas):
            return None
        return STRtree([self._shapes[area.code] for area in areas]), places

    def _place(self, area: Area) -> Place | None:
        here: Area | None = area
        while here is not None and here.level != "district":
            here = self._areas.get(here.parent) if here.parent else None
        return Place(area=area.code, district=here.code) if here else None

    def _feature(self, area: Area) -> dict[str, Any] | None:
        shape = self._shapes.get(area.code)
        if shape is None and area.centre is not None:
            shape = shapely.Point(area.centre.lon, area.centre.lat)
        if shape is None:
            return None
        facts = {"code": area.code, "zh": area.title.zh, "en": area.title.en}
        return {"type": "Feature", "properties": facts, "geometry": json.loads(shapely.to_geojson(shape))}


def _lowest_hit(tree: STRtree, points: NDArray[np.object_]) -> NDArray[np.int64]:
    """The index of the first shape that holds each point or touches it, -1 for none. Shapes are in code order."""
    return _lowest(tree.query(points, predicate="intersects"), len(points))


def _lowest(pairs: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    """The lowest hit of each of ``count`` askers in ``pairs`` (asker above hit), -1 for none."""
    none = np.iinfo(np.int64).max
    lowest = np.full(count, none, dtype=np.int64)
    np.minimum.at(lowest, pairs[0], pairs[1])
    return np.where(lowest == none, -1, lowest)
