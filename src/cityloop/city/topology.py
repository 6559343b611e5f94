"""What is wrong with the ground of a city: overlaps, gaps, shapes outside their parents, codes of the wrong length.

Every size is told in square metres on the mean sphere, and every overlap and gap with the areas beside it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from cityloop.city.areas import METRES_A_DEGREE, Areas
from cityloop.city.phrases import LEVEL_TITLES, PHRASES
from cityloop.city.schemas import AreaLevel
from cityloop.core.errors import Fault

SLACK = 1e-4
"""Share of an area that may lie outside its parent, or be covered by nothing: rounding, not drawing."""
LEAST_METRES = 1.0
"""Square metres below which two shapes do not overlap and a gap is none: rounding of coordinates."""
ENCLAVE_METRES = 100_000.0
"""A hole of the whole city below ten grid cells is a gap where no point outside is taken; a larger one is another's."""
DIGITS: dict[str, int] = {"district": 6, "street": 9, "community": 12, "cell": 15}
"""Length of national area codes (GB/T 2260, GB/T 10114, GB/T 30428.1). Some tables of cells hold letters."""
_MOST_GAPS = 5


@dataclass(frozen=True)
class Flaw:
    """Something wrong with one area, as a phrase of this room and what stands in it."""

    area: str
    phrase: str
    parts: Mapping[str, object]

    def at(self, where: str) -> Fault:
        """The same as a fault at a place."""
        return PHRASES.fault(where, self.phrase, area=self.area, **self.parts)


def flaws(areas: Areas) -> list[Flaw]:
    """Everything that is wrong with the shapes and codes of a city."""
    return [*_overlaps(areas), *_outside(areas), *_gaps(areas), *_codes(areas)]


def square_metres(shape: BaseGeometry) -> float:
    """The ground of a shape of WGS 84 degrees, in square metres, by the latitude of its middle."""
    if shape.is_empty:
        return 0.0
    return float(shape.area * METRES_A_DEGREE**2 * np.cos(np.radians(shape.centroid.y)))


def _overlaps(areas: Areas) -> Iterator[Flaw]:
    """Shapes of one level may touch, not overlap."""
    for level, group in groupby(areas.list(), key=lambda area: area.level):
        known = [(area.code, shape) for area in group if (shape := areas.shape(area.code)) is not None]
        if len(known) < 2:
            continue
        edges = shapely.coverage_invalid_edges(np.array([shape for _, shape in known]))
        odd = [number for number, edge in enumerate(edges) if not shapely.is_empty(edge)]
        yield from _pairs(level, [(*known[number], edges[number]) for number in odd])


def _pairs(level: AreaLevel, odd: list[tuple[str, BaseGeometry, BaseGeometry]]) -> Iterator[Flaw]:
    """The pairs among areas whose borders do not fit: an overlap with its size, or points that differ."""
    tree = shapely.STRtree([shape for _, shape, _ in odd])
    for number, (code, shape, edge) in enumerate(odd):
        for other in sorted(int(hit) for hit in tree.query(shape, predicate="intersects") if hit > number):
            name, beside, _ = odd[other]
            common = shapely.intersection(shape, beside)
            size, facts = square_metres(common), {"level": LEVEL_TITLES[level], "other": name}
            if size >= LEAST_METRES:
                yield Flaw(code, "overlap", {**facts, "size": size, **_near(common)})
            elif shapely.intersects(edge, beside):
                yield Flaw(code, "border-points", {**facts, **_near(edge)})


def _near(shape: BaseGeometry) -> dict[str, float]:
    """A point of a shape, to find it on a map."""
    at = shapely.point_on_surface(shape)
    return {"lon": at.x, "lat": at.y}


def _outside(areas: Areas) -> Iterator[Flaw]:
    """A shape lies inside its parent's."""
    for area in areas.list():
        shape, parent = areas.shape(area.code), areas.shape(area.parent or "")
        if shape is None or parent is None or not shapely.area(shape):
            continue
        beyond = shapely.difference(shape, parent)
        share = shapely.area(beyond) / shapely.area(shape)
        if share > SLACK:
            facts = {"level": LEVEL_TITLES[area.level], "parent": area.parent}
            yield Flaw(area.code, "outside-parent", {**facts, "size": square_metres(beyond), "share": share})


def _gaps(areas: Areas) -> Iterator[Flaw]:
    """The areas right below one cover it, once they have shapes at all: no point of the city is nobody's."""
    below: dict[str, list[tuple[str, BaseGeometry]]] = defaultdict(list)
    for area in areas.list():
        if area.parent and (shape := areas.shape(area.code)) is not None and shapely.area(shape):
            below[area.parent].append((area.code, shape))
    for code, known in below.items():
        whole = areas.shape(code)
        if whole is None:
            continue
        missing = shapely.difference(whole, shapely.union_all([shape for _, shape in known]))
        pieces = [*shapely.get_parts(missing)] if shapely.area(missing) > SLACK * shapely.area(whole) else []
        if areas.get(code).level == "city" and not areas.outside_metres:
            pieces += [hole for hole in _holes(whole) if square_metres(hole) < ENCLAVE_METRES]
        yield from _gap_flaws(code, whole, known, pieces)


def _holes(shape: BaseGeometry) -> list[BaseGeometry]:
    return [shapely.Polygon(ring) for part in shapely.get_parts(shape) for ring in getattr(part, "interiors", ())]


def _gap_flaws(
    code: str, whole: BaseGeometry, known: list[tuple[str, BaseGeometry]], pieces: list[BaseGeometry]
) -> Iterator[Flaw]:
    sized = sorted(((square_metres(piece), piece) for piece in pieces), key=lambda item: -item[0])
    for size, piece in [item for item in sized if item[0] >= LEAST_METRES][:_MOST_GAPS]:
        reach = piece.buffer(LEAST_METRES / METRES_A_DEGREE)
        beside = sorted(
            ((shapely.area(shapely.intersection(reach, shape)), name) for name, shape in known), reverse=True
        )
        names = " and ".join(sorted(name for share, name in beside[:2] if share > 0)) or "-"
        share = shapely.area(piece) / shapely.area(whole)
        yield Flaw(code, "gap", {"size": size, "share": share, "beside": names, **_near(piece)})


def _codes(areas: Areas) -> Iterator[Flaw]:
    """National codes: 6 digits of the district, 3 of the street, 3 of the community, 3 of the cell (GB/T 30428.1)."""
    for area in areas.list():
        wanted = DIGITS.get(area.level)
        if area.local or wanted is None or (len(area.code) == wanted and area.code.isascii() and area.code.isalnum()):
            continue
        old = area.level == "cell" and len(area.code) == 14
        facts = {"level": LEVEL_TITLES[area.level], "digits": wanted}
        yield Flaw(area.code, "old-cell-code" if old else "no-national-code", facts)
