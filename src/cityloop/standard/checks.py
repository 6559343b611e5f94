"""What a record may break, each as a vectorised mask with the sentence that explains it to a person."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import polars as pl

from cityloop.core.phrases import Saying
from cityloop.core.values import Title
from cityloop.standard.check_rules import (
    CheckRule,
    CrossRule,
    EnumRule,
    PatternRule,
    RangeRule,
    RequiredRule,
    Severity,
    code_of,
)
from cityloop.standard.declarations import PropertyField
from cityloop.standard.expressions import parse
from cityloop.standard.phrases import PHRASES
from cityloop.standard.types import EntityType, Property

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Refusal:
    """One broken rule of one record; ``index`` is its position in what was sent, ``column`` the source's field."""

    index: int
    column: str
    rule: str
    said: Saying

    @property
    def reason(self) -> str:
        """Why, in English."""
        return str(self.said)


@dataclass(frozen=True)
class Check:
    """``broken`` is true for rows that break the rule; ``reason`` speaks about one such row.

    ``code`` is the check's name in the column ``quality``, for checks that only flag.
    """

    column: str
    rule: str
    broken: pl.Expr
    reason: Callable[[Row], Saying]
    severity: Severity = "refuse"
    code: str = ""

    @cached_property
    def marks(self) -> pl.Expr:
        """True for rows that break the rule, false for all others."""
        return self.broken.fill_null(False)


def value_name(identity: str) -> str:
    """The working column that holds a property's converted value beside the raw fields."""
    return f"value:{identity}"


def property_checks(item: Property, source: PropertyField, list_reason: Callable[[Row], Saying] | None) -> list[Check]:
    """All checks of one property that comes from the record; ``list_reason`` explains an unknown code of its list."""
    column = source.field or item.id
    value = pl.col(value_name(item.id))
    checks = _reading_checks(item, source, list_reason) if source.field else []
    if item.required and not source.required:
        what = PHRASES.say("gives-none", field=column, title=item.title)
        checks.append(Check(column, "required", value.is_null(), lambda row: what))
    checks += _range_checks(item, column, value)
    if item.enum:
        checks.append(_enum_check(column, value, item.enum))
    if item.pattern:
        checks.append(_pattern_check(column, value, item.pattern))
    return checks


def _reading_checks(item: Property, source: PropertyField, list_reason: Callable[[Row], Saying] | None) -> list[Check]:
    """Whether the field is there and can be read as what the property is."""
    field = source.field or ""
    value, raw = pl.col(value_name(item.id)), pl.col(field)
    checks: list[Check] = []
    if source.required:
        missing = PHRASES.say("feed-requires", field=field)
        checks.append(Check(field, "required", raw.is_null(), lambda row: missing))
    unread = raw.is_not_null() & value.is_null()
    if source.unit_field:
        checks.append(_unit_check(item, source.unit_field, raw))
        # An unknown unit leaves no value either; that is the unit's fault and told there.
        unread = unread & ~checks[-1].broken.fill_null(False)
    if source.codes:
        checks.append(_code_check(field, source, unread))
    elif list_reason is not None:
        checks.append(Check(field, "code", unread, list_reason))
    elif item.kind != "text":
        checks.append(_kind_check(item, field, unread))
    return checks


def declared_check(rule: CheckRule, entity_type: EntityType, columns: Mapping[str, str]) -> Check | None:
    """A check that needs nothing but the record; ``None`` for those that look at other records or entities.

    ``columns`` names the source's field of every property that the feed fills.
    """
    if isinstance(rule, CrossRule):
        return _cross_check(rule, entity_type, columns)
    if not isinstance(rule, RangeRule | RequiredRule | EnumRule | PatternRule):
        return None
    column, value = columns[rule.property], pl.col(value_name(rule.property))
    item = entity_type.find(rule.property)
    assert item is not None
    if isinstance(rule, RequiredRule):
        found = Check(column, "required", value.is_null(), lambda row: PHRASES.say("empty", field=column))
    elif isinstance(rule, EnumRule):
        found = _enum_check(column, value, rule.values)
    elif isinstance(rule, PatternRule):
        found = _pattern_check(column, value, rule.pattern)
    else:
        found = _usual_check(rule, item, column, value)
    return declared(found, rule)


def declared(found: Check, rule: CheckRule) -> Check:
    """The check with the severity, name and title that the declaration gives it."""
    inner = found.reason
    return replace(found, severity=rule.severity, code=code_of(rule), reason=lambda row: titled(inner(row), rule.title))


def titled(reason: Saying, title: Title | None) -> Saying:
    """A reason with what its rule is for, where the declaration says it."""
    return reason if title is None else PHRASES.say("titled", reason=reason, title=title)


def _usual_check(rule: RangeRule, item: Property, column: str, value: pl.Expr) -> Check:
    low, high = rule.min, rule.max
    broken = pl.lit(False)
    broken = broken | (value < low) if low is not None else broken
    broken = broken | (value > high) if high is not None else broken
    name, unit = value_name(item.id), f" {item.symbol}" if item.symbol else ""
    bounds = {"low": "" if low is None else f"{low:g}", "high": "" if high is None else f"{high:g}"}
    facts = {"unit": unit, "usual": PHRASES.say("from-to", **bounds, unit=unit)}
    return Check(column, "range", broken, lambda row: PHRASES.say("unusual", value=row[name], **facts))


def _cross_check(rule: CrossRule, entity_type: EntityType, columns: Mapping[str, str]) -> Check:
    found = parse(rule.holds)
    holds = found.compiled(entity_type.kinds, lambda name: pl.col(value_name(name)), "flag")
    names = sorted(found.names)

    def reason(row: Row) -> Saying:
        values = ", ".join(f"{name} = {row[value_name(name)]}" for name in names)
        return PHRASES.say("not-holding", rule=rule.holds, values=values)

    return declared(Check(",".join(columns[name] for name in names), "cross", ~holds, reason), rule)


def _enum_check(column: str, value: pl.Expr, allowed: Sequence[str]) -> Check:
    shown = ", ".join(allowed)
    broken = ~value.is_in(list(allowed))
    return Check(column, "enum", broken, lambda row: PHRASES.say("not-one-of", text=row[column], known=shown))


def _pattern_check(column: str, value: pl.Expr, pattern: str) -> Check:
    broken = ~value.str.contains(f"^(?:{pattern})$")
    return Check(column, "pattern", broken, lambda row: PHRASES.say("pattern", text=row[column], pattern=pattern))


def _unit_check(item: Property, unit_field: str, raw: pl.Expr) -> Check:
    known = {name for name, _ in item.spellings()}
    named = pl.col(unit_field)
    broken = raw.is_not_null() & named.is_not_null() & ~folded_expr(named).is_in(sorted(known))
    some = ", ".join(sorted({spelling for spelling in known if spelling.isascii()}))
    facts = {"title": item.title, "dimension": item.measure.dimension if item.measure else "", "known": some}
    return Check(unit_field, "unit", broken, lambda row: PHRASES.say("unit", text=row[unit_field], **facts))


def _code_check(field: str, source: PropertyField, unread: pl.Expr) -> Check:
    allowed = ", ".join(source.codes)
    return Check(field, "code", unread, lambda row: PHRASES.say("code", text=row[field], known=allowed))


def _kind_check(item: Property, field: str, unread: pl.Expr) -> Check:
    return Check(field, item.kind, unread, lambda row: PHRASES.say(item.kind, text=row[field]))


def _range_checks(item: Property, field: str, value: pl.Expr) -> list[Check]:
    name, unit = value_name(item.id), f" {item.symbol}" if item.symbol else ""
    checks = []
    if item.min is not None:
        low = item.min
        checks.append(
            Check(field, "range", value < low, lambda r: PHRASES.say("below", value=r[name], unit=unit, low=low))
        )
    if item.max is not None:
        high = item.max
        checks.append(
            Check(field, "range", value > high, lambda r: PHRASES.say("above", value=r[name], unit=unit, high=high))
        )
    return checks


def as_number(raw: pl.Expr) -> pl.Expr:
    """A raw field, text or number, as a finite number; anything else is null."""
    number = raw.cast(pl.String).str.strip_chars().cast(pl.Float64, strict=False)
    return pl.when(number.is_finite()).then(number)


def folded_expr(text: pl.Expr) -> pl.Expr:
    """A column of unit names made plain like :func:`cityloop.standard.units.folded`."""
    signs = ["μ", "µ", "³", "²", "／", "％", "（", "）", " ", "\u3000"]
    return text.str.replace_many(signs, ["u", "u", "3", "2", "/", "%", "(", ")", "", ""])
