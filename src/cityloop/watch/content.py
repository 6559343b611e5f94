"""Loads ``rules.yaml`` of every pack; each fault names file, line, key, and what to do."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from itertools import pairwise
from math import isfinite
from pathlib import Path
from string import Formatter
from typing import Any

import pyarrow as pa

from cityloop.core.content import Key, Lines, checked, fault_at, raise_faults, read_yaml
from cityloop.core.errors import ContentError, Fault
from cityloop.lake.events import SCHEMAS as EVENTS
from cityloop.standard.service import Standard
from cityloop.standard.units import unit
from cityloop.watch.rules import Rule

PLACEHOLDERS = ("value", "unit", "entity", "threshold", "window", "level")
MOST_BUCKETS = 2000
"""Longest ring of one rule and entity, in buckets; keeps memory bounded."""

Found = tuple[Key, str, str]


@dataclass(frozen=True)
class Known:
    """What a rule may refer to. ``None`` means: not checked."""

    units: Mapping[str, Mapping[str, str]] | None = None
    """Units of the numeric properties, by entity type."""
    columns: Mapping[str, Collection[str]] | None = None
    """All columns a ``match`` may name, by entity type."""
    departments: Collection[str] | None = None
    matters: Collection[str] | None = None


def read_rules(packs: Sequence[Path], known: Known) -> tuple[Rule, ...]:
    """All rules of the packs, in order; a pack without ``rules.yaml`` has none. Raises :class:`ContentError`."""
    faults: list[Fault] = []
    rules: dict[str, Rule] = {}
    for path in (pack / "rules.yaml" for pack in packs):
        if path.exists():
            for key, rule, lines in _items(path, faults):
                twice = [((*key, "id"), f"rule '{rule.id}' is declared twice", "rename one of them")]
                found = [*check(rule, known), *(twice if rule.id in rules else ())]
                faults += [fault_at(path, lines, (*key, *where), what, mend) for where, what, mend in found]
                rules[rule.id] = rule
    raise_faults("the rules of the packs", faults)
    return tuple(rules.values())


def _items(path: Path, faults: list[Fault]) -> Iterator[tuple[Key, Rule, Lines]]:
    value, lines = read_yaml(path)
    items = value.get("rules") if isinstance(value, dict) else None
    if not isinstance(items, list) or set(value) != {"rules"}:
        faults.append(fault_at(path, lines, (), "a rules file has one key, 'rules', with a list", "see docs/rules.md"))
        return
    for number, item in enumerate(items):
        try:
            yield ("rules", number), checked(path, Rule, item, lines, ("rules", number)), lines
        except ContentError as error:
            faults += error.faults


def check(rule: Rule, known: Known) -> Iterator[Found]:
    """What the types cannot say: order of thresholds, whole buckets, names that must exist."""
    yield from _thresholds(rule)
    yield from _spans(rule)
    yield from _response(rule, known)
    yield from _names(rule, known)
    for language in ("zh", "en"):
        yield from _message(language, getattr(rule.message, language))


def _thresholds(rule: Rule) -> Iterator[Found]:
    for level, value in rule.ladder:
        if not isfinite(value):
            yield ("levels", level), "a threshold must be a finite number", "write a number"
    for (low, first), (high, second) in pairwise(rule.ladder):
        if not rule.sign * second > rule.sign * first:
            order = f"{high} ({second:g}) must lie beyond {low} ({first:g})"
            what = f"thresholds contradict: {order}, direction is {rule.direction}"
            yield ("levels", high), what, "order them from blue to red in the rule's direction"


def _spans(rule: Rule) -> Iterator[Found]:
    if rule.window % rule.bucket:
        yield ("window",), f"{rule.window} s is no multiple of the bucket ({rule.bucket} s)", "change window or bucket"
    if rule.window + max(rule.hold, rule.clear.hold) > MOST_BUCKETS * rule.bucket:
        what = f"window and hold need more than {MOST_BUCKETS} buckets of {rule.bucket} s"
        yield ("bucket",), what, "choose a larger bucket"


def _response(rule: Rule, known: Known) -> Iterator[Found]:
    if rule.respond == "case" and not rule.matter:
        yield ("respond",), "a rule that opens cases needs a 'matter'", "name a key of the catalogue"
    if rule.respond == "none" and not rule.no_case_because:
        yield ("respond",), "a rule that opens no case says why", "add 'no_case_because'"
    yield from _known(("department",), "department", rule.department, known.departments)
    if rule.matter:
        yield from _known(("matter",), "matter", rule.matter, known.matters)


def _names(rule: Rule, known: Known) -> Iterator[Found]:
    if known.units is None:
        return
    yield from _known(("entity_type",), "entity type", rule.entity_type, known.units)
    units = known.units.get(rule.entity_type)
    if units is None:
        return
    yield from _known(("property",), f"numeric property of {rule.entity_type}", rule.property, units)
    if rule.property in units and unit(rule.unit) != unit(units[rule.property]):
        what = f"the standard measures {rule.property} in '{units[rule.property]}', the rule in '{rule.unit}'"
        yield ("unit",), what, "give the thresholds in the standard's unit"
    for column, values in rule.match.items():
        yield from _known(
            ("match", column), f"column of {rule.entity_type}", column, (known.columns or {}).get(rule.entity_type)
        )
        if not values:
            yield ("match", column), "an empty match lets no row through", "list the wished values"


def _known(key: Key, what: str, name: str, names: Iterable[Any] | None) -> Iterator[Found]:
    if names is None or name in set(names):
        return
    near = get_close_matches(name, sorted(names), n=3, cutoff=0.4)
    yield (
        key,
        f"unknown {what} '{name}'",
        f"did you mean {' or '.join(near)}?" if near else "see the packs and the city",
    )


def _message(language: str, text: str) -> Iterator[Found]:
    key: Key = ("message", language)
    try:
        parts = list(Formatter().parse(text))
    except ValueError as error:
        yield key, f"broken placeholder: {error}", "write {value}, or {{ for a brace"
        return
    for _, name, spec, conversion in parts:
        if name is not None and (name not in PLACEHOLDERS or spec or conversion):
            yield key, f"unknown placeholder '{{{name}}}'", f"use one of {', '.join(PLACEHOLDERS)}, without a format"


def load_rules(
    packs: Sequence[Path],
    standard: Standard | None = None,
    departments: Collection[str] | None = None,
    matters: Collection[str] | None = None,
) -> tuple[Rule, ...]:
    """All rules of the packs, checked against what is given; units become the signs that people write."""
    known = Known(departments=departments, matters=matters)
    if standard is not None:
        known = known_of(standard, known)
    rules = read_rules(packs, known)
    return tuple(rule.model_copy(update={"unit": found.symbol if (found := unit(rule.unit)) else ""}) for rule in rules)


def known_of(standard: Standard, known: Known = Known()) -> Known:
    """What a rule may refer to under ``standard``."""
    return replace(known, units=_units(standard), columns=_columns(standard))


def _units(standard: Standard) -> dict[str, dict[str, str]]:
    """Numeric properties and their units; those of the event tables are counts and seconds, without a unit."""
    numeric = (pa.float64(), pa.int64())
    events = {name: {f.name: "" for f in schema if f.type in numeric} for name, schema in EVENTS.items()}
    observed = {
        kind.id: {item.id: item.unit for item in kind.properties if item.kind in ("number", "integer")}
        for kind in standard.entity_types.values()
    }
    return events | observed


def _columns(standard: Standard) -> dict[str, list[str]]:
    """Text columns, by which rows may be matched."""
    schemas = {**EVENTS, **{kind.id: kind.schema for kind in standard.entity_types.values()}}
    return {name: [f.name for f in schema if f.type == pa.string()] for name, schema in schemas.items()}
