"""Checking a city folder before it is put to use: all that loading checks, and the geometry of its areas."""

from __future__ import annotations

from itertools import groupby
from pathlib import Path

import numpy as np
import shapely

from cityloop.city.areas import Areas
from cityloop.city.faults import Faults
from cityloop.city.loading import read_city
from cityloop.core.errors import Fault

SLACK = 1e-4
"""Share of an area that may lie outside its parent before it is called a fault: rounding, not drawing."""


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
