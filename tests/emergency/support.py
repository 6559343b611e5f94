"""Emergencies over the demo city: its kinds, contacts and resources, a clock that stands still, a real store."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from cityloop.access.actor import Actor
from cityloop.access.audit import Audit
from cityloop.access.door import Door
from cityloop.city.service import City
from cityloop.core.clock import ManualClock
from cityloop.core.database import Database
from cityloop.core.errors import NotFound
from cityloop.core.outbox import Event, Outbox, Relay
from cityloop.emergency.content import EmergencyBook, load_emergency
from cityloop.emergency.desk import Responses
from cityloop.emergency.journal import Journal
from cityloop.emergency.papers import Papers
from cityloop.emergency.schemas import ResponseView, ResponseWish
from cityloop.emergency.starting import CONSUMER, RUNS, WARNINGS, Starter
from tests.cases.support import MONDAY, demo_city, person

CHIEF = person("zhiban", "shift_leader")
HEAD = person("lingdao", "leader")
EMERGENCY = person("emergency", "department", department="emergency")
EMERGENCY_2 = person("emergency-handler", "handler", department="emergency")
WATER = person("water", "department", department="water")
PUMPS = person("water-handler", "handler", department="water")
POLICE = person("police", "department", department="police")
HOUSING = person("housing", "department", department="housing")
ANALYST = person("fenxi", "analyst")
PEOPLE = {one.id: one for one in (CHIEF, HEAD, EMERGENCY, EMERGENCY_2, WATER, PUMPS, POLICE, HOUSING, ANALYST)}
FUTIAN = (114.055, 22.535)


@cache
def demo_book() -> EmergencyBook:
    return load_emergency(demo_city(ManualClock(MONDAY)), {"air.pm2_5_episode"})


@dataclass
class EmergencyRoom:
    """The room over one database."""

    database: Database
    outbox: Outbox
    relay: Relay
    audit: Audit
    door: Door
    city: City
    clock: ManualClock
    desk: Responses
    papers: Papers

    def open(self, actor: Actor = CHIEF, **changes: Any) -> ResponseView:
        wish = {"kind": "rainstorm", "level": "IV", "title": "福田区内涝", "reason": "气象台通报", "lon": FUTIAN[0],
                "lat": FUTIAN[1], **changes}  # fmt: skip
        return self.desk.open(actor, ResponseWish.model_validate(wish))

    def seen(self, response: ResponseView | str, actor: Actor = CHIEF) -> ResponseView:
        return self.desk.get(actor, response if isinstance(response, str) else response.id)

    def later(self, **span: float) -> int:
        from datetime import timedelta

        self.clock.advance(timedelta(**span))
        return self.desk.tick(self.clock.now())

    def events(self, kind: str) -> list[Event]:
        return [event for event in self.outbox.after(0, 10_000) if event.type == kind]

    def tell(self, kind: str, data: dict[str, Any]) -> None:
        with self.database.transaction() as tx:
            self.outbox.record(tx, kind, "x", self.clock.now(), data)
        self.relay.drain()


def open_emergency_room(folder: Path, database: Database | None = None) -> EmergencyRoom:
    store = database or Database(f"sqlite:///{folder / 'city.db'}", "OFF")
    store.create()
    clock = ManualClock(MONDAY)
    city, book = demo_city(clock), demo_book()
    outbox, audit, door = Outbox(store), Audit(store), Door(copy.deepcopy(city.policy))
    relay = Relay(store, outbox)
    desk = Responses(database=store, door=door, city=city, book=book, journal=Journal(outbox, audit), people=_person)
    starter = Starter(city, book, desk)
    relay.consume(CONSUMER, starter, (*WARNINGS, *RUNS), only=starter.wanted)
    papers = Papers(database=store, audit=audit, city=city, book=book, desk=desk, font=None)
    return EmergencyRoom(store, outbox, relay, audit, door, city, clock, desk, papers)


def _person(account: str) -> Actor:
    if account not in PEOPLE:
        raise NotFound(f"there is no account '{account}'")
    return PEOPLE[account]
