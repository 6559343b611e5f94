"""What a record may break, each as a vectorised mask with the sentence that explains it to a person."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from cityloop.standard.declarations import PropertyField
from cityloop.standard.types import Property
from cityloop.standard.units import spellings

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Refusal:
    """One broken rule of one record; ``index`` is its position in what was sent, ``column`` the source's field."""

    index: int
    column: str
    rule: str
    reason: str


@dataclass(frozen=True)
class Check:
    """``broken`` is true for rows that break the rule; ``reason`` speaks about one such row."""

    column: str
    rule: str
    broken: pl.Expr
    reason: Callable[[Row], str]


def value_name(identity: str) -> str:
    """The working column that holds a property's converted value beside the raw fields."""
    return f"value:{identity}"


def property_checks(item: Property, source: PropertyField) -> list[Check]:
    """All checks of one property that comes from a field of the record."""
    field = source.field or ""
    value, raw = pl.col(value_name(item.id)), pl.col(field)
    checks: list[Check] = []
    if source.required:
        checks.append(
            Check(field, "required", raw.is_null(), lambda row: f"'{field}' is missing; this feed requires it")
        )
    unread = raw.is_not_null() & value.is_null()
    if source.unit_field:
        checks.append(_unit_check(item, source.unit_field, raw))
        # An unknown unit leaves no value either; that is the unit's fault and told there.
        unread = unread & ~checks[-1].broken.fill_null(False)
    if source.codes:
        checks.append(_code_check(field, source, unread))
    elif item.kind != "text":
        checks.append(_kind_check(item, field, unread))
    checks += _range_checks(item, field, value)
    if item.enum:
        allowed = ", ".join(item.enum)
        broken = ~value.is_in(list(item.enum))
        checks.append(Check(field, "enum", broken, lambda row: f"'{row[field]}' is not one of {allowed}"))
    return checks


def _unit_check(item: Property, unit_field: str, raw: pl.Expr) -> Check:
    known = {name for name, _ in spellings(item.measure)} if item.measure else set()
    named = pl.col(unit_field)
    broken = raw.is_not_null() & named.is_not_null() & ~folded_expr(named).is_in(sorted(known))
    some = ", ".join(sorted({spelling for spelling in known if spelling.isascii()}))
    what = f"{item.title.en} ({item.measure.dimension if item.measure else ''})"
    return Check(unit_field, "unit", broken, lambda row: f"'{row[unit_field]}' is no unit of {what}; known: {some}")


def _code_check(field: str, source: PropertyField, unread: pl.Expr) -> Check:
    allowed = ", ".join(source.codes)
    return Check(field, "code", unread, lambda row: f"'{row[field]}' is not a code of this feed; known: {allowed}")


def _kind_check(item: Property, field: str, unread: pl.Expr) -> Check:
    what = {"number": "a number", "integer": "a whole number", "flag": "true or false"}[item.kind]
    return Check(field, item.kind, unread, lambda row: f"'{row[field]}' is not {what}")


def _range_checks(item: Property, field: str, value: pl.Expr) -> list[Check]:
    name, unit = value_name(item.id), f" {item.symbol}" if item.symbol else ""
    checks = []
    if item.min is not None:
        low = item.min
        checks.append(
            Check(
                field,
                "range",
                value < low,
                lambda row: f"{row[name]:g}{unit} is below the lowest possible {low:g}{unit}",
            )
        )
    if item.max is not None:
        high = item.max
        checks.append(
            Check(
                field,
                "range",
                value > high,
                lambda row: f"{row[name]:g}{unit} is above the highest possible {high:g}{unit}",
            )
        )
    return checks


def as_number(raw: pl.Expr) -> pl.Expr:
    """A raw field, text or number, as a finite number; anything else is null."""
    number = raw.cast(pl.String).str.strip_chars().cast(pl.Float64, strict=False)
    return pl.when(number.is_finite()).then(number)


def folded_expr(text: pl.Expr) -> pl.Expr:
    """A column of unit names made plain like :func:`cityloop.standard.units.folded`."""
    return text.str.replace_many(["μ", "µ", "³", "²", "／", "％", " "], ["u", "u", "3", "2", "/", "%", ""])
