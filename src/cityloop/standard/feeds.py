"""Loading the feeds of all packs and holding each against the standard: every fault at its file, line and key."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

from cityloop.core.content import Key, Lines, checked, fault_at, raise_faults, read_yaml
from cityloop.core.errors import ContentError, Fault
from cityloop.standard.declarations import FeedDeclaration, FeedsFile, PropertyField
from cityloop.standard.mapping import FeedMapping
from cityloop.standard.service import Standard
from cityloop.standard.types import EntityType, Property
from cityloop.standard.units import conversion, unit

FILE = "feeds.yaml"
Found = tuple[Key, str, str]
"""Key within one feed, what is wrong, how to mend it."""


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
                feeds[feed.id] = FeedMapping(feed, standard.entity_types[feed.entity_type])
    raise_faults("the feeds", faults)
    return tuple(feeds.values())


def _faults(
    path: Path,
    lines: Lines,
    index: int,
    feed: FeedDeclaration,
    standard: Standard,
    departments: Collection[str] | None,
    others: Collection[str],
) -> Iterator[Fault]:
    def at(key: Key, what: str, mend: str) -> Fault:
        return fault_at(path, lines, ("feeds", index, *key), what, mend)

    if feed.id in others:
        yield at(("id",), f"feed '{feed.id}' is declared twice", "give one of them another id")
    if departments is not None and feed.department not in departments:
        mend = f"known: {', '.join(sorted(departments))}"
        yield at(("department",), f"the city has no department '{feed.department}'", mend)
    entity_type = standard.entity_types.get(feed.entity_type)
    if entity_type is None:
        mend = f"known: {', '.join(sorted(standard.entity_types)) or 'none'}"
        yield at(("entity_type",), f"the standard has no entity type '{feed.entity_type}'", mend)
        return
    for key, what, mend in _property_faults(feed, entity_type):
        yield at(key, what, mend)


def _property_faults(feed: FeedDeclaration, entity_type: EntityType) -> Iterator[Found]:
    for identity, source in feed.properties.items():
        item = entity_type.find(identity)
        if item is None:
            known = ", ".join(item.id for item in entity_type.properties)
            yield ("properties", identity), f"{entity_type.id} has no property '{identity}'", f"known: {known}"
            continue
        for key, what, mend in (*_unit_faults(item, source), *_value_faults(item, source)):
            yield ("properties", identity, *key), what, mend


def _unit_faults(item: Property, source: PropertyField) -> Iterator[Found]:
    if (source.unit or source.unit_field) and item.measure is None:
        yield ("unit",), f"'{item.id}' has no unit in the standard", "remove the unit, or give the property one"
    elif source.unit and item.measure:
        sent = unit(source.unit)
        if sent is None:
            yield ("unit",), f"unknown unit '{source.unit}'", "see the table of units in docs/packs.md"
        elif conversion(sent, item.measure) is None:
            what = f"'{source.unit}' measures {sent.dimension}, the property {item.measure.dimension}"
            yield ("unit",), what, f"use a unit of {item.measure.dimension}"


def _value_faults(item: Property, source: PropertyField) -> Iterator[Found]:
    given = [(("constant",), source.constant)] if source.constant is not None else []
    given += [(("codes", code), value) for code, value in source.codes.items()]  # type: ignore[misc]
    for key, value in given:
        if not _fits(item, value):
            yield key, f"'{value}' is not a {item.kind}", f"the standard declares '{item.id}' as {item.kind}"


def _fits(item: Property, value: str | float | bool | None) -> bool:
    if item.kind == "flag":
        return isinstance(value, bool)
    if item.kind == "text":
        return isinstance(value, str) and (not item.enum or value in item.enum)
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return number and (item.kind == "number" or float(value or 0).is_integer())
