"""``cityloop import areas``: codes, names and borders of areas → the city's GeoJSON, with every overlap and gap."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from cityloop.city.areas import LEVELS
from cityloop.city.content import AreasPart, CityFile
from cityloop.city.datum import convert_many
from cityloop.city.faults import Faults
from cityloop.city.schemas import AreaLevel
from cityloop.city.shapes import AreaFacts, FoundArea, assembled, file_areas, made_area
from cityloop.city.sheet import SheetLine, headed
from cityloop.city.topology import DIGITS, flaws, square_metres
from cityloop.core.content import load
from cityloop.core.errors import Conflict, Invalid
from cityloop.core.values import Title
from cityloop.serve.importing.kinds import AREAS
from cityloop.serve.importing.phrases import PHRASES
from cityloop.serve.importing.plans import Draft, Told, plan_of
from cityloop.serve.importing.rows import Row, sheet_lines, table_of
from cityloop.serve.importing.sent import Sent

_LEVELS: Mapping[str, AreaLevel] = {
    "区": "district", "县": "district", "区县": "district", "街道": "street", "镇": "street", "乡": "street",
    "街道乡镇": "street", "社区": "community", "村": "community", "网格": "cell", "单元网格": "cell",
    **{level: level for level in LEVELS[1:]},
}  # fmt: skip
_BY_DIGITS: Mapping[int, AreaLevel] = {DIGITS[level]: level for level in LEVELS[1:]}
_NEAR = 1e-9
"""Degrees within which two borders are the same."""
_LAST_STREET, _LAST_COMMUNITY = 399, 399
"""The last numbers of streets, towns and townships, and of communities and villages (GB/T 10114)."""


@dataclass(frozen=True)
class _Ground:
    """The areas that stand, and the file in which each does."""

    part: AreasPart
    found: Mapping[str, FoundArea]
    file_of: Mapping[str, str]


def read_area_sheet(folder: Path, sent: Sent) -> Draft:
    """A sheet or GeoJSON of areas as the city's files, which every line must allow."""
    ground = _ground(folder)
    faults = Faults()
    lines, notes = _lines(sent)
    read = {
        item.area.code: item
        for line, shape in lines
        if (item := _area(Row(line, faults), shape, sent.datum, ground.part.root, notes)) is not None
    }
    _tell_doubles(lines, faults)
    whole = {**ground.found, **read}
    areas = assembled(whole, ground.part, faults)
    for flaw in flaws(areas):
        faults.found.append(flaw.at(whole[flaw.area].where if flaw.area in whole else f"areas {flaw.area}"))
    standing = {code: _told(item) for code, item in ground.found.items()}
    said = {code: _compared(item, ground.found.get(code)) for code, item in read.items()}
    plan = plan_of(AREAS, len(lines), standing, said, faults, notes)
    return Draft(plan, faults.found, {} if faults.found else _files(folder, ground, read))


def _ground(folder: Path) -> _Ground:
    part = load(folder / "city.yaml", CityFile).areas
    if not part.files:
        raise PHRASES.problem(Invalid, "no-area-file")
    faults, found, file_of = Faults(), {}, {}
    for name in part.files:
        for item in file_areas(folder / name, faults) if (folder / name).is_file() else ():
            found[item.area.code] = item
            file_of[item.area.code] = name
    if faults.found:
        raise PHRASES.problem(Conflict, "areas-unread", faults.found)
    return _Ground(part, found, file_of)


def _lines(sent: Sent) -> tuple[list[tuple[SheetLine, BaseGeometry | None]], list[Title]]:
    """The lines of a file; those of GeoJSON with their shapes."""
    if not sent.name.lower().endswith((".geojson", ".json")):
        lines, notes = sheet_lines(table_of(sent), AREAS)
        return [(line, None) for line in lines], notes
    try:
        features = json.loads(sent.body.decode("utf-8-sig"))["features"]
        return [_feature(feature, number) for number, feature in enumerate(features, 1)], []
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise PHRASES.problem(Invalid, "no-collection", name=sent.name, error=repr(error)) from error


def _feature(feature: Mapping[str, Any], number: int) -> tuple[SheetLine, BaseGeometry | None]:
    properties = feature.get("properties") or {}
    columns = headed(list(properties), AREAS.headings)
    texts = {key: _text(properties[name]) for key, name in columns.items()}
    places = {key: f"feature {number} {name}" for key, name in columns.items()} or {"code": f"feature {number}"}
    return SheetLine(texts, places), shapely.from_geojson(json.dumps(feature.get("geometry")), on_invalid="ignore")


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else ""
    return "" if value is None else str(value).strip()


def _area(row: Row, shape: BaseGeometry | None, datum: str, root: str, notes: list[Title]) -> FoundArea | None:
    code, name = row.needed("code"), row.needed("name")
    level, where = _level(row, code), row.where("code")
    found = shape if shape is not None else _drawn(row)
    if not code or not name or level is None or found is None:
        return None
    local = row.yes("local")
    if not local:
        notes += _odd(row, code, level)
    parent = row.text("parent") or _parent(code, level, root)
    title = row.text("english") or name
    facts = AreaFacts(code=code, parent=parent, level=level, zh=name, en=title, local=local)
    return made_area(facts, shapely.transform(found, lambda xy: _moved(xy, datum)), f"{where} {code}", row.faults)


def _level(row: Row, code: str) -> AreaLevel | None:
    word = row.text("level").casefold()
    level = _LEVELS.get(word) if word else _BY_DIGITS.get(len(code))
    if level is None and code:
        if word:
            row.fault("level", "no-level", text=word, known="、".join(_LEVELS))
        else:
            row.fault("code", "old-cell-code" if len(code) == 14 else "no-level-code", text=code, count=len(code))
    return level


def _parent(code: str, level: AreaLevel, root: str) -> str:
    """By the digits of the level above; a district lies in the city."""
    above = LEVELS[LEVELS.index(level) - 1]
    return code[: DIGITS[above]] if above in DIGITS else root


def _drawn(row: Row) -> BaseGeometry | None:
    text = row.text("boundary")
    if text:
        shape = shapely.from_wkt(text, on_invalid="ignore")
        if shape is None:
            row.fault("boundary", "no-wkt", text=text[:40])
        return shape
    lon, lat = row.number("lon", 180), row.number("lat", 90)
    if lon is None or lat is None:
        key = "boundary" if "boundary" in row.line.texts else "code"
        row.fault(key, "no-ground")
        return None
    return shapely.Point(lon, lat)


def _moved(xy: NDArray[np.float64], datum: str) -> NDArray[np.float64]:
    return np.column_stack(convert_many(xy[:, 0], xy[:, 1], datum, "wgs84"))


def _odd(row: Row, code: str, level: AreaLevel) -> Iterator[Title]:
    """What is unusual in a national code, though it is taken."""
    if not code.isdigit():
        yield row.note("code", "letters", text=code)
    elif level == "street" and not 1 <= int(code[6:9] or 0) <= _LAST_STREET:
        yield row.note("code", "odd-street", text=code, last=_LAST_STREET)
    elif level == "community" and not 1 <= int(code[9:12] or 0) <= _LAST_COMMUNITY:
        yield row.note("code", "odd-community", text=code, last=_LAST_COMMUNITY)


def _tell_doubles(lines: Sequence[tuple[SheetLine, object]], faults: Faults) -> None:
    counts = Counter(line.texts.get("code", "") for line, _ in lines)
    for line, _ in lines:
        code = line.texts.get("code", "")
        if code and counts[code] > 1:
            Row(line, faults).fault("code", "times", text=code, count=counts[code])


def _told(item: FoundArea) -> Told:
    area, size = item.area, square_metres(item.shape) if item.shape is not None else 0.0
    ground = f"{size:,.0f} m²" if item.shape is not None else "a point"
    facts = {"name": area.title.zh, "english": area.title.en, "level": area.level, "parent": area.parent or ""}
    return {**facts, "local": "yes" if area.local else "", "ground": ground}


def _compared(item: FoundArea, before: FoundArea | None) -> Told:
    """What is said of an area; a border that moved without changing its size is told too."""
    told = dict(_told(item))
    if before is None or before.shape is None or item.shape is None:
        return told
    if told["ground"] == _told(before)["ground"] and not _alike(before.shape, item.shape):
        told["ground"] += ", another border"
    return told


def _alike(a: BaseGeometry, b: BaseGeometry) -> bool:
    return bool(shapely.equals_exact(shapely.normalize(a), shapely.normalize(b), _NEAR))


def _files(folder: Path, ground: _Ground, read: Mapping[str, FoundArea]) -> dict[Path, str]:
    """Every file that holds an area of the sheet; a new area goes where others of its level are."""
    homes: dict[AreaLevel, Counter[str]] = {level: Counter() for level in LEVELS}
    for code, name in ground.file_of.items():
        homes[ground.found[code].area.level][name] += 1
    file_of = dict(ground.file_of)
    for code, item in read.items():
        known = homes[item.area.level].most_common(1)
        file_of.setdefault(code, known[0][0] if known else ground.part.files[0])
    whole = {**ground.found, **read}
    inside: dict[str, list[FoundArea]] = {name: [] for name in sorted({file_of[code] for code in read})}
    for code, item in whole.items():
        if file_of[code] in inside:
            inside[file_of[code]].append(item)
    return {folder / name: _geojson(folder / name, items) for name, items in inside.items()}


def _geojson(path: Path, items: Sequence[FoundArea]) -> str:
    """A FeatureCollection with one area a line, from the top of the tree down; other members of the old file stay."""
    old = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {"type": "FeatureCollection"}
    others = [
        f"{json.dumps(key)}: {json.dumps(value, ensure_ascii=False)}" for key, value in old.items() if key != "features"
    ]
    ordered = sorted(items, key=lambda item: (LEVELS.index(item.area.level), item.area.code))
    lines = ",\n".join(_line(item) for item in ordered)
    return "{" + ", ".join([*others, f'"features": [\n{lines}\n]']) + "}\n"


def _line(item: FoundArea) -> str:
    area = item.area
    facts = {"code": area.code, "parent": area.parent, "level": area.level, "zh": area.title.zh, "en": area.title.en}
    shape = item.shape
    if shape is None:
        assert area.centre is not None, "an area without a shape was read from a point"
        shape = shapely.Point(area.centre.lon, area.centre.lat)
    geometry = json.loads(shapely.to_geojson(shape))
    properties = {**facts, **({"local": True} if area.local else {})}
    return json.dumps({"type": "Feature", "properties": properties, "geometry": geometry}, ensure_ascii=False)
