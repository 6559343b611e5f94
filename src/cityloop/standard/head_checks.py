"""Checks of what every record must have before its values matter: entity, time, position, any value at all."""

from __future__ import annotations

from collections.abc import Callable, Container, Sequence
from datetime import datetime, timedelta

import polars as pl

from cityloop.standard.checks import Check, value_name
from cityloop.standard.declarations import FeedDeclaration, PropertyField
from cityloop.standard.lookups import Finder
from cityloop.standard.prepare import AREA, LAT, LON
from cityloop.standard.times import EARLIEST
from cityloop.standard.types import Property
from cityloop.standard.world import World

ENTITY, AT, SENT = "value:entity", "value:observed_at", "sent:entity"
"""Working columns: the entity that was found, the time as an instant, what the record says of its entity."""


def head_checks(
    declaration: FeedDeclaration,
    sources: Sequence[tuple[Property, PropertyField]],
    title: str,
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
    declaration: FeedDeclaration, title: str, work: pl.DataFrame, known: Container[str], find: Callable[[], Finder]
) -> list[Check]:
    rule = declaration.entity
    name, entity, sent = rule.field, pl.col(ENTITY), pl.col(SENT)
    if rule.lookup.by == "nearest":
        missing = Check("", "entity", entity.is_null(), lambda row: find().reason(row, name, title))
        return [missing] if not rule.create else []
    empty = sent.is_null() | (sent == "")
    checks = [Check(name, "required", empty, lambda row: f"'{name}' is missing; it names the {title}")]
    if rule.create:
        return checks
    if rule.lookup.by != "id":
        finder = find()
        return [*checks, Check(name, "entity", ~empty & entity.is_null(), lambda r: finder.reason(r, name, title))]
    reason = "'{0}' is not a known {1}; add it to the city's entities, or let the feed create it"
    unknown = [item for item in work[ENTITY].unique().to_list() if item is not None and item not in known]
    if not unknown:
        return checks
    return [
        *checks,
        Check(name, "entity", entity.is_in(unknown) & ~empty, lambda row: reason.format(row[ENTITY], title)),
    ]


def _time_checks(declaration: FeedDeclaration, now: datetime) -> list[Check]:
    rule, name = declaration.time, declaration.time.field
    latest = now + timedelta(minutes=declaration.future_minutes)
    raw, at = pl.col(name), pl.col(AT)
    given = raw.is_not_null() & pl.col(rule.date_field).is_not_null() if rule.date_field else raw.is_not_null()
    iso = "ISO 8601 with an offset such as 2026-03-09T06:30:00+08:00"
    form = " or ".join(iso if one == "iso" else one for one in rule.formats)
    return [
        Check(name, "required", ~given, lambda row: f"'{name}' is missing; every record has a time"),
        Check(name, "time", given & at.is_null(),
              lambda row: f"'{row[name]}' is not a time; write {form}"),
        Check(name, "future", at.to_physical() > _micros(latest),
              lambda row: f"{row[AT].isoformat()} lies ahead of city time {now.isoformat(timespec='seconds')}"),
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
    what = f"metres of {place.crs}" if place.crs else f"degrees of {place.datum}, longitude '{first}'"
    broken = Check(f"{first},{second}", "position", sent & lost,
                   lambda row: f"'{row[first]}', '{row[second]}' is no position in {what}")  # fmt: skip
    if not place.area or place.outside == "keep":
        return [broken]
    outside = ~lost & pl.col(AREA).is_null()
    where = f"{first},{second}"
    return [broken, Check(where, "area", outside, lambda row: _outside(row[LON], row[LAT], world), place.outside,
                          "area:position")]  # fmt: skip


def _outside(lon: float, lat: float, world: World) -> str:
    """The sentence for a point outside the city, with the nearest area and how far off it is."""
    found = world.nearest(lon, lat) if world.nearest else None
    near = (
        f"; nearest is {found[0].title.zh} / {found[0].title.en} ({found[0].code}), {found[1]:.0f} m off"
        if found
        else ""
    )
    return f"{lon:.6f}, {lat:.6f} (WGS 84) lies in no area of the city{near}; check datum and order"


def _empty_check(sources: Sequence[tuple[Property, PropertyField]]) -> list[Check]:
    named = [(value_name(p.id), s.field) for p, s in sources if s.field and p.kind != "text"]
    if not named:
        return []
    fields = ", ".join(str(field) for _, field in named)
    raws = pl.all_horizontal(pl.col(str(field)).is_null() for _, field in named)
    return [Check("", "empty", raws, lambda row: f"the record carries no value; expected at least one of {fields}")]
