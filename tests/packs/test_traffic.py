"""The traffic pack on measured roads of Minnesota and on an accident that was made for the test."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.packs.stage import Stage

START = datetime(2026, 3, 9, 0, 0, tzinfo=UTC)


@pytest.fixture
def stage(tmp_path: Any) -> Iterator[Stage]:
    stage = Stage(tmp_path, "traffic", START, {"RoadSegment": [{"id": "a1", "lon": 114.0, "lat": 22.5}]})
    yield stage
    stage.close()


def pass_by(stage: Stage, *speeds: float) -> None:
    """Readings in miles an hour, five minutes from one to the next; free flow is 60."""
    for speed in speeds:
        stage.wait(timedelta(minutes=5))
        at = stage.clock.now().isoformat()
        stage.send(
            "road-speeds",
            {"segment": "a1", "time": at, "speed": speed, "free_flow": 60, "speed_unit": "[mi_i]/h", "occupancy": 7},
        )


def test_speeds_come_to_the_unit_of_the_standard_and_to_a_share_of_free_flow(stage: Stage) -> None:
    pass_by(stage, 30)
    (row,) = stage.rows("RoadSegment")
    assert (row["speed"], row["speed_share"]) == (pytest.approx(48.28, abs=0.01), 50)


def test_a_sudden_drop_is_an_incident_and_congestion(stage: Stage) -> None:
    pass_by(stage, 60, 61, 58, 12, 10, 9, 11)
    (incident,) = stage.warnings("traffic.incident")
    assert (incident.level, incident.matter) == ("orange", "traffic:matter:10903")
    (jam,) = stage.warnings("traffic.congestion")
    assert jam.level in ("orange", "red")


def test_congestion_that_builds_up_is_no_incident(stage: Stage) -> None:
    pass_by(stage, *range(60, 10, -4))
    assert stage.warnings("traffic.congestion")
    assert stage.warnings("traffic.incident") == []


def test_without_a_model_nothing_is_foretold(stage: Stage) -> None:
    pass_by(stage, 60, 50, 40, 30)
    assert stage.warnings("traffic.congestion_ahead") == []


def test_a_lost_and_a_stuck_detector_are_told(stage: Stage) -> None:
    pass_by(stage, *[55] * 26)
    assert stage.warnings("traffic.sensor_stuck")
    stage.wait(timedelta(minutes=35))
    (silent,) = stage.warnings("traffic.sensor_silent")
    assert silent.level == "blue"
