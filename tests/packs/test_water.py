"""The water pack on the storm of the demo's first morning: rain, water on the road, and a sensor that falls silent."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from tests.packs.stage import ROOT, Stage

DAWN = datetime(2026, 3, 8, 22, 30, tzinfo=UTC)


@pytest.fixture(scope="module")
def storm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """Three hours of one sensor, as the demo replays them."""
    entities = {"WaterLevelSensor": [{"id": "W2", "lon": 114.012, "lat": 22.682}]}
    stage = Stage(tmp_path_factory.mktemp("water"), "water", DAWN, entities)
    rows = pl.read_parquet(ROOT / "cities/demo/series/water-levels.parquet").filter(pl.col("sensor") == "W2")
    for row in rows.filter(pl.col("time").is_between(DAWN, DAWN + timedelta(hours=3, minutes=15))).to_dicts():
        stage.clock.set(row["time"])
        stage.send("water-levels", row | {"time": row["time"].isoformat()})
        stage.watch.tick(stage.clock.now())
    yield stage
    stage.close()


def test_water_on_the_road_is_said_in_time_and_ends_when_it_is_gone(storm: Stage) -> None:
    (warning,) = storm.warnings("water.waterlogging")
    assert (warning.peak, warning.status) == ("yellow", "cleared")
    assert warning.raised_at == datetime(2026, 3, 8, 23, 0, tzinfo=UTC)
    assert warning.cleared_at is not None
    assert warning.cleared_at - warning.raised_at < timedelta(hours=2)


def test_the_rain_is_said_beside_the_water(storm: Stage) -> None:
    (warning,) = storm.warnings("water.heavy_rain")
    assert warning.level == "blue" or warning.peak == "blue"


def test_a_sensor_that_falls_silent_is_missed(storm: Stage) -> None:
    assert storm.warnings("water.sensor_silent") == []
    storm.wait(timedelta(minutes=45))
    (warning,) = storm.warnings("water.sensor_silent")
    assert warning.level == "yellow"
