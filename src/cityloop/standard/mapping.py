"""A feed's mapping, compiled to vectorised expressions: raw fields in, columns of the standard and refusals out."""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import polars as pl

from cityloop.standard.batch import EntityCard
from cityloop.standard.check_rules import CheckRule, JumpRule, ReferenceRule, StuckRule, UniqueRule, properties_of
from cityloop.standard.checks import (
    Check,
    Refusal,
    Row,
    as_number,
    declared_check,
    folded_expr,
    property_checks,
    value_name,
)
from cityloop.standard.code_lists import CodeList
from cityloop.standard.coded import coded, reason_for
from cityloop.standard.declarations import FeedDeclaration, PropertyField
from cityloop.standard.expressions import Type, parse
from cityloop.standard.lookups import Finder
from cityloop.standard.neighbours import reference_check, relation_check, unique_check
from cityloop.standard.prepare import AREA, DISTRICT, LAT, LON, narrowed, placed, raw_fields, stepped
from cityloop.standard.times import INSTANT, parsed
from cityloop.standard.types import EntityType, Property
from cityloop.standard.units import Conversion, unit
from cityloop.standard.world import NOWHERE, World

INDEX = "record:index"
"""Column of :attr:`Mapped.rows`: the 0-based position of the record in the frame that was given."""
_ENTITY, _AT, _SENT = "value:entity", "value:observed_at", "sent:entity"
_DTYPES = {"number": pl.Float64(), "integer": pl.Int64(), "text": pl.String(), "flag": pl.Boolean()}
_WANTED: Mapping[str, Type] = {"number": "number", "integer": "number", "text": "text", "flag": "flag"}
_CLEAN = pl.lit(None, dtype=pl.String).alias("quality")
HEAD = {"title": pl.String(), "lon": pl.Float64(), "lat": pl.Float64(), "area": pl.String()}


@dataclass(frozen=True)
class Mapped:
    """Good rows (``entity``, ``observed_at``, properties, ``quality``, :data:`INDEX`) and why others were refused.

    ``flags`` explains the rows that were kept with a mark; ``head`` has, row by row, the title and position that the
    record gives its entity, and the area of that position where the feed asks for it.
    """

    rows: pl.DataFrame
    refusals: dict[int, list[Refusal]] = field(default_factory=dict)
    flags: dict[int, list[Refusal]] = field(default_factory=dict)
    head: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=HEAD))

    def refused(self, found: Mapping[int, Refusal]) -> Mapped:
        """The same without these records, by their index."""
        keep = ~self.rows[INDEX].is_in(list(found))
        refusals = {**self.refusals, **{index: [refusal] for index, refusal in found.items()}}
        flags = {index: flag for index, flag in self.flags.items() if index not in found}
        return Mapped(
            self.rows.filter(keep), refusals, flags, self.head.filter(keep) if self.head.height else self.head
        )

    def marked(self, found: Mapping[int, Refusal], code: str) -> Mapped:
        """The same with ``code`` added to the quality of these records."""
        here = pl.col(INDEX).is_in(list(found))
        mark = pl.concat_str([pl.col("quality"), pl.lit(code)], separator=",", ignore_nulls=True)
        rows = self.rows.with_columns(pl.when(here).then(mark).otherwise(pl.col("quality")).alias("quality"))
        flags = {**self.flags, **{n: [*self.flags.get(n, []), refusal] for n, refusal in found.items()}}
        return Mapped(rows, self.refusals, flags, self.head)


class FeedMapping:
    """One feed, ready to work. Built by :func:`cityloop.standard.feeds.compile_feed`, which checks it first."""

    def __init__(
        self, declaration: FeedDeclaration, entity_type: EntityType, code_lists: Mapping[str, CodeList] | None = None
    ) -> None:
        self.declaration = declaration
        self.entity_type = entity_type
        self._lists = code_lists or {}
        self._sources = [(p, s) for p in entity_type.properties if (s := declaration.properties.get(p.id)) is not None]
        self._columns = {p.id: s.field or p.id for p, s in self._sources}
        self._rules = [
            rule
            for rule in (*entity_type.checks, *declaration.checks)
            if all(name in self._columns for name in properties_of(rule))
        ]
        self.typed = {name: pl.Float64() if name in self._numbers() else pl.String() for name in self._fields()}
        """Raw fields with the narrowest type that loses nothing."""
        self.text = {name: pl.String() for name in self.typed}
        """The same fields, all as text: for sources that send numbers as text."""
        self._shapes: dict[tuple[bool, frozenset[str]], tuple[list[pl.Expr], list[Check]]] = {}
        self._finder: Finder | None = None

    @property
    def id(self) -> str:
        """The feed's id."""
        return self.declaration.id

    @property
    def code_lists(self) -> Mapping[str, CodeList]:
        """The code lists of the standard, by id."""
        return self._lists

    @property
    def state_rules(self) -> Sequence[JumpRule | StuckRule]:
        """Checks against an entity's own past, which whoever keeps that past has to judge."""
        return [rule for rule in self._rules if isinstance(rule, JumpRule | StuckRule)]

    @property
    def unique_rules(self) -> Sequence[UniqueRule]:
        """Checks against everything that is stored."""
        return [rule for rule in self._rules if isinstance(rule, UniqueRule)]

    def column_of(self, identity: str) -> str:
        """The source's field of a property, for messages."""
        return self._columns.get(identity, identity)

    def fit(self, frame: pl.DataFrame) -> pl.DataFrame:
        """A table of texts with exactly the fields this feed reads; those it lacks are empty."""
        return frame.select(
            (pl.col(name).cast(pl.String) if name in frame.columns else pl.lit(None, dtype=pl.String)).alias(name)
            for name in self.text
        )

    def apply(self, raw: pl.DataFrame, now: datetime, known: Container[str], world: World = NOWHERE) -> Mapped:
        """Map and check raw records (columns of :attr:`typed` or :attr:`text`) against city time ``now``.

        ``known`` are the ids of the entity directory, for lookups with their cards; ``world`` is what else the
        mapping may ask of the city. Nothing is changed in place and nothing is guessed.
        """
        work = self._read(raw, known, world)
        if raw.is_empty():
            return Mapped(self._good(work), head=self._head(work))
        checks = [*self._head_checks(now, known), *self._shape(work)[1], *self._wide_checks(work, world)]
        broken, checks = _broken(work, checks)
        if not checks:
            return Mapped(self._good(work), head=self._head(work))
        refusing = [str(n) for n, check in enumerate(checks) if check.severity == "refuse"]
        bad = broken.select(pl.any_horizontal(pl.lit(False), *refusing)).to_series()
        marking = [n for n, check in enumerate(checks) if check.severity == "flag"]
        flagged = broken.select(pl.any_horizontal(pl.lit(False), *map(str, marking))).to_series() & ~bad
        quality = pl.lit(_quality(broken, checks, marking)).alias("quality") if flagged.any() else _CLEAN
        refusals = _refusals(work.filter(bad), broken.filter(bad), checks)
        flags = _refusals(work.filter(flagged), broken.filter(flagged), checks)
        both = self._good(work, quality), self._head(work)
        rows, head = (frame.filter(~bad) if refusals and frame.height else frame for frame in both)
        return Mapped(rows, refusals, flags, head)

    def _read(self, raw: pl.DataFrame, known: Container[str], world: World) -> pl.DataFrame:
        """All working columns: cleaned fields, new fields, position, entity, time, values."""
        work = self._cleaned(raw.with_row_index(INDEX))
        work = stepped(work, self.declaration.fields)
        if self.declaration.place is not None:
            work = placed(work, self.declaration.place, world, self._wants_areas())
        work = self._named(work, known)
        work = self._timed(work)
        return self._listed(work.with_columns(self._shape(work)[0]))

    def _fields(self) -> list[str]:
        entity, time = self.declaration.entity, self.declaration.time
        head = [entity.field, time.field, time.date_field, entity.title_field, entity.lon_field, entity.lat_field]
        place = self.declaration.place.fields if self.declaration.place else ()
        sources = self.declaration.properties.values()
        named = [*head, *place, *[name for s in sources for name in (s.field, s.unit_field, *_expressed(s))]]
        return raw_fields(self.declaration, [name for name in named if name])

    def _numbers(self) -> set[str]:
        """Fields that only numeric properties read, so that they may be decoded as numbers."""
        numbers = {
            s.field or "" for p, s in self._sources if p.kind in ("number", "integer") and s.field and not s.codes
        }
        others = [s.field for p, s in self._sources if p.kind not in ("number", "integer") or s.codes]
        others += [name for _, s in self._sources for name in (s.unit_field, *_expressed(s))]
        entity, time = self.declaration.entity, self.declaration.time
        others += [entity.field, entity.title_field, entity.lon_field, entity.lat_field, time.field, time.date_field]
        others += self.declaration.place.fields if self.declaration.place else ()
        others += raw_fields(self.declaration, ()) if self.declaration.fields else ()
        others += [name for step in self.declaration.fields for name in step.into]
        return set() if self.declaration.fold_width else numbers - set(others)

    def _wants_areas(self) -> bool:
        place = self.declaration.place
        return place is not None and (place.area or any(s.area for _, s in self._sources))

    def _shape(self, work: pl.DataFrame) -> tuple[list[pl.Expr], list[Check]]:
        """Expressions and checks for this kind of batch: numbers or texts, and which unit fields are in use."""
        typed = any(work.schema[name] == pl.Float64 for name in self.typed)
        units = {s.unit_field for _, s in self._sources if s.unit_field}
        used = frozenset(name for name in units if work[name].null_count() < work.height)
        if (typed, used) not in self._shapes:
            pairs = [
                (p, s if s.unit_field in used else s.model_copy(update={"unit_field": None})) for p, s in self._sources
            ]
            values = [self._value(p, s, typed and s.field in self._numbers()).alias(value_name(p.id)) for p, s in pairs]
            checks = [c for p, s in pairs if s.constant is None for c in property_checks(p, s, self._list_reason(p, s))]
            found = [declared_check(rule, self.entity_type, self._columns) for rule in self._rules]
            self._shapes[typed, used] = (values, [*checks, *[check for check in found if check is not None]])
        return self._shapes[typed, used]

    def _cleaned(self, raw: pl.DataFrame) -> pl.DataFrame:
        missing = list(self.declaration.missing)
        texts = [name for name, dtype in raw.schema.items() if dtype == pl.String]
        if self.declaration.fold_width:
            raw = raw.with_columns(narrowed(pl.col(name)) for name in texts)
        clean = [pl.when(~pl.col(n).str.strip_chars().is_in(missing)).then(pl.col(n)).alias(n) for n in texts]
        codes = [number for text in missing if (number := _number(text)) is not None]
        floats = [name for name, dtype in raw.schema.items() if dtype == pl.Float64]
        if codes:
            clean += [pl.when(~pl.col(n).is_in(codes)).then(pl.col(n)).alias(n) for n in floats]
        return raw.with_columns(clean)

    def _named(self, work: pl.DataFrame, known: Container[str]) -> pl.DataFrame:
        rule = self.declaration.entity
        sent = work[rule.field].cast(pl.String).str.strip_chars() if rule.field else pl.Series([None] * work.height)
        sent = sent.cast(pl.String).alias(_SENT)
        if rule.lookup.by == "id":
            return work.with_columns(sent, sent.alias(_ENTITY))
        found = self._find(known).found(sent, work)
        if rule.create:
            found = pl.select(pl.coalesce(pl.lit(found), pl.lit(sent))).to_series()
        return work.with_columns(sent, found.alias(_ENTITY))

    def _find(self, known: Container[str]) -> Finder:
        if self._finder is None or not self._finder.serves(known):
            cards: Mapping[str, EntityCard] = known if isinstance(known, Mapping) else {}
            self._finder = Finder(self.declaration.entity.lookup, cards)
        return self._finder

    def _timed(self, work: pl.DataFrame) -> pl.DataFrame:
        rule = self.declaration.time
        raw = work[rule.field]
        if rule.date_field is not None:
            day, clock = (pl.col(name).str.strip_chars() for name in (rule.date_field, rule.field))
            # A day cell of a sheet may carry its midnight.
            raw = work.select(pl.concat_str(day.str.strip_suffix("T00:00:00"), clock, separator=" ")).to_series()
        return work.with_columns(parsed(raw, rule).alias(_AT))

    def _listed(self, work: pl.DataFrame) -> pl.DataFrame:
        """Replace what the source sent of a code list by the list's codes, as in force at the record's own time."""
        listed = [(p, s) for p, s in self._sources if self._joins(p, s)]
        if not listed:
            return work
        zone = self.declaration.time.zone or "UTC"
        days = work[_AT].dt.convert_time_zone(zone).dt.date()
        columns = [
            coded(
                work[value_name(p.id)].str.strip_chars(), days, self._lists[p.code_list or ""], s.match, p.code_under
            ).alias(value_name(p.id))
            for p, s in listed
        ]
        return work.with_columns(columns)

    def _joins(self, item: Property, source: PropertyField) -> bool:
        return item.code_list in self._lists and source.constant is None and not source.codes

    def _list_reason(self, item: Property, source: PropertyField) -> Callable[[Row], str] | None:
        if not self._joins(item, source) or source.field is None:
            return None
        return reason_for(source.field, _AT, self._lists[item.code_list or ""], item.code_under)

    def _head_checks(self, now: datetime, known: Container[str]) -> list[Check]:
        return [*self._entity_checks(known), *self._time_checks(now), *self._place_checks(), *self._empty_check()]

    def _entity_checks(self, known: Container[str]) -> list[Check]:
        rule, title = self.declaration.entity, self.entity_type.id
        name, entity, sent = rule.field, pl.col(_ENTITY), pl.col(_SENT)
        if rule.lookup.by == "nearest":
            missing = Check("", "entity", entity.is_null(), lambda row: self._find(known).reason(row, name, title))
            return [missing] if not rule.create else []
        empty = sent.is_null() | (sent == "")
        checks = [Check(name, "required", empty, lambda row: f"'{name}' is missing; it names the {title}")]
        if rule.create:
            return checks
        if rule.lookup.by != "id":
            finder = self._find(known)
            return [*checks, Check(name, "entity", ~empty & entity.is_null(), lambda r: finder.reason(r, name, title))]
        reason = "'{0}' is not a known {1}; add it to the city's entities, or let the feed create it"
        strange = pl.col(_ENTITY).map_batches(lambda found: _strange(found, known), return_dtype=pl.Boolean)
        return [*checks, Check(name, "entity", strange & ~empty, lambda row: reason.format(row[_ENTITY], title))]

    def _time_checks(self, now: datetime) -> list[Check]:
        rule, name = self.declaration.time, self.declaration.time.field
        latest = now + timedelta(minutes=self.declaration.future_minutes)
        raw, at = pl.col(name), pl.col(_AT)
        given = raw.is_not_null() & pl.col(rule.date_field).is_not_null() if rule.date_field else raw.is_not_null()
        iso = "ISO 8601 with an offset such as 2026-03-09T06:30:00+08:00"
        form = " or ".join(iso if one == "iso" else one for one in rule.formats)
        return [
            Check(name, "required", ~given, lambda row: f"'{name}' is missing; every record has a time"),
            Check(name, "time", given & at.is_null(),
                  lambda row: f"'{row[name]}' is not a time; write {form}"),
            Check(name, "future", at > latest,
                  lambda row: f"{row[_AT].isoformat()} lies ahead of city time {now.isoformat(timespec='seconds')}"),
        ]  # fmt: skip

    def _place_checks(self) -> list[Check]:
        place = self.declaration.position
        if place is None:
            return []
        first, second = place.fields
        sent = pl.col(first).is_not_null() | pl.col(second).is_not_null()
        lost = pl.col(LON).is_null() | pl.col(LAT).is_null()
        what = f"metres of {place.crs}" if place.crs else f"degrees of {place.datum}, longitude '{first}'"
        broken = Check(f"{first},{second}", "position", sent & lost,
                       lambda row: f"'{row[first]}', '{row[second]}' is no position in {what}")  # fmt: skip
        if not place.area or place.outside == "keep":
            return [broken]
        outside = ~lost & pl.col(AREA).is_null()
        reason = "{0:.6f}, {1:.6f} (WGS 84) lies in no area of the city; check datum and order"
        where = f"{first},{second}"
        return [broken, Check(where, "area", outside, lambda row: reason.format(row[LON], row[LAT]), place.outside,
                              "area:position")]  # fmt: skip

    def _empty_check(self) -> list[Check]:
        named = [(value_name(p.id), s.field) for p, s in self._sources if s.field and p.kind != "text"]
        if not named:
            return []
        fields = ", ".join(str(field) for _, field in named)
        raws = pl.all_horizontal(pl.col(str(field)).is_null() for _, field in named)
        return [Check("", "empty", raws, lambda row: f"the record carries no value; expected at least one of {fields}")]

    def _wide_checks(self, work: pl.DataFrame, world: World) -> list[Check]:
        found = [
            relation_check(r, work, world, self._columns)
            for r in self.entity_type.relations
            if r.property in self._columns
        ]
        for rule in self._rules:
            found += [self._wide_check(rule, work, world)]
        return [check for check in found if check is not None]

    def _wide_check(self, rule: CheckRule, work: pl.DataFrame, world: World) -> Check | None:
        if isinstance(rule, UniqueRule):
            return unique_check(rule, work, self._columns)
        return reference_check(rule, work, world, self._columns) if isinstance(rule, ReferenceRule) else None

    def _good(self, work: pl.DataFrame, quality: pl.Expr = _CLEAN) -> pl.DataFrame:
        properties = [pl.col(value_name(p.id)).alias(p.id) for p, _ in self._sources]
        entity, at = pl.col(_ENTITY).alias("entity"), pl.col(_AT).cast(INSTANT).alias("observed_at")
        return work.select(entity, at, *properties, quality, INDEX)

    def _head(self, work: pl.DataFrame) -> pl.DataFrame:
        title = self.declaration.entity.title_field
        area = self.declaration.position is not None and self.declaration.position.area
        sources = {"title": title, "lon": LON, "lat": LAT, "area": AREA if area else None}
        return (
            work.select(
                (pl.col(name) if name and name in work.columns else pl.lit(None)).cast(HEAD[column]).alias(column)
                for column, name in sources.items()
            )
            if self._tells_places()
            else pl.DataFrame(schema=HEAD)
        )

    def _tells_places(self) -> bool:
        entity = self.declaration.entity
        return entity.create or (self.declaration.position is not None and self.declaration.position.area)

    def _value(self, item: Property, source: PropertyField, typed: bool) -> pl.Expr:
        if source.area is not None:
            return pl.col(AREA if source.area == "cell" else DISTRICT)
        if source.expression is not None:
            return self._derived(item, source)
        return _value(item, source, typed)

    def _derived(self, item: Property, source: PropertyField) -> pl.Expr:
        found = parse(source.expression or "")
        value = found.compiled(dict.fromkeys(found.names, "any"), wanted=_WANTED[item.kind])
        if item.kind in ("number", "integer"):
            value = _converted(item, source, value)
        return _whole(value) if item.kind == "integer" else value


def _expressed(source: PropertyField) -> Sequence[str]:
    return sorted(parse(source.expression).names) if source.expression else ()


def _strange(entities: pl.Series, known: Container[str]) -> pl.Series:
    """Which entities the directory does not know."""
    wrong = [item for item in entities.unique().to_list() if item is not None and item not in known]
    return entities.is_in(wrong) if wrong else pl.repeat(False, len(entities), eager=True)


def _quality(broken: pl.DataFrame, checks: Sequence[Check], marking: Sequence[int]) -> pl.Series:
    """The names of the checks that flag each row, with commas between them; null where none does."""
    marks = [pl.when(pl.col(str(n))).then(pl.lit(checks[n].code)) for n in marking]
    joined = pl.concat_str(marks, separator=",", ignore_nulls=True)
    return broken.select(pl.when(joined != "").then(joined).alias("quality")).to_series()


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


def _broken(work: pl.DataFrame, checks: Sequence[Check]) -> tuple[pl.DataFrame, list[Check]]:
    """The checks that some row breaks, and which rows break each, in columns named by place."""
    every = work.select(check.broken.fill_null(False).alias(str(n)) for n, check in enumerate(checks)).get_columns()
    hit = [n for n, column in enumerate(every) if column.any()]
    return pl.DataFrame([every[n].alias(str(place)) for place, n in enumerate(hit)]), [checks[n] for n in hit]


def _refusals(rows: pl.DataFrame, broken: pl.DataFrame, checks: Sequence[Check]) -> dict[int, list[Refusal]]:
    found: dict[int, list[Refusal]] = {}
    for row, flags in zip(rows.rows(named=True), broken.rows(), strict=True):
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
