"""The kinds of values (FEEL types): what ``instance of`` asks, and what a parameter takes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from cityloop.feel.values import Function, Months, Range

SIMPLE = (
    "days and time duration", "years and months duration", "date and time", "dateTime", "dayTimeDuration",
    "yearMonthDuration", "number", "string", "boolean", "date", "time", "list", "context", "range", "function",
    "Any", "Null",
)  # fmt: skip
"""Names of kinds, those that begin with another before it."""
_ALIASES = {
    "dateTime": "date and time",
    "dayTimeDuration": "days and time duration",
    "yearMonthDuration": "years and months duration",
}


@dataclass(frozen=True, slots=True)
class Kind:
    """``of`` are the kinds of a list's items, a range's ends or a function's parameters; ``fields`` a context's."""

    name: str
    of: tuple[Kind, ...] = ()
    fields: tuple[tuple[str, Kind], ...] = ()
    gives: Kind | None = None


ANY = Kind("Any")


def named(name: str) -> Kind:
    """The kind of a name, or its alias."""
    return Kind(_ALIASES.get(name, name))


def name_of(value: Any) -> str:
    """The name of the kind that ``value`` is of."""
    if value is None:
        return "Null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, datetime):
        return "date and time"
    return next((name for base, name in _NAMES if isinstance(value, base)), "Any")


_NAMES: tuple[tuple[type, str], ...] = (
    (Decimal, "number"),
    (str, "string"),
    (date, "date"),
    (time, "time"),
    (timedelta, "days and time duration"),
    (Months, "years and months duration"),
    (list, "list"),
    (dict, "context"),
    (Range, "range"),
    (Function, "function"),
)


def conforms(value: Any, kind: Kind) -> bool:
    """Whether ``value`` is of ``kind``; null is of ``Null`` and of ``Any`` only where asked for by name."""
    if kind.name == "Any":
        return value is not None
    if name_of(value) != kind.name:
        return False
    if isinstance(value, list):
        return not kind.of or all(item is None or conforms(item, kind.of[0]) for item in value)
    if isinstance(value, dict):
        return _has_fields(value, kind)
    if isinstance(value, Range):
        return not kind.of or all(end is None or conforms(end, kind.of[0]) for end in (value.low, value.high))
    if isinstance(value, Function) and (kind.of or kind.gives):
        return len(value.parameters) == len(kind.of)
    return True


def _has_fields(value: Mapping[str, Any], kind: Kind) -> bool:
    return all(name in value and (value[name] is None or conforms(value[name], wanted)) for name, wanted in kind.fields)


def coerced(value: Any, kind: Kind) -> Any:
    """``value`` as ``kind``: out of or into a list of one, a date as midnight UTC; null where it does not fit."""
    if value is None or kind.name == "Any" or conforms(value, kind):
        return value
    if isinstance(value, list) and len(value) == 1 and conforms(value[0], kind):
        return value[0]
    if kind.name == "list" and (not kind.of or conforms(value, kind.of[0])):
        return [value]
    if kind.name == "date and time" and isinstance(value, date):
        return midnight(value)
    return None


def midnight(day: date) -> datetime:
    """The instant at which ``day`` begins in UTC."""
    return datetime(day.year, day.month, day.day, tzinfo=UTC)
