"""Conditions on dimensions: which words each kind of dimension understands, and the tree they become."""

from __future__ import annotations

import math
from collections.abc import Iterator

from sqlglot import exp

from cityloop.analyse.model import Dimension
from cityloop.analyse.schemas import DimensionKind, Filter, FilterOp
from cityloop.core.errors import Fault

_CHOICE: tuple[FilterOp, ...] = ("in", "not_in", "empty", "present")
_ORDERED: tuple[FilterOp, ...] = ("gt", "gte", "lt", "lte", "between")
OPERATIONS: dict[DimensionKind, tuple[FilterOp, ...]] = {
    "text": (*_CHOICE, "contains", "starts_with"),
    "area": _CHOICE,
    "flag": _CHOICE,
    "number": (*_CHOICE, *_ORDERED),
    "hour": ("in", "not_in", *_ORDERED),
    "weekday": ("in", "not_in", *_ORDERED),
    "time": (),
}
_NUMBERS = ("number", "hour", "weekday")
_COMPARED = {"gt": exp.GT, "gte": exp.GTE, "lt": exp.LT, "lte": exp.LTE}


def faults(item: Filter, dimension: Dimension, where: str) -> Iterator[Fault]:
    """What is wrong with a condition on a known dimension."""
    able = OPERATIONS[dimension.kind]
    if item.op not in able:
        yield Fault(f"{where}.op", f"'{item.dimension}' cannot be asked with '{item.op}'", f"use {', '.join(able)}")
        return
    fewest, most = _counts(item.op)
    if not fewest <= len(item.values) <= most:
        mend = f"give {fewest}" if fewest == most else f"give {fewest} to {most}"
        yield Fault(f"{where}.values", f"'{item.op}' has {len(item.values)} values", mend)
    if dimension.kind == "flag" and not set(item.values) <= {"true", "false"}:
        yield Fault(where, f"'{item.dimension}' is a flag", "its values are 'true' and 'false'")
    if dimension.kind in _NUMBERS:
        for value in item.values:
            if number(value) is None:
                yield Fault(f"{where}.values", f"'{value}' is not a number", "write it like 150 or 0.5")


def condition(item: Filter, dimension: Dimension, key: exp.Expr) -> exp.Expr:
    """The condition of a checked filter on ``key``, the dimension's own expression."""
    if item.op in ("empty", "present"):
        nothing = key.is_(exp.null())
        return nothing if item.op == "empty" else exp.not_(nothing)
    inside = exp.paren(_inside(item, dimension, key))
    return exp.or_(key.copy().is_(exp.null()), exp.not_(inside)) if item.op == "not_in" else inside


def number(text: str) -> float | None:
    """A finite number that was written as text, else ``None``."""
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _inside(item: Filter, dimension: Dimension, key: exp.Expr) -> exp.Expr:
    if dimension.kind in _NUMBERS:
        return _number(item, exp.cast(key, "DOUBLE"))
    if dimension.kind == "area" or item.op == "starts_with":
        # Codes nest: an area means everything below it.
        return exp.or_(*[exp.func("STARTS_WITH", key.copy(), exp.Literal.string(value)) for value in item.values])
    if item.op == "contains":
        places = [exp.StrPosition(this=key.copy(), substr=exp.Literal.string(value)) for value in item.values]
        return exp.or_(*[exp.GT(this=place, expression=exp.Literal.number(0)) for place in places])
    if dimension.kind == "flag":
        return exp.In(this=key, expressions=[exp.true() if value == "true" else exp.false() for value in item.values])
    return exp.In(this=key, expressions=[exp.Literal.string(value) for value in item.values])


def _number(item: Filter, key: exp.Expr) -> exp.Expr:
    values = [exp.Literal.number(repr(float(value))) for value in item.values]
    if item.op == "between":
        return exp.Between(this=key, low=values[0], high=values[1])
    if item.op in _COMPARED:
        return _COMPARED[item.op](this=key, expression=values[0])
    return exp.In(this=key, expressions=values)


def _counts(op: FilterOp) -> tuple[int, int]:
    if op in ("empty", "present"):
        return 0, 0
    if op == "between":
        return 2, 2
    return (1, 1) if op in _COMPARED else (1, 500)
