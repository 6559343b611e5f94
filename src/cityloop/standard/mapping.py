"""A feed's mapping, compiled to vectorised expressions: raw fields in, columns of the standard and refusals out."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import polars as pl

from cityloop.standard.checks import Check, Refusal, as_number, folded_expr, property_checks, value_name
from cityloop.standard.declarations import FeedDeclaration, PropertyField
from cityloop.standard.times import INSTANT, parsed
from cityloop.standard.types import EntityType, Property
from cityloop.standard.units import Conversion, conversion, spellings, unit

INDEX = "record:index"
"""Column of :attr:`Mapped.rows`: the 0-based position of the record in the frame that was given."""
_ENTITY, _AT = "value:entity", "value:observed_at"
_DTYPES = {"number": pl.Float64(), "integer": pl.Int64(), "text": pl.String(), "flag": pl.Boolean()}


@dataclass(frozen=True)
class Mapped:
    """Good rows (``entity``, ``observed_at``, properties, :data:`INDEX`) and why the others were refused."""

    rows: pl.DataFrame
    refusals: dict[int, list[Refusal]] = field(default_factory=dict)


class FeedMapping:
    """One feed, ready to work."""

    def __init__(self, declaration: FeedDeclaration, entity_type: EntityType) -> None:
        self.declaration = declaration
        self.entity_type = entity_type
        self.typed = {name: pl.Float64() if name in self._numbers() else pl.String() for name in self._fields()}
        """Raw fields with the narrowest type that loses nothing."""
        self.text = {name: pl.String() for name in self.typed}
        """The same fields, all as text: for sources that send numbers as text."""
        self._shapes: dict[tuple[bool, frozenset[str]], tuple[list[pl.Expr], list[Check]]] = {}

    @property
    def id(self) -> str:
        """The feed's id."""
        return self.declaration.id

    def apply(self, raw: pl.DataFrame, now: datetime, known: Container[str]) -> Mapped:
        """Map and check raw records (columns of :attr:`typed` or :attr:`text`) against city time ``now``.

        ``known`` are the ids of the entity directory. Nothing is changed in place and nothing is guessed.
        """
        work = self._cleaned(raw.with_row_index(INDEX))
        work = work.with_columns(*self._shape(work)[0], *self._head(work))
        if raw.is_empty():
            return Mapped(self._good(work))
        checks = [*self._head_checks(work, now, known), *self._shape(work)[1]]
        broken = work.select(check.broken.fill_null(False).alias(str(n)) for n, check in enumerate(checks))
        bad = broken.select(pl.any_horizontal(pl.all())).to_series()
        if not bad.any():
            return Mapped(self._good(work))
        return Mapped(self._good(work.filter(~bad)), _refusals(work.filter(bad), broken.filter(bad), checks))

    def _fields(self) -> list[str]:
        head = [self.declaration.entity.field, self.declaration.time.field]
        entity = self.declaration.entity
        head += [name for name in (entity.title_field, entity.lon_field, entity.lat_field) if name]
        sources = self.declaration.properties.values()
        return list(dict.fromkeys([*head, *[n for s in sources for n in (s.field, s.unit_field) if n]]))

    def _numbers(self) -> set[str]:
        entity, texts = self.declaration.entity, {self.declaration.time.field}
        numbers: set[str] = set()
        texts |= {name for name in (entity.field, entity.title_field, entity.lon_field, entity.lat_field) if name}
        for item, source in self._pairs():
            numeric = item.kind in ("number", "integer") and not source.codes
            (numbers if numeric else texts).add(source.field or "")
            texts.add(source.unit_field or "")
        return numbers - texts

    def _pairs(self) -> list[tuple[Property, PropertyField]]:
        return [(p, s) for p in self.entity_type.properties if (s := self.declaration.properties.get(p.id))]

    def _shape(self, work: pl.DataFrame) -> tuple[list[pl.Expr], list[Check]]:
        """Expressions and checks for this kind of batch: numbers or texts, and which unit fields are in use."""
        typed = any(dtype == pl.Float64 for dtype in work.schema.values())
        units = {s.unit_field for s in self.declaration.properties.values() if s.unit_field}
        used = frozenset(name for name in units if work[name].null_count() < work.height)
        if (typed, used) not in self._shapes:
            pairs = [
                (p, s if s.unit_field in used else s.model_copy(update={"unit_field": None})) for p, s in self._pairs()
            ]
            values = [_value(p, s, typed and s.field in self._numbers()).alias(value_name(p.id)) for p, s in pairs]
            checks = [check for p, s in pairs if s.field for check in property_checks(p, s)]
            self._shapes[typed, used] = (values, checks)
        return self._shapes[typed, used]

    def _cleaned(self, raw: pl.DataFrame) -> pl.DataFrame:
        missing = list(self.declaration.missing)
        texts = [name for name, dtype in raw.schema.items() if dtype == pl.String]
        clean = [pl.when(~pl.col(n).str.strip_chars().is_in(missing)).then(pl.col(n)).alias(n) for n in texts]
        codes = [number for text in missing if (number := _number(text)) is not None]
        floats = [name for name, dtype in raw.schema.items() if dtype == pl.Float64]
        if codes:
            clean += [pl.when(~pl.col(n).is_in(codes)).then(pl.col(n)).alias(n) for n in floats]
        return raw.with_columns(clean)

    def _head(self, work: pl.DataFrame) -> list[pl.Series]:
        entity = work[self.declaration.entity.field].cast(pl.String).str.strip_chars().alias(_ENTITY)
        return [entity, parsed(work[self.declaration.time.field], self.declaration.time).alias(_AT)]

    def _head_checks(self, work: pl.DataFrame, now: datetime, known: Container[str]) -> list[Check]:
        return [*self._entity_checks(work, known), *self._time_checks(now), *self._empty_check()]

    def _entity_checks(self, work: pl.DataFrame, known: Container[str]) -> list[Check]:
        name, title = self.declaration.entity.field, self.entity_type.id
        entity = pl.col(_ENTITY)
        empty = entity.is_null() | (entity == "")
        checks = [Check(name, "required", empty, lambda row: f"'{name}' is missing; it names the {title}")]
        if not self.declaration.entity.create:
            strange = pl.Series(
                [item is not None and item not in known for item in work[_ENTITY].to_list()], dtype=pl.Boolean
            )
            reason = "'{0}' is not a known {1}; add it to the city's entities, or let the feed create it"
            broken = pl.lit(strange) & ~empty
            checks.append(Check(name, "entity", broken, lambda row: reason.format(row[_ENTITY], title)))
        return checks

    def _time_checks(self, now: datetime) -> list[Check]:
        rule, name = self.declaration.time, self.declaration.time.field
        latest = now + timedelta(minutes=self.declaration.future_minutes)
        raw, at = pl.col(name), pl.col(_AT)
        form = "ISO 8601 with an offset such as 2026-03-09T06:30:00+08:00" if rule.format == "iso" else rule.format
        return [
            Check(name, "required", raw.is_null(), lambda row: f"'{name}' is missing; every record has a time"),
            Check(name, "time", raw.is_not_null() & at.is_null(),
                  lambda row: f"'{row[name]}' is not a time; write {form}"),
            Check(name, "future", at > latest,
                  lambda row: f"{row[_AT].isoformat()} lies ahead of city time {now.isoformat(timespec='seconds')}"),
        ]  # fmt: skip

    def _empty_check(self) -> list[Check]:
        named = [(value_name(p.id), s.field) for p, s in self._pairs() if s.field and p.kind != "text"]
        if not named:
            return []
        fields = ", ".join(str(field) for _, field in named)
        raws = pl.all_horizontal(pl.col(str(field)).is_null() for _, field in named)
        return [Check("", "empty", raws, lambda row: f"the record carries no value; expected at least one of {fields}")]

    def _good(self, work: pl.DataFrame) -> pl.DataFrame:
        properties = [pl.col(value_name(p.id)).alias(p.id) for p, _ in self._pairs()]
        return work.select(
            pl.col(_ENTITY).alias("entity"), pl.col(_AT).cast(INSTANT).alias("observed_at"), *properties, INDEX
        )


def _value(item: Property, source: PropertyField, typed: bool) -> pl.Expr:
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
    if item.kind == "integer":
        return pl.when(number == number.round()).then(number).cast(pl.Int64, strict=False)
    return number


def _converted(item: Property, source: PropertyField, number: pl.Expr) -> pl.Expr:
    target = item.measure
    if target is None:
        return number
    declared = conversion(unit(source.unit or item.unit) or target, target) or Conversion(1, 1, 0)
    if not source.unit_field:
        return _scaled(number, declared)
    named = pl.col(source.unit_field)
    names, ways = zip(*spellings(target), strict=True)
    parts = []
    for part in ("multiply", "divide", "add"):
        by_name = folded_expr(named).replace_strict(
            list(names), [getattr(way, part) for way in ways], default=None, return_dtype=pl.Float64
        )
        parts.append(pl.when(named.is_null()).then(pl.lit(getattr(declared, part))).otherwise(by_name))
    return number * parts[0] / parts[1] + parts[2]


def _scaled(number: pl.Expr, way: Conversion) -> pl.Expr:
    number = number * way.multiply if way.multiply != 1 else number
    number = number / way.divide if way.divide != 1 else number
    return number + way.add if way.add else number


def _constant(item: Property, source: PropertyField) -> str | float | bool:
    value = source.constant
    assert value is not None
    target = item.measure
    way = conversion(unit(source.unit or item.unit) or target, target) if target else None
    if way and isinstance(value, (int, float)):
        value = way.apply(value)
    return int(value) if item.kind == "integer" else value


def _refusals(rows: pl.DataFrame, broken: pl.DataFrame, checks: list[Check]) -> dict[int, list[Refusal]]:
    found: dict[int, list[Refusal]] = {}
    for row, flags in zip(rows.iter_rows(named=True), broken.iter_rows(), strict=True):
        index = row[INDEX]
        found[index] = [
            Refusal(index, check.column, check.rule, check.reason(row))
            for check, flag in zip(checks, flags, strict=True)
            if flag
        ]
    return found


def _number(text: str) -> float | None:
    try:
        return float(text) if text.strip().lower() not in ("nan", "inf", "-inf") else None
    except ValueError:
        return None
