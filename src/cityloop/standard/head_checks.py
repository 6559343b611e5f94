"""Checks of what every record must have before its values matter: entity, time, position, any value at all."""

from __future__ import annotations

import functools
from collections.abc import Callable, Container, Sequence
from datetime import datetime, timedelta

import polars as pl

from cityloop.core.phrases import Saying
from cityloop.core.values import Title
from cityloop.standard.checks import Check, Row, value_name
from cityloop.standard.declarations import FeedDeclaration, PropertyField
from cityloop.standard.lookups import Finder
from cityloop.standard.phrases import PHRASES
from cityloop.standard.prepare import AREA, LAT, LON
from cityloop.standard.times import EARLIEST
from cityloop.standard.types import Property
from cityloop.standard.world import World

ENTITY, AT, SENT = "value:entity", "value:observed_at", "sent:entity"
"""Working columns: the entity that was found, the time as an instant, what the record says of its entity."""


def head_checks(
    declaration: FeedDeclaration,
    sources: Sequence[tuple[Property, PropertyField]],
    title: Title,
    work: pl.DataFrame,
    known: Container[str],
    find: Callable[[], Finder],
    now: datetime,
    world: World,
) -> list[Check]:
    """All of them for one batch ``work``; ``title`` names the entity type, ``known`` its ids, ``now`` is city time."""
    return [
        *_entity_checks(declaration, title, work, known, find),
        *_time_checks(declaration, now),
        *_place_checks(declaration, world),
        *_empty_check(sources),
    ]


def _entity_checks(
    declaration: FeedDeclaration, title: Title, work: pl.DataFrame, known: Container[str], find: Callable[[], Finder]
) -> list[Check]:
    rule = declaration.entity
    name, entity, sent = rule.field, pl.col(ENTITY), pl.col(SENT)
    if rule.lookup.by == "nearest":
        missing = Check("", "entity", entity.is_null(), lambda row: find().reason(row, name, title))
        return [missing] if not rule.create else []
    empty = sent.is_null() | (sent == "")
    checks = [Check(name, "required", empty, lambda row: PHRASES.say("no-entity", field=name, type=title))]
    if rule.create:
        return checks
    if rule.lookup.by != "id":
        finder = find()
        return [*checks, Check(name, "entity", ~empty & entity.is_null(), lambda r: finder.reason(r, name, title))]
    strange = [item for item in work[ENTITY].unique().to_list() if item is not None and item not in known]
    if not strange:
        return checks

    def unknown(row: Row) -> Saying:
        return PHRASES.say("unknown-entity", entity=row[ENTITY], type=title)

    return [*checks, Check(name, "entity", entity.is_in(strange) & ~empty, unknown)]


def _time_checks(declaration: FeedDeclaration, now: datetime) -> list[Check]:
    rule, name = declaration.time, declaration.time.field
    latest = now + timedelta(minutes=declaration.future_minutes)
    raw, at = pl.col(name), pl.col(AT)
    given = raw.is_not_null() & pl.col(rule.date_field).is_not_null() if rule.date_field else raw.is_not_null()
    said: list[object] = [PHRASES.say("iso") if one == "iso" else one for one in rule.formats]
    form = functools.reduce(lambda first, then: PHRASES.say("or", first=first, then=then), said)
    return [
        Check(name, "required", ~given, lambda row: PHRASES.say("no-time", field=name)),
        Check(name, "time", given & at.is_null(),
              lambda row: PHRASES.say("bad-time", text=row[name], form=form)),
        Check(name, "future", at.to_physical() > _micros(latest),
              lambda row: PHRASES.say("future", at=row[AT].isoformat(), now=now.isoformat(timespec="seconds"))),
    ]  # fmt: skip


def _micros(at: datetime) -> int:
    return (at - EARLIEST) // timedelta(microseconds=1)


def _place_checks(declaration: FeedDeclaration, world: World) -> list[Check]:
    place = declaration.position
    if place is None:
        return []
    first, second = place.fields
    sent = pl.col(first).is_not_null() | pl.col(second).is_not_null()
    lost = pl.col(LON).is_null() | pl.col(LAT).is_null()
    degrees = PHRASES.say("degrees-of", datum=place.datum, first=first)
    what = PHRASES.say("metres-of", crs=place.crs) if place.crs else degrees
    broken = Check(f"{first},{second}", "position", sent & lost,
                   lambda row: PHRASES.say("no-position", first=row[first], second=row[second], what=what))  # fmt: skip
    if not place.area or place.outside == "keep":
        return [broken]
    outside = ~lost & pl.col(AREA).is_null()
    where = f"{first},{second}"
    return [broken, Check(where, "area", outside, lambda row: _outside(row[LON], row[LAT], world), place.outside,
                          "area:position")]  # fmt: skip


def _outside(lon: float, lat: float, world: World) -> Saying:
    """The sentence for a point outside the city, with the nearest area and how far off it is."""
    found = world.nearest(lon, lat) if world.nearest else None
    if not found:
        return PHRASES.say("outside", lon=lon, lat=lat)
    area, metres = found
    return PHRASES.say("outside-near", lon=lon, lat=lat, area=area.title, code=area.code, metres=metres)


def _empty_check(sources: Sequence[tuple[Property, PropertyField]]) -> list[Check]:
    named = [(value_name(p.id), s.field) for p, s in sources if s.field and p.kind != "text"]
    if not named:
        return []
    fields = ", ".join(str(field) for _, field in named)
    raws = pl.all_horizontal(pl.col(str(field)).is_null() for _, field in named)
    return [Check("", "empty", raws, lambda row: PHRASES.say("no-value", fields=fields))]
