"""What stands above cases, commands and decisions: instant approval and emergencies, opened together."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from cityloop.access.service import Accounts
from cityloop.city.service import City
from cityloop.collect.service import Collector
from cityloop.core.outbox import Relay
from cityloop.core.settings import Settings
from cityloop.core.values import Title
from cityloop.decide.service import Decider
from cityloop.serve.approving import Approvals, open_approvals
from cityloop.serve.content import Content
from cityloop.serve.responding import Emergency, open_emergency


@dataclass(frozen=True)
class Answers:
    """Both rooms."""

    city: City
    approvals: Approvals
    emergency: Emergency

    def all(self) -> tuple[Any, ...]:
        """For the house's list of services."""
        return *self.approvals.all(), *self.emergency.all()

    def tick(self) -> int:
        """Reminders of applications, timers of emergencies."""
        now = self.city.clock.now()
        return self.approvals.desk.tick(now) + self.emergency.desk.tick(now)


def open_answers(
    settings: Settings,
    content: Content,
    collector: Collector,
    decider: Decider,
    relay: Relay,
    accounts: Accounts,
    names: Callable[[str], Title],
    city: City,
    shared: Mapping[str, Any],
) -> Answers:
    """Open both and let them hear the events that they wait for."""
    approvals = open_approvals(settings, content.items, collector, decider, **shared, city=city, names=names)
    emergency = open_emergency(settings, content.emergency, relay, accounts.get, **shared, city=city)
    return Answers(city, approvals, emergency)
