"""Routes of the city room: the city itself, its areas, its catalogue, its clock."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query

from cityloop.access.routes import Asker, TheDoor
from cityloop.city.content import ConditionLine
from cityloop.city.schemas import (
    AddressFound,
    Area,
    AreaLevel,
    CityView,
    ClockChange,
    ClockView,
    Matter,
    PointsAsked,
    PointsFound,
    Position,
)
from cityloop.city.service import City
from cityloop.core.web import service

router = APIRouter(prefix="/api/v1", tags=["city"])
TheCity = Annotated[City, Depends(service(City))]


@router.get("/city")
def city(the_city: TheCity) -> CityView:
    """The city: map, departments, posts, replayed series, clock. Readable before sign-in: it holds nothing personal."""
    return the_city.view()


@router.get("/city/areas")
def areas(the_city: TheCity, actor: Asker, level: AreaLevel | None = None) -> list[Area]:
    """The area tree, flat; parents come before children."""
    return the_city.areas.list(level)


@router.get("/city/areas.geojson")
def area_shapes(the_city: TheCity, actor: Asker, level: AreaLevel = "district") -> dict[str, Any]:
    """Shapes of one level as GeoJSON, longitude first; ``properties`` are ``code``, ``zh``, ``en``."""
    return the_city.areas.geojson(level)


@router.post("/city/locate")
def locate(body: PointsAsked, the_city: TheCity, actor: Asker) -> PointsFound:
    """The smallest area, a grid cell where there are cells, and the district of up to 50,000 points."""
    lons, lats = [point.lon for point in body.points], [point.lat for point in body.points]
    places = the_city.areas.locate_many(lons, lats)
    return PointsFound(places=places, outside=sum(place is None for place in places))


@router.get("/city/addresses")
def addresses(
    the_city: TheCity,
    actor: Asker,
    text: Annotated[str, Query(min_length=1, max_length=60)],
    lon: Annotated[float | None, Query(ge=-180, le=180)] = None,
    lat: Annotated[float | None, Query(ge=-90, le=90)] = None,
    size: Annotated[int, Query(ge=1, le=50)] = 8,
) -> list[AddressFound]:
    """Addresses of the register that a text may mean, likeliest first; with a point the nearest of equally likely."""
    return the_city.find_addresses(text, point(lon, lat), size)


@router.get("/city/matters")
def matters(the_city: TheCity, actor: Asker) -> list[Matter]:
    """The catalogue in force."""
    return the_city.catalogue.list()


@router.get("/city/matters/{matter}/conditions")
def conditions(matter: str, the_city: TheCity, actor: Asker) -> list[ConditionLine]:
    """Filing condition, limit and closing condition of each line that the city has for a matter."""
    return list(the_city.limits.conditions(the_city.catalogue.get(matter).key))


@router.get("/clock")
def clock(the_city: TheCity) -> ClockView:
    """City time and its speed."""
    return the_city.clock_view()


@router.patch("/clock")
def set_clock(body: ClockChange, the_city: TheCity, actor: Asker, door: TheDoor) -> ClockView:
    """Change the speed of a paced clock; refused where the city runs on the machine's time."""
    door.permit(actor, "clock.set")
    return the_city.set_speed(body.speed)


def point(lon: float | None, lat: float | None) -> Position | None:
    """The point of a query, when it has both parts."""
    return Position(lon=lon, lat=lat) if lon is not None and lat is not None else None
