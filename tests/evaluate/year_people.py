"""Who works in the city of the year: departments with their limits and hours, and everybody's posts."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache

import shapely

from cityloop.access.actor import Actor
from tests.cases.support import DEMO, person
from tests.evaluate.year_hours import ALWAYS, OFFICE, SHIFTS, Hours

DISTRICTS = {
    "440303": (114.13, 22.56),
    "440304": (114.055, 22.535),
    "440305": (113.93, 22.53),
    "440307": (114.25, 22.72),
}
"""Districts, and a point in each; cases lie around it."""


@cache
def _cells() -> tuple[list[str], shapely.STRtree]:
    features = json.loads((DEMO / "areas" / "cells.geojson").read_text(encoding="utf-8"))["features"]
    shapes = shapely.from_geojson([json.dumps(feature["geometry"]) for feature in features])
    return [feature["properties"]["code"] for feature in features], shapely.STRtree(shapes)


def cell_of(lon: float, lat: float) -> str:
    """The grid cell of a place, read off the map by the clerk himself."""
    codes, tree = _cells()
    [hit] = tree.query(shapely.Point(lon, lat), predicate="intersects")
    return codes[int(hit)]


@dataclass(frozen=True)
class Body:
    """A department: what comes to it, its limit as the sheet of the city says it, and when it works."""

    id: str
    matter: str
    limit: str
    seconds: int
    hours: Hours

    @property
    def clock(self) -> Hours:
        """An urgent limit runs day and night, whoever works on it."""
        return ALWAYS if "紧急" in self.limit else self.hours


HOUR = 3600
BODIES = (
    Body("sanitation", "gb47678:matter:06010", "4小时", 4 * HOUR, SHIFTS),
    Body("transport", "gb47678:matter:06013", "2天", 16 * HOUR, OFFICE),
    Body("police", "gb47678:matter:09009", "2小时", 2 * HOUR, ALWAYS),
    Body("environment", "gb47678:matter:06020", "8工作时", 8 * HOUR, OFFICE),
    Body("water", "gb47678:matter:06023", "24紧急工作时", 24 * HOUR, OFFICE),
    Body("urban", "gb47678:matter:06001", "3工作日", 24 * HOUR, OFFICE),
)


def _people(post: str, count: int, department: str = "centre") -> list[Actor]:
    areas = list(DISTRICTS) if post == "collector" else []
    return [person(f"{department}-{post}-{n}", post, department=department, areas=areas) for n in range(1, count + 1)]


CENTRE = {
    post: _people(post, count)
    for post, count in (("acceptor", 3), ("shift_leader", 2), ("dispatcher", 2), ("collector", 3), ("leader", 2))
}
SUPERVISOR = person("supervisor-1", "supervisor")
HEADS = {body.id: _people("department", 1, body.id)[0] for body in BODIES}
HANDS = {body.id: _people("handler", 2, body.id) for body in BODIES}
