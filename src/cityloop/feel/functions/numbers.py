"""Functions of numbers; the digits follow IEEE 754 decimal128."""

from __future__ import annotations

from datetime import timedelta
from decimal import (
    ROUND_CEILING,
    ROUND_DOWN,
    ROUND_FLOOR,
    ROUND_HALF_DOWN,
    ROUND_HALF_EVEN,
    ROUND_HALF_UP,
    ROUND_UP,
    Decimal,
)
from typing import Any

from cityloop.feel.functions.registry import built_in
from cityloop.feel.values import NUMBERS, Months


def _rounded(number: Decimal, scale: Decimal, rounding: str) -> Decimal | None:
    """``number`` with ``scale`` digits after the point; a negative scale rounds before it."""
    digits = int(scale)
    if not -6111 <= digits <= 6176:
        return None
    if number.as_tuple().exponent >= -digits:  # type: ignore[operator]
        return number
    return number.quantize(Decimal(1).scaleb(-digits), rounding, NUMBERS)


def _declare_rounding() -> None:
    for name, rounding in (("decimal", ROUND_HALF_EVEN), ("round up", ROUND_UP), ("round down", ROUND_DOWN),
                           ("round half up", ROUND_HALF_UP), ("round half down", ROUND_HALF_DOWN)):  # fmt: skip
        built_in(name, "n: number", "scale: number")(lambda n, scale, how=rounding: _rounded(n, scale, how))
    for name, rounding in (("floor", ROUND_FLOOR), ("ceiling", ROUND_CEILING)):
        built_in(name, "n: number", "scale?: number")(lambda n, scale=Decimal(0), how=rounding: _rounded(n, scale, how))


_declare_rounding()


@built_in("abs", "n")
def _abs(n: Any) -> Any:
    if isinstance(n, Decimal | timedelta):
        return abs(n)
    return Months(abs(n.count)) if isinstance(n, Months) else None


@built_in("modulo", "dividend: number", "divisor: number")
def _modulo(dividend: Decimal, divisor: Decimal) -> Decimal:
    """With the sign of the divisor: ``dividend - divisor * floor(dividend / divisor)``."""
    rest = NUMBERS.remainder(dividend, divisor)
    return NUMBERS.add(rest, divisor) if rest and (rest < 0) != (divisor < 0) else rest


@built_in("sqrt", "number: number")
def _sqrt(number: Decimal) -> Decimal | None:
    return NUMBERS.sqrt(number)


@built_in("log", "number: number")
def _log(number: Decimal) -> Decimal | None:
    return NUMBERS.ln(number) if number > 0 else None


@built_in("exp", "number: number")
def _exp(number: Decimal) -> Decimal:
    return NUMBERS.exp(number)


@built_in("odd", "number: number")
def _odd(number: Decimal) -> bool:
    return NUMBERS.remainder(number, Decimal(2)) in {Decimal(1), Decimal(-1)}


@built_in("even", "number: number")
def _even(number: Decimal) -> bool:
    return NUMBERS.remainder(number, Decimal(2)) == 0
