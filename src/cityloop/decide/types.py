"""The types of a file: what fits, and what a value becomes as one of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime, time
from typing import Any

from cityloop import feel
from cityloop.decide.model import Item
from cityloop.feel import Function, Value
from cityloop.feel.kinds import SIMPLE, coerced, named
from cityloop.feel.temporal import read_date, read_duration, read_instant, read_time


class Misfit(Exception):
    """A value is not of its type; ``allowed`` are the tests that it failed, if it failed those."""

    def __init__(self, allowed: str = "") -> None:
        super().__init__(allowed)
        self.allowed = allowed


def plain_type(name: str) -> str:
    """The name of a type without the prefix of the language."""
    return name.removeprefix("feel:").strip()


class Types:
    """All types of one file."""

    def __init__(self, items: Mapping[str, Item], known: Iterable[str] = ()) -> None:
        self._items = items
        self._known = tuple(known)

    def has(self, name: str) -> bool:
        """Whether there is a type of this name."""
        return not name or name in SIMPLE or name in self._items or name in {"Any", "any"}

    def base(self, name: str) -> str:
        """The built-in type under a type; empty where it has none."""
        seen: set[str] = set()
        while name in self._items and name not in seen:
            seen.add(name)
            item = self._items[name]
            if item.collection or item.components or item.function:
                return ""
            name = item.type
        return named(name).name if name in SIMPLE else ""

    def allowed(self, name: str) -> str:
        """The tests that a value of a simple type must pass; empty for none."""
        item = self._items.get(name)
        if item is None or item.collection:
            return ""
        return item.allowed.text if item.allowed else self.allowed(item.type)

    def fitted(self, value: Value, name: str) -> Value:
        """``value`` as a value of a type; null is of every type. Raises :class:`Misfit`."""
        if value is None or not name or name in {"Any", "any"}:
            return value
        if name in self._items:
            return self._of_item(value, self._items[name])
        if name not in SIMPLE:
            raise Misfit
        found = coerced(value, named(name))
        if found is None:
            raise Misfit
        return found

    def _of_item(self, value: Value, item: Item) -> Value:
        if item.function:
            if not isinstance(value, Function):
                raise Misfit
            return value
        if item.collection:
            items = value if isinstance(value, list) else [value]
            return [self._of_one(each, item) for each in items]
        single = isinstance(value, list) and len(value) == 1 and item.type != "list"
        try:
            return self._of_one(value, item)
        except Misfit:
            if not single:
                raise
            return self._of_one(value[0], item)

    def _of_one(self, value: Value, item: Item) -> Value:
        if value is None:
            return None
        value = self._of_components(value, item) if item.components else self.fitted(value, item.type)
        if item.allowed and feel.tests(item.allowed.text, self._known).holds(value) is not True:
            raise Misfit(item.allowed.text)
        return value

    def _of_components(self, value: Value, item: Item) -> Value:
        if not isinstance(value, dict) or any(part.name not in value for part in item.components):
            raise Misfit
        return value | {part.name: self._of_item(value[part.name], part) for part in item.components}

    def read(self, value: Any, name: str) -> Any:
        """A value from JSON as its type: texts become dates, times and durations. Raises :class:`Misfit`."""
        item = self._items.get(name)
        if item is not None and (item.collection or item.components):
            return self._read_item(value, item)
        read = _READERS.get(self.base(name))
        if read is None or not isinstance(value, str):
            return value
        try:
            return read(value)
        except ValueError as error:
            raise Misfit from error

    def _read_item(self, value: Any, item: Item) -> Any:
        if item.collection and isinstance(value, list):
            one = Item(item.name, item.type, False, item.components)
            return [self._read_item(each, one) if item.components else self.read(each, item.type) for each in value]
        if item.components and isinstance(value, dict):
            kinds = {part.name: part for part in item.components}
            return {key: self._read_part(each, kinds.get(str(key))) for key, each in value.items()}
        return value

    def _read_part(self, value: Any, part: Item | None) -> Any:
        if part is None:
            return value
        return self._read_item(value, part) if part.collection or part.components else self.read(value, part.type)


_READERS = {
    "date": read_date,
    "time": read_time,
    "date and time": read_instant,
    "days and time duration": read_duration,
    "years and months duration": read_duration,
}


def plain(value: Value) -> Any:
    """A value of the language as JSON has it; dates, durations and ranges as they are written."""
    if value is None or isinstance(value, str | bool):
        return value
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, date | time | datetime) or not hasattr(value, "as_tuple"):
        return feel.text_of(value)
    whole = value == value.to_integral_value()
    return int(value) if whole and abs(value) < 2**53 else float(value)
