"""The duplicate guard: open cases of the same matter within so many metres and hours."""

from __future__ import annotations

import math
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, bindparam, select

from cityloop.cases.models import OPEN, SHOWN, CaseRow
from cityloop.cases.values import Case, listed
from cityloop.cases.workflow import DuplicateDef
from cityloop.core.prepared import Prepared, Source

_EARTH_METRES = 6_371_008.8
"""Mean radius of the earth (IUGG)."""
_MOST = 500
"""Most cases that are measured."""


def metres(lon: float, lat: float, to_lon: float, to_lat: float) -> float:
    """Great-circle distance of two WGS 84 points in metres (haversine)."""
    a = math.sin(math.radians(to_lat - lat) / 2) ** 2
    b = math.cos(math.radians(lat)) * math.cos(math.radians(to_lat)) * math.sin(math.radians(to_lon - lon) / 2) ** 2
    return 2 * _EARTH_METRES * math.asin(math.sqrt(min(1.0, a + b)))


def around(lon: float, lat: float, rule: DuplicateDef, now: datetime) -> ColumnElement[bool]:
    """A coarse SQL condition that every open case within the rule's distance and age meets."""
    return _within(**_bounds(lon, lat, rule, now))


def _bounds(lon: float, lat: float, rule: DuplicateDef, now: datetime) -> dict[str, Any]:
    high = math.degrees(rule.metres / _EARTH_METRES)
    wide = high / max(0.01, math.cos(math.radians(lat)))
    box = {"west": lon - wide, "east": lon + wide, "south": lat - high, "north": lat + high}
    return {**box, "since": now - timedelta(hours=rule.hours), "until": now}


def _within(*, since: Any, until: Any, west: Any, east: Any, south: Any, north: Any) -> ColumnElement[bool]:
    return and_(
        CaseRow.opened_at >= since,
        CaseRow.opened_at <= until,
        OPEN,
        CaseRow.lon.between(west, east),
        CaseRow.lat.between(south, north),
    )


def listed_near(source: Source, case: Case, rule: DuplicateDef, now: datetime) -> list[Case]:
    """Other open cases of a case's matter in its coarse neighbourhood, fit to be listed; :func:`nearest` measures."""
    bounds = _bounds(case.lon, case.lat, rule, now)
    return [listed(row) for row in _NEAR.rows(source, id=case.id, matter=case.matter, **bounds)]


def nearest(case: Case, found: Iterable[Case], rule: DuplicateDef) -> list[Case]:
    """The cases that really lie within the radius, the nearest first; another component is another matter."""
    away = [
        (metres(case.lon, case.lat, other.lon, other.lat), other.number, other)
        for other in found
        if not (case.entity and other.entity) or case.entity == other.entity
    ]
    return [other for distance, _, other in sorted(away, key=lambda item: item[:2]) if distance <= rule.metres]


_ASKED: dict[str, Any] = {name: bindparam(name) for name in ("since", "until", "west", "east", "south", "north")}
_OTHER = and_(CaseRow.matter == bindparam("matter"), CaseRow.id != bindparam("id"))
_NEAR = Prepared(select(*SHOWN).where(_OTHER, _within(**_ASKED)).limit(_MOST))
