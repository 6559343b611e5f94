"""What the cells of a column tell apart: a few values, each for all that no cell distinguishes from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

from cityloop import feel
from cityloop.feel import Months
from cityloop.feel.constants import constants
from cityloop.feel.values import equal, less

OTHER = "（其他）"
"""Stands for every text that no cell names."""


@dataclass(frozen=True)
class Sample:
    """A value, and the rules whose cell it passes as bits from the lowest."""

    value: Any
    rules: int


@dataclass(frozen=True)
class Region:
    """The samples of a column; ``unjudged`` are the numbers of rules whose cell is computed."""

    samples: tuple[Sample, ...]
    unjudged: tuple[int, ...]


def region(tests: Sequence[feel.Tests], allowed: feel.Tests | None, kind: str) -> Region:
    """The region of a column. Values that are not ``allowed`` do not come; null does not either."""
    found = [constants(test) for test in tests]
    limits = constants(allowed) or [] if allowed else []
    values = _distinct([value for part in [*found, limits] for value in part or () if value is not None])
    unjudged = tuple(number for number, part in enumerate(found) if part is None)
    samples: dict[int, Any] = {}
    for value in _representatives(values, kind):
        if allowed is None or allowed.holds(value) is True:
            bits = sum(
                1 << number for number, test in enumerate(tests) if number in unjudged or test.holds(value) is True
            )
            samples.setdefault(bits, value)
    return Region(tuple(Sample(value, bits) for bits, value in samples.items()), unjudged)


def _distinct(values: list[Any]) -> list[Any]:
    kept: list[Any] = []
    for value in values:
        if not any(equal(value, other) is True for other in kept):
            kept.append(value)
    return kept


def _representatives(values: list[Any], kind: str) -> list[Any]:
    """The values themselves, what lies between neighbours, and what lies outside of all."""
    if kind == "boolean" or any(isinstance(value, bool) for value in values):
        return [True, False]
    if not values or any(isinstance(value, str | list | dict) for value in values):
        return [*values, OTHER if kind in {"", "string"} else _BEGINNINGS.get(kind, OTHER)]
    try:
        ranked = sorted(values)
    except TypeError:
        return [*values, OTHER]
    between = [middle for low, high in pairwise(ranked) if (middle := _between(low, high)) is not None]
    return [_below(ranked[0]), *ranked, *between, _above(ranked[-1])]


_BEGINNINGS: dict[str, Any] = {"number": Decimal(0), "date": date(2026, 1, 1), "time": time(12)}


def _between(low: Any, high: Any) -> Any:
    if isinstance(low, Decimal):
        return (low + high) / 2
    if isinstance(low, time):
        day = date(2026, 1, 1)
        start, end = datetime.combine(day, low), datetime.combine(day, high)
        return (start + (end - start) / 2).timetz()
    if isinstance(low, Months):
        return Months((low.count + high.count) // 2) if high.count - low.count > 1 else None
    middle = low + (high - low) / 2
    return middle if less(low, middle) and less(middle, high) else None


_STEPS: dict[type, Any] = {
    Decimal: Decimal(1),
    date: timedelta(days=1),
    datetime: timedelta(hours=1),
    timedelta: timedelta(hours=1),
}


def _below(value: Any) -> Any:
    if isinstance(value, time):
        return time(0, tzinfo=value.tzinfo)
    return Months(value.count - 1) if isinstance(value, Months) else value - _STEPS[type(value)]


def _above(value: Any) -> Any:
    if isinstance(value, time):
        return time(23, 59, 59, tzinfo=value.tzinfo)
    return Months(value.count + 1) if isinstance(value, Months) else value + _STEPS[type(value)]
