"""``+ - * / **`` over numbers, texts, dates and durations; what has no meaning is null."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from cityloop.feel.kinds import midnight
from cityloop.feel.temporal import add_months
from cityloop.feel.values import MOST, NUMBERS, Exhausted, Months, Value

_MICRO = Decimal(1_000_000)


def calculated(sign: str, left: Value, right: Value) -> Value:
    """The answer of one operation; null where a side is null, of an unfitting kind, or the answer out of range."""
    if type(left) is Decimal and type(right) is Decimal:
        return _OF_NUMBERS[sign](left, right)
    if left is None or right is None or isinstance(left, bool) or isinstance(right, bool):
        return None
    return _OTHERS[sign](left, right) if sign in _OTHERS else None


def opposite(value: Value) -> Value:
    """Unary minus."""
    if isinstance(value, Decimal):
        return NUMBERS.minus(value)
    if isinstance(value, timedelta):
        return -value
    return Months(-value.count) if isinstance(value, Months) else None


def _add(left: Value, right: Value) -> Value:
    if isinstance(left, str) and isinstance(right, str):
        if len(left) + len(right) > MOST:
            raise Exhausted
        return left + right
    if isinstance(left, timedelta | Months) and not isinstance(right, timedelta | Months):
        left, right = right, left
    if isinstance(right, timedelta):
        return _later(left, right)
    if isinstance(right, Months):
        return _months_later(left, right)
    return None


def _months_later(left: Value, right: Months) -> Value:
    if isinstance(left, Months):
        return Months(left.count + right.count)
    return add_months(left, right.count) if isinstance(left, date) else None


def _later(left: Value, right: timedelta) -> Value:
    if isinstance(left, timedelta):
        return left + right
    if isinstance(left, datetime):
        return left + right if left.tzinfo is None else (left.astimezone(UTC) + right).astimezone(left.tzinfo)
    if isinstance(left, date):
        return (midnight(left) + right).date()
    if isinstance(left, time):
        moved = datetime.combine(date(2000, 1, 1), left.replace(tzinfo=None)) + timedelta(seconds=right.seconds)
        return moved.time().replace(tzinfo=left.tzinfo)
    return None


def _subtract(left: Value, right: Value) -> Value:
    if isinstance(right, timedelta | Months):
        return (
            None
            if isinstance(left, timedelta | Months) and type(left) is not type(right)
            else _add(left, opposite(right))
        )
    if isinstance(left, time) and isinstance(right, time):
        day = date(2000, 1, 1)
        return _span(datetime.combine(day, left), datetime.combine(day, right))
    if isinstance(left, date) and isinstance(right, date):
        return _span(*(value if isinstance(value, datetime) else midnight(value) for value in (left, right)))
    return None


def _span(left: datetime, right: datetime) -> timedelta | None:
    if (left.tzinfo is None) is not (right.tzinfo is None):
        return None
    return left - right if left.tzinfo is None else left.astimezone(UTC) - right.astimezone(UTC)


def _multiply(left: Value, right: Value) -> Value:
    if isinstance(left, Decimal):
        left, right = right, left
    if not isinstance(right, Decimal):
        return None
    if isinstance(left, timedelta):
        return timedelta(microseconds=int(NUMBERS.multiply(_micros(left), right)))
    return Months(int(NUMBERS.multiply(Decimal(left.count), right))) if isinstance(left, Months) else None


def _divide(left: Value, right: Value) -> Value:
    if isinstance(left, timedelta):
        if isinstance(right, timedelta):
            return NUMBERS.divide(_micros(left), _micros(right))
        return timedelta(microseconds=int(NUMBERS.divide(_micros(left), right))) if isinstance(right, Decimal) else None
    if isinstance(left, Months):
        if isinstance(right, Months):
            return NUMBERS.divide(Decimal(left.count), Decimal(right.count))
        return Months(int(NUMBERS.divide(Decimal(left.count), right))) if isinstance(right, Decimal) else None
    return None


def _micros(value: timedelta) -> Decimal:
    return Decimal(value.days * 86_400 + value.seconds) * _MICRO + value.microseconds


_Operation = Callable[[Any, Any], Any]
_OF_NUMBERS: dict[str, _Operation] = {
    "+": NUMBERS.add,
    "-": NUMBERS.subtract,
    "*": NUMBERS.multiply,
    "/": NUMBERS.divide,
    "**": NUMBERS.power,
}
_OTHERS: dict[str, _Operation] = {"+": _add, "-": _subtract, "*": _multiply, "/": _divide}
