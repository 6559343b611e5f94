"""What the city room tells the others and the wire: areas, departments, matters, replayed series."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from cityloop.core.values import Frozen, Title

AreaLevel = Literal["city", "district", "street", "community", "cell"]


class Position(Frozen):
    """A point in WGS 84 degrees (equal to CGCS2000 for cases), longitude first."""

    lon: float = Field(ge=-180, le=180)
    lat: float = Field(ge=-90, le=90)


class Area(Frozen):
    """A node of the area tree. Codes nest: a child's code begins with its parent's."""

    code: str
    title: Title
    level: AreaLevel
    parent: str | None = None
    local: bool = False
    """The code was made here, not assigned by the national tables."""
    centre: Position | None = None


class Place(Frozen):
    """Where a point lies: the smallest area that holds it and the district above."""

    area: str
    district: str


class AddressFound(Frozen):
    """An address of the register: its point, the smallest area that holds it, the metres to where one asked from."""

    address: str
    lon: float
    lat: float
    area: str | None
    area_title: Title | None
    metres: float | None


class PointsAsked(Frozen):
    """Many points of WGS 84 degrees at once."""

    points: list[Position] = Field(max_length=50_000)


class PointsFound(Frozen):
    """Where each point lies, in the order of the question; ``None`` outside the city."""

    places: list[Place | None]
    outside: int


class Department(Frozen):
    """A body that handles cases. ``code`` is the 18-character unified social credit code where there is one."""

    id: str
    title: Title
    short: Title | None = None
    code: str | None = None
    kind: Literal["centre", "department"] = "department"


class Matter(Frozen):
    """One entry of a catalogue. The same digits occur as component and as matter: the key is ``standard:kind:code``."""

    key: str
    standard: str
    kind: Literal["component", "matter"]
    code: str
    class_code: str
    class_title: Title
    title: Title


class SeriesLabel(Frozen):
    """What a replayed series is, where and when it was measured, and whose it is."""

    id: str
    title: Title
    measured_where: Title
    measured_when: str
    licence: str
    attribution: str
    rule: Title
    """How its places and times were moved into this city, stated in a sentence."""


class MapView(Frozen):
    """How the map opens: WGS 84 bounds and centre."""

    west: float
    south: float
    east: float
    north: float


class ClockView(Frozen):
    """City time. ``speed`` is city seconds a real second; 0 is paused."""

    now: str
    speed: float
    paced: bool


class ClockChange(Frozen):
    """The wished speed; 0 pauses."""

    speed: float = Field(ge=0, le=3600)


class PostView(Frozen):
    """A post and its title."""

    id: str
    title: Title


class CityView(Frozen):
    """What a client needs to know of the city before anything else."""

    id: str
    title: Title
    timezone: str
    language: Literal["zh", "en"]
    demo: bool
    map: MapView
    departments: list[Department]
    posts: list[PostView]
    series: list[SeriesLabel]
    clock: ClockView
