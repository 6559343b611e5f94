"""Build the neighbourhoods of the Boston city from its 311 records, once; the result is committed.

    uv run python tools/build_boston_areas.py <boston311_2011.parquet> cities/boston/areas/neighbourhoods.geojson

The records (City of Boston, PDDL) name a neighbourhood and a point; they bring no borders. Rule: the ground is cut into
squares of about 250 m; a square belongs to the neighbourhood that most records in it and around it name; ground within
400 m of a record goes to the nearest square. The shapes show where a neighbourhood's records lie, they are no official
borders. Points that more than 100 records share are stand-ins for "no place" and are left out.
"""

from __future__ import annotations

import argparse
import json
import re
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import polars
import shapely

SQUARE = (0.003, 0.0022)
"""Degrees of longitude and latitude of a square: about 250 m at 42.3 degrees north."""
REACH = 0.0036
"""Degrees of latitude within which ground belongs to a record: about 400 m."""
TOLERANCE = 0.0006
DIGITS = 5
SHARED = 100
NAMES = {"Allston": "Allston / Brighton", "Brighton": "Allston / Brighton", "Mattapan": "Greater Mattapan"}
NAMES |= {"South Boston": "South Boston / South Boston Waterfront"}
"""Names that some records use for a neighbourhood which the others name in full."""
NOWHERE = ("", "Boston", "Chestnut Hill")
"""Values that name no neighbourhood of the city: the whole city, and a village that lies mostly outside."""
CHINESE = {
    "Allston / Brighton": "奥尔斯顿／布赖顿",
    "Back Bay": "后湾",
    "Beacon Hill": "灯塔山",
    "Charlestown": "查尔斯敦",
    "Dorchester": "多切斯特",
    "Downtown / Financial District": "市中心／金融区",
    "East Boston": "东波士顿",
    "Fenway / Kenmore / Audubon Circle / Longwood": "芬威／肯莫尔／朗伍德",
    "Greater Mattapan": "大马塔潘",
    "Hyde Park": "海德公园",
    "Jamaica Plain": "牙买加平原",
    "Mission Hill": "米申山",
    "Roslindale": "罗斯林代尔",
    "Roxbury": "罗克斯伯里",
    "South Boston / South Boston Waterfront": "南波士顿及滨海区",
    "South End": "南端",
    "West Roxbury": "西罗克斯伯里",
}
ATTRIBUTION = "Derived from 311 records, City of Boston, PDDL; where records lie, no official borders"
Square = tuple[int, int]


def main() -> None:
    """Read the records, decide the squares, write one feature a neighbourhood."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("records", type=Path)
    parser.add_argument("target", type=Path)
    options = parser.parse_args()
    votes = squares(options.records)
    names = sorted({name for count in votes.values() for name in count})
    shapes = tiled({square: winner(square, votes) for square in votes}, names)
    lines = ",\n".join(json.dumps(f, ensure_ascii=False, separators=(",", ":")) for f in map(feature, names, shapes))
    options.target.parent.mkdir(parents=True, exist_ok=True)
    head = f'{{"type":"FeatureCollection","attribution":"{ATTRIBUTION}","features":[\n'
    options.target.write_text(head + lines + "\n]}\n", encoding="utf-8")


def squares(records: Path) -> dict[Square, Counter[str]]:
    """How many records of each square name which neighbourhood."""
    table = polars.read_parquet(records, columns=["neighborhood", "longitude", "latitude"])
    sizes = table.group_by("longitude", "latitude").len()
    table = table.join(sizes.filter(polars.col("len") <= SHARED), on=["longitude", "latitude"])
    votes: dict[Square, Counter[str]] = defaultdict(Counter)
    for name, lon, lat, _ in table.iter_rows():
        plain = (name or "").strip()
        if plain not in NOWHERE:
            votes[int(lon // SQUARE[0]), int(lat // SQUARE[1])][NAMES.get(plain, plain)] += 1
    return votes


def winner(square: Square, votes: dict[Square, Counter[str]]) -> str:
    """The neighbourhood that most records name in the square (three votes each) and in the eight around it."""
    total: Counter[str] = Counter()
    for x in (-1, 0, 1):
        for y in (-1, 0, 1):
            weight = 3 if x == y == 0 else 1
            for name, count in votes.get((square[0] + x, square[1] + y), Counter()).items():
                total[name] += weight * count
    return min(total, key=lambda name: (-total[name], name))


def tiled(owners: dict[Square, str], names: list[str]) -> list[Any]:
    """One shape a neighbourhood: the ground nearest to its squares, without gap or overlap."""
    order = sorted(owners)
    centres = shapely.points([((x + 0.5) * SQUARE[0], (y + 0.5) * SQUARE[1]) for x, y in order])
    reach = shapely.buffer(shapely.union_all(shapely.buffer(centres, REACH * 1.5)), -REACH * 0.5)
    cells = shapely.get_parts(shapely.voronoi_polygons(shapely.multipoints(centres), ordered=True, extend_to=reach))
    parts = [
        shapely.union_all([cell for cell, square in zip(cells, order, strict=True) if owners[square] == name])
        for name in names
    ]
    clipped = np.array([shapely.intersection(part, reach) for part in parts])
    clean = clipped
    for _ in range(10):
        clean = shapely.coverage_clean(clean, snapping_distance=10**-DIGITS)  # type: ignore[attr-defined]  # newer than its stubs
        clean = shapely.transform(clean, lambda points: np.round(points, DIGITS))
        if shapely.coverage_is_valid(clean) and shapely.is_valid(clean).all():
            return list(shapely.coverage_simplify(clean, TOLERANCE))
    raise SystemExit("the shapes do not settle on the grid; use fewer digits")


def feature(name: str, geometry: Any) -> dict[str, Any]:
    """A neighbourhood as a GeoJSON feature; its code is made from its name."""
    slug = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
    facts = {
        "code": f"bos.{slug}",
        "parent": "bos",
        "level": "district",
        "zh": CHINESE[name],
        "en": name,
        "local": True,
    }
    rounded = json.loads(shapely.to_geojson(geometry), parse_float=lambda text: round(float(text), DIGITS))
    return {"type": "Feature", "properties": facts, "geometry": rounded}


if __name__ == "__main__":
    main()
