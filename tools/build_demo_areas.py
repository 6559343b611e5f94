"""Build the areas of the demo city from two open data sets, once; the results are committed.

    uv run python tools/build_demo_areas.py <folder with the sources> cities/demo/areas

Sources (both in WGS 84, which was checked by laying them over each other and over a GCJ-02 edition):
``shenzhen_districts_transbigdata.geojson.gz`` (TransBigData, BSD-3-Clause) and ``shenzhen_traffic_zones.geojson.gz``
(ST-EVCDP, MIT).

Rule: a traffic zone becomes one cell of the district that it overlaps most. Parts of a zone that lie in another
district, and ground of a district that no zone covers, go to the neighbouring cell with the longest common
border, so that the cells of a district tile it without gap or overlap. Uncovered ground above six square kilometres is
open sea (the district file reaches into its bays) and is left out. Borders are then simplified together.
"""

from __future__ import annotations

import argparse
import gzip
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from shapely import Geometry
from shapely.geometry import shape

GRID = 1e-6
"""Degrees to which coordinates are snapped: about ten centimetres."""
DIGITS = 6
TOLERANCE = 3.5e-4
"""Degrees by which borders may move when simplified: about 35 metres."""
SEA = 6.0 / (111.2 * 102.6)
"""Square degrees of six square kilometres at 22.6 degrees north."""
NUMBER_BAND = 0.02
"""Degrees of latitude of one row when cells are numbered west to east, north to south."""


ATTRIBUTION = "TransBigData (BSD-3-Clause, Qing Yu); ST-EVCDP (MIT, IntelligentSystemsLab); see ../ATTRIBUTION.md"


@dataclass(frozen=True)
class District:
    """A district: its name in the source, its code (GB/T 2260 unless ``local``) and its titles."""

    source: str
    code: str
    zh: str
    en: str
    local: bool = False


DISTRICTS = (
    District("罗湖", "440303", "罗湖区", "Luohu"),
    District("福田", "440304", "福田区", "Futian"),
    District("南山", "440305", "南山区", "Nanshan"),
    District("宝安", "440306", "宝安区", "Bao'an"),
    District("龙岗", "440307", "龙岗区", "Longgang"),
    District("盐田", "440308", "盐田区", "Yantian"),
    District("龙华", "440309", "龙华区", "Longhua"),
    District("坪山", "440310", "坪山区", "Pingshan"),
    District("光明", "440311", "光明区", "Guangming"),
    District("大鹏", "440390", "大鹏新区", "Dapeng", local=True),
)


def main() -> None:
    """Read the two sources, build, write ``districts.geojson`` and ``cells.geojson``."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("source", type=Path)
    parser.add_argument("target", type=Path)
    options = parser.parse_args()
    districts = _districts(options.source / "shenzhen_districts_transbigdata.geojson.gz")
    zones = [_snapped(item["geometry"]) for item in _features(options.source / "shenzhen_traffic_zones.geojson.gz")]
    owners, cells = tile(districts, zones)
    cells = list(shapely.coverage_simplify(on_grid(cells), TOLERANCE))
    options.target.mkdir(parents=True, exist_ok=True)
    write(options.target / "districts.geojson", district_features(owners, cells))
    write(options.target / "cells.geojson", cell_features(owners, cells))


def tile(districts: list[Geometry], zones: list[Geometry]) -> tuple[list[int], list[Geometry]]:
    """The district index and the shape of every cell: zones fitted into the districts."""
    overlaps = np.array([[shapely.area(shapely.intersection(z, d)) for d in districts] for z in zones])
    owners = [int(row.argmax()) for row in overlaps]
    cells = [_polygons(shapely.intersection(z, districts[o])) for z, o in zip(zones, owners, strict=True)]
    open_ground = shapely.difference(
        shapely.union_all(districts, grid_size=GRID), shapely.union_all(zones, grid_size=GRID)
    )
    sea = shapely.union_all([part for part in shapely.get_parts(open_ground) if part.area > SEA])
    for index, district in enumerate(districts):
        mine = [i for i, owner in enumerate(owners) if owner == index]
        ground = shapely.difference(district, sea)
        loose = shapely.difference(ground, shapely.union_all([cells[i] for i in mine], grid_size=GRID))
        for piece in shapely.get_parts(_polygons(loose)):
            best = max(mine, key=lambda i: _shared(piece, cells[i]))
            cells[best] = shapely.union(cells[best], piece, grid_size=GRID)
    return owners, cells


def on_grid(shapes: list[Geometry]) -> Any:
    """The shapes as a coverage whose vertices all lie on the grid; simplifying keeps vertices, so it stays one."""
    coverage = np.array(shapes)
    for _ in range(10):
        coverage = shapely.coverage_clean(  # type: ignore[attr-defined]  # newer than its stubs
            coverage, snapping_distance=GRID * 5
        )
        coverage = shapely.transform(coverage, lambda points: np.round(points, DIGITS))
        if shapely.coverage_is_valid(coverage) and shapely.is_valid(coverage).all():
            return coverage
    raise SystemExit("the cells do not settle on the grid; raise GRID or mend the sources")


def district_features(owners: list[int], cells: list[Geometry]) -> list[dict[str, Any]]:
    """One feature a district: the union of its cells, so that both levels share their borders."""
    features = []
    for index, district in enumerate(DISTRICTS):
        mine = [cell for cell, owner in zip(cells, owners, strict=True) if owner == index]
        whole = _filled(shapely.union_all(mine, grid_size=GRID))
        facts: dict[str, Any] = {
            "code": district.code,
            "parent": "4403",
            "level": "district",
            "zh": district.zh,
            "en": f"{district.en} District",
        }
        if district.local:
            facts |= {"en": f"{district.en} New District", "local": True}
        features.append(_feature(facts, whole))
    return features


def cell_features(owners: list[int], cells: list[Geometry]) -> list[dict[str, Any]]:
    """One feature a cell, numbered in its district north to south in rows, west to east in a row."""
    features = []
    for index, district in enumerate(DISTRICTS):
        mine = [cell for cell, owner in zip(cells, owners, strict=True) if owner == index]
        for number, cell in enumerate(sorted(mine, key=_reading_order), start=1):
            code = f"{district.code}000000{number:03d}"
            facts = {
                "code": code,
                "parent": district.code,
                "level": "cell",
                "zh": f"{district.source} {number} 号网格",
                "en": f"{district.en} cell {number}",
                "local": True,
            }
            features.append(_feature(facts, cell))
    return features


def write(path: Path, features: list[dict[str, Any]]) -> None:
    """One feature a line, so that a fault names the line of its feature and a change shows in a diff."""
    lines = ",\n".join(json.dumps(item, ensure_ascii=False, separators=(",", ":")) for item in features)
    head = f'{{"type":"FeatureCollection","attribution":"{ATTRIBUTION}","features":[\n'
    path.write_text(head + lines + "\n]}\n", encoding="utf-8")


def _districts(path: Path) -> list[Geometry]:
    shapes = {item["properties"]["qh"]: _snapped(item["geometry"]) for item in _features(path)}
    ordered = np.array([shapes[district.source] for district in DISTRICTS])
    return list(on_grid(list(ordered)))


def _features(path: Path) -> list[dict[str, Any]]:
    with gzip.open(path, "rt", encoding="utf-8") as file:
        found: list[dict[str, Any]] = json.load(file)["features"]
    return found


def _snapped(geometry: dict[str, Any]) -> Geometry:
    return shapely.set_precision(shapely.make_valid(shape(geometry)), GRID)


def _shared(piece: Geometry, cell: Geometry) -> tuple[float, float]:
    border = shapely.length(shapely.intersection(shapely.buffer(piece, GRID * 20), shapely.boundary(cell)))
    return float(border), -float(shapely.distance(piece, cell))


def _polygons(geometry: Geometry) -> Geometry:
    parts = [part for part in shapely.get_parts(geometry) if part.geom_type in ("Polygon", "MultiPolygon")]
    return shapely.union_all(parts, grid_size=GRID)


def _filled(geometry: Geometry) -> Geometry:
    """Without the hair-thin holes that rounding leaves."""
    parts = [shapely.Polygon(part.exterior) for part in shapely.get_parts(geometry)]
    return shapely.union_all(parts)


def _reading_order(cell: Geometry) -> tuple[int, float]:
    centre = shapely.point_on_surface(cell)
    return -round(shapely.get_y(centre) / NUMBER_BAND), float(shapely.get_x(centre))


def _feature(facts: dict[str, Any], geometry: Geometry) -> dict[str, Any]:
    rounded = json.loads(shapely.to_geojson(geometry), parse_float=lambda text: round(float(text), DIGITS))
    return {"type": "Feature", "properties": facts, "geometry": rounded}


if __name__ == "__main__":
    main()
