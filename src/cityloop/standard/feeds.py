"""Loading the feeds of all packs and holding each against the standard: every fault at its file, line and key."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from cityloop.city.projection import zone
from cityloop.core.content import Key, Lines, checked, fault_at, raise_faults, read_yaml
from cityloop.core.errors import ContentError, Fault, Invalid
from cityloop.core.wording import fault_of
from cityloop.standard.code_lists import CodeList
from cityloop.standard.consistency import Found, check_faults
from cityloop.standard.declarations import FeedDeclaration, FeedsFile, PropertyField
from cityloop.standard.expressions import ExpressionError, parse
from cityloop.standard.mapping import FeedMapping
from cityloop.standard.service import Standard
from cityloop.standard.types import EntityType, Property
from cityloop.standard.units import unit

FILE = "feeds.yaml"
_SEE = "see docs/standard.md"


def load_feeds(
    packs: Sequence[Path], standard: Standard, departments: Collection[str] | None = None
) -> tuple[FeedMapping, ...]:
    """Read ``feeds.yaml`` of every pack that has one; raise :class:`ContentError` with all faults.

    With ``departments`` (ids of the city) a feed of an unknown department is a fault too.
    """
    feeds: dict[str, FeedMapping] = {}
    faults: list[Fault] = []
    for path in [pack / FILE for pack in packs if (pack / FILE).is_file()]:
        try:
            value, lines = read_yaml(path)
            declared = checked(path, FeedsFile, value, lines).feeds
        except ContentError as error:
            faults += error.faults or [Fault(str(path), error.detail, error.mend)]
            continue
        for index, feed in enumerate(declared):
            found = list(_faults(path, lines, index, feed, standard, departments, feeds))
            faults += found
            if not found:
                feeds[feed.id] = _built(feed, standard)
    raise_faults("the feeds", faults)
    return tuple(feeds.values())


def feed_from(value: Mapping[str, Any] | str) -> FeedDeclaration:
    """A feed's declaration as sent by a person: an object, or YAML text of one feed or of a whole ``feeds.yaml``.

    Raises :class:`Invalid`; the faults' ``where`` is the dotted key.
    """
    if isinstance(value, str):
        value = _parsed(value)
    try:
        return FeedDeclaration.model_validate(value)
    except ValidationError as error:
        faults = [fault_of(item, _dotted(item["loc"])) for item in error.errors()]
        raise Invalid(f"the feed has {len(faults)} error(s)", _SEE, faults) from error


def compile_feed(
    declaration: FeedDeclaration, standard: Standard, departments: Collection[str] | None = None
) -> FeedMapping:
    """A feed ready to work; raises :class:`Invalid` with every fault at its dotted key."""
    faults = [Fault(_dotted(k), what, mend) for k, what, mend in feed_faults(declaration, standard, departments)]
    if faults:
        raise Invalid(f"the feed '{declaration.id}' has {len(faults)} error(s)", _SEE, faults)
    return _built(declaration, standard)


def feed_faults(
    feed: FeedDeclaration, standard: Standard, departments: Collection[str] | None = None
) -> Iterator[Found]:
    """Everything in a feed that does not fit the standard or the city."""
    if departments is not None and feed.department not in departments:
        mend = f"known: {', '.join(sorted(departments))}"
        yield ("department",), f"the city has no department '{feed.department}'", mend
    entity_type = standard.entity_types.get(feed.entity_type)
    if entity_type is None:
        mend = f"known: {', '.join(sorted(standard.entity_types)) or 'none'}"
        yield ("entity_type",), f"the standard has no entity type '{feed.entity_type}'", mend
        return
    yield from _property_faults(feed, entity_type, standard.lists_of(entity_type))
    yield from _distance_faults(feed, entity_type, standard.entity_types)
    yield from check_faults(feed.checks, entity_type, standard.entity_types)
    yield from _step_faults(feed)
    key = feed.entity.lookup.key
    if key is not None and key not in entity_type.keys:
        mend = f"keys of {entity_type.id}: {', '.join(entity_type.keys) or 'none'}"
        yield ("entity", "lookup", "key"), f"'{key}' is no key of {entity_type.id}", mend
    if feed.position is not None and feed.position.crs is not None:
        try:
            zone(feed.position.crs)
        except Invalid as error:
            yield ("position", "crs"), error.detail, error.mend


def _built(feed: FeedDeclaration, standard: Standard) -> FeedMapping:
    entity_type = standard.entity_types[feed.entity_type]
    return FeedMapping(feed, entity_type, standard.lists_of(entity_type))


def _parsed(text: str) -> Any:
    try:
        value = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise Invalid(f"the feed is not valid YAML: {error}", "correct it") from error
    if isinstance(value, dict) and isinstance(value.get("feeds"), list):
        value = value["feeds"]
    if isinstance(value, list):
        if len(value) != 1:
            raise Invalid(f"{len(value)} feeds were sent", "send one")
        value = value[0]
    if not isinstance(value, dict):
        raise Invalid("the text holds no feed", "send the keys of one feed")
    return value


def _dotted(key: Sequence[Any]) -> str:
    return ".".join(str(part) for part in key) or "(whole feed)"


def _faults(
    path: Path,
    lines: Lines,
    index: int,
    feed: FeedDeclaration,
    standard: Standard,
    departments: Collection[str] | None,
    others: Collection[str],
) -> Iterator[Fault]:
    if feed.id in others:
        what = f"feed '{feed.id}' is declared twice"
        yield fault_at(path, lines, ("feeds", index, "id"), what, "give one of them another id")
    for key, what, mend in feed_faults(feed, standard, departments):
        yield fault_at(path, lines, ("feeds", index, *key), what, mend)


def _property_faults(feed: FeedDeclaration, entity_type: EntityType, lists: Mapping[str, CodeList]) -> Iterator[Found]:
    for identity, source in feed.properties.items():
        item = entity_type.find(identity)
        if item is None:
            known = ", ".join(item.id for item in entity_type.properties)
            yield ("properties", identity), f"{entity_type.id} has no property '{identity}'", f"known: {known}"
            continue
        found = (*_unit_faults(item, source), *_value_faults(item, source, lists), *_derived_faults(item, source))
        for key, what, mend in found:
            yield ("properties", identity, *key), what, mend
    for item in entity_type.properties:
        if item.required and item.id not in feed.properties:
            yield ("properties",), f"{entity_type.id} requires '{item.id}', this feed does not fill it", "map it"


def _distance_faults(feed: FeedDeclaration, kind: EntityType, types: Collection[str]) -> Iterator[Found]:
    metre = unit("m")
    for identity, source in feed.properties.items():
        item, key = kind.find(identity), ("properties", identity, "distance")
        if source.distance is None or item is None:
            continue
        if source.distance.to not in types:
            mend = f"known: {', '.join(sorted(types))}"
            yield (*key, "to"), f"the standard has no entity type '{source.distance.to}'", mend
        if item.kind != "number" or metre is None or item.way_from(metre) is None:
            yield key, f"a distance is a length, '{identity}' is none", "choose a number with a unit of length"


def _step_faults(feed: FeedDeclaration) -> Iterator[Found]:
    made: set[str] = set()
    for number, step in enumerate(feed.fields):
        for name in step.into:
            if name in made:
                yield ("fields", number, "into"), f"field '{name}' is made twice", "give one of them another name"
            made.add(name)
        if step.expression is not None:
            found = parse(step.expression)
            try:
                found.compiled(dict.fromkeys(found.names, "any"), wanted="any")
            except ExpressionError as error:
                yield ("fields", number, "expression"), str(error), f"{_SEE}, expressions"


def _derived_faults(item: Property, source: PropertyField) -> Iterator[Found]:
    if source.area is not None and item.kind != "text":
        yield ("area",), f"an area is a code, '{item.id}' a {item.kind}", "choose a text property"
    if source.expression is None:
        return
    found = parse(source.expression)
    wanted = "number" if item.kind == "integer" else item.kind
    try:
        found.compiled(dict.fromkeys(found.names, "any"), wanted=wanted)
    except ExpressionError as error:
        yield ("expression",), str(error), f"{_SEE}, expressions"


def _unit_faults(item: Property, source: PropertyField) -> Iterator[Found]:
    if (source.unit or source.unit_field) and item.measure is None:
        yield ("unit",), f"'{item.id}' has no unit in the standard", "remove the unit, or give the property one"
    elif source.unit and item.measure:
        sent = unit(source.unit)
        if sent is None:
            yield ("unit",), f"unknown unit '{source.unit}'", "see the table of units in docs/packs.md"
        elif item.way_from(sent) is None:
            what = f"'{source.unit}' measures {sent.dimension}, the property {item.measure.dimension}"
            yield ("unit",), what, f"use a unit of {item.measure.dimension}"


def _value_faults(item: Property, source: PropertyField, lists: Mapping[str, CodeList]) -> Iterator[Found]:
    given: list[tuple[Key, str | float | bool]] = []
    given += [(("constant",), source.constant)] if source.constant is not None else []
    given += [(("codes", code), value) for code, value in source.codes.items()]
    held = lists.get(item.code_list or "")
    codes = {code.code for code in held.codes} if held else None
    for key, value in given:
        if not _fits(item, value):
            yield key, f"'{value}' is not a {item.kind}", f"the standard declares '{item.id}' as {item.kind}"
        elif codes is not None and value not in codes:
            yield key, f"'{value}' is no code of '{item.code_list}'", "use a code of the list"


def _fits(item: Property, value: str | float | bool | None) -> bool:
    if item.kind == "flag":
        return isinstance(value, bool)
    if item.kind == "text":
        return isinstance(value, str) and (not item.enum or value in item.enum)
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return number and (item.kind == "number" or float(value or 0).is_integer())
