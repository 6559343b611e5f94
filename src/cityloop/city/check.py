"""Checking a city folder before it is put to use: all that loading checks, and the geometry of its areas."""

from __future__ import annotations

from collections import defaultdict
from itertools import groupby
from pathlib import Path

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from cityloop.city.areas import Areas
from cityloop.city.faults import Faults
from cityloop.city.loading import read_city
from cityloop.core.errors import Fault

SLACK = 1e-4
"""Share of an area that may lie outside its parent before it is called a fault: rounding, not drawing."""
DIGITS: dict[str, int] = {"district": 6, "street": 9, "community": 12, "cell": 15}
"""Length of national area codes. Some tables of cells hold letters, which are taken."""


def check_folder(path: Path) -> list[Fault]:
    """Every fault of a city's own files, each with file, line, what is wrong and how to mend it."""
    faults = Faults()
    if not path.is_dir():
        faults.add(str(path), "there is no such folder", "name a folder that holds city.yaml, for example cities/demo")
        return faults.found
    loaded = read_city(path, faults)
    if loaded is not None:
        _check_overlaps(path, loaded.areas, faults)
        _check_parents(path, loaded.areas, faults)
        _check_gaps(path, loaded.areas, faults)
        _check_codes(path, loaded.areas, faults)
    return faults.found


def _check_overlaps(path: Path, areas: Areas, faults: Faults) -> None:
    """Shapes of one level may touch, not overlap."""
    for level, group in groupby(areas.list(), key=lambda area: area.level):
        known = [(area.code, shape) for area in group if (shape := areas.shape(area.code)) is not None]
        if len(known) < 2:
            continue
        bad = shapely.coverage_invalid_edges(np.array([shape for _, shape in known]))
        for (code, _), edges in zip(known, bad, strict=True):
            if not shapely.is_empty(edges):
                at = shapely.point_on_surface(edges)
                what = f"{level} {code} overlaps a neighbour, or their common border has different points"
                faults.add(f"{path}/areas {code}", f"{what}, near {at.x:.5f} {at.y:.5f}", "snap the borders in a GIS")


def _check_parents(path: Path, areas: Areas, faults: Faults) -> None:
    """A shape lies inside its parent's."""
    for area in areas.list():
        shape, parent = areas.shape(area.code), areas.shape(area.parent or "")
        if shape is None or parent is None or not shapely.area(shape):
            continue
        outside = shapely.area(shapely.difference(shape, parent)) / shapely.area(shape)
        if outside > SLACK:
            what = f"{outside:.1%} of {area.level} {area.code} lies outside its parent {area.parent}"
            faults.add(f"{path}/areas {area.code}", what, "correct the shape, or the code of its parent")


def _check_gaps(path: Path, areas: Areas, faults: Faults) -> None:
    """The areas right below one cover it, once they have shapes at all: no point of the city is nobody's."""
    below: dict[str, list[BaseGeometry]] = defaultdict(list)
    for area in areas.list():
        if area.parent and (shape := areas.shape(area.code)) is not None and shapely.area(shape):
            below[area.parent].append(shape)
    for code, shapes in below.items():
        whole = areas.shape(code)
        missing = shapely.difference(whole, shapely.union_all(shapes)) if whole is not None else None
        if whole is not None and missing is not None and shapely.area(missing) > SLACK * shapely.area(whole):
            at = shapely.point_on_surface(max(shapely.get_parts(missing), key=shapely.area))
            share = shapely.area(missing) / shapely.area(whole)
            what = f"{share:.1%} of {code} is in none of the areas below it, near {at.x:.5f} {at.y:.5f}"
            faults.add(f"{path}/areas {code}", what, "draw what is missing, or correct the parent's border")


def _check_codes(path: Path, areas: Areas, faults: Faults) -> None:
    """National codes: 6 digits of the district, 3 of the street, 3 of the community, 3 of the cell (GB/T 30428)."""
    for area in areas.list():
        wanted = DIGITS.get(area.level)
        if area.local or wanted is None or (len(area.code) == wanted and area.code.isascii() and area.code.isalnum()):
            continue
        what = f"'{area.code}' is no national code of a {area.level}: {wanted} characters"
        faults.add(f"{path}/areas {area.code}", what, "correct the code, or mark it as 'local: true'")
