"""The citizen's door over the demo city's cases room, asked over HTTP."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from fastapi import FastAPI

from cityloop.access.actor import Actor
from cityloop.access.bucket import Rule
from cityloop.access.service import Accounts
from cityloop.access.turnstile import Turnstile
from cityloop.cases.schemas import CaseDetail
from cityloop.cases.workflow import Workflow
from cityloop.citizen.reading import PublicCases
from cityloop.citizen.routes import router as citizen_router
from cityloop.citizen.service import CitizenDoor
from cityloop.city.service import City
from cityloop.core.clock import ManualClock
from cityloop.core.settings import Settings
from cityloop.core.values import Title
from cityloop.serve.app import create_app
from cityloop.serve.open311.content import load_open311
from cityloop.serve.open311.routes import router as open311_router
from cityloop.serve.open311.service import Open311
from tests.cases.support import LEADER, MONDAY, Room, by_hand, open_room

MANY = {"report": Rule(10_000, 60), "phone": Rule(10_000, 60), "look": Rule(10_000, 60), "search": Rule(10_000, 60)}
FUTIAN = {"lon": "114.055", "lat": "22.535"}


@dataclass
class PublicRoom:
    """The room with its two public doors; ``wall`` is the machine's own clock."""

    room: Room
    accounts: Accounts
    citizens: CitizenDoor
    open311: Open311
    wall: ManualClock
    app: FastAPI

    def ask(self, method: str, path: str, **values: Any) -> httpx.Response:
        return asyncio.run(self._send(method, path, values))

    def get(self, path: str, **values: Any) -> httpx.Response:
        return self.ask("GET", path, **values)

    def post(self, path: str, **values: Any) -> httpx.Response:
        return self.ask("POST", path, **values)

    def report(self, **fields: Any) -> httpx.Response:
        """A report of litter in Futian as the page sends it."""
        told = {"matter": "gb47678:matter:06010", "description": "路边有一堆垃圾", **FUTIAN, **fields}
        sent = {key: (None, str(value)) for key, value in told.items() if value is not None}
        return self.post("/api/v1/public/cases", files=sent)

    def key(self, *posts: str, account: str = "partner") -> str:
        """An api_key of an account with these posts."""
        self.accounts.put(Actor(id=account, name=Title(zh=account, en=account), kind="machine", posts=posts))
        return self.accounts.open_session(account, "token")

    def walk(self, number: str, *steps: tuple[Any, ...]) -> CaseDetail:
        return self.room.walk(self.room.desk.get(LEADER, number).id, *steps)

    async def _send(self, method: str, path: str, values: dict[str, Any]) -> httpx.Response:
        transport = httpx.ASGITransport(self.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://city") as client:
            return await client.request(method, path, **values)


def open_public_room(
    folder: Path, workflow: Workflow | None = None, rules: dict[str, Rule] | None = None
) -> PublicRoom:
    """A room where people make every move, with generous limits unless others are given."""
    room = open_room(folder, workflow or by_hand())
    wall = ManualClock(MONDAY)
    accounts = Accounts(room.database, room.audit, 12)
    cases = PublicCases(room.database, room.door, room.desk.book)
    turnstile = Turnstile(room.database, wall, rules or MANY)
    shared: dict[str, Any] = {"database": room.database, "door": room.door, "city": room.city, "desk": room.desk}
    citizens = CitizenDoor(**shared, cases=cases, turnstile=turnstile)
    open311 = Open311(load_open311(room.city), **shared, accounts=accounts, cases=cases)
    services = {CitizenDoor: citizens, Open311: open311, Settings: Settings(), City: room.city}
    app = create_app(services, (citizen_router, open311_router))
    return PublicRoom(room, accounts, citizens, open311, wall, app)
