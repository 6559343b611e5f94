"""Opens linkage in a city: its services, and who hears which events."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from cityloop.access.service import Accounts
from cityloop.analyse.service import Analyst
from cityloop.cases.service import CaseDesk
from cityloop.city.service import City
from cityloop.command.service import Commander
from cityloop.core.outbox import Outbox, Relay
from cityloop.core.settings import Settings
from cityloop.decide.service import Decider
from cityloop.linkage.answering import ANSWERS
from cityloop.linkage.library import Library
from cityloop.linkage.ports import Outside, Service
from cityloop.linkage.rehearse import Rehearsal
from cityloop.linkage.service import Linkage, engine_of, open_linkage
from cityloop.linkage.starting import STARTERS
from cityloop.serve.linking.acting import Commands, Decide
from cityloop.serve.linking.asking import AskMetric, WaitForClear, still_open
from cityloop.serve.linking.cases import Cases
from cityloop.serve.linking.telling import Call, Notify, Publish
from cityloop.serve.planning import open_library
from cityloop.serve.timers import Timers
from cityloop.serve.webhooks import load_webhooks
from cityloop.watch.cap import Office
from cityloop.watch.service import Watch

TICK_SECONDS = 0.2


class Rooms(Protocol):
    """The rooms that plans act on."""

    settings: Settings
    city: City
    relay: Relay
    accounts: Accounts
    desk: CaseDesk
    analyst: Analyst
    watch: Watch
    decider: Decider
    commander: Commander


@dataclass(frozen=True)
class Joined:
    """Linkage at work: plans are followed in a thread of their own, for an effect may take its time."""

    linkage: Linkage
    library: Library
    rehearsal: Rehearsal
    timers: Timers
    call: Call

    @property
    def services(self) -> tuple[object, ...]:
        """What routes ask for."""
        return (self.library, self.rehearsal, self.linkage.runs, self.linkage.tasks)

    def start(self) -> None:
        """Begin to follow plans."""
        self.timers.start()

    def stop(self) -> None:
        """Let the running step finish and end."""
        self.timers.stop()
        self.call.close()


def join(shared: Mapping[str, Any], rooms: Rooms) -> Joined:
    """Build the room on ``shared`` (database, outbox, door, audit) and wire it to the others."""
    city = rooms.city
    library, rehearsal = open_library(shared, city, city.clock, lambda: list(rooms.watch.rulebook.rules))
    linkage = open_linkage(
        **shared,
        city=city,
        plans=library,
        engine=engine_of(city),
        people=rooms.accounts,
        still_open=still_open,
        final=lambda state: _final(rooms.desk, state),
    )
    call = Call(load_webhooks(city.folder), f"urn:cityloop:{city.id}")
    linkage.performer.offer(_services(shared["outbox"], rooms, call))
    library.migrations = linkage.migrations
    library.on_changed.append(lambda: linkage.starter.schedule(city.clock.now()))
    linkage.starter.schedule(city.clock.now())
    rooms.relay.consume("linkage-start", linkage.starter.take, STARTERS)
    rooms.relay.consume("linkage-answers", linkage.answers.take, ANSWERS)
    timers = Timers({"linkage": lambda: linkage.tick(city.clock.now())}, TICK_SECONDS)
    return Joined(linkage, library, rehearsal, timers, call)


def _services(outbox: Outbox, rooms: Rooms, call: Call) -> dict[str, Service | Outside]:
    city = rooms.city
    office = Office(f"cityloop.{city.id}", city.title, city.zone, rooms.settings.demo)
    return {
        "case.open": Cases(rooms.desk, city),
        "notify": Notify(outbox, city),
        "cap": Publish(outbox, city, office),
        "command": Commands(rooms.commander),
        "webhook": call,
        "metric": AskMetric(rooms.analyst),
        "wait_warning_clear": WaitForClear(),
        "decide": Decide(rooms.decider),
    }


def _final(desk: CaseDesk, state: str) -> bool:
    return any(one.id == state and one.final for one in desk.states())
