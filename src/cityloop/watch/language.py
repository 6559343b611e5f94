"""The language of rules, described for whoever writes one: its kinds, and the keys of each with what they take.

Screens draw their forms from ``language.yaml``, so that a new kind or key is one more entry there.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Literal

from cityloop.core.content import load
from cityloop.core.values import Frozen, Title
from cityloop.watch.rules import Aggregate

Input = Literal[
    "text", "titles", "number", "count", "duration", "choice", "names", "levels", "waits", "group", "rows", "matched",
    "rings", "flag",
]  # fmt: skip
"""``waits`` are durations by level, ``matched`` lists of values by column, ``rings`` polygons of ``[lon, lat]``."""
Source = Literal["entity_types", "properties", "columns", "departments", "areas", "matters", "rules", "series", "joins"]
_FILE = Path(__file__).with_name("language.yaml")
_SPANS = ((86400, "d"), (3600, "h"), (60, "min"), (1, "s"))


class RuleOption(Frozen):
    """One of the values that a key may have."""

    id: str
    title: Title


class RuleField(Frozen):
    """One key."""

    key: str
    title: Title
    note: Title | None = None
    input: Input
    needed: bool = False
    options: tuple[RuleOption, ...] = ()
    source: Source | None = None
    """Where choices come from that depend on the city and the entity type."""
    fields: tuple[RuleField, ...] = ()
    """The keys of a group, or of each row."""


class FieldSection(Frozen):
    """Keys that belong together."""

    id: str
    title: Title
    fields: tuple[RuleField, ...]


class RuleKind(Frozen):
    """One way of looking. ``marks`` are keys by which its rules differ from others of the aggregate."""

    id: str
    aggregate: Aggregate
    title: Title
    note: Title
    measures: Literal["property", "time", "metres", "place", "conditions", "spreads"] = "property"
    keys: tuple[str, ...]
    """Keys that a rule of this kind may have; all others are out of place."""
    marks: tuple[str, ...] = ()
    start: dict[str, Any]
    """What a new rule of the kind begins with, beside its words."""


class RuleType(Frozen):
    """An entity type that rules may look at: its numeric properties with their units, and its text columns."""

    id: str
    units: dict[str, str]
    columns: list[str]


class RuleLanguage(Frozen):
    """All that a form for rules needs."""

    kinds: list[RuleKind]
    sections: list[FieldSection]
    types: list[RuleType]


class _Described(Frozen):
    """The file: kinds name keys, or groups of keys; the aggregate of a kind is called like it unless it says so."""

    keys: dict[str, tuple[str, ...]]
    kinds: tuple[dict[str, Any], ...]
    sections: tuple[FieldSection, ...]


@cache
def _described() -> _Described:
    return load(_FILE, _Described)


def kinds() -> list[RuleKind]:
    """All kinds, each with its keys."""
    described = _described()
    return [
        RuleKind.model_validate({"aggregate": entry["id"], **entry, "keys": _keys(described, entry["keys"])})
        for entry in described.kinds
    ]


def _keys(described: _Described, names: Sequence[str]) -> list[str]:
    return [key for name in names for key in described.keys.get(name, (name,))]


def sections() -> tuple[FieldSection, ...]:
    """All keys, in the order of a form."""
    return _described().sections


def language(
    units: Mapping[str, Mapping[str, str]] | None, columns: Mapping[str, Collection[str]] | None
) -> RuleLanguage:
    """The language with what a rule may refer to in this city."""
    types = [
        RuleType(id=name, units=dict(measured), columns=sorted((columns or {}).get(name, ())))
        for name, measured in (units or {}).items()
    ]
    return RuleLanguage(kinds=kinds(), sections=list(sections()), types=types)


def spelt(draft: Mapping[str, Any]) -> dict[str, Any]:
    """A declaration as people write it: durations with their unit, whole numbers without a point."""
    fields = {field.key: field for section in sections() for field in section.fields}
    silence = draft.get("aggregate") == "silence"
    return {key: _spelt(value, fields.get(key), silence) for key, value in draft.items()}


def _spelt(value: Any, field: RuleField | None, silence: bool) -> Any:
    if isinstance(value, Mapping):
        inner = {one.key: one for one in field.fields} if field else {}
        lasting = field is not None and (field.input == "waits" or (field.input == "levels" and silence))
        return {key: duration(one) if lasting else _spelt(one, inner.get(key), silence) for key, one in value.items()}
    if isinstance(value, list):
        return [_spelt(one, field, silence) for one in value]
    if field is not None and field.input == "duration":
        return duration(value)
    return int(value) if isinstance(value, float) and value.is_integer() else value


def duration(value: Any) -> Any:
    """Whole seconds as ``10min``, ``1h`` or ``1d``; anything else, and nothing, as it is."""
    if isinstance(value, bool) or not isinstance(value, int | float) or value != int(value) or not value:
        return value
    size, name = next(unit for unit in _SPANS if value % unit[0] == 0)
    return f"{int(value) // size}{name}"
