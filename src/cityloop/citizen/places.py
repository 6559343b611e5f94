"""Where a report without a point lies: at the address of the register that it names, else in the area that it names."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from cityloop.city.areas import LEVELS, Areas
from cityloop.city.datum import Datum, convert
from cityloop.city.schemas import Area, Position
from cityloop.city.service import City
from cityloop.core.values import Title


@dataclass(frozen=True)
class Placed:
    """A point that words were taken for: that of an address, or one that stands for the whole ``area``."""

    position: Position
    title: Title
    area: Area | None = None

    @property
    def facts(self) -> dict[str, Any]:
        """What the timeline keeps of it."""
        return {"placed_by" if self.area else "located_by": self.title.model_dump()}


def by_words(city: City, text: str) -> Placed | None:
    """The place that a text names: an address of the city's register, else an area; ``None`` when it names none."""
    found = city.addresses.named(text)
    if found is not None:
        return Placed(Position(lon=found.lon, lat=found.lat), Title(zh=found.address, en=found.address))
    area = named_area(city.areas, text)
    return placed(city.areas, area) if area is not None else None


def named_area(areas: Areas, text: str) -> Area | None:
    """The smallest area below the city that ``text`` names; ``None`` when it names none, or several side by side."""
    named = [area for area in areas.list() if area.level != "city" and _names(area.title, text)]
    deepest = max((LEVELS.index(area.level) for area in named), default=0)
    smallest = [area for area in named if LEVELS.index(area.level) == deepest]
    return smallest[0] if len(smallest) == 1 else None


def placed(areas: Areas, area: Area) -> Placed | None:
    """A point inside the area that stands for it; ``None`` where the city has neither shape nor centre of it."""
    shape = areas.shape(area.code)
    if shape is not None:
        point = shape.representative_point()
        return Placed(Position(lon=round(point.x, 6), lat=round(point.y, 6)), area.title, area)
    return Placed(area.centre, area.title, area) if area.centre is not None else None


def other_datum(areas: Areas, lon: float, lat: float) -> Datum | None:
    """For a point outside the city: the datum under which it would lie inside, if there is one."""
    guesses: tuple[Datum, ...] = ("gcj02", "bd09")
    return next((datum for datum in guesses if areas.locate(*convert(lon, lat, datum, "wgs84")) is not None), None)


def _names(title: Title, text: str) -> bool:
    return title.zh in text or re.search(rf"\b{re.escape(title.en)}\b", text, re.IGNORECASE) is not None
