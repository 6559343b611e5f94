"""The air pack on the two weeks that were measured in Beijing: the index by both editions, outliers, silence."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl
import pytest

from tests.packs.stage import ROOT, Stage

MIDNIGHT = datetime(2026, 3, 9, 0, 0, tzinfo=UTC)
STATIONS = [f"{1001 + n}A" for n in range(12)]


def hourly() -> list[list[dict[str, Any]]]:
    """Two days of the demo's series, hour by hour, as the gateway sends them."""
    rows = pl.read_parquet(ROOT / "cities/demo/series/air-hourly.parquet")
    rows = rows.filter(pl.col("time") < MIDNIGHT + timedelta(days=2))
    rows = rows.with_columns(pl.col("time").dt.to_string("iso:strict"))
    return [part.to_dicts() for part in rows.partition_by("time", maintain_order=True)]


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """Two measured days; from noon on the first station shows four times what it should."""
    entities = [{"id": name, "lon": 114.0, "lat": 22.5} for name in STATIONS]
    stage = Stage(tmp_path_factory.mktemp("air"), "air", MIDNIGHT, {"AirQualityStation": entities})
    for hour in hourly():
        now = datetime.fromisoformat(hour[0]["time"])
        for record in hour:
            if record["station"] == STATIONS[0] and now >= MIDNIGHT + timedelta(hours=4) and record["PM2.5"]:
                record["PM2.5"] = 4 * record["PM2.5"] + 60
        stage.clock.set(max(now, MIDNIGHT))
        stage.send("air-hourly", *hour)
        stage.watch.tick(stage.clock.now())
    yield stage
    stage.close()


def test_every_record_has_the_index_of_the_edition_in_force(played: Stage) -> None:
    rows = [row for row in played.rows("AirQualityStation") if row["pm2_5"] is not None]
    assert {row["aqi_edition"] for row in rows} == {"hj633-2026"}
    assert all(row["aqi"] >= 50 for row in rows if row["pm2_5"] >= 35)
    assert any(row["aqi_leading"] == "pm2_5" for row in rows)


def test_a_polluted_day_is_said_by_the_index_and_by_the_pollutant(played: Stage) -> None:
    assert len(played.warnings("air.aqi_hourly")) >= 5
    assert {w.level for w in played.warnings("air.pm2_5_hourly")} <= {"blue", "yellow", "orange", "red"}


def test_the_station_that_reads_too_high_is_told_from_an_episode_of_all(played: Stage) -> None:
    (warning,) = played.warnings("air.station_reads_high")
    assert warning.entity == STATIONS[0]
    assert played.warnings("air.station_reads_low") == []


def test_a_station_that_falls_silent_is_missed_after_three_hours(played: Stage) -> None:
    assert played.warnings("air.station_silent") == []
    for _ in range(4):
        played.wait(timedelta(hours=1))
    assert {warning.entity for warning in played.warnings("air.station_silent")} == set(STATIONS)
