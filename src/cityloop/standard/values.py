"""A property's value as an expression over the fields of a record, in the standard's unit and kind."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from cityloop.standard.checks import as_number, folded_expr
from cityloop.standard.declarations import PropertyField
from cityloop.standard.expressions import Type, parse
from cityloop.standard.types import Property
from cityloop.standard.units import Conversion, unit

_DTYPES = {"number": pl.Float64(), "integer": pl.Int64(), "text": pl.String(), "flag": pl.Boolean()}
_WANTED: Mapping[str, Type] = {"number": "number", "integer": "number", "text": "text", "flag": "flag"}


def value(item: Property, source: PropertyField, typed: bool) -> pl.Expr:
    """The value of one field or a constant; ``typed`` when the field is a number already. Null where it is unread."""
    dtype = _DTYPES[item.kind]
    if source.constant is not None:
        return pl.lit(_constant(item, source), dtype=dtype)
    raw = pl.col(source.field or "")
    if source.codes:
        text = raw.cast(pl.String).str.strip_chars()
        return text.replace_strict(list(source.codes), list(source.codes.values()), default=None, return_dtype=dtype)
    if item.kind == "text":
        return raw.cast(pl.String)
    if item.kind == "flag":
        text = raw.cast(pl.String).str.strip_chars().str.to_lowercase()
        return text.replace_strict(
            ["true", "1", "false", "0"], [True, True, False, False], default=None, return_dtype=dtype
        )
    number = _converted(item, source, raw if typed else as_number(raw))
    return _whole(number) if item.kind == "integer" else number


def _whole(number: pl.Expr) -> pl.Expr:
    return pl.when(number == number.round()).then(number).cast(pl.Int64, strict=False)


def _converted(item: Property, source: PropertyField, number: pl.Expr) -> pl.Expr:
    target = item.measure
    if target is None:
        return number
    declared = item.way_from(unit(source.unit or item.unit) or target) or Conversion(1, 1, 0)
    if not source.unit_field:
        return _scaled(number, declared)
    named = pl.col(source.unit_field)
    names, ways = zip(*item.spellings(), strict=True)
    parts = []
    for part in ("multiply", "divide", "add"):
        by_name = folded_expr(named).replace_strict(
            list(names), [getattr(way, part) for way in ways], default=None, return_dtype=pl.Float64
        )
        parts.append(pl.when(named.is_null()).then(pl.lit(getattr(declared, part))).otherwise(by_name))
    return number * parts[0] / parts[1] + parts[2]


def in_unit_of(item: Property, number: pl.Expr, sent: str) -> pl.Expr:
    """A number of the unit ``sent`` in the property's own."""
    source = unit(sent)
    way = item.way_from(source) if source else None
    return _scaled(number, way or Conversion(1, 1, 0))


def _scaled(number: pl.Expr, way: Conversion) -> pl.Expr:
    number = number * way.multiply if way.multiply != 1 else number
    number = number / way.divide if way.divide != 1 else number
    return number + way.add if way.add else number


def _constant(item: Property, source: PropertyField) -> str | float | bool:
    value = source.constant
    assert value is not None
    target = item.measure
    way = item.way_from(unit(source.unit or item.unit) or target) if target else None
    if way and isinstance(value, (int, float)):
        value = way.apply(value)
    return int(value) if item.kind == "integer" else value


def derived(item: Property, source: PropertyField) -> pl.Expr:
    """The value that the source's expression makes of several fields."""
    found = parse(source.expression or "")
    made = found.compiled(dict.fromkeys(found.names, "any"), wanted=_WANTED[item.kind])
    if item.kind in ("number", "integer"):
        made = _converted(item, source, made)
    return _whole(made) if item.kind == "integer" else made
