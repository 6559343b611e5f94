"""A small field of devices: the real declarations of the packs, a directory, latest values, and simulated devices."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from cityloop.access.actor import SYSTEM, Actor
from cityloop.access.audit import Audit
from cityloop.access.door import Door
from cityloop.access.policy import Policy, Post, Sight
from cityloop.command.content import Known, load_commands
from cityloop.command.declarations import Device
from cityloop.command.schemas import CommandState, CommandView, Order
from cityloop.command.service import Commander
from cityloop.command.wires import Wire
from cityloop.core.clock import ManualClock
from cityloop.core.content import load
from cityloop.core.database import Database
from cityloop.core.ids import new_id
from cityloop.core.outbox import Outbox
from cityloop.core.values import Title
from cityloop.drill.devices import DeviceKind, DevicesFile, Field, Temper
from cityloop.standard.batch import EntityCard
from cityloop.standard.service import Standard

ROOT = Path(__file__).parents[2]
PACKS = [ROOT / "packs" / name for name in ("air", "traffic", "metro", "water", "lamp", "sanitation")]
NOON = datetime(2026, 3, 9, 4, 0, tzinfo=UTC)
_ALL, _OWN = {"command": Sight()}, {"command": Sight(rows=("own_department",))}
_BOTH = ("command.order", "command.confirm")


def _post(name: str, may: tuple[str, ...] = (), sees: Mapping[str, Sight] | None = None) -> Post:
    return Post(title=Title(zh=name, en=name), may=may, sees=dict(sees or {}))


POLICY = Policy(
    posts={
        "department": _post("department", _BOTH, _OWN),
        "handler": _post("handler", ("command.order",), _OWN),
        "shift_leader": _post("shift_leader", _BOTH, _ALL),
        "leader": _post("leader", _BOTH, _ALL),
        "dispatcher": _post("dispatcher", ("command.order",), _ALL),
        "analyst": _post("analyst", (), _ALL),
        "collector": _post("collector"),
    }
)


def person(name: str, post: str, department: str = "centre") -> Actor:
    return Actor(id=name, name=Title(zh=name, en=name), posts=(post,), department=department)


WATER, POLICE = person("he", "department", "water"), person("sun", "department", "police")
ENVIRONMENT, SANITATION = person("li", "department", "environment"), person("zhou", "department", "sanitation")
SHIFT, LEADER = person("wang", "shift_leader"), person("gao", "leader")
ANALYST, COLLECTOR = person("yue", "analyst"), person("chen", "collector")


@cache
def declared() -> dict[str, Device]:
    departments = ("environment", "police", "transport", "water", "urban", "sanitation")
    return load_commands(PACKS, Known(Standard.load(PACKS), departments, tuple(POLICY.posts)))


@cache
def simulated() -> tuple[DeviceKind, ...]:
    return load(ROOT / "cities/demo/devices.yaml", DevicesFile).devices


@dataclass
class Register:
    """The directory and the latest values, as a collector would have them."""

    cards: dict[str, dict[str, EntityCard]] = field(default_factory=dict)
    values: dict[tuple[str, str], tuple[datetime, dict[str, Any]]] = field(default_factory=dict)
    hears: list[Commander] = field(default_factory=list)

    def add(self, kind: str, entity: str, **attributes: str) -> None:
        card = EntityCard(entity, kind, Title(zh=entity, en=entity), area="440304000000001", attributes=attributes)
        self.cards.setdefault(kind, {})[entity] = card

    def see(self, kind: str, entity: str, at: datetime, **values: Any) -> None:
        _, old = self.values.get((kind, entity), (at, {}))
        self.values[kind, entity] = (at, {**old, **values})
        for commander in self.hears:
            commander.observed(kind)

    def describe(self, entity_type: str, entity: str) -> EntityCard | None:
        return self.known(entity_type).get(entity)

    def known(self, entity_type: str) -> Mapping[str, EntityCard]:
        return self.cards.get(entity_type, {})

    def latest(self, entity_type: str, entity: str) -> tuple[datetime | None, Mapping[str, Any]]:
        return self.values.get((entity_type, entity), (None, {}))

    def owner_of(self, entity: str) -> str | None:
        return None

    def push(self, actor: Actor, feed: str, body: bytes, content_type: str) -> None:
        kind = next(kind for kind in simulated() if kind.feed == feed)
        for record in json.loads(body):
            entity, at = record.pop(kind.key), datetime.fromisoformat(record.pop("time"))
            self.see(kind.entity_type, entity, at, **record)


def directory() -> Register:
    found = Register()
    for signal, conflicts in (("T1", "T2"), ("T2", "T1"), ("T3", "")):
        found.add("TrafficSignal", signal, conflicts=conflicts)
    for name, column in (("Pump", "P1"), ("RoadBarrier", "B1")):
        found.add(name, column, sensor="W1")
    found.add("WaterLevelSensor", "W1")
    found.add("MessageSign", "V1")
    for source in ("E1", "E2", "E3"):
        found.add("EmissionSource", source, monitor="S1")
    found.add("AirQualityStation", "S1")
    found.add("MetroGate", "G1")
    found.add("LampPole", "L1")
    for vehicle in ("A1", "A3"):
        found.add("SanitationVehicle", vehicle)
    return found


class Town:
    """A commander over a database of its own, its simulated devices, and a clock that is set."""

    def __init__(self, folder: Path, register: Register | None = None, wires: Mapping[str, Wire] | None = None) -> None:
        self.clock = ManualClock(NOON)
        self.register = register or directory()
        kinds = [kind.model_copy(update={"tempers": {}}) for kind in simulated()]
        self.field = Field(
            tuple(kind.model_copy(update={"entities": self._entities(kind)}) for kind in kinds),
            self.register,
            self.clock,
        )
        self.database = Database(f"sqlite:///{folder / 'city.db'}", "OFF")
        self.database.create()
        self.outbox, self.door = Outbox(self.database), Door(POLICY)
        self.audit = Audit(self.database)
        self.wires: Mapping[str, Wire] = {"mqtt": self.field, "http": self.field} if wires is None else wires
        self.commander = self.open()
        self.field.step(NOON)

    def open(self) -> Commander:
        """A commander, as a new process would make it."""
        made = Commander(
            declared(),
            wires=self.wires,
            observed=self.register,
            database=self.database,
            outbox=self.outbox,
            door=self.door,
            audit=self.audit,
            clock=self.clock,
        )
        made.start()
        self.register.hears = [made]
        self.commander = made
        return made

    def _entities(self, kind: DeviceKind) -> dict[str, dict[str, Any]]:
        return {one: kind.entities.get(one, {}) for one in self.register.known(kind.entity_type)}

    def temper(self, kind: str, entity: str, temper: Temper) -> None:
        self.field.devices[kind, entity].temper = temper

    def order(self, actor: Actor, entity_type: str, entity: str, command: str, **parameters: Any) -> CommandView:
        return self.commander.order(order(entity_type, entity, command, **parameters), actor)

    def wait(self, span: timedelta, step: timedelta = timedelta(seconds=5)) -> None:
        until = self.clock.now() + span
        while self.clock.now() < until:
            self.clock.advance(step)
            self.field.step(self.clock.now())
            self.commander.tick(self.clock.now())

    def state(self, command: str) -> CommandState:
        return self.commander.get(SYSTEM, command).command.state

    def events(self) -> list[str]:
        return [event.type.removeprefix("cityloop.command.") for event in self.outbox.after(0)]

    def close(self) -> None:
        self.commander.stop()
        self.database.close()


def order(entity_type: str, entity: str, command: str, **parameters: Any) -> Order:
    extra = {
        name: parameters.pop(f"_{name}")
        for name in ("key", "level", "expires", "exercise", "run")
        if f"_{name}" in parameters
    }
    return Order(
        **{
            "entity_type": entity_type,
            "entity": entity,
            "command": command,
            "parameters": parameters,
            "reason": "测试",
            "key": new_id("key"),
            **extra,
        }
    )
