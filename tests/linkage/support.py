"""The room of linkage over one database, with plans held in memory and services that write down what was asked."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any

from cityloop.access.actor import Actor
from cityloop.access.audit import Audit
from cityloop.access.door import Door
from cityloop.city.service import City
from cityloop.core.clock import ManualClock
from cityloop.core.database import Database, Transaction
from cityloop.core.errors import Conflict, NotFound, Problem
from cityloop.core.outbox import Outbox, Relay
from cityloop.core.values import Title
from cityloop.core.web import Paging
from cityloop.linkage.answering import ANSWERS
from cityloop.linkage.drawing import read
from cityloop.linkage.ports import Answered, Later, Occasion, PlanSource
from cityloop.linkage.schemas import NewRun, RunDetail, RunTaskView, TaskFilter
from cityloop.linkage.service import Linkage, engine_of, open_linkage
from cityloop.linkage.starting import STARTERS

CITY = Path(__file__).parents[2] / "cities" / "demo"
MONDAY = datetime(2026, 3, 9, 1, 0, tzinfo=UTC)
"""09:00 on a working Monday in Shenzhen."""
DISTRICT = "440304"
DONE = "test.effect"
FIRST = Paging(page=1, size=50, sort="")


def person(id: str, *posts: str, department: str | None = None) -> Actor:
    """An account at these posts."""
    return Actor(id=id, name=Title(zh=id, en=id), posts=posts, department=department)


LEAD = person("lead", "shift_leader", department="centre")
LEADER = person("boss", "leader")
WATER = person("wang", "department", department="water")
WATER_TOO = person("li", "department", department="water")
POLICE = person("jing", "department", department="police")
STEWARD = person("shuju", "steward")
PEOPLE = {actor.id: actor for actor in (LEAD, LEADER, WATER, WATER_TOO, POLICE, STEWARD)}


class Shelf:
    """Versions of plans in memory."""

    def __init__(self, *xmls: str) -> None:
        self.versions: dict[tuple[str, int], PlanSource] = {}
        for xml in xmls:
            self.put(xml)

    def put(self, xml: str) -> PlanSource:
        """A new version in force."""
        drawing = read(xml)
        number = 1 + max((v for plan, v in self.versions if plan == drawing.id), default=0)
        source = PlanSource(drawing.id, number, xml, drawing.title, "test")
        self.versions[drawing.id, number] = source
        return source

    def in_force(self) -> list[PlanSource]:
        newest = dict(sorted(self.versions))
        return [self.versions[key] for key in newest.items()]

    def current(self, plan: str) -> PlanSource:
        found = [source for source in self.in_force() if source.plan == plan]
        if not found:
            raise NotFound(f"there is no plan '{plan}'")
        return found[0]

    def version(self, plan: str, version: int) -> PlanSource:
        return self.versions[plan, version]


class Ledger(list[tuple[str, str, Mapping[str, Any]]]):
    """What happened in the world: which service, under which key, with which inputs."""

    def keys(self, service: str) -> list[str]:
        return [key for name, key, _ in self if name == service]


@dataclass
class Inside:
    """A service of the house. It counts in the outbox of the same database: a lost commit is a lost effect."""

    name: str
    outbox: Outbox
    waits: bool = False
    refuses: int = 0
    later: int = 0
    result: Any = None
    undone: list[str] = field(default_factory=list)

    def do(self, tx: Transaction, inputs: Mapping[str, Any], occasion: Occasion) -> Answered:
        if self.later:
            self.later -= 1
            raise Later("nobody answers")
        if self.refuses:
            self.refuses -= 1
            raise Conflict("the device says no", "ask again")
        told = {"service": self.name, "inputs": dict(inputs)}
        self.outbox.record(tx, DONE, occasion.effect, occasion.now, told)
        return Answered(self.result or {"ok": True}, f"{self.name}-{occasion.effect}", waits=self.waits)

    def undo(
        self, tx: Transaction, effect: Answered, inputs: Mapping[str, Any], actor: Actor, occasion: Occasion
    ) -> Title:
        self.undone.append(str(effect.reference))
        return Title(zh="已收回", en="taken back")


@dataclass
class Outer:
    """A system outside of the house that counts each key once, as receivers of idempotency keys do."""

    ledger: Ledger
    calls: int = 0

    def call(self, inputs: Mapping[str, Any], occasion: Occasion) -> Answered:
        self.calls += 1
        if occasion.effect not in self.ledger.keys("webhook"):
            self.ledger.append(("webhook", occasion.effect, dict(inputs)))
        return Answered({"status": 200})

    def recall(self, effect: Answered, inputs: Mapping[str, Any], actor: Actor, occasion: Occasion) -> Title:
        raise Conflict("the receiver takes nothing back")


class Accounts:
    """Accounts by id."""

    def get(self, account: str) -> Actor:
        if account not in PEOPLE:
            raise NotFound(f"there is no account '{account}'")
        return PEOPLE[account]


@dataclass
class Room:
    """The room of linkage and what the test holds of it."""

    database: Database
    outbox: Outbox
    clock: ManualClock
    shelf: Shelf
    linkage: Linkage
    relay: Relay
    services: dict[str, Inside]
    outer: Outer
    open_warnings: set[str]
    door: Door

    @property
    def ledger(self) -> Ledger:
        """What happened in the world, inside of the house and outside."""
        done = [event for event in self.outbox.after(0, 100_000) if event.type == DONE]
        inside = [(event.data["service"], event.subject, event.data["inputs"]) for event in done]
        return Ledger([*inside, *self.outer.ledger])

    def start(self, plan: str = "sample", actor: Actor = LEAD, **values: Any) -> RunDetail:
        """Start a plan by hand and let happen what is due."""
        wish = NewRun(**{"plan": plan, "reason": "演练", "area": DISTRICT, **values})
        found = self.linkage.runs.start(actor, wish)
        self.tick()
        return self.run(found.run.id)

    def run(self, id: str) -> RunDetail:
        return self.linkage.runs.get(LEAD, id)

    def tick(self, **span: float) -> None:
        """Let time pass, and happen what is due."""
        self.clock.advance(timedelta(**span))
        self.linkage.tick(self.clock.now())
        self.relay.drain()
        self.linkage.tick(self.clock.now())

    def tasks(self, actor: Actor, **wanted: Any) -> list[RunTaskView]:
        return self.linkage.tasks.list(actor, TaskFilter(mine=True, **wanted), FIRST).items

    def complete(self, actor: Actor, element: str, **values: Any) -> None:
        """Complete the task at an element."""
        task = next(task for task in self.tasks(actor) if task.element == element)
        self.linkage.tasks.complete(actor, task.id, values)
        self.tick()

    def event(self, kind: str, subject: str, data: Mapping[str, Any]) -> None:
        """Let another room say something."""
        with self.database.transaction() as tx:
            self.outbox.record(tx, kind, subject, self.clock.now(), data)
        self.tick()

    def events(self, prefix: str) -> list[str]:
        return [event.type for event in self.outbox.after(0, 100_000) if event.type.startswith(prefix)]


@lru_cache(maxsize=1)
def demo() -> City:
    """The demo city, read once; each room has its own clock."""
    return City.load(CITY, ManualClock(MONDAY))


def open_room(url: str, shelf: Shelf, clock: ManualClock | None = None, outer: Outer | None = None) -> Room:
    """A room over a new or an existing database."""

    clock = clock or ManualClock(MONDAY)
    city = copy.copy(demo())
    city.clock = clock
    database = Database(url, synchronous="OFF")
    database.create()
    outbox, audit, door = Outbox(database), Audit(database), Door(city.policy)
    open_warnings: set[str] = set()
    linkage = open_linkage(
        database=database,
        outbox=outbox,
        door=door,
        audit=audit,
        city=city,
        plans=shelf,
        engine=engine_of(city),
        people=Accounts(),
        still_open=lambda _tx, inputs, facts: _waited(inputs, facts) in open_warnings,
        final=lambda state: state == "closed",
    )
    names = ("notify", "cap", "metric", "decide", "case.open", "command", "wait_warning_clear")
    services = {name: Inside(name, outbox) for name in names}
    outer = outer or Outer(Ledger())
    linkage.performer.offer({**services, "webhook": outer})
    relay = Relay(database, outbox)
    relay.consume("linkage-start", linkage.starter.take, STARTERS)
    relay.consume("linkage-answers", linkage.answers.take, ANSWERS)
    return Room(database, outbox, clock, shelf, linkage, relay, services, outer, open_warnings, door)


def _waited(inputs: Mapping[str, Any], facts: Mapping[str, Any]) -> str:
    return str(inputs.get("warning") or facts.get("warning", {}).get("id"))


def refused(act: Callable[[], object]) -> Problem:
    """The refusal that an act meets."""
    try:
        act()
    except Problem as problem:
        return problem
    raise AssertionError("it was not refused")


def warning(**values: Any) -> dict[str, Any]:
    """A warning as its events carry it."""
    told = {
        "id": "wrn_1",
        "rule": "road-flooded",
        "level": "orange",
        "entity": "gauge-1",
        "entity_type": "WaterLevelSensor",
        "area": "440304001",
        "district": DISTRICT,
        "message": {"zh": "深南大道积水", "en": "Shennan Road is flooded"},
        "muted": None,
    }
    return {**told, **values}
