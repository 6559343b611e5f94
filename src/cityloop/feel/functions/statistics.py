"""Functions that make one value of many."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from functools import reduce
from typing import Any

from cityloop.feel.arithmetic import calculated
from cityloop.feel.functions.lists import distinct, same
from cityloop.feel.functions.registry import spread
from cityloop.feel.values import NUMBERS, Months, less


@spread("min")
def _min(items: list[Any]) -> Any:
    return _outermost(items, lambda best, item: less(item, best))


@spread("max")
def _max(items: list[Any]) -> Any:
    return _outermost(items, less)


def _outermost(items: list[Any], better: Callable[[Any, Any], bool | None]) -> Any:
    """The item that no other is better than; null for none, and where two cannot be ordered."""
    best = items[0] if items else None
    for item in items:
        answer = better(best, item)
        if answer is None:
            return None
        best = item if answer else best
    return best


@spread("sum")
def _sum(items: list[Any]) -> Any:
    if not items or not all(isinstance(item, Decimal | timedelta | Months) for item in items):
        return None
    return reduce(lambda left, right: calculated("+", left, right), items)


@spread("mean")
def _mean(items: list[Any]) -> Any:
    return calculated("/", _sum(items), Decimal(len(items))) if items else None


@spread("product")
def _product(items: list[Any]) -> Any:
    return reduce(NUMBERS.multiply, items) if _numbers(items) else None


@spread("median")
def _median(items: list[Any]) -> Any:
    if not _numbers(items):
        return None
    ranked = sorted(items)
    middle = len(ranked) // 2
    if len(ranked) % 2:
        return ranked[middle]
    return NUMBERS.divide(NUMBERS.add(ranked[middle - 1], ranked[middle]), Decimal(2))


@spread("stddev")
def _stddev(items: list[Any]) -> Any:
    """The sample standard deviation."""
    if len(items) < 2 or not _numbers(items):
        return None
    mean = _mean(items)
    squares = [NUMBERS.power(NUMBERS.subtract(item, mean), Decimal(2)) for item in items]
    return NUMBERS.sqrt(NUMBERS.divide(reduce(NUMBERS.add, squares), Decimal(len(items) - 1)))


@spread("mode")
def _mode(items: list[Any]) -> Any:
    """The values that come most often, in ascending order."""
    if not items:
        return []
    if not _numbers(items):
        return None
    counts = [(value, sum(same(value, item) for item in items)) for value in distinct(items)]
    most = max(count for _, count in counts)
    return sorted(value for value, count in counts if count == most)


def _numbers(items: list[Any]) -> bool:
    return bool(items) and all(isinstance(item, Decimal) for item in items)
