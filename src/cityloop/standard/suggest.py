"""Proposing a mapping for a file: every property gets the column that fits best, for a person to read and accept.

Columns and targets are matched at the optimum over all of them; each field tells its confidence and why.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
import yaml

from cityloop.core.values import Frozen, Title
from cityloop.standard.assignment import best_pairs
from cityloop.standard.declarations import Lookup
from cityloop.standard.headings import heading
from cityloop.standard.lookups import Finder
from cityloop.standard.places import Placing, datum_of, grid_of
from cityloop.standard.prepare import narrowed
from cityloop.standard.profiles import SAMPLE, profile
from cityloop.standard.scoring import (
    NONE,
    Column,
    Score,
    date_score,
    entity_score,
    hour_score,
    place_score,
    property_score,
    time_score,
    title_score,
)
from cityloop.standard.service import Standard
from cityloop.standard.tables import RawTable, TableOptions
from cityloop.standard.types import EntityType
from cityloop.standard.world import NOWHERE, Cards, World

LEAST = 0.42
"""A weaker pair is not proposed."""
HEADS: Mapping[str, Title] = {
    "entity": Title(zh="对象", en="Entity"),
    "title": Title(zh="对象名称", en="Name of the entity"),
    "time": Title(zh="时间", en="Time"),
    "date": Title(zh="日期", en="Day"),
    "lon": Title(zh="经度", en="Longitude"),
    "lat": Title(zh="纬度", en="Latitude"),
    "east": Title(zh="东坐标", en="East"),
    "north": Title(zh="北坐标", en="North"),
    "point": Title(zh="坐标", en="Coordinates"),
}


class ColumnProfile(Frozen):
    """A column as a person sees it."""

    name: str
    examples: list[str]
    kind: str
    filled: float
    unit: str | None


class FieldSuggestion(Frozen):
    """What is proposed for one target; ``declaration`` is what the feed would say."""

    target: str
    title: Title
    column: str | None
    confidence: float
    reasons: list[str]
    declaration: dict[str, Any]


class DatumSuggestion(Frozen):
    """In what the positions are."""

    datum: str | None
    crs: str | None = None
    confidence: float
    reason: str


class Suggestion(Frozen):
    """A proposed mapping: field by field, and as the text of a ``feeds.yaml``."""

    entity_type: str
    columns: list[ColumnProfile]
    fields: list[FieldSuggestion]
    unused: list[str]
    datum: DatumSuggestion
    declaration: dict[str, Any]
    yaml: str
    notes: list[Title]


@dataclass(frozen=True)
class Around:
    """What the city knows: its entities, its areas, its zone; and who would own the feed."""

    known: Cards
    world: World = NOWHERE
    zone: str = "Asia/Shanghai"
    department: str = ""


def suggest(
    name: str, table: RawTable, entity_type: EntityType, standard: Standard, around: Around,
    options: TableOptions | None = None,
) -> Suggestion:  # fmt: skip
    """Propose a mapping of ``table`` (from the file ``name``) to ``entity_type``."""
    frame = table.frame.head(SAMPLE)
    columns = [Column(heading(column.name), profile(column, around.zone)) for column in frame.iter_columns()]
    scores = _scores(columns, entity_type, standard, around.known)
    chosen = _chosen(columns, scores)
    placing = _placing(frame, chosen, around, name)
    return Suggestion(
        entity_type=entity_type.id,
        columns=[_view(column) for column in columns],
        fields=_fields(columns, chosen, entity_type),
        unused=[c.heading.text for n, c in enumerate(columns) if n not in {at for at, _ in chosen.values()}],
        datum=DatumSuggestion(
            datum=placing.datum, crs=placing.crs, confidence=placing.confidence, reason=placing.reason
        ),
        **_declared(name, columns, chosen, placing, entity_type, around, options),
        notes=list(table.notes),
    )


_Chosen = dict[str, tuple[int, Score]]


def _scores(
    columns: Sequence[Column], entity_type: EntityType, standard: Standard, known: Cards
) -> dict[str, list[Score]]:
    lists = standard.lists_of(entity_type)
    scores = {
        item.id: [property_score(column, item, lists.get(item.code_list or "")) for column in columns]
        for item in entity_type.properties
    }
    scores["entity"] = [entity_score(column, entity_type, known) for column in columns]
    scores["title"] = [title_score(column, entity_type) for column in columns]
    split = any(hour_score(c).value for c in columns) and any(c.profile.dated for c in columns)
    if split and not any(c.profile.time_format and not c.profile.dated for c in columns if not c.profile.clock):
        scores["time"] = [hour_score(column) for column in columns]
        scores["date"] = [date_score(column) for column in columns]
    else:
        scores["time"] = [time_score(column) for column in columns]
    for target in ("lon", "lat", "east", "north", "point"):
        scores[target] = [place_score(column, target) for column in columns]
    return scores


def _chosen(columns: Sequence[Column], scores: Mapping[str, Sequence[Score]]) -> _Chosen:
    targets = list(scores)
    # Weak pairs must not displace strong ones, so only pairs that would be proposed count.
    matrix = [[s.value if (s := scores[t][n]).value >= LEAST else 0.0 for t in targets] for n in range(len(columns))]
    found = {targets[at]: (n, scores[targets[at]][n]) for n, at in best_pairs(matrix)}
    for one, other in (("lon", "lat"), ("east", "north")):
        if (one in found) != (other in found):
            found.pop(one, None)
            found.pop(other, None)
    if "lon" in found:
        for target in ("east", "north", "point"):
            found.pop(target, None)
    return found


def _fields(columns: Sequence[Column], chosen: _Chosen, entity_type: EntityType) -> list[FieldSuggestion]:
    titles = {item.id: item.title for item in entity_type.properties} | dict(HEADS)
    always = ["entity", "time", *[item.id for item in entity_type.properties]]
    found = []
    for target in dict.fromkeys([*always, *chosen]):
        at, score = chosen.get(target, (None, NONE))
        column = columns[at].heading.text if at is not None else None
        found.append(
            FieldSuggestion(
                target=target,
                title=titles[target],
                column=column,
                confidence=round(score.value, 2),
                reasons=list(score.reasons) or ["no column fits"],
                declaration={"field": column, **score.keys} if column else {},
            )
        )
    return found


def _view(column: Column) -> ColumnProfile:
    shape = column.profile
    sent = column.heading.unit.code if column.heading.unit else None
    return ColumnProfile(
        name=column.heading.text,
        examples=list(shape.examples),
        kind=shape.kind,
        filled=round(shape.filled, 3),
        unit=sent,
    )


def _placing(frame: pl.DataFrame, chosen: _Chosen, around: Around, name: str) -> Placing:
    words = " ".join([name, *frame.columns])
    if "lon" in chosen:
        lons, lats = (_numbers(frame.to_series(chosen[target][0])) for target in ("lon", "lat"))
        return datum_of(lons, lats, _entities(frame, chosen, around), around.known, around.world, words)
    if "east" in chosen:
        east, north = (_numbers(frame.to_series(chosen[target][0])) for target in ("east", "north"))
        return grid_of(east, north, around.known, around.world)
    if "point" in chosen:
        first, second = _halves(frame.to_series(chosen["point"][0]))
        lons, lats = (first, second) if _lon_first(first, second) else (second, first)
        return datum_of(lons, lats, _entities(frame, chosen, around), around.known, around.world, words)
    return Placing(None, None, 0.0, "the file has no position")


def _entities(frame: pl.DataFrame, chosen: _Chosen, around: Around) -> list[str | None]:
    if "entity" not in chosen:
        return [None] * frame.height
    at, score = chosen["entity"]
    rule = Lookup.model_validate(score.keys.get("lookup", {}))
    sent = frame.to_series(at).str.strip_chars()
    return Finder(rule, around.known).found(sent, frame).to_list()


def _numbers(column: pl.Series) -> np.ndarray:
    plain = column.to_frame("v").select(narrowed(pl.col("v")).str.strip_chars().cast(pl.Float64, strict=False))
    return plain.to_series().fill_null(float("nan")).to_numpy()


def _halves(column: pl.Series) -> tuple[np.ndarray, np.ndarray]:
    parts = column.str.extract_all(r"-?\d+(?:\.\d+)?")
    first, second = (parts.list.get(n, null_on_oob=True).cast(pl.Float64, strict=False) for n in (0, 1))
    return first.fill_null(float("nan")).to_numpy(), second.fill_null(float("nan")).to_numpy()


def _lon_first(first: np.ndarray, second: np.ndarray) -> bool:
    return not (np.nanmax(np.abs(first), initial=0) <= 90 < np.nanmax(np.abs(second), initial=0))


def _declared(
    name: str, columns: Sequence[Column], chosen: _Chosen, placing: Placing, entity_type: EntityType, around: Around,
    options: TableOptions | None,
) -> dict[str, Any]:  # fmt: skip
    feed: dict[str, Any] = {
        "id": _id(name, entity_type),
        "title": {
            "zh": f"{entity_type.title.zh} {_stem(name)}".strip(),
            "en": f"{entity_type.title.en} {_stem(name)}".strip(),
        },
        "entity_type": entity_type.id,
        "department": around.department,
    }
    told = options.model_dump(exclude_defaults=True) if options else {}
    feed |= {"table": told} if told else {}
    used = {at for at, _ in chosen.values()}
    missing = sorted({text for at in used for text in columns[at].profile.missing})
    feed |= {"missing": ["", *missing]} if missing else {}
    feed |= {"fold_width": True} if any(columns[at].profile.wide for at in used) else {}
    feed |= _position(columns, chosen, placing)
    feed["entity"] = _entity(columns, chosen)
    feed["time"] = _time(columns, chosen, around.zone)
    feed["properties"] = {
        item.id: {"field": columns[at].heading.text, **score.keys}
        for item in entity_type.properties
        if item.id in chosen
        for at, score in (chosen[item.id],)
    }
    text = yaml.safe_dump({"feeds": [feed]}, allow_unicode=True, sort_keys=False, width=120)
    return {"declaration": feed, "yaml": text}


def _position(columns: Sequence[Column], chosen: _Chosen, placing: Placing) -> dict[str, Any]:
    def field(target: str) -> str:
        return columns[chosen[target][0]].heading.text

    if "lon" in chosen:
        return {"position": {"lon": field("lon"), "lat": field("lat"), "datum": placing.datum}}
    if "east" in chosen:
        place = {"east": field("east"), "north": field("north"), "crs": placing.crs}
        return {"position": place} if placing.crs else {}
    if "point" not in chosen:
        return {}
    shape = columns[chosen["point"][0]].profile
    pairs = pl.Series(list(shape.texts))
    into = ["lon", "lat"] if _lon_first(*_halves(pairs)) else ["lat", "lon"]
    step = {"split": field("point"), "separator": shape.pair or ",", "into": into}
    return {"fields": [step], "position": {"lon": "lon", "lat": "lat", "datum": placing.datum}}


def _entity(columns: Sequence[Column], chosen: _Chosen) -> dict[str, Any]:
    if "entity" not in chosen:
        return {"field": ""}
    at, score = chosen["entity"]
    found: dict[str, Any] = {"field": columns[at].heading.text}
    found |= {key: value for key, value in score.keys.items() if value}
    if "title" in chosen and found.get("create"):
        found["title_field"] = columns[chosen["title"][0]].heading.text
    return found


def _time(columns: Sequence[Column], chosen: _Chosen, zone: str) -> dict[str, Any]:
    if "time" not in chosen:
        return {"field": ""}
    at, score = chosen["time"]
    found: dict[str, Any] = {"field": columns[at].heading.text}
    if "date" in chosen:
        day, date = chosen["date"]
        found |= {"date_field": columns[day].heading.text, "format": _clock_format(date.keys["format"], columns[at])}
    else:
        found["format"] = score.keys["format"]
    if not str(found["format"]).startswith("epoch"):
        found["zone"] = zone
    return found


def _clock_format(day: str, column: Column) -> str:
    """The day's format with the hour's behind it."""
    text = column.profile.examples[0] if column.profile.examples else "0"
    if day == "chinese" or re.search("[时点]", text):
        return "chinese"
    colons = text.count(":") + text.count("：")
    base = "%Y-%m-%d" if day == "iso" else day
    return f"{base} {('%H', '%H:%M', '%H:%M:%S')[min(colons, 2)]}"


def _stem(name: str) -> str:
    return re.sub(r"\.\w{1,8}$", "", name.rpartition("/")[2])


def _id(name: str, entity_type: EntityType) -> str:
    stem = re.sub(r"[^a-z0-9]+", "-", _stem(name).lower()).strip("-")
    kind = re.sub(r"(?<!^)(?=[A-Z])", "-", entity_type.id).lower()
    return stem[:60] if stem and stem[0].isalpha() else f"{kind}-{stem}".strip("-")[:60]
