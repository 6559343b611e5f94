"""The hazmat pack: a tanker leaves its route, comes near a school, stands still, and falls silent."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl
import pytest

from tests.packs.stage import ROOT, Stage

START = datetime(2026, 3, 9, 0, 0, tzinfo=UTC)
ROUTE = "LINESTRING (114.00 22.55, 114.10 22.55)"
ZONE = "POLYGON ((114.05 22.56, 114.06 22.56, 114.06 22.57, 114.05 22.57, 114.05 22.56))"
METRE = 1 / 111_195.0
"""Degrees of latitude."""


@pytest.fixture
def stage(tmp_path: Any) -> Iterator[Stage]:
    entities = {
        "HazmatVehicle": [{"id": "tanker", "lon": 114.0, "lat": 22.55}],
        "HazmatRoute": [{"id": "r1", "lon": 114.05, "lat": 22.55, "shape": ROUTE}],
        "HazmatZone": [{"id": "school", "lon": 114.055, "lat": 22.565, "shape": ZONE}],
    }
    stage = Stage(tmp_path, "hazmat", START, entities)
    yield stage
    stage.close()


def drive(stage: Stage, lon: float, north: float, **changed: Any) -> None:
    """One position, a minute after the one before, so many metres north of the route."""
    stage.wait(timedelta(minutes=1))
    at = stage.clock.now().isoformat()
    record = {"vehicle": "tanker", "time": at, "lon": lon, "lat": 22.55 + north * METRE, "speed": 40, "load": "loaded"}
    stage.send("hazmat-positions", record | {"un": "1203", "route": "r1"} | changed)


def test_a_deviation_is_said_within_one_position_and_ends_on_the_route(stage: Stage) -> None:
    drive(stage, 114.01, 30)
    assert stage.warnings("hazmat.off_route") == []
    drive(stage, 114.012, 260)
    (warning,) = stage.warnings("hazmat.off_route")
    assert (warning.level, round(warning.value)) == ("yellow", 260)
    drive(stage, 114.014, 700)
    drive(stage, 114.016, 40)
    drive(stage, 114.018, 40)
    drive(stage, 114.020, 40)
    (warning,) = stage.warnings("hazmat.off_route")
    assert (warning.peak, warning.status) == ("orange", "cleared")


def test_an_empty_vehicle_may_leave_the_route(stage: Stage) -> None:
    drive(stage, 114.01, 5000, load="empty")
    assert stage.warnings("hazmat.off_route") == []


def test_a_route_that_nobody_approved_is_marked_and_has_no_distance(stage: Stage) -> None:
    drive(stage, 114.01, 0, route="r9")
    (row,) = stage.rows("HazmatVehicle")
    assert row["off_route"] is None
    assert set(row["quality"].split(",")) == {"reference:route", "shape:off_route"}


def test_a_closed_zone_warns_before_it_is_entered(stage: Stage) -> None:
    drive(stage, 114.055, 600)
    drive(stage, 114.055, 900)
    (warning,) = stage.warnings("hazmat.near_zone")
    assert warning.level == "blue"
    drive(stage, 114.055, 1500)
    (warning,) = stage.warnings("hazmat.near_zone")
    assert (warning.level, warning.value) == ("red", 0)


def test_a_loaded_vehicle_that_stands_and_one_that_is_lost_are_told_apart(stage: Stage) -> None:
    for _ in range(12):
        drive(stage, 114.03, 0, speed=0)
    assert [w.entity for w in stage.warnings("hazmat.stopped")] == ["tanker"]
    assert stage.warnings("hazmat.signal_lost") == []
    stage.wait(timedelta(minutes=31))
    (warning,) = stage.warnings("hazmat.signal_lost")
    assert warning.level == "yellow"


def test_the_first_morning_of_the_simulated_tankers_holds_a_detour_and_a_stop(tmp_path: Any) -> None:
    demo = ROOT / "cities" / "demo"
    kinds = ("HazmatVehicle", "HazmatRoute", "HazmatZone")
    entities = {kind: list(csv.DictReader((demo / f"entities/{kind}.csv").open(encoding="utf-8"))) for kind in kinds}
    rows = pl.read_parquet(demo / "series/hazmat-positions.parquet")
    morning = rows.filter(pl.col("time") < START + timedelta(minutes=30))
    stage = Stage(tmp_path, "hazmat", START - timedelta(hours=2), entities)
    try:
        for (minute,), part in morning.group_by("time", maintain_order=True):
            assert isinstance(minute, datetime)
            stage.clock.set(minute)
            stage.send("hazmat-positions", *part.with_columns(pl.col("time").dt.to_string("iso:strict")).to_dicts())
        (detour,) = stage.warnings("hazmat.off_route")
        # 07:23 in the city; it swings aside within the minute.
        assert (detour.entity, detour.raised_at) == ("H3", START - timedelta(minutes=37))
        assert [warning.entity for warning in stage.warnings("hazmat.stopped")] == ["H5"]
    finally:
        stage.close()
