"""All services of one city, built, wired and started in the right order. Used by the server, the tests and the bench."""

from __future__ import annotations

import fcntl
import logging
import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

from cityloop.access.audit import Audit
from cityloop.access.door import Door
from cityloop.access.service import Accounts
from cityloop.analyse.service import Analyst, load_model
from cityloop.cases.service import CaseDesk, load_responsibility, load_workflow
from cityloop.city.service import City
from cityloop.collect.service import Collector
from cityloop.core.clock import Clock, PacedClock, SystemClock
from cityloop.core.database import Database
from cityloop.core.errors import Conflict
from cityloop.core.outbox import Outbox, Relay
from cityloop.core.settings import Settings
from cityloop.drill.service import Drill
from cityloop.lake.events import EventWriter
from cityloop.lake.service import Lake
from cityloop.serve.clockkeeper import ClockKeeper, restore
from cityloop.serve.health import Health
from cityloop.serve.stream import Stream
from cityloop.standard.service import Standard
from cityloop.watch.rules import load_rules
from cityloop.watch.service import Watch

log = logging.getLogger(__name__)

TICK_SECONDS = 0.2
WARNING_EVENTS = tuple(f"cityloop.warning.{what}" for what in ("raised", "level", "cleared", "acknowledged", "linked"))


class House:
    """Every service of one city over one data folder; ``services`` is what routes find by class."""

    def __init__(self, settings: Settings, clock: Clock | None = None) -> None:
        self.settings = settings
        self._occupied = occupy(settings.data)
        self._stop = threading.Event()
        self._troubles: dict[str, str] = {}
        self.database = Database(settings.database_url())
        self.database.create()
        self.clock = clock or _clock(settings, self.database)
        self.outbox = Outbox(self.database)
        self.relay = Relay(self.database, self.outbox)
        self.audit = Audit(self.database)
        self.city = City.load(settings.city, self.clock)
        self.door = Door(self.city.policy)
        self.accounts = Accounts(self.database, self.audit, settings.session_hours)
        self._build_rooms()
        self._wire()

    def _build_rooms(self) -> None:
        city, settings, database, outbox, door, audit = (
            self.city,
            self.settings,
            self.database,
            self.outbox,
            self.door,
            self.audit,
        )
        self.lake = Lake(settings.data / "lake", settings.sync)
        self.standard = Standard.load(city.packs)
        self.collector = Collector(
            database=database,
            lake=self.lake,
            standard=self.standard,
            city=city,
            door=door,
            audit=audit,
            outbox=outbox,
            settings=settings,
        )
        self.watch = Watch(
            database=database,
            outbox=outbox,
            door=door,
            audit=audit,
            lake=self.lake,
            rules=load_rules(city.packs, self.standard),
            describe=self.collector.describe,
            clock=self.clock,
        )
        self.desk = CaseDesk(
            database=database,
            outbox=outbox,
            door=door,
            audit=audit,
            city=city,
            workflow=load_workflow(city.packs),
            responsibility=load_responsibility(city),
        )
        self.analyst = Analyst(lake=self.lake, model=load_model(city.packs), door=door, city=city, clock=self.clock)

    def _wire(self) -> None:
        """Same-floor rooms meet only here: committed rows go to the watch, events go to whoever answers them."""
        events = EventWriter(self.lake)
        self.collector.on_committed.append(self.watch.observe)
        events.on_committed.append(self.watch.observe)
        self.relay.consume("cases", self.desk.answer_warnings, WARNING_EVENTS)
        self.relay.consume("watch", self.watch.link_cases, ["cityloop.case.moved"])
        self.relay.consume("lake", events, ["cityloop.case.moved", *WARNING_EVENTS])
        self.stream = Stream(self.outbox, self.door, self._pulse)
        self.health = Health(self.city, {"relay": lambda: self.relay.errors, "timers": lambda: self._troubles})
        rooms = (
            self.settings, self.door, self.accounts, self.city, self.collector, self.watch,
            self.desk, self.analyst, self.drill, self.stream, self.health,
        )  # fmt: skip
        self.services: Mapping[type[Any], Any] = {type(room): room for room in rooms}

    def start(self) -> None:
        """Catch up with what was committed before the last stop, then start every thread."""
        self.watch.catch_up()
        self.collector.start()
        self.relay.start()
        self.stream.start()
        self.keeper.start()
        self._timers.start()

    def open(self, address: str) -> None:
        """The house answers requests at ``address``: let the drill players in."""
        self.drill.start(address)

    def stop(self) -> None:
        """Stop in the reverse order; everything committed stays."""
        self._stop.set()
        for part in (
            self.drill,
            self.stream,
            self._timers,
            self.keeper,
            self.collector,
            self.relay,
            self.lake,
            self.database,
        ):
            part.stop()
