"""The city's open sides: the citizen's page, Open311 over the same public view of cases, and cases sent elsewhere."""

from __future__ import annotations

from typing import Any

from cityloop.access.audit import Audit
from cityloop.access.bucket import Rule
from cityloop.access.door import Door
from cityloop.access.service import Accounts
from cityloop.access.turnstile import Turnstile
from cityloop.cases.service import CaseDesk
from cityloop.citizen.reading import PublicCases
from cityloop.citizen.service import CitizenDoor
from cityloop.city.service import City
from cityloop.core.clock import SystemClock
from cityloop.core.database import Database
from cityloop.core.settings import Settings
from cityloop.serve.open311.content import Open311File
from cityloop.serve.open311.sender import Sender
from cityloop.serve.open311.service import Open311


def rules(settings: Settings) -> dict[str, Rule]:
    """The limits against abuse."""
    return {
        "report": Rule(settings.public_reports, 3600),
        "phone": Rule(settings.public_phone_reports, 86_400),
        "look": Rule(settings.public_looks, 60),
        "search": Rule(settings.public_searches, 60),
        "apply": Rule(settings.public_applications, 3600),
    }


def open_public(
    settings: Settings,
    file: Open311File | None,
    accounts: Accounts,
    database: Database,
    door: Door,
    city: City,
    desk: CaseDesk,
    audit: Audit,
) -> tuple[CitizenDoor, Open311, Sender]:
    """All three. Limits run on the machine's own time: a paced demo must not lift them sixty times as fast."""
    shared: dict[str, Any] = {"database": database, "door": door, "city": city, "desk": desk}
    cases = PublicCases(database, door, desk.book)
    citizens = CitizenDoor(**shared, cases=cases, turnstile=Turnstile(database, SystemClock(), rules(settings)))
    return citizens, Open311(file, **shared, accounts=accounts, cases=cases), Sender(file, **shared, audit=audit)
