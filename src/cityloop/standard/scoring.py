"""How well a column fits a target of the standard: by name, by unit, by its values. Every score says why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from cityloop.standard.code_lists import MATCHES, CodeList, Match, folded
from cityloop.standard.headings import (
    DATE_WORDS,
    EAST_WORDS,
    LAT_WORDS,
    LON_WORDS,
    NORTH_WORDS,
    POINT_WORDS,
    TIME_WORDS,
    TITLE_WORDS,
    Heading,
    entity_words,
    likeness,
    names_of,
)
from cityloop.standard.profiles import FLAG_WORDS, Profile
from cityloop.standard.types import EntityType, Property
from cityloop.standard.units import Conversion, units
from cityloop.standard.world import Cards

NAME_FLOOR = 0.4
"""A name that is less alike says nothing."""
HOUR_WORDS = (*TIME_WORDS, "小时", "时", "时段", "整点", "hour")


@dataclass(frozen=True)
class Column:
    """One column of the file: heading and values."""

    heading: Heading
    profile: Profile


@dataclass(frozen=True)
class Score:
    """0 to 1, the reasons a person reads, and what the declaration would say beside the field."""

    value: float
    reasons: tuple[str, ...] = ()
    keys: dict[str, Any] = field(default_factory=dict)


NONE = Score(0.0)


def property_score(column: Column, item: Property, codes: CodeList | None) -> Score:
    """How well a column fits a property."""
    name, which = likeness(column.heading, names_of(item))
    fit = _values(column, item, codes)
    if fit is None:
        return NONE
    if name < NAME_FLOOR:
        # Values alone convince only where they spell the words of a closed list.
        sure = (item.enum or codes) and fit.value >= 0.95 and len(column.profile.texts) >= 3
        return Score(0.5 * fit.value, ("only the values fit", *fit.reasons), fit.keys) if sure else NONE
    total = 0.65 * name + 0.35 * fit.value
    return Score(min(1.0, total), (_told(column, which, name), *fit.reasons), fit.keys)


def _values(column: Column, item: Property, codes: CodeList | None) -> Score | None:
    """How well the values fit; ``None`` when they cannot be this property."""
    shape = column.profile
    if not shape.texts:
        return Score(0.3, ("the column is empty",))
    if item.kind in ("number", "integer"):
        return _numbers(column, item)
    if item.kind == "flag":
        share = _share(shape.texts, FLAG_WORDS)
        return Score(share, (f"{share:.0%} of the values are yes or no",)) if share >= 0.5 else None
    if item.enum:
        share = _share(shape.texts, item.enum)
        return Score(share, (f"{share:.0%} of the values are in the enumeration",)) if share >= 0.3 else None
    if codes is not None:
        return _codes(shape, codes)
    return None if shape.time_format else Score(0.3 if shape.numeric > 0.9 else 0.6, ())


def _numbers(column: Column, item: Property) -> Score | None:
    shape = column.profile
    if shape.numeric < 0.5 or shape.low is None or shape.high is None or shape.time_format in ("epoch_s", "epoch_ms"):
        return None
    if item.kind == "integer" and shape.whole < 0.9:
        return None
    reasons = [] if shape.numeric > 0.99 else [f"{shape.numeric:.0%} of the values are numbers"]
    sent = column.heading.unit
    if item.measure is None:
        return Score(shape.numeric * _inside(item, shape, None), tuple(reasons))
    if sent is not None:
        way = item.way_from(sent)
        if way is None:
            return None
        fit = _inside(item, shape, way)
        told = f"unit {sent.symbol} from the heading, {fit:.0%} of the range fits"
        return Score(min(1.0, shape.numeric * fit + 0.1), (*reasons, told), {"unit": sent.code})
    return _unnamed(item, shape, reasons)


def _unnamed(item: Property, shape: Profile, reasons: Sequence[str]) -> Score:
    """A column that names no unit: the standard's own, or the one in which the values become possible."""
    own = _inside(item, shape, None)
    if own < 0.5:
        fitting = [(other, _inside(item, shape, way)) for other in units() if (way := item.way_from(other))]
        other, share = max(fitting, key=lambda pair: pair[1])
        if share > max(0.95, own):
            told = f"values are impossible in {item.symbol}; in {other.symbol} they fit"
            return Score(0.7 * shape.numeric, (*reasons, told), {"unit": other.code})
    told = f"no unit in the heading: {item.symbol} of the standard is assumed"
    return Score(shape.numeric * own * 0.85, (*reasons, told), {"unit": item.unit})


def _inside(item: Property, shape: Profile, way: Conversion | None) -> float:
    """Share of the values that are possible, 1 where the property has no bounds."""
    found = [value if way is None else way.apply(value) for text in shape.texts if (value := _number(text)) is not None]
    low = item.min if item.min is not None else float("-inf")
    high = item.max if item.max is not None else float("inf")
    return sum(low <= value <= high for value in found) / max(1, len(found))


def _codes(shape: Profile, codes: CodeList) -> Score | None:
    rates: dict[Match, float] = {}
    for match in MATCHES:
        known = {name for layer in codes.names((match,)) for name in layer}
        rates[match] = sum(folded(text) in known for text in shape.texts) / len(shape.texts)
    every = {name for layer in codes.names() for name in layer}
    share = sum(folded(text) in every for text in shape.texts) / len(shape.texts)
    if share < 0.3:
        return None
    words = ", ".join(f"{rate:.0%} by {match}" for match, rate in rates.items() if rate > 0)
    return Score(share, (f"{share:.0%} of the values are in the code list '{codes.id}' ({words})",))


def entity_score(column: Column, entity_type: EntityType, known: Cards) -> Score:
    """How well a column names the entity: by the ids, keys or titles that the directory knows, else by its heading."""
    shape = column.profile
    if not shape.texts or shape.time_format or shape.pair or (shape.numeric > 0.9 and shape.whole < 1):
        return NONE
    name, which = likeness(column.heading, entity_words(entity_type))
    titled, word = likeness(column.heading, [*TITLE_WORDS, entity_type.title.zh, entity_type.title.en])
    hits = _known(shape, entity_type, known)
    if hits is not None:
        return Score(min(1.0, 0.75 + 0.25 * max(name, titled)), hits.reasons, hits.keys)
    if name >= NAME_FLOOR and name >= 0.9 * titled:
        return _named(column, Score(0.85 * name, (_told(column, which, name),), {"create": not known}))
    if titled >= NAME_FLOOR:
        keys = {"lookup": {"by": "title"}} if known else {"create": True}
        return Score(0.7 * titled, (_told(column, word, titled), "it is a name, not an id"), keys)
    return NONE


def _named(column: Column, score: Score) -> Score:
    """A number that no two of many records share is more likely the record's own."""
    if column.profile.distinct < 1 or len(column.profile.texts) < 50:
        return score
    reasons = (*score.reasons, "no two records share a value: perhaps it numbers the records")
    return Score(0.65 * score.value, reasons, score.keys)


def _known(shape: Profile, entity_type: EntityType, known: Cards) -> Score | None:
    if not known:
        return None
    ids = _share(shape.texts, known.keys())
    if ids >= 0.6:
        return Score(1, (f"{ids:.0%} of the values are known ids",))
    for name in entity_type.keys:
        held = {folded(value) for card in known.values() if (value := card.attributes.get(name))}
        share = sum(folded(text) in held for text in shape.texts) / len(shape.texts)
        if share >= 0.6:
            told = (f"{share:.0%} of the values are known in the key '{name}'",)
            return Score(1, told, {"lookup": {"by": "key", "key": name}})
    titles = {folded(title) for card in known.values() for title in (card.title.zh, card.title.en)}
    share = sum(folded(text) in titles for text in shape.texts) / len(shape.texts)
    if share >= 0.6:
        return Score(1, (f"{share:.0%} of the values are known titles",), {"lookup": {"by": "title"}})
    return None


def title_score(column: Column, entity_type: EntityType) -> Score:
    """How well a column names the entity for people."""
    if column.profile.numeric > 0.5 or column.profile.time_format:
        return NONE
    name, which = likeness(column.heading, [*TITLE_WORDS, f"{entity_type.title.zh}名称", entity_type.title.zh])
    return Score(0.65 * name, (_told(column, which, name),)) if name >= NAME_FLOOR else NONE


def time_score(column: Column) -> Score:
    """How well a column holds the time."""
    shape = column.profile
    if shape.time_format is None:
        return NONE
    name, which = likeness(column.heading, (*TIME_WORDS, *DATE_WORDS))
    told = f"every value reads as a time ({shape.time_format})"
    reasons = (told, _told(column, which, name)) if name >= NAME_FLOOR else (told,)
    numeric = shape.numeric > 0.99
    floor = 0.0 if numeric and name < NAME_FLOOR else 0.35 if shape.dated else 0.5
    return Score(floor + 0.45 * name if floor else 0.0, reasons, {"format": shape.time_format})


def hour_score(column: Column) -> Score:
    """How well a column holds the hour of a day whose date stands elsewhere."""
    name, which = likeness(column.heading, HOUR_WORDS)
    if not column.profile.clock or name < NAME_FLOOR:
        return NONE
    return Score(0.5 + 0.5 * name, ("hours of a day", _told(column, which, name)))


def date_score(column: Column) -> Score:
    """How well a column holds the day alone."""
    if not column.profile.dated:
        return NONE
    name, which = likeness(column.heading, (*DATE_WORDS, *TIME_WORDS))
    reasons = ("days without an hour", *((_told(column, which, name),) if name >= NAME_FLOOR else ()))
    return Score(0.5 + 0.5 * name, reasons, {"format": column.profile.time_format})


def place_score(column: Column, target: str) -> Score:
    """How well a column holds one coordinate: ``lon``, ``lat``, ``east``, ``north``, or both in one text: ``point``."""
    shape = column.profile
    if target == "point":
        name, which = likeness(column.heading, POINT_WORDS)
        return Score(0.6 + 0.4 * name, ("pairs of numbers", _told(column, which, name))) if shape.pair else NONE
    words, low, high = _PLACES[target]
    if shape.numeric < 0.9 or shape.low is None or shape.high is None or shape.pair:
        return NONE
    if not (low <= shape.low and shape.high <= high):
        return NONE
    name, which = likeness(column.heading, words)
    if name < 0.8:
        return NONE
    return Score(0.6 * name + 0.4, (_told(column, which, name), f"values from {shape.low:g} to {shape.high:g}"))


_PLACES: dict[str, tuple[Sequence[str], float, float]] = {
    "lon": (LON_WORDS, -180.0, 180.0),
    "lat": (LAT_WORDS, -90.0, 90.0),
    "east": ((*EAST_WORDS, *NORTH_WORDS), 200_000.0, 46_000_000.0),
    "north": ((*NORTH_WORDS, *EAST_WORDS), 1_800_000.0, 6_000_000.0),
}


def _told(column: Column, name: str, score: float) -> str:
    how = "is" if score >= 0.9 else "is like"
    return f"the heading '{column.heading.text}' {how} '{name}'"


def _share(texts: Sequence[str], known: Any) -> float:
    return sum(text in known or text.lower() in known for text in texts) / max(1, len(texts))


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
