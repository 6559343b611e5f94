"""Opens linkage in a city: its services, and who hears which events."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cityloop.access.service import Accounts
from cityloop.analyse.service import Analyst
from cityloop.cases.service import CaseDesk
from cityloop.city.service import City
from cityloop.core.outbox import Outbox, Relay
from cityloop.core.settings import Settings
from cityloop.linkage.answering import ANSWERS
from cityloop.linkage.library import Library
from cityloop.linkage.ports import Outside, Service
from cityloop.linkage.service import Linkage, engine_of, open_linkage
from cityloop.linkage.starting import STARTERS
from cityloop.serve.linking.asking import AskMetric, WaitForClear, still_open
from cityloop.serve.linking.cases import Cases
from cityloop.serve.linking.telling import Call, Notify, Publish
from cityloop.serve.timers import Timers
from cityloop.serve.webhooks import load_webhooks
from cityloop.watch.cap import Office

TICK_SECONDS = 0.2


@dataclass(frozen=True)
class Joined:
    """Linkage at work: plans are followed in a thread of their own, for an effect may take its time."""

    linkage: Linkage
    timers: Timers
    call: Call

    def start(self) -> None:
        """Begin to follow plans."""
        self.timers.start()

    def stop(self) -> None:
        """Let the running step finish and end."""
        self.timers.stop()
        self.call.close()


def join(
    shared: Mapping[str, Any],
    settings: Settings,
    city: City,
    relay: Relay,
    *,
    library: Library,
    accounts: Accounts,
    desk: CaseDesk,
    analyst: Analyst,
    office: Office,
    more: Mapping[str, Service | Outside] | None = None,
) -> Joined:
    """Build the room on ``shared`` (database, outbox, door, audit) and wire it; ``more`` are further services."""
    outbox: Outbox = shared["outbox"]
    linkage = open_linkage(
        **shared,
        city=city,
        plans=library,
        engine=engine_of(city),
        people=accounts,
        still_open=still_open,
        final=lambda state: _final(desk, state),
    )
    call = Call(load_webhooks(city.folder), f"urn:cityloop:{city.id}")
    services: dict[str, Service | Outside] = {
        "case.open": Cases(desk, city),
        "notify": Notify(outbox, city),
        "cap": Publish(outbox, city, office),
        "webhook": call,
        "metric": AskMetric(analyst),
        "wait_warning_clear": WaitForClear(),
        **(more or {}),
    }
    linkage.performer.offer(services)
    library.migrations = linkage.migrations
    library.on_changed.append(lambda: linkage.starter.schedule(city.clock.now()))
    linkage.starter.schedule(city.clock.now())
    relay.consume("linkage-start", linkage.starter.take, STARTERS)
    relay.consume("linkage-answers", linkage.answers.take, ANSWERS)
    timers = Timers({"linkage": lambda: linkage.tick(city.clock.now())}, TICK_SECONDS)
    return Joined(linkage, timers, call)


def _final(desk: CaseDesk, state: str) -> bool:
    return any(one.id == state and one.final for one in desk.states())
