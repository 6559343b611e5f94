"""What is wrong with the ground of a city: overlaps, gaps, shapes outside their parents, codes of the wrong length.

Every size is told in square metres on the mean sphere, and every overlap and gap with the areas beside it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from cityloop.city.areas import METRES_A_DEGREE, Areas

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
    """Something wrong with one area."""

    code: str
    what: str
    mend: str


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


def _pairs(level: str, odd: list[tuple[str, BaseGeometry, BaseGeometry]]) -> Iterator[Flaw]:
    """The pairs among areas whose borders do not fit: an overlap with its size, or points that differ."""
    tree = shapely.STRtree([shape for _, shape, _ in odd])
    for number, (code, shape, edge) in enumerate(odd):
        for other in sorted(int(hit) for hit in tree.query(shape, predicate="intersects") if hit > number):
            name, beside, _ = odd[other]
            common = shapely.intersection(shape, beside)
            size = square_metres(common)
            if size >= LEAST_METRES:
                at = shapely.point_on_surface(common)
                what = f"{level} {code} overlaps {name} by {size:,.0f} m², near {at.x:.5f} {at.y:.5f}"
                yield Flaw(code, what, "snap the borders in a GIS")
            elif shapely.intersects(edge, beside):
                at = shapely.point_on_surface(edge)
                what = f"the common border of {level} {code} and {name} has different points in the two"
                yield Flaw(code, f"{what}, near {at.x:.5f} {at.y:.5f}", "snap the borders in a GIS")


def _outside(areas: Areas) -> Iterator[Flaw]:
    """A shape lies inside its parent's."""
    for area in areas.list():
        shape, parent = areas.shape(area.code), areas.shape(area.parent or "")
        if shape is None or parent is None or not shapely.area(shape):
            continue
        beyond = shapely.difference(shape, parent)
        share = shapely.area(beyond) / shapely.area(shape)
        if share > SLACK:
            size = square_metres(beyond)
            what = f"{share:.1%} of {area.level} {area.code}, {size:,.0f} m², lies outside its parent {area.parent}"
            yield Flaw(area.code, what, "correct the shape, or the code of its parent")


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
        at = shapely.point_on_surface(piece)
        reach = piece.buffer(LEAST_METRES / METRES_A_DEGREE)
        beside = sorted(
            ((shapely.area(shapely.intersection(reach, shape)), name) for name, shape in known), reverse=True
        )
        names = " and ".join(sorted(name for share, name in beside[:2] if share > 0)) or "none"
        share = shapely.area(piece) / shapely.area(whole)
        what = f"{size:,.0f} m² ({share:.1%}) of {code} is in none of the areas below it; beside it: {names}"
        yield Flaw(code, f"{what}; near {at.x:.5f} {at.y:.5f}", "draw what is missing, or correct the parent's border")


def _codes(areas: Areas) -> Iterator[Flaw]:
    """National codes: 6 digits of the district, 3 of the street, 3 of the community, 3 of the cell (GB/T 30428.1)."""
    for area in areas.list():
        wanted = DIGITS.get(area.level)
        if area.local or wanted is None or (len(area.code) == wanted and area.code.isascii() and area.code.isalnum()):
            continue
        what = f"'{area.code}' is no national code of a {area.level}: {wanted} characters"
        old = area.level == "cell" and len(area.code) == 14
        mend = "a code of 14 is that of CJ/T 213-2005: write its sequence with three digits" if old else ""
        yield Flaw(area.code, what, mend or "correct the code, or mark it as local")
