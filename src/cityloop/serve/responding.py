"""Emergency, wired: opened by people, by warnings and by runs of plans; its timers are rows of the database."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from cityloop.access.actor import Actor
from cityloop.access.audit import Audit
from cityloop.access.door import Door
from cityloop.city.service import City
from cityloop.core.database import Database
from cityloop.core.outbox import LINGER, Outbox, Relay
from cityloop.core.settings import Settings
from cityloop.emergency.content import EmergencyBook
from cityloop.emergency.desk import Responses
from cityloop.emergency.journal import Journal
from cityloop.emergency.papers import Papers
from cityloop.emergency.starting import CONSUMER, RUNS, WARNINGS, Starter


@dataclass(frozen=True)
class Emergency:
    """The services of the room."""

    desk: Responses
    papers: Papers

    def all(self) -> tuple[Any, ...]:
        """For the house's list of services."""
        return self.desk, self.papers


def open_emergency(
    settings: Settings,
    book: EmergencyBook,
    relay: Relay,
    people: Callable[[str], Actor],
    *,
    database: Database,
    outbox: Outbox,
    door: Door,
    audit: Audit,
    city: City,
) -> Emergency:
    """Both, and the consumer of what opens a response by itself where the city has kinds of emergency."""
    journal = Journal(outbox, audit)
    desk = Responses(database=database, door=door, city=city, book=book, journal=journal, people=people)
    if book.kinds:
        starter = Starter(city, book, desk)
        relay.enrol(CONSUMER)
        relay.consume(CONSUMER, starter, (*WARNINGS, *RUNS), LINGER, starter.wanted)
    return Emergency(
        desk, Papers(database=database, audit=audit, city=city, book=book, desk=desk, font=settings.report_font)
    )
