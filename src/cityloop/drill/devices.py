"""Devices that nobody owns: they take orders, answer, change their state and report it as any device would.

``devices.yaml`` of a city says what each kind does on each command; a device may be of an ill temper, so that a drill
and the tests meet what happens in the field: one that is slow, deaf, lying or flapping. They carry an order out once,
whatever is sent again.
"""

from __future__ import annotations

import json
import threading
from collections import defaultdict
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Literal, Protocol

from cityloop.access.actor import SYSTEM, Actor
from cityloop.command.declarations import Feel, Id, Span, span
from cityloop.command.wires import Answer, Heard, Message
from cityloop.core.clock import Clock
from cityloop.core.content import load
from cityloop.core.values import Frozen
from cityloop.drill.vehicle import Driving, Vehicle
from cityloop.feel import expression
from cityloop.standard.batch import EntityCard

FILE = "devices.yaml"
Temper = Literal["normal", "slow", "deaf", "lying", "flapping"]
ANSWER: Mapping[Temper, timedelta] = {
    "normal": timedelta(seconds=2),
    "slow": timedelta(seconds=150),
    "lying": timedelta(seconds=2),
    "flapping": timedelta(seconds=2),
}
"""After so long it says that it has the order; a deaf one never does."""
ACT = timedelta(seconds=4)
"""So long after its answer it has carried the order out."""
FLAP = timedelta(seconds=15)
"""So long the effect lasts on one that flaps."""
Plain = bool | int | float | str


class Reaction(Frozen):
    """What a command does to the state. A text that begins with ``=`` is FEEL over ``state`` and ``parameters``."""

    state: dict[Id, Plain]
    after: Feel | None = None
    """Seconds after which ``then`` follows by itself."""
    then: dict[Id, Plain] = {}


class DeviceKind(Frozen):
    """The simulated devices of one entity type: all entities of the directory, or those of ``entities`` alone."""

    entity_type: str
    feed: str
    key: str
    """Field of the feed that names the entity."""
    every: Span | None = "15m"
    """They report so often, and whenever something changes; ``None``: only then."""
    state: dict[Id, Plain]
    entities: dict[str, dict[Id, Plain]] = {}
    """Where one begins otherwise."""
    tempers: dict[str, Temper] = {}
    reactions: dict[Id, Reaction] = {}
    driving: Driving | None = None
    """They are vehicles, and move."""


class DevicesFile(Frozen):
    """``devices.yaml``."""

    devices: tuple[DeviceKind, ...] = ()


class Reports(Protocol):
    """What the field needs of the collector."""

    def known(self, entity_type: str) -> Mapping[str, EntityCard]:
        """All entities of a type."""
        ...

    def latest(self, entity_type: str, entity: str) -> tuple[datetime | None, Mapping[str, Any]]:
        """The newest values."""
        ...

    def push(self, actor: Actor, feed: str, body: bytes, content_type: str) -> Any:
        """Take records in."""
        ...


class SimulatedDevice:
    """One device. Pure but for its own memory: every step is given the time."""

    def __init__(self, kind: DeviceKind, entity: str, state: Mapping[str, Any]) -> None:
        self.kind, self.entity = kind, entity
        self.temper: Temper = kind.tempers.get(entity, "normal")
        self.state = dict(state)
        self.carried_out = 0
        """Orders that had an effect; the same key counts once."""
        self._keys: set[str] = set()
        self._agenda: list[tuple[datetime, int, Callable[[], Answer | None]]] = []

    def take(self, message: Message, now: datetime) -> None:
        """An order has arrived."""
        if self.temper == "deaf":
            return
        at = now + ANSWER[self.temper]
        known = message.key in self._keys
        self._keys.add(message.key)
        refusal = self._refusal(message, now, known)
        state: Literal["acknowledged", "refused", "done"] = "refused" if refusal else "acknowledged"
        self._plan(at, lambda: Answer(id=message.id, state=state, reason=refusal))
        if refusal or known:
            return
        if self.temper == "lying":
            self._plan(at + ACT, lambda: Answer(id=message.id, state="done"))
        else:
            self._plan(at + ACT, lambda: self._carry_out(message, at + ACT))

    def step(self, now: datetime) -> tuple[list[Answer], bool]:
        """What is due by ``now``: its answers, and whether its state changed."""
        before, answers = dict(self.state), []
        while self._agenda and self._agenda[0][0] <= now:
            told = self._agenda.pop(0)[2]()
            if told is not None:
                answers.append(told)
        return answers, self.state != before

    def _refusal(self, message: Message, now: datetime, known: bool) -> str:
        if message.command not in self.kind.reactions:
            return f"unknown command {message.command}"
        return "expired" if message.expires <= now and not known else ""

    def _carry_out(self, message: Message, now: datetime) -> Answer:
        reaction, before = self.kind.reactions[message.command], dict(self.state)
        read = {"state": before, "parameters": dict(message.parameters)}
        self.state |= {name: _value(text, read) for name, text in reaction.state.items()}
        self.carried_out += 1
        if self.temper == "flapping":
            self._plan(now + FLAP, lambda: self._become(before))
        if reaction.after is not None:
            seconds = float(expression(reaction.after).value(read) or 0)
            then = {name: _value(text, read) for name, text in reaction.then.items()}
            self._plan(now + timedelta(seconds=seconds), lambda: self._become(then))
        return Answer(id=message.id, state="done")

    def _become(self, state: Mapping[str, Any]) -> None:
        self.state |= state

    def _plan(self, at: datetime, act: Callable[[], Answer | None]) -> None:
        self._agenda.append((at, len(self._agenda), act))
        self._agenda.sort(key=lambda item: item[:2])


class SimulatedVehicle(SimulatedDevice):
    """A device that also drives by itself; without a link it neither hears nor reports."""

    def __init__(self, kind: DeviceKind, entity: str, state: Mapping[str, Any]) -> None:
        super().__init__(kind, entity, state)
        assert kind.driving is not None
        self.vehicle = Vehicle(kind.driving, self.state)

    def take(self, message: Message, now: datetime) -> None:
        if self.vehicle.linked:
            super().take(message, now)

    def step(self, now: datetime) -> tuple[list[Answer], bool]:
        answers, changed = super().step(now)
        moved = self.vehicle.step(now)
        return (answers, changed or moved) if self.vehicle.linked else ([], False)


class Field:
    """All simulated devices of a city, as the wire that reaches them: what a broker and real devices would be."""

    def __init__(self, kinds: tuple[DeviceKind, ...], reports: Reports, clock: Clock) -> None:
        self._kinds, self._reports, self._clock = kinds, reports, clock
        self._heard: Heard = lambda _: None
        self._turn = threading.Lock()
        self._reported: dict[str, datetime] = {}
        self.devices: dict[tuple[str, str], SimulatedDevice] = {}
        for kind in kinds:
            for entity in kind.entities or reports.known(kind.entity_type):
                _, seen = reports.latest(kind.entity_type, entity)
                kept = {name: value for name, value in seen.items() if value is not None and name in kind.state}
                state = {**kind.state, **kind.entities.get(entity, {}), **kept}
                made = SimulatedVehicle if kind.driving else SimulatedDevice
                self.devices[kind.entity_type, entity] = made(kind, entity, state)

    @property
    def trouble(self) -> str:
        """It never fails."""
        return ""

    def start(self, heard: Heard) -> None:
        """Answers go to ``heard`` at every step."""
        self._heard = heard

    def stop(self) -> None:
        """Nothing runs by itself."""

    def send(self, message: Message) -> Answer | None:
        """An order reaches its device, or nobody."""
        device = self.devices.get((message.entity_type, message.entity))
        with self._turn:
            if device is not None:
                device.take(message, self._clock.now())
        return None

    def step(self, now: datetime) -> int:
        """Let time pass in the field; returns how many states were reported."""
        answers: list[Answer] = []
        records: dict[str, list[dict[str, Any]]] = defaultdict(list)
        with self._turn:
            for kind in self._kinds:
                due = self._due(kind, now)
                for device in (one for one in self.devices.values() if one.kind is kind):
                    told, changed = device.step(now)
                    answers += told
                    silent = isinstance(device, SimulatedVehicle) and not device.vehicle.linked
                    if (due or changed) and not silent:
                        record = {kind.key: device.entity, "time": now.isoformat(), **device.state}
                        records[kind.feed].append(record)
        for answer in answers:
            self._heard(answer)
        for feed, rows in records.items():
            self._reports.push(SYSTEM, feed, json.dumps(rows).encode(), "application/json")
        return sum(map(len, records.values()))

    def _due(self, kind: DeviceKind, now: datetime) -> bool:
        """Whether all devices of a kind report now."""
        last = self._reported.get(kind.entity_type)
        if kind.every is None or (last is not None and now - last < span(kind.every)):
            return False
        self._reported[kind.entity_type] = now
        return True


def load_field(city: Path, reports: Reports, clock: Clock) -> Field | None:
    """The simulated devices of a city; ``None`` without ``devices.yaml``. Raises :class:`ContentError`."""
    path = city / FILE
    return Field(load(path, DevicesFile).devices, reports, clock) if path.is_file() else None


def _value(text: Plain, read: Mapping[str, Any]) -> Any:
    if not isinstance(text, str) or not text.startswith("="):
        return text
    found = expression(text[1:]).value(read)
    return found if isinstance(found, (bool, str)) or found is None else float(found)
