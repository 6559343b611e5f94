"""Pushing records: from bytes to durable rows, latest values and listeners."""

from __future__ import annotations

from datetime import UTC, datetime

from cityloop.standard.batch import ObservationBatch
from tests.collect.small_town import STEWARD, Town, air


def test_a_pushed_record_is_durable_known_and_heard_when_the_push_is_answered(town: Town) -> None:
    heard: list[ObservationBatch] = []
    town.collector.on_committed.append(heard.append)

    receipt = town.push([air(**{"PM2.5": 88.5, "wd": "NW"}), air("1002A")])

    assert (receipt.received, receipt.accepted, receipt.quarantined, receipt.duplicate) == (2, 2, 0, 0)
    rows = town.lake.query("SELECT * FROM AirQualityStation ORDER BY entity", ["AirQualityStation"]).to_pylist()
    assert [row["entity"] for row in rows] == ["1001A", "1002A"]
    assert rows[0]["observed_at"] == datetime(2026, 3, 9, 3, tzinfo=UTC)
    assert rows[0]["record"] == f"{receipt.batch}:0"
    assert (rows[0]["area"], rows[0]["pm2_5"], rows[0]["wind_direction"]) == ("440304000000001", 88.5, "NW")
    assert heard[0].rows.num_rows == 2
    assert heard[0].version == town.lake.version("AirQualityStation")
    assert town.collector.entity(STEWARD, "1001A").values["pm2_5"] == 88.5
