"""Values of the language: what comes in from Python, how two of them compare, how one is written as text."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Context, Decimal, DivisionByZero, InvalidOperation, Overflow
from typing import Any

Value = Any
"""None, bool, Decimal, str, date, time, datetime, timedelta, Months, list, dict, Range or Function."""

NUMBERS = Context(prec=34, Emin=-6143, Emax=6144, traps=[InvalidOperation, DivisionByZero, Overflow])
"""IEEE 754 decimal128, as the language asks for."""
MOST = 100_000
"""Items of a list, characters of a text and steps of one evaluation."""


UNFIT = (ArithmeticError, ValueError, TypeError, LookupError)
"""What Python raises where an operation has no meaning for its values: the answer is null."""


class Exhausted(Exception):
    """An evaluation outgrew its bounds; it never leaves the room."""


@dataclass(frozen=True, slots=True, order=True)
class Months:
    """A duration of years and months."""

    count: int

    @property
    def parts(self) -> tuple[int, int]:
        """Years and months, both with the sign of the whole."""
        years, months = divmod(abs(self.count), 12)
        return (years, months) if self.count >= 0 else (-years, -months)


@dataclass(frozen=True, slots=True)
class Range:
    """An interval; an end that is null is open to that side."""

    low: Value
    high: Value
    low_closed: bool = True
    high_closed: bool = True


@dataclass(frozen=True, slots=True)
class Function:
    """A function; ``run`` takes the arguments in the order of ``parameters``."""

    name: str
    parameters: tuple[str, ...]
    run: Callable[[list[Value]], Value] = field(compare=False)
    required: int = 0
    spread: bool = False
    """One list, or its items as arguments."""
    also: tuple[str, ...] = ()
    """Other names of the parameters, where the language has two sets of them."""


def adopt(value: Any) -> Value:
    """A Python value as one of the language; what has no meaning in it is null."""
    if value is None or isinstance(value, str | bool):
        return value if type(value) is str or not isinstance(value, str) else str.__str__(value)
    if isinstance(value, Decimal):
        return value if value.is_finite() else None
    if isinstance(value, int | float):
        return _number(value)
    if isinstance(value, date | time | timedelta | Months | Range | Function):
        return value
    if isinstance(value, Mapping):
        return {str(key): adopt(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [adopt(item) for item in value]
    return None


def _number(value: float) -> Decimal | None:
    number = Decimal(repr(float(value)) if isinstance(value, float) else int(value))
    return NUMBERS.plus(number) if number.is_finite() else None


def measure(*values: Value) -> int:
    """How many values stand in ``values``, all those inside counted; raises :class:`Exhausted` above the limit."""
    left, waiting = MOST, list(values)
    while waiting:
        item = waiting.pop()
        left -= 1
        if left < 0:
            raise Exhausted
        if isinstance(item, list):
            waiting.extend(item)
        elif isinstance(item, dict):
            waiting.extend(item.values())
    return MOST - left


def equal(left: Value, right: Value) -> bool | None:
    """``=``: null where the kinds differ, except that null equals null and nothing else."""
    if left is None or right is None:
        return left is None and right is None
    if isinstance(left, list | dict):
        measure(left, right)
    return _equal(left, right)


def _equal(left: Value, right: Value) -> bool | None:
    if left is None or right is None:
        return left is None and right is None
    kind = _order_kind(left)
    if kind is None or kind is not _order_kind(right):
        return None
    if kind is list:
        return len(left) == len(right) and all(_equal(a, b) is True for a, b in zip(left, right, strict=True))
    if kind is dict:
        return left.keys() == right.keys() and all(_equal(left[key], right[key]) is True for key in left)
    if kind is Function:
        return None
    return bool(left == right)


def less(left: Value, right: Value) -> bool | None:
    """``left < right``; null where the two cannot be ordered."""
    kind = _order_kind(left)
    if kind is None or kind is not _order_kind(right) or kind in _UNORDERED:
        return None
    try:
        return bool(left < right)
    except TypeError:
        return None


def compared(sign: str, left: Value, right: Value) -> bool | None:
    """The answer of a comparison written with one of ``= != < <= > >=``."""
    if sign == "=":
        return equal(left, right)
    if sign == "!=":
        return negated(equal(left, right))
    if sign in {"<", ">="}:
        answer = less(left, right)
        return answer if sign == "<" else negated(answer)
    answer = less(right, left)
    return answer if sign == ">" else negated(answer)


def negated(answer: bool | None) -> bool | None:
    """``not``: null stays null."""
    return None if answer is None else not answer


def both(left: Value, right: Value) -> bool | None:
    """``and``: false wins over null."""
    if left is False or right is False:
        return False
    return True if left is True and right is True else None


def either(left: Value, right: Value) -> bool | None:
    """``or``: true wins over null."""
    if left is True or right is True:
        return True
    return False if left is False and right is False else None


def within(value: Value, bounds: Range) -> bool | None:
    """Whether ``value`` lies in a range."""
    if bounds.low is None and bounds.high is None:
        return None
    above = True if bounds.low is None else compared(">=" if bounds.low_closed else ">", value, bounds.low)
    below = True if bounds.high is None else compared("<=" if bounds.high_closed else "<", value, bounds.high)
    return both(above, below)


def _order_kind(value: Value) -> type | None:
    kind = _KIND_OF.get(type(value))
    return kind or next((base for base in (datetime, *_KIND_OF) if isinstance(value, base)), None)


_KIND_OF: dict[type, type] = {
    kind: kind for kind in (bool, Decimal, str, datetime, date, time, timedelta, Months, list, dict, Range, Function)
}
_UNORDERED: tuple[type, ...] = (bool, list, dict, Range, Function)
