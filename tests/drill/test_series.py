"""The shipped series of the demo city: true to their sources' weekday and time of day, and inside the city."""

from __future__ import annotations

import csv
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from cityloop.city.service import City
from cityloop.core.clock import ManualClock
from cityloop.drill.citizens import read_citizens
from cityloop.drill.plan import load_plan

CITY = Path(__file__).parents[2] / "cities/demo"
START = datetime.fromisoformat("2026-03-09T06:30:00+08:00")
LAST = datetime.fromisoformat("2026-03-23T00:00:00+08:00")
COLUMNS = {
    "air-hourly": [
        "station",
        "time",
        "PM2.5",
        "PM10",
        "SO2",
        "NO2",
        "CO",
        "O3",
        "TEMP",
        "PRES",
        "DEWP",
        "RAIN",
        "wd",
        "WSPM",
        "measured_at",
    ],
    "metro-entries": ["station", "time", "entries", "measured_at"],
    "bin-emptying": ["bin", "time", "fill_before_pct", "fill_after_pct", "volume_l", "weight_kg", "measured_at"],
    "road-speeds": ["segment", "time", "speed", "free_flow", "speed_unit", "occupancy", "measured_at"],
}
SIMULATED = {
    "hazmat-positions": ("HazmatVehicle", "vehicle"),
    "lamp-control": ("LampPole", "pole"),
    "lamp-sensors": ("LampPole", "pole"),
}
ENTITIES = {
    "air-hourly": ("AirQualityStation", "station"),
    "metro-entries": ("MetroStation", "station"),
    "bin-emptying": ("WasteContainer", "bin"),
    "road-speeds": ("RoadSegment", "segment"),
}


def rows(name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = pq.read_table(CITY / "series" / f"{name}.parquet").to_pylist()
    return found


def entities(name: str) -> list[dict[str, str]]:
    with (CITY / "entities" / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def city() -> City:
    return City.load(CITY, ManualClock(datetime.now(UTC)))


@pytest.mark.parametrize("name", COLUMNS)
def test_a_series_has_exactly_the_columns_of_its_feed(name: str) -> None:
    schema = pq.read_schema(CITY / "series" / f"{name}.parquet")
    assert schema.names == COLUMNS[name]
    assert str(schema.field("time").type) == "timestamp[us, tz=UTC]"


@pytest.mark.parametrize("name", [*COLUMNS, "citizen"])
def test_weekday_and_time_of_day_stay_as_measured(name: str) -> None:
    zone = START.tzinfo
    for row in rows(name):
        measured = datetime.fromisoformat(row.get("measured_at") or row["measured"]).replace(tzinfo=None)
        shown = row["time"].astimezone(zone).replace(tzinfo=None)
        assert shown.weekday() == measured.weekday()
        assert shown.time() == measured.time()


@pytest.mark.parametrize("name", [*COLUMNS, "citizen"])
def test_a_series_runs_fourteen_days_in_order(name: str) -> None:
    times = [row["time"] for row in rows(name)]
    assert times == sorted(times)
    # The road series was not measured from the first morning on.
    late = timedelta(hours=12) if name == "road-speeds" else timedelta(minutes=15)
    assert START - timedelta(minutes=30) <= times[0] < START + late
    assert LAST - timedelta(hours=2) < times[-1] < LAST


@pytest.mark.parametrize("name", COLUMNS)
def test_every_measured_thing_stands_inside_the_city(name: str, city: City) -> None:
    kind, column = ENTITIES[name]
    known = entities(kind)
    assert {row["id"] for row in known} == set(pq.read_table(CITY / "series" / f"{name}.parquet")[column].to_pylist())
    assert all(city.areas.locate(float(row["lon"]), float(row["lat"])) for row in known)
    assert all("实测" in row["title_zh"] and "measured in" in row["title_en"] for row in known)


def test_missing_measurements_stay_missing() -> None:
    table = pq.read_table(CITY / "series/air-hourly.parquet")
    assert table["PM2.5"].null_count > 0
    assert pc.min(table["PM2.5"]).as_py() > 0


def test_the_first_two_hours_hold_an_event_of_every_measured_series() -> None:
    early = START + timedelta(hours=2)
    air = [r for r in rows("air-hourly") if START <= r["time"] <= early]
    assert len({r["station"] for r in air if (r["PM2.5"] or 0) >= 115}) >= 8
    assert len({r["station"] for r in air if (r["PM2.5"] or 0) >= 150}) >= 4
    assert max(r["entries"] for r in rows("metro-entries") if START <= r["time"] <= early) > 1500
    assert sum(r["fill_before_pct"] >= 90 for r in rows("bin-emptying") if START <= r["time"] <= early) >= 10


def test_citizens_report_early_and_some_cases_were_really_closed_within_the_hour() -> None:
    plan = load_plan(CITY)
    assert plan.citizen
    series = read_citizens(plan.citizen.file, plan.citizen.series)
    early = series.records[: series.due(START + timedelta(hours=2))]
    done = [r for r in early if r.handling and r.time + r.handling < START + timedelta(minutes=100)]
    assert len(early) >= 20
    assert len(done) >= 4


def test_every_citizen_report_names_a_matter_of_the_catalogue_and_a_place_in_the_city(city: City) -> None:
    plan = load_plan(CITY)
    assert plan.citizen
    series = read_citizens(plan.citizen.file, plan.citizen.series)
    assert len(series.by_number) == len(series.records)
    for matter in {record.report.matter for record in series.records}:
        assert matter is not None
        city.catalogue.get(matter)
    spots = [record.report.position for record in series.records]
    assert all(city.areas.locate_many([spot.lon for spot in spots], [spot.lat for spot in spots]))


def test_no_citizen_report_holds_anything_personal() -> None:
    with (CITY / "series/kind_map.csv").open(encoding="utf-8", newline="") as file:
        generic = {row["title_zh"] for row in csv.DictReader(file)}
    for row in rows("citizen"):
        assert row["title"] in generic
        assert not {"reporter", "name", "phone", "address"} & set(row)


def test_every_kind_is_either_mapped_or_says_why_not() -> None:
    with (CITY / "series/kind_map.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            assert (row["code"] and row["title_zh"] and row["title_en"]) or row["comment"]


@pytest.mark.parametrize("name", SIMULATED)
def test_what_is_simulated_says_so_and_stands_inside_the_city(name: str, city: City) -> None:
    kind, column = SIMULATED[name]
    known = entities(kind)
    table = pq.read_table(CITY / "series" / f"{name}.parquet")
    assert {row["id"] for row in known} == set(table[column].to_pylist())
    assert "measured_at" not in table.column_names
    assert all("模拟" in row["title_zh"] and "simulated" in row["title_en"] for row in known)
    assert all(city.areas.locate(float(row["lon"]), float(row["lat"])) for row in known)
    times = table["time"].to_pylist()
    assert times == sorted(times)
    assert START - timedelta(minutes=30) <= times[0] <= times[-1] < LAST
