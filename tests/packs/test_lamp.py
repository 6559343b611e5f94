"""The lamp pack: one pole with many streams; a dead pole mutes its sensors, a dark one is told at night only."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.collect.small_town import STEWARD
from tests.packs.stage import Stage

EVENING = datetime(2026, 3, 9, 20, 0, tzinfo=UTC)
"""By the stage's clock, which has no zone of its own."""
POLES = ("p1", "p2")


@pytest.fixture
def stage(tmp_path: Any) -> Iterator[Stage]:
    stage = Stage(tmp_path, "lamp", EVENING, {"LampPole": [{"id": name, "lon": 114.0, "lat": 22.5} for name in POLES]})
    yield stage
    stage.close()


def report(stage: Stage, times: int, control: tuple[str, ...] = POLES, sensors: tuple[str, ...] = POLES) -> None:
    """Reports of a quarter of an hour each; p2 draws no power."""
    for _ in range(times):
        stage.wait(timedelta(minutes=15))
        at = stage.clock.now().isoformat()
        lamps = [
            {"pole": n, "time": at, "power": 118 if n == "p1" else 0, "voltage": 226, "dimming": 100} for n in control
        ]
        air = [{"pole": n, "time": at, "pm25": 40, "noise": 58.5, "temperature": 18, "vehicles": 900} for n in sensors]
        if lamps:
            stage.send("lamp-control", *lamps)
        if air:
            stage.send("lamp-sensors", *air)


def test_the_streams_of_a_pole_stand_together(stage: Stage) -> None:
    report(stage, 1)
    view = stage.town.collector.entity(STEWARD, "p1")
    assert (view.values["power"], view.values["noise"]) == (118, 58.5)


def test_a_dead_pole_is_one_warning_and_its_sensors_are_muted(stage: Stage) -> None:
    report(stage, 2)
    report(stage, 6, control=("p2",), sensors=("p2",))
    (dead,) = stage.warnings("lamp.pole_dead")
    (silent,) = stage.warnings("lamp.sensor_silent")
    assert (dead.entity, dead.muted) == ("p1", None)
    assert silent.entity == "p1"
    assert silent.muted


def test_sensors_that_fail_alone_are_told(stage: Stage) -> None:
    report(stage, 2)
    report(stage, 5, sensors=("p2",))
    assert stage.warnings("lamp.pole_dead") == []
    (silent,) = stage.warnings("lamp.sensor_silent")
    assert (silent.entity, silent.muted) == ("p1", None)


def test_a_dark_lamp_and_a_loud_night_are_told(stage: Stage) -> None:
    report(stage, 14)
    assert [w.entity for w in stage.warnings("lamp.dark_at_night")] == ["p2"]
    assert {(w.entity, w.level) for w in stage.warnings("lamp.noise_at_night")} == {("p1", "blue"), ("p2", "blue")}
    assert stage.warnings("lamp.lit_by_day") == []
