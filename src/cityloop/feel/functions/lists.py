"""Functions of lists; positions count from 1, negative ones from the end."""

from __future__ import annotations

from decimal import Decimal
from functools import cmp_to_key
from typing import Any

from cityloop.feel.functions.registry import built_in, spread
from cityloop.feel.values import Function, equal


def same(left: Any, right: Any) -> bool:
    """Whether both are equal beyond doubt."""
    return equal(left, right) is True


@built_in("list contains", "list: list", "element", nulls=True)
def _contains(items: list[Any] | None, element: Any) -> bool | None:
    return None if items is None else any(same(item, element) for item in items)


@built_in("count", "list: list")
def _count(items: list[Any]) -> int:
    return len(items)


@built_in("sublist", "list: list", "start position: number", "length?: number")
def _sublist(items: list[Any], start: Decimal, length: Decimal | None = None) -> list[Any] | None:
    begin = index_of(items, start)
    if begin is None or (length is not None and (length < 0 or begin + int(length) > len(items))):
        return None
    return items[begin:] if length is None else items[begin : begin + int(length)]


def index_of(items: list[Any], position: Decimal) -> int | None:
    """The index in Python of a position; null for one outside the list."""
    number = int(position)
    if number == 0 or abs(number) > len(items):
        return None
    return number - 1 if number > 0 else len(items) + number


@spread("append", "list", "item")
def _append(arguments: list[Any]) -> list[Any] | None:
    items, *others = arguments
    if items is None or not others:
        return None
    return [*(items if isinstance(items, list) else [items]), *others]


@spread("concatenate")
def _concatenate(lists: list[Any]) -> list[Any]:
    return [item for part in lists for item in (part if isinstance(part, list) else [part])]


@spread("union")
def _union(lists: list[Any]) -> list[Any]:
    return distinct(_concatenate(lists))


@built_in("distinct values", "list: list")
def distinct(items: list[Any]) -> list[Any]:
    """The items without repetition, in the order in which each came first."""
    kept: list[Any] = []
    for item in items:
        if not any(same(item, other) for other in kept):
            kept.append(item)
    return kept


@built_in("flatten", "list: list")
def _flatten(items: list[Any]) -> list[Any]:
    flat: list[Any] = []
    for item in items:
        flat.extend(_flatten(item) if isinstance(item, list) else [item])
    return flat


@built_in("insert before", "list: list", "position: number", "newItem", nulls=True)
def _insert(items: list[Any] | None, position: Decimal | None, item: Any) -> list[Any] | None:
    if items is None or position is None:
        return None
    index = index_of(items, position)
    return None if index is None else [*items[:index], item, *items[index:]]


@built_in("remove", "list: list", "position: number")
def _remove(items: list[Any], position: Decimal) -> list[Any] | None:
    index = index_of(items, position)
    return None if index is None else items[:index] + items[index + 1 :]


@built_in("list replace", "list: list", "position", "newItem", nulls=True, also=("list", "match", "newItem"))
def _list_replace(items: list[Any] | None, position: Any, item: Any) -> list[Any] | None:
    if items is None:
        return None
    if isinstance(position, Function):
        answers = [position.run([old, item]) if len(position.parameters) == 2 else None for old in items]
        if not all(isinstance(answer, bool) for answer in answers):
            return None
        return [item if answer else old for old, answer in zip(items, answers, strict=True)]
    index = index_of(items, position) if isinstance(position, Decimal) else None
    return None if index is None else [*items[:index], item, *items[index + 1 :]]


@built_in("reverse", "list: list")
def _reverse(items: list[Any]) -> list[Any]:
    return items[::-1]


@built_in("index of", "list: list", "match", nulls=True)
def _index_of(items: list[Any] | None, match: Any) -> list[Decimal] | None:
    return None if items is None else [Decimal(place) for place, item in enumerate(items, 1) if same(item, match)]


@built_in("sort", "list: list", "precedes: function")
def _sort(items: list[Any], precedes: Function) -> list[Any] | None:
    if len(precedes.parameters) != 2:
        return None
    return sorted(items, key=cmp_to_key(lambda left, right: _order(precedes, left, right)))


def _order(precedes: Function, left: Any, right: Any) -> int:
    if precedes.run([left, right]) is True:
        return -1
    return 1 if precedes.run([right, left]) is True else 0
