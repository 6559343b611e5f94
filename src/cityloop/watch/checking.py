"""What the types of a rule cannot say: order of thresholds, whole buckets, names that must exist, no circles."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from itertools import pairwise
from math import isfinite
from string import Formatter
from typing import Any

from cityloop.core.content import Key
from cityloop.standard.units import unit
from cityloop.watch.rules import LEVELS, Rule

PLACEHOLDERS = ("value", "unit", "entity", "threshold", "window", "horizon", "level")
MOST_BUCKETS = 2000
"""Longest ring of one rule and entity, in buckets; keeps memory bounded."""
JOINS = ("entity", "area", "district", "city")
"""How subjects of two rules are one thing without an attribute of the directory."""

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
    areas: Collection[str] | None = None
    foretold: Callable[[str, str], bool] | None = None
    """Whether a pack declares forecasts of a property of an entity type."""


def check(rule: Rule, known: Known) -> Iterator[Found]:
    """Faults of one rule by itself."""
    yield from _thresholds(rule)
    yield from _spans(rule)
    yield from _kind(rule)
    yield from _modelled(rule, known)
    yield from _response(rule, known)
    yield from _names(rule, known)
    yield from _fence(rule, known)
    for language in ("zh", "en"):
        yield from _message(language, getattr(rule.message, language))


def among(rule: Rule, rules: Mapping[str, Rule]) -> Iterator[Found]:
    """Faults of one rule beside the others: names of rules that do not exist, circles."""
    for number, condition in enumerate(rule.conditions):
        yield from _named(("conditions", number, "rule"), "rule", condition.rule, rules)
        other = rules.get(condition.rule)
        if other and not any(LEVELS.index(level) >= LEVELS.index(condition.at) for level in other.levels):
            what = f"'{other.id}' never reaches {condition.at}"
            yield ("conditions", number, "at"), what, f"it has {', '.join(level for level, _ in other.ladder)}"
    for number, dependency in enumerate(rule.depends):
        yield from _named(("depends", number, "rule"), "rule", dependency.rule, rules)
    circle = _circle(rule, rules)
    if circle:
        key = "conditions" if rule.conditions else "depends"
        yield (key,), f"the rule rests on itself: {' → '.join(circle)}", "take one of these steps out"


def _circle(rule: Rule, rules: Mapping[str, Rule]) -> list[str]:
    """The way from a rule back to itself; empty where there is none."""
    ways, seen = [[rule.id]], set()
    while ways:
        way = ways.pop()
        last = rules.get(way[-1], rule)
        for name in last.rests_on:
            if name == rule.id:
                return [*way, name]
            if name in rules and name not in seen:
                seen.add(name)
                ways.append([*way, name])
    return []


def _thresholds(rule: Rule) -> Iterator[Found]:
    for level, value in rule.ladder:
        if not isfinite(value):
            yield ("levels", level), "a threshold must be a finite number", "write a number"
    for (low, first), (high, second) in pairwise(rule.ladder):
        # One value may stand for several levels that differ in how long it must last.
        same = second == first and rule.holds.get(high, rule.hold) > rule.holds.get(low, rule.hold)
        if not same and not rule.sign * second > rule.sign * first:
            order = f"{high} ({second:g}) must lie beyond {low} ({first:g})"
            what = f"thresholds contradict: {order}, direction is {rule.direction}"
            yield ("levels", high), what, "order them from blue to red in the rule's direction"
    for level in rule.holds:
        if level not in rule.levels:
            yield ("holds", level), f"the rule has no level {level}", "give it a threshold, or take the hold out"


def _spans(rule: Rule) -> Iterator[Found]:
    if not rule.windowed:
        return
    missing = [name for name in ("window", "bucket") if getattr(rule, name) == 0]
    for name in missing:
        yield (name,), f"a {name} must be greater than 0", f"write '{name}: 10min'"
    if missing:
        return
    if rule.window % rule.bucket:
        yield ("window",), f"{rule.window} s is no multiple of the bucket ({rule.bucket} s)", "change window or bucket"
    if rule.window + rule.longest > MOST_BUCKETS * rule.bucket:
        what = f"window and hold need more than {MOST_BUCKETS} buckets of {rule.bucket} s"
        yield ("bucket",), what, "choose a larger bucket"


def _kind(rule: Rule) -> Iterator[Found]:
    """Keys that belong to one way of looking and to no other."""
    if (rule.aggregate == "percentile") != (rule.percentile is not None):
        yield ("aggregate",), "'percentile' and the aggregate of that name need each other", "write percentile: 95"
    if (rule.aggregate == "agree") != bool(rule.conditions):
        yield ("aggregate",), "'conditions' and the aggregate 'agree' need each other", "see docs/rules.md"
    if rule.aggregate == "agree" and max(rule.levels.values()) > len(rule.conditions):
        what = f"a level asks for more than the {len(rule.conditions)} conditions there are"
        yield ("levels",), what, "a threshold is the number of conditions that hold"
    if not rule.windowed and (rule.direction != "above" or rule.empty != "keep"):
        what = f"'{rule.aggregate}' only counts upwards and is never empty"
        yield ("aggregate",), what, "leave out direction and empty"
    if rule.aggregate == "silence" and rule.longest:
        yield ("hold",), "silence is a length of time already", "give the thresholds as durations instead"
    if rule.unheard and (rule.aggregate != "silence" or rule.by != ("entity",) or rule.match):
        yield ("unheard",), "only whole entities can be silent from their registration on", "leave by and match out"
    if rule.near and rule.by != ("entity",):
        yield ("by",), "'near' makes the subjects already", "name columns that must agree under near.same"
    if rule.near and rule.fence:
        yield ("fence",), "'near' and 'fence' do not go together", "take two rules and join them"


def _modelled(rule: Rule, known: Known) -> Iterator[Found]:
    """What rules over models need, and what belongs to them alone."""
    foretells = rule.aggregate == "forecast"
    if foretells != (rule.horizon > 0):
        yield ("horizon",), "'horizon' and the aggregate 'forecast' need each other", "write horizon: 1h"
    if rule.bound != "value" and not foretells:
        yield ("bound",), "only a forecast has bounds", "leave 'bound' out"
    if rule.direction == "either" and rule.aggregate != "anomaly":
        yield ("direction",), "only an anomaly lies to either side", "write above or below"
    if not rule.modelled:
        return
    if rule.direction == "either" and min(rule.levels.values()) <= 0:
        yield ("levels",), "a deviation to either side counts upwards from 0", "write thresholds above 0"
    if rule.by != ("entity",) or rule.near or rule.fence:
        yield ("by",), "models speak of single entities", "leave out by, near and fence"
    if foretells and (rule.match or rule.least > 1 or rule.empty == "zero"):
        yield ("aggregate",), "a forecast is one number of a whole entity", "leave out match, least and empty: zero"
    if known.foretold and not known.foretold(rule.entity_type, rule.property):
        what = f"no pack declares forecasts of {rule.property} of {rule.entity_type}"
        yield ("property",), what, "declare it in a pack's forecasts, or choose another aggregate"


def _response(rule: Rule, known: Known) -> Iterator[Found]:
    if rule.respond == "case" and not rule.matter:
        yield ("respond",), "a rule that opens cases needs a 'matter'", "name a key of the catalogue"
    if rule.respond == "none" and not rule.no_case_because:
        yield ("respond",), "a rule that opens no case says why", "add 'no_case_because'"
    yield from _named(("department",), "department", rule.department, known.departments)
    if rule.matter:
        yield from _named(("matter",), "matter", rule.matter, known.matters)
    for number, step in enumerate(rule.escalate):
        yield from _named(("escalate", number, "to"), "department", step.to, known.departments)
    for number, (first, second) in enumerate(pairwise(rule.escalate), 1):
        if second.after <= first.after:
            yield ("escalate", number, "after"), "steps of escalation come in order of time", "let 'after' grow"


def _names(rule: Rule, known: Known) -> Iterator[Found]:
    if known.units is None or rule.aggregate == "agree":
        return
    yield from _named(("entity_type",), "entity type", rule.entity_type, known.units)
    units = known.units.get(rule.entity_type)
    if units is None:
        return
    yield from _measured(rule, units)
    columns = (known.columns or {}).get(rule.entity_type)
    for column, values in rule.match.items():
        yield from _named(("match", column), f"column of {rule.entity_type}", column, columns)
        if not values:
            yield ("match", column), "an empty match lets no row through", "list the wished values"
    grouped = {"by": [*rule.by], "near": [*rule.near.same] if rule.near else []}
    for key, names in grouped.items():
        for name in (n for n in names if n not in ("entity", "district")):
            yield from _named((key,), f"column of {rule.entity_type}", name, columns)
    for name in ("lon", "lat") if rule.placed else ():
        if name not in units:
            what = f"{rule.entity_type} has no numeric property '{name}'"
            yield ("entity_type",), what, "only things that tell their position can be fenced"


def _measured(rule: Rule, units: Mapping[str, str]) -> Iterator[Found]:
    """The property and its unit, or none where the rule measures something of its own."""
    own = "m" if rule.aggregate == "roam" else "s" if rule.aggregate == "silence" else "" if rule.fence else None
    if own is None:
        yield from _named(("property",), f"numeric property of {rule.entity_type}", rule.property, units)
        own = "" if rule.aggregate == "anomaly" else units.get(rule.property, rule.unit)
    elif rule.property:
        yield ("property",), f"a rule about {rule.aggregate} measures no property", "leave 'property' out"
    if unit(rule.unit) != unit(own):
        measured = rule.property or rule.aggregate
        what = f"the standard measures {measured} in '{own}', the rule in '{rule.unit}'"
        yield ("unit",), what, "give the thresholds in the standard's unit"


def _fence(rule: Rule, known: Known) -> Iterator[Found]:
    if rule.fence is None:
        return
    if rule.aggregate != "last":
        yield ("aggregate",), "a fence tells 1 or 0 of the newest position", "write 'aggregate: last'"
    if not rule.fence.polygons and not rule.fence.areas:
        yield ("fence",), "an empty fence holds nothing", "give 'polygons' or 'areas'"
    for number, ring in enumerate(rule.fence.polygons):
        if len(set(ring)) < 3:
            yield ("fence", "polygons", number), "a polygon has at least three corners", "list [lon, lat] of each"
    for code in rule.fence.areas:
        yield from _named(("fence", "areas"), "area", code, known.areas)


def _named(key: Key, what: str, name: str, names: Iterable[Any] | None) -> Iterator[Found]:
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
