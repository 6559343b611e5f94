"""Streams of the demo city that nobody measured: hazardous goods, smart lamp poles, water in low points; made by rule.

Real tracks of such vehicles may not be published, and lamp poles with sensors are few, so these two are simulated and
say so wherever they are shown. The same cells always give the same rows. A few things go wrong by plan
(:data:`MISHAPS`, :data:`FAULTS`), so that rules have something to find; they are listed in ``docs/demo-city.md``.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

import numpy as np
import polars as pl
from demo_places import LonLat, centre, small_half, spread
from shapely.geometry import LineString, Point, Polygon
from shapely.geometry.base import BaseGeometry

METRES_A_DEGREE = 111_195.0
ACROSS = float(np.cos(np.radians(22.6)))
"""How much shorter a degree of longitude is than one of latitude in this city."""
VEHICLES = 6
GOODS = ("1203", "1075", "1017", "1830", "1005", "1203")
"""UN numbers: petrol, LPG, chlorine, sulphuric acid, ammonia."""
KMH = 42.0
ROUNDS = (7, 14)
"""Hours at which loaded vehicles set out on working days; they come back empty an hour and a half later."""
POLES = 12
MINUTE, FIVE, REST, QUARTER = (timedelta(minutes=n) for n in (1, 5, 10, 15))
Row = dict[str, Any]


@dataclass(frozen=True)
class Mishap:
    """What goes wrong on the loaded trip of a vehicle: from a minute on, for so many minutes."""

    day: int
    vehicle: int
    hour: int
    kind: Literal["detour", "stop", "lost"]
    minute: int
    lasting: int
    metres: float = 0.0


MISHAPS = (
    Mishap(0, 2, 7, "detour", 9, 10, 850),
    Mishap(0, 4, 7, "stop", 8, 16),
    Mishap(0, 5, 14, "lost", 6, 45),
    Mishap(1, 1, 7, "detour", 7, 6, 320),
    Mishap(3, 3, 14, "detour", 8, 12, 1400),
    Mishap(8, 0, 7, "stop", 10, 20),
)
"""Vehicle 3 turns aside on the fourth day into the zone beside its route."""
FAULTS: Mapping[str, tuple[int, datetime, datetime]] = {
    "dead": (6, datetime(2026, 3, 9, 7, 15), datetime(2026, 3, 9, 10, 15)),  # noqa: DTZ001 - wall clocks of the city
    "sensors": (9, datetime(2026, 3, 10, 9, 0), datetime(2026, 3, 10, 15, 0)),  # noqa: DTZ001
    "dark": (2, datetime(2026, 3, 9, 18, 0), datetime(2026, 3, 11, 12, 0)),  # noqa: DTZ001
    "lit": (4, datetime(2026, 3, 10, 7, 0), datetime(2026, 3, 10, 18, 0)),  # noqa: DTZ001
}
"""Which pole, and from when to when: no contact, no sensors, dark lamp, lamp lit by day."""
STORMS = (
    ("W2", 0, timedelta(hours=6, minutes=35), timedelta(minutes=50), 6.0),
    ("W1", 3, timedelta(hours=17, minutes=20), timedelta(minutes=80), 8.5),
    ("W3", 8, timedelta(hours=15), timedelta(minutes=40), 4.0),
)
"""Sensor, day, time of day, how long it rains, and millimetres in the wettest five minutes."""
RUNS_OFF = 0.011
"""Metres that the water in a low point falls in five minutes once the drains work."""
GATHERS = 0.0105
"""Metres that it rises for each millimetre of rain that falls around it."""
LOUD = 3
"""This pole stands where the night is loud."""


def routes(cells: Sequence[BaseGeometry]) -> list[LineString]:
    """One route for each vehicle, from cell to cell in three straight legs."""
    stops = [centre(cell) for cell in spread(small_half(cells), 4 * VEHICLES)]
    return [LineString(_near_by(stops[n::VEHICLES])) for n in range(VEHICLES)]


def tracks(lines: Sequence[LineString], monday: datetime, days: int, start: timedelta) -> pl.DataFrame:
    """Positions by the minute on the road and every ten minutes at rest, as the vehicles' terminals send them."""
    rows = [row for n, line in enumerate(lines) for day in range(days) for row in _day(n, line, monday, day)]
    frame = pl.DataFrame([row for row in rows if row["local"] >= monday + start])
    return frame.sort("local", "vehicle")


def zones(lines: Sequence[LineString]) -> list[tuple[str, str, str, BaseGeometry]]:
    """Closed zones, 500 m across, beside two routes: id, what it protects in both languages, shape."""
    found: list[tuple[str, str, str, BaseGeometry]] = []
    for number, (line, zh, en) in enumerate(
        ((lines[3], "学校", "a school"), (lines[1], "水源地", "a source of water")), 1
    ):
        east, north = _aside(line, 0.45, 1300)
        ring = Point(east, north).buffer(250 / METRES_A_DEGREE, quad_segs=4)
        found.append((f"z{number}", zh, en, _rounded(ring)))
    return found


def lamp_rows(monday: datetime, days: int, start: timedelta) -> tuple[pl.DataFrame, pl.DataFrame]:
    """A quarter of an hour's reports of the controllers, and of the sensors."""
    rng = np.random.default_rng(633)
    control, sensors = [], []
    for step in range(int(start / QUARTER), int(timedelta(days=days) / QUARTER)):
        local = monday + step * QUARTER
        for number in range(POLES):
            pole = f"L{number + 1:02}"
            if not _faulty("dead", number, local):
                control.append({"pole": pole, "local": local, **_lamp(number, local, rng)})
                if not _faulty("sensors", number, local):
                    sensors.append({"pole": pole, "local": local, **_air(number, local, rng)})
    return pl.DataFrame(control), pl.DataFrame(sensors)


def water_rows(monday: datetime, days: int, start: timedelta) -> pl.DataFrame:
    """Five minutes' reports of the sensors in low points: dry, but for the storms that are planned."""
    rows: list[Row] = []
    for sensor in ("W1", "W2", "W3"):
        level = 0.0
        for step in range(int(start / FIVE), int(timedelta(days=days) / FIVE)):
            local = monday + step * FIVE
            rain = sum(_rain(local, monday, storm) for storm in STORMS if storm[0] == sensor)
            level = max(0.0, level + GATHERS * rain - RUNS_OFF)
            rows.append({"sensor": sensor, "local": local, "level": round(level, 3), "rain": round(rain, 1)})
    return pl.DataFrame(rows).sort("local", "sensor")


def _rain(local: datetime, monday: datetime, storm: tuple[str, int, timedelta, timedelta, float]) -> float:
    """Millimetres in five minutes: a storm swells and ebbs like half a wave."""
    _, day, begin, lasting, most = storm
    since = (local - monday - timedelta(days=day) - begin) / lasting
    return most * float(np.sin(np.pi * since)) if 0 < since < 1 else 0.0


def vehicle_entities(lines: Sequence[LineString]) -> pl.DataFrame:
    """The vehicles, where they rest."""
    rows = [
        (f"H{n + 1}", f"危运车 H{n + 1}（模拟）", f"Tanker H{n + 1} (simulated)", *_place(line.coords[0]))
        for n, line in enumerate(lines)
    ]
    return pl.DataFrame(rows, schema=["id", "title_zh", "title_en", "lon", "lat"], orient="row")


def route_entities(lines: Sequence[LineString]) -> pl.DataFrame:
    """The approved routes with their shapes."""
    rows = [
        (f"R{n + 1}", f"危运路线 R{n + 1}（模拟）", f"Hazmat route R{n + 1} (simulated)",
         *_place(line.interpolate(0.5, normalized=True).coords[0]), line.wkt)
        for n, line in enumerate(lines)
    ]  # fmt: skip
    return pl.DataFrame(rows, schema=["id", "title_zh", "title_en", "lon", "lat", "shape"], orient="row")


def zone_entities(lines: Sequence[LineString]) -> pl.DataFrame:
    """The closed zones with their shapes."""
    rows = [
        (name, f"禁行区·{zh}（模拟）", f"Closed zone, {en} (simulated)", *_place(shape.centroid.coords[0]), shape.wkt)
        for name, zh, en, shape in zones(lines)
    ]
    return pl.DataFrame(rows, schema=["id", "title_zh", "title_en", "lon", "lat", "shape"], orient="row")


def pole_entities(cells: Sequence[BaseGeometry]) -> pl.DataFrame:
    """The poles, one in each of some cells of the denser half."""
    rows = [
        (f"L{n + 1:02}", f"智慧灯杆 L{n + 1:02}（模拟）", f"Smart lamp pole L{n + 1:02} (simulated)", *centre(cell))
        for n, cell in enumerate(spread(small_half(cells)[::-1], POLES))
    ]
    return pl.DataFrame(rows, schema=["id", "title_zh", "title_en", "lon", "lat"], orient="row")


def _near_by(stops: Sequence[LonLat]) -> list[LonLat]:
    """The stops in an order of short legs: always the nearest one next."""
    rest, way = list(stops[1:]), [stops[0]]
    while rest:
        rest.sort(key=lambda stop: Point(stop).distance(Point(way[-1])))
        way.append(rest.pop(0))
    return way


def _day(vehicle: int, line: LineString, monday: datetime, day: int) -> Iterator[Row]:
    local, end = monday + timedelta(days=day), monday + timedelta(days=day + 1)
    trips = [(local + timedelta(hours=hour, minutes=7 * vehicle), hour) for hour in ROUNDS] if day % 7 < 5 else []
    for begin, hour in trips:
        yield from _resting(vehicle, line, 0.0, local, begin)
        local = yield from _trip(vehicle, line, begin, _mishap(day, vehicle, hour), loaded=True)
        back = begin + timedelta(hours=1, minutes=30)
        yield from _resting(vehicle, line, 1.0, local, back)
        local = yield from _trip(vehicle, line, back, None, loaded=False)
    yield from _resting(vehicle, line, 0.0, local, end)


def _trip(
    vehicle: int, line: LineString, begin: datetime, mishap: Mishap | None, *, loaded: bool
) -> Generator[Row, None, datetime]:
    """The positions of one trip; returns when it ends."""
    minutes = max(20, round(line.length * METRES_A_DEGREE / 1000 / KMH * 60))
    stood = 0
    for minute in range(minutes + (mishap.lasting if mishap and mishap.kind == "stop" else 0)):
        wrong = mishap if mishap and mishap.minute <= minute < mishap.minute + mishap.lasting else None
        stood += wrong is not None and wrong.kind == "stop"
        share = (minute - stood) / minutes
        aside = wrong.metres if wrong else 0.0
        if wrong is None or wrong.kind != "lost":
            place = _aside(line, share if loaded else 1 - share, aside)
            speed = 0.0 if wrong and wrong.kind == "stop" else KMH
            yield _position(vehicle, begin + minute * MINUTE, place, speed, loaded=loaded)
    return begin + (minutes + stood) * MINUTE


def _resting(vehicle: int, line: LineString, share: float, begin: datetime, end: datetime) -> Iterator[Row]:
    while begin < end:
        yield _position(vehicle, begin, _aside(line, share, 0), 0.0, loaded=False)
        begin += REST


def _position(vehicle: int, local: datetime, place: LonLat, speed: float, *, loaded: bool) -> Row:
    """One fix, some metres off where the vehicle is."""
    east, north = np.random.default_rng([633, vehicle, int(local.toordinal()), local.hour, local.minute]).normal(
        0, 6, 2
    )
    lon, lat = place[0] + east / METRES_A_DEGREE / ACROSS, place[1] + north / METRES_A_DEGREE
    return {
        "vehicle": f"H{vehicle + 1}", "local": local, "lon": round(lon, 5), "lat": round(lat, 5), "speed": speed,
        "load": "loaded" if loaded else "empty", "un": GOODS[vehicle], "route": f"R{vehicle + 1}",
    }  # fmt: skip


def _mishap(day: int, vehicle: int, hour: int) -> Mishap | None:
    return next((m for m in MISHAPS if (m.day, m.vehicle, m.hour) == (day, vehicle, hour)), None)


def _aside(line: LineString, share: float, metres: float) -> LonLat:
    """The place at a share of the way, so many metres to the left of it."""
    here, ahead = line.interpolate(share, normalized=True), line.interpolate(min(1.0, share + 0.01), normalized=True)
    back = line.interpolate(max(0.0, share - 0.01), normalized=True)
    along = np.array([(ahead.x - back.x) * ACROSS, ahead.y - back.y])
    left = np.array([-along[1], along[0]]) / np.hypot(*along) * metres / METRES_A_DEGREE
    return float(here.x + left[0] / ACROSS), float(here.y + left[1])


def _lamp(number: int, local: datetime, rng: np.random.Generator) -> Row:
    night = local.hour >= 18 or local.hour < 6
    dimming = (100 if local.hour >= 18 else 60) if night or _faulty("lit", number, local) else 0
    power = 0.0 if _faulty("dark", number, local) else round(dimming * 1.2 + float(rng.normal(0, 1)) * (dimming > 0), 1)
    return {"power": max(0.0, power), "voltage": round(float(rng.normal(226, 2)), 1), "dimming": dimming}


def _air(number: int, local: datetime, rng: np.random.Generator) -> Row:
    hour = local.hour + local.minute / 60
    day = max(0.0, np.sin((hour - 6) / 17 * np.pi)) if 6 <= hour <= 23 else 0.0
    noise = 46 + 16 * day + (11 if number == LOUD and not day else 0) + rng.normal(0, 1)
    vehicles = 60 + 900 * day + rng.normal(0, 40)
    return {
        "pm25": round(float(max(2, 38 + 14 * np.cos((hour - 8) / 12 * np.pi) + rng.normal(0, 4))), 1),
        "noise": round(float(noise), 1),
        "temperature": round(float(17 + 5 * np.sin((hour - 9) / 12 * np.pi) + rng.normal(0, 0.3)), 1),
        "vehicles": int(max(0, vehicles)),
    }


def _faulty(kind: str, number: int, local: datetime) -> bool:
    pole, begin, end = FAULTS[kind]
    return pole == number and begin <= local < end


def _place(point: Sequence[float]) -> LonLat:
    return round(point[0], 5), round(point[1], 5)


def _rounded(shape: Polygon) -> Polygon:
    return Polygon([_place(point) for point in shape.exterior.coords])
