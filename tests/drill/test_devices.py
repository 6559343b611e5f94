"""Simulated devices: each temper as it is declared, and a vehicle that stops by itself when it must."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from cityloop.command.wires import Message
from cityloop.drill.devices import DeviceKind, Reaction, SimulatedDevice, SimulatedVehicle, Temper
from cityloop.drill.vehicle import Driving, Incident

NOON = datetime(2026, 3, 9, 4, 0, tzinfo=UTC)
KIND = DeviceKind(
    entity_type="Pump",
    feed="pump-states",
    key="pump",
    state={"running": False},
    reactions={
        "start": Reaction(state={"running": True}),
        "pulse": Reaction(state={"running": True}, after="parameters.seconds", then={"running": False}),
    },
)
CAR = DeviceKind(
    entity_type="SanitationVehicle",
    feed="vehicle-states",
    key="vehicle",
    state={},
    driving=Driving(),
    reactions={"stop": Reaction(state={"state": "stopped"}), "take_over": Reaction(state={"state": "manual"})},
)
ON_DUTY = {
    "lon": 114.0,
    "lat": 22.5,
    "state": "working",
    "speed": 8,
    "battery": 60,
    "obstacle": False,
    "inside_fence": True,
}


def message(key: str = "k", command: str = "start", **parameters: Any) -> Message:
    return Message(f"cmd_{key}", key, "Pump", "P1", command, parameters, NOON + timedelta(minutes=10))


def device(temper: Temper) -> SimulatedDevice:
    made = SimulatedDevice(KIND, "P1", {"running": False})
    made.temper = temper
    return made


@pytest.mark.parametrize(
    ("temper", "answers", "running"),
    [
        ("normal", ["acknowledged", "done"], True),
        ("slow", [], False),
        ("deaf", [], False),
        ("lying", ["acknowledged", "done"], False),
        ("flapping", ["acknowledged", "done"], False),
    ],
)
def test_a_minute_after_the_order(temper: Temper, answers: list[str], running: bool) -> None:
    one = device(temper)
    one.take(message(), NOON)
    told = [answer.state for second in range(61) for answer in one.step(NOON + timedelta(seconds=second))[0]]
    assert (told, one.state["running"]) == (answers, running)


def test_what_is_sent_again_is_answered_again_and_done_once() -> None:
    one = device("normal")
    for _ in range(3):
        one.take(message(), NOON)
    told, _ = one.step(NOON + timedelta(minutes=1))
    assert [answer.state for answer in told].count("acknowledged") == 3 and one.carried_out == 1


def test_a_late_or_unknown_order_is_refused() -> None:
    one = device("normal")
    one.take(message("late"), NOON + timedelta(minutes=11))
    one.take(message("odd", "fly"), NOON)
    assert [answer.state for answer in one.step(NOON + timedelta(minutes=12))[0]] == ["refused", "refused"]


def test_what_follows_by_itself_follows_after_its_seconds() -> None:
    one = device("normal")
    one.take(message(command="pulse", seconds=30), NOON)
    one.step(NOON + timedelta(seconds=10))
    assert one.state["running"]
    one.step(NOON + timedelta(seconds=40))
    assert not one.state["running"]


@pytest.mark.parametrize(
    ("incident", "state"),
    [("obstacle", "stopped"), ("geofence", "stopped"), ("lost_link", "stopped"), ("low_battery", "returning")],
)
def test_a_vehicle_does_by_itself_what_is_safe(incident: Incident, state: str) -> None:
    car = SimulatedVehicle(CAR, "A1", ON_DUTY)
    car.step(NOON)
    car.vehicle.meet(incident, NOON)
    car.step(NOON + timedelta(seconds=31))
    assert car.state["state"] == state
    car.vehicle.clear(incident)
    car.step(NOON + timedelta(seconds=32))
    assert car.state["state"] == ("idle" if incident == "low_battery" else state)


def test_a_vehicle_without_link_neither_hears_nor_reports() -> None:
    car = SimulatedVehicle(CAR, "A1", ON_DUTY)
    car.step(NOON)
    car.vehicle.meet("lost_link", NOON)
    car.take(message(command="take_over"), NOON)
    assert car.step(NOON + timedelta(minutes=1)) == ([], False)
    assert car.state["state"] == "stopped"


def test_stop_and_take_over_are_obeyed_at_work() -> None:
    car = SimulatedVehicle(CAR, "A1", ON_DUTY)
    car.step(NOON)
    car.step(NOON + timedelta(minutes=5))
    assert (car.state["lon"], car.state["lat"]) != (114.0, 22.5) and car.state["battery"] < 60
    for command, state in (("stop", "stopped"), ("take_over", "manual")):
        car.take(message(command, command), NOON + timedelta(minutes=5))
        car.step(NOON + timedelta(minutes=6))
        assert (car.state["state"], car.state["speed"]) == (state, 0)
