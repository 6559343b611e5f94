"""Reading the area tree from GeoJSON: one feature an area, ``properties`` = code, parent, level, zh, en, local."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import shapely
from pydantic import ValidationError
from shapely.geometry.base import BaseGeometry

from cityloop.city.areas import LEVELS, Areas
from cityloop.city.content import AreasPart
from cityloop.city.faults import Faults
from cityloop.city.phrases import LEVEL_TITLES, PHRASES
from cityloop.city.schemas import Area, AreaLevel, Position
from cityloop.core.values import Frozen, Title

_FEATURE = re.compile(r'"type"\s*:\s*"Feature"')


class AreaFacts(Frozen):
    """The properties of one feature."""

    code: str
    parent: str
    level: AreaLevel
    zh: str
    en: str
    local: bool = False


@dataclass(frozen=True)
class FoundArea:
    """An area as it was read: ``shape`` is ``None`` where only a point is known, ``where`` names file and line."""

    area: Area
    shape: BaseGeometry | None
    where: str


def read_areas(folder: Path, part: AreasPart, faults: Faults) -> Areas:
    """The area tree of a city; faults name file, line and code."""
    found: dict[str, FoundArea] = {}
    for name in part.files:
        taken(file_areas(folder / name, faults), found, faults)
    return assembled(found, part, faults)


def taken(items: Iterable[FoundArea], found: dict[str, FoundArea], faults: Faults) -> None:
    """Put areas into ``found``; a code that is there already is a fault."""
    for item in items:
        if item.area.code in found:
            faults.add(item.where, "the code is written twice", "codes are never reused; correct one of them")
        found[item.area.code] = item


def assembled(found: Mapping[str, FoundArea], part: AreasPart, faults: Faults) -> Areas:
    """The tree of areas that were read one by one; faults where a code does not nest in its parent."""
    for item in found.values():
        _check_nesting(item, found, part.root, faults)
    _check_prefixes(found, faults)
    shapes = {code: item.shape for code, item in found.items() if item.shape is not None}
    root = _root(part, [item.area for item in found.values()], shapes)
    return Areas([root, *[item.area for item in found.values()]], shapes, part.outside_metres)


def file_areas(path: Path, faults: Faults) -> list[FoundArea]:
    """The areas of one file that can be read."""
    if not path.is_file():
        faults.add(str(path), "the file is missing", "create it or correct areas.files in city.yaml")
        return []
    try:
        text = path.read_text(encoding="utf-8")
        features = [dict(item) for item in json.loads(text)["features"]]
    except (ValueError, KeyError, TypeError) as error:
        faults.add(str(path), f"is not a GeoJSON FeatureCollection: {error}", "export it as GeoJSON, RFC 7946")
        return []
    lines = _lines(text)
    geometries = shapely.from_geojson([json.dumps(item.get("geometry")) for item in features], on_invalid="ignore")
    found = []
    for index, (feature, shape) in enumerate(zip(features, geometries, strict=True)):
        where = f"{path}:{lines[index] if index < len(lines) else 1}"
        item = _area(feature, shape, where, faults)
        if item:
            found.append(item)
    return found


def _area(feature: dict[str, Any], shape: BaseGeometry | None, where: str, faults: Faults) -> FoundArea | None:
    try:
        facts = AreaFacts.model_validate(feature.get("properties"))
    except ValidationError as error:
        for item in error.errors():
            name = ".".join(str(part) for part in item["loc"]) or "properties"
            faults.add(f"{where} {name}", item["msg"], "properties are code, parent, level, zh, en, local")
        return None
    return made_area(facts, shape, f"{where} {facts.code}", faults)


def made_area(facts: AreaFacts, shape: BaseGeometry | None, where: str, faults: Faults) -> FoundArea | None:
    """An area of its facts and its shape, WGS 84 degrees; ``None`` after noting why it cannot be one."""
    if shape is None or shape.is_empty:
        faults.found.append(PHRASES.fault(where, "no-geometry"))
        return None
    if not shape.is_valid:
        faults.found.append(PHRASES.fault(where, "invalid-shape", reason=shapely.is_valid_reason(shape)))
        shape = shapely.make_valid(shape)
    bounds = shape.bounds
    if not (-180 <= bounds[0] <= bounds[2] <= 180 and -90 <= bounds[1] <= bounds[3] <= 90):
        faults.found.append(PHRASES.fault(where, "no-degrees", bounds=bounds))
        return None
    inner = shapely.point_on_surface(shape)
    area = Area(
        code=facts.code,
        title=Title(zh=facts.zh, en=facts.en),
        level=facts.level,
        parent=facts.parent,
        local=facts.local,
        centre=Position(lon=round(inner.x, 6), lat=round(inner.y, 6)),
    )
    return FoundArea(area, None if shape.geom_type == "Point" else shape, where)


def _check_nesting(item: FoundArea, found: Mapping[str, FoundArea], root: str, faults: Faults) -> None:
    area = item.area
    parent = found.get(area.parent or "")
    if parent is None and area.parent != root:
        faults.found.append(PHRASES.fault(item.where, "no-parent", parent=area.parent))
        return
    if not area.code.startswith(area.parent or "") or area.code == area.parent:
        faults.found.append(PHRASES.fault(item.where, "not-nested", parent=area.parent))
    above = "city" if parent is None else parent.area.level
    if LEVELS.index(area.level) <= LEVELS.index(above):
        titles = {"level": LEVEL_TITLES[area.level], "above": LEVEL_TITLES[above]}
        faults.found.append(PHRASES.fault(item.where, "wrong-level", **titles, levels=", ".join(LEVELS)))


def _check_prefixes(found: Mapping[str, FoundArea], faults: Faults) -> None:
    """Data scopes test an area by the beginning of its code, so no code may begin another that is not below it."""
    codes = sorted(found)
    for shorter, longer in pairwise(codes):
        above = found[longer].area.parent or ""
        while above in found and above != shorter:
            above = found[above].area.parent or ""
        if longer.startswith(shorter) and above != shorter:
            faults.found.append(PHRASES.fault(found[longer].where, "prefix", shorter=shorter))


def _root(part: AreasPart, areas: list[Area], shapes: dict[str, BaseGeometry]) -> Area:
    """The city itself; its shape is the union of the areas right below it."""
    below = [shapes[area.code] for area in areas if area.parent == part.root and area.code in shapes]
    centre = None
    if below:
        shapes[part.root] = shapely.union_all(below)
        inner = shapely.point_on_surface(shapes[part.root])
        centre = Position(lon=round(inner.x, 6), lat=round(inner.y, 6))
    return Area(code=part.root, title=part.title, level="city", centre=centre)


def _lines(text: str) -> list[int]:
    """The line on which each feature begins."""
    lines, at, line = [], 0, 1
    for hit in _FEATURE.finditer(text):
        line += text.count("\n", at, hit.start())
        at = hit.start()
        lines.append(line)
    return lines
