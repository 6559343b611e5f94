"""What answers without an account: the citizen's page and Open311, over the one public view of cases."""

from __future__ import annotations

from cityloop.access.door import Door
from cityloop.access.service import Accounts
from cityloop.cases.service import CaseDesk
from cityloop.citizen.bucket import Rule
from cityloop.citizen.reading import PublicCases
from cityloop.citizen.service import CitizenDoor
from cityloop.citizen.turnstile import Turnstile
from cityloop.city.service import City
from cityloop.core.clock import SystemClock
from cityloop.core.database import Database
from cityloop.core.settings import Settings
from cityloop.serve.open311.content import Open311File
from cityloop.serve.open311.service import Open311


def rules(settings: Settings) -> dict[str, Rule]:
    """The limits against abuse."""
    return {
        "report": Rule(settings.public_reports, 3600),
        "phone": Rule(settings.public_phone_reports, 86_400),
        "look": Rule(settings.public_looks, 60),
    }


def open_public(
    settings: Settings,
    file: Open311File | None,
    *,
    database: Database,
    door: Door,
    accounts: Accounts,
    city: City,
    desk: CaseDesk,
) -> tuple[CitizenDoor, Open311]:
    """Both doors. Limits run on the machine's own time: a paced demo must not lift them sixty times as fast."""
    cases = PublicCases(database, door, desk.book)
    turnstile = Turnstile(database, SystemClock(), rules(settings))
    citizens = CitizenDoor(database=database, door=door, city=city, desk=desk, cases=cases, turnstile=turnstile)
    open311 = Open311(file, database=database, door=door, accounts=accounts, city=city, desk=desk, cases=cases)
    return citizens, open311
