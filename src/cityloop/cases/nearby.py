"""The duplicate guard: open cases of the same matter within so many metres and hours."""

from __future__ import annotations

import math
from collections.abc import Iterable
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_

from cityloop.cases.models import OPEN, CaseRow
from cityloop.cases.values import Case
from cityloop.cases.workflow import DuplicateDef

_EARTH_METRES = 6_371_008.8
"""Mean radius of the earth (IUGG)."""


def metres(lon: float, lat: float, to_lon: float, to_lat: float) -> float:
    """Great-circle distance of two WGS 84 points in metres (haversine)."""
    a = math.sin(math.radians(to_lat - lat) / 2) ** 2
    b = math.cos(math.radians(lat)) * math.cos(math.radians(to_lat)) * math.sin(math.radians(to_lon - lon) / 2) ** 2
    return 2 * _EARTH_METRES * math.asin(math.sqrt(min(1.0, a + b)))


def around(lon: float, lat: float, rule: DuplicateDef, now: datetime) -> ColumnElement[bool]:
    """A coarse SQL condition that every open case within the rule's distance and age meets."""
    high = math.degrees(rule.metres / _EARTH_METRES)
    wide = high / max(0.01, math.cos(math.radians(lat)))
    return and_(
        CaseRow.opened_at >= now - timedelta(hours=rule.hours),
        CaseRow.opened_at <= now,
        OPEN,
        CaseRow.lon.between(lon - wide, lon + wide),
        CaseRow.lat.between(lat - high, lat + high),
    )


def box(case: Case, rule: DuplicateDef, now: datetime) -> ColumnElement[bool]:
    """The same for other cases of a case's matter; :func:`nearest` then measures."""
    return and_(CaseRow.matter == case.matter, CaseRow.id != case.id, around(case.lon, case.lat, rule, now))


def nearest(case: Case, found: Iterable[Case], rule: DuplicateDef) -> list[Case]:
    """The cases that really lie within the radius, the nearest first; another component is another matter."""
    away = [
        (metres(case.lon, case.lat, other.lon, other.lat), other.number, other)
        for other in found
        if not (case.entity and other.entity) or case.entity == other.entity
    ]
    return [other for distance, _, other in sorted(away, key=lambda item: item[:2]) if distance <= rule.metres]
