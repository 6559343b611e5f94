"""A feed's mapping, compiled to vectorised expressions: raw fields in, columns of the standard and refusals out."""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping, Sequence
from datetime import datetime

import polars as pl

from cityloop.core.phrases import Saying
from cityloop.core.values import Title
from cityloop.standard.batch import EntityCard
from cityloop.standard.check_rules import CheckRule, JumpRule, ReferenceRule, StuckRule, UniqueRule, properties_of
from cityloop.standard.checks import (
    Check,
    Row,
    declared_check,
    property_checks,
    value_name,
)
from cityloop.standard.code_lists import CodeList
from cityloop.standard.coded import coded, reason_for
from cityloop.standard.declarations import FeedDeclaration, PropertyField
from cityloop.standard.distances import distance_columns, metres_name, shape_check
from cityloop.standard.expressions import parse
from cityloop.standard.head_checks import AT, ENTITY, SENT, head_checks
from cityloop.standard.indices import indexed
from cityloop.standard.lookups import Finder
from cityloop.standard.mapped import CLEAN, HEAD, INDEX, Mapped, any_of, broken_by, quality_of, refusals_of
from cityloop.standard.neighbours import reference_check, relation_check, unique_check
from cityloop.standard.prepare import AREA, DISTRICT, LAT, LON, narrowed, placed, raw_fields, stepped
from cityloop.standard.times import INSTANT, parsed
from cityloop.standard.types import EntityType, Property
from cityloop.standard.values import derived, in_unit_of, value
from cityloop.standard.world import NOWHERE, World


class FeedMapping:
    """One feed, ready to work. Built by :func:`cityloop.standard.feeds.compile_feed`, which checks it first."""

    def __init__(
        self, declaration: FeedDeclaration, entity_type: EntityType, code_lists: Mapping[str, CodeList] | None = None
    ) -> None:
        self.declaration = declaration
        self.entity_type = entity_type
        self._lists = code_lists or {}
        self._sources = [(p, s) for p in entity_type.properties if (s := declaration.properties.get(p.id)) is not None]
        self._distances = [(p, s.distance) for p, s in self._sources if s.distance is not None]
        self._columns = {p.id: s.field or p.id for p, s in self._sources}
        entity, at = pl.col(ENTITY).alias("entity"), pl.col(AT).cast(INSTANT).alias("observed_at")
        self._kept = [entity, at, *(pl.col(value_name(p.id)).alias(p.id) for p, _ in self._sources)]
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
        self._cleanings: dict[tuple[tuple[str, pl.DataType], ...], list[pl.Expr]] = {}
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
        return frame.select_seq(
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
        heads = self._head_checks(work, now, known, world)
        broken, checks = broken_by(work, [*heads, *self._shape(work)[1], *self._wide_checks(work, world)])
        if not checks:
            return Mapped(self._good(work), head=self._head(work))
        bad = any_of(broken, [n for n, check in enumerate(checks) if check.severity == "refuse"])
        marking = [n for n, check in enumerate(checks) if check.severity == "flag"]
        flagged = any_of(broken, marking) & ~bad
        quality = pl.lit(quality_of(broken, checks, marking)).alias("quality") if flagged.any() else CLEAN
        refusals, flags = (refusals_of(work, broken, checks, rows) for rows in (bad, flagged))
        rows, head = self._good(work, quality), self._head(work)
        if refusals:
            kept = (~bad).arg_true()
            rows, head = rows[kept], head[kept] if head.height else head
        return Mapped(rows, refusals, flags, head)

    def _read(self, raw: pl.DataFrame, known: Container[str], world: World) -> pl.DataFrame:
        """All working columns: cleaned fields, new fields, position, entity, time, values."""
        work = self._cleaned(raw.with_row_index(INDEX))
        work = stepped(work, self.declaration.fields)
        if self.declaration.place is not None:
            work = placed(work, self.declaration.place, world, self._wants_areas())
            work = distance_columns(work, self._distances, world)
        work = self._named(work, known)
        work = self._timed(work)
        return self._listed(work.with_columns_seq(self._shape(work)[0]))

    def _fields(self) -> list[str]:
        entity, time = self.declaration.entity, self.declaration.time
        head = [entity.field, time.field, time.date_field, entity.title_field, entity.lon_field, entity.lat_field]
        place = self.declaration.place.fields if self.declaration.place else ()
        sources = self.declaration.properties.values()
        named = [*head, *place, *[name for s in sources for name in (s.field, s.unit_field, *_named(s))]]
        return raw_fields(self.declaration, [name for name in named if name])

    def _numbers(self) -> set[str]:
        """Fields that only numeric properties read, so that they may be decoded as numbers."""
        numbers = {
            s.field or "" for p, s in self._sources if p.kind in ("number", "integer") and s.field and not s.codes
        }
        others = [s.field for p, s in self._sources if p.kind not in ("number", "integer") or s.codes]
        others += [name for _, s in self._sources for name in (s.unit_field, *_named(s))]
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
        schema = work.schema
        typed = any(schema[name] == pl.Float64 for name in self.typed)
        units = {s.unit_field for _, s in self._sources if s.unit_field}
        used = frozenset(name for name in units if work[name].null_count() < work.height)
        if (typed, used) not in self._shapes:
            pairs = [
                (p, s if s.unit_field in used else s.model_copy(update={"unit_field": None})) for p, s in self._sources
            ]
            values = [self._value(p, s, typed and s.field in self._numbers()).alias(value_name(p.id)) for p, s in pairs]
            checks = [c for p, s in pairs if s.constant is None for c in property_checks(p, s, self._list_reason(p, s))]
            checks += [shape_check(item, rule) for item, rule in self._distances if rule.by]
            found = [declared_check(rule, self.entity_type, self._columns) for rule in self._rules]
            self._shapes[typed, used] = (values, [*checks, *[check for check in found if check is not None]])
        return self._shapes[typed, used]

    def _cleaned(self, raw: pl.DataFrame) -> pl.DataFrame:
        if self.declaration.fold_width:
            raw = raw.with_columns_seq(
                narrowed(pl.col(name)) for name, dtype in raw.schema.items() if dtype == pl.String
            )
        return raw.with_columns_seq(self._cleaning(tuple(raw.schema.items())))

    def _cleaning(self, schema: tuple[tuple[str, pl.DataType], ...]) -> list[pl.Expr]:
        """Fields without the signs for a missing value; kept for each kind of batch."""
        if schema not in self._cleanings:
            missing = list(self.declaration.missing)
            codes = [number for text in missing if (number := _number(text)) is not None]
            self._cleanings[schema] = [
                pl.when(
                    ~(pl.col(n).is_in(codes) if dtype == pl.Float64 else pl.col(n).str.strip_chars().is_in(missing))
                )
                .then(pl.col(n))
                .alias(n)
                for n, dtype in schema
                if dtype == pl.String or (dtype == pl.Float64 and codes)
            ]
        return self._cleanings[schema]

    def _named(self, work: pl.DataFrame, known: Container[str]) -> pl.DataFrame:
        rule = self.declaration.entity
        named = pl.col(rule.field).cast(pl.String).str.strip_chars() if rule.field else pl.lit(None, dtype=pl.String)
        if rule.lookup.by == "id":
            return work.with_columns_seq(named.alias(SENT), named.alias(ENTITY))
        work = work.with_columns_seq(named.alias(SENT))
        sent = work[SENT]
        found = self._find(known).found(sent, work)
        if rule.create:
            found = pl.select(pl.coalesce(pl.lit(found), pl.lit(sent))).to_series()
        return work.with_columns_seq(found.alias(ENTITY))

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
            raw = work.select_seq(pl.concat_str(day.str.strip_suffix("T00:00:00"), clock, separator=" ")).to_series()
        return work.with_columns_seq(parsed(raw, rule).alias(AT))

    def _listed(self, work: pl.DataFrame) -> pl.DataFrame:
        """Replace what the source sent of a code list by the list's codes, as in force at the record's own time."""
        listed = [(p, s) for p, s in self._sources if self._joins(p, s)]
        if not listed:
            return work
        zone = self.declaration.time.zone or "UTC"
        days = work[AT].dt.convert_time_zone(zone).dt.date()
        columns = [
            coded(
                work[value_name(p.id)].str.strip_chars(), days, self._lists[p.code_list or ""], s.match, p.code_under
            ).alias(value_name(p.id))
            for p, s in listed
        ]
        return work.with_columns_seq(columns)

    def _joins(self, item: Property, source: PropertyField) -> bool:
        return item.code_list in self._lists and source.constant is None and not source.codes

    def _list_reason(self, item: Property, source: PropertyField) -> Callable[[Row], Saying] | None:
        if not self._joins(item, source) or source.field is None:
            return None
        return reason_for(source.field, AT, self._lists[item.code_list or ""], item.code_under)

    def _head_checks(self, work: pl.DataFrame, now: datetime, known: Container[str], world: World) -> list[Check]:
        title = Title(zh=self.entity_type.title.zh, en=self.entity_type.id)
        return head_checks(self.declaration, self._sources, title, work, known, lambda: self._find(known), now, world)

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

    def _good(self, work: pl.DataFrame, quality: pl.Expr = CLEAN) -> pl.DataFrame:
        return indexed(work.select_seq(*self._kept, quality, INDEX), self.entity_type)

    def _head(self, work: pl.DataFrame) -> pl.DataFrame:
        title = self.declaration.entity.title_field
        area = self.declaration.position is not None and self.declaration.position.area
        sources = {"title": title, "lon": LON, "lat": LAT, "area": AREA if area else None}
        return (
            work.select_seq(
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
        if source.distance is not None:
            return in_unit_of(item, pl.col(metres_name(item)), "m")
        if source.expression is not None:
            return derived(item, source)
        return value(item, source, typed)


def _named(source: PropertyField) -> Sequence[str]:
    """Fields that a value is made of, beside one of its own."""
    if source.distance is not None:
        return [source.distance.by] if source.distance.by else ()
    return sorted(parse(source.expression).names) if source.expression else ()


def _number(text: str) -> float | None:
    try:
        return float(text) if text.strip().lower() not in ("nan", "inf", "-inf") else None
    except ValueError:
        return None
