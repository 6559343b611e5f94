"""A whole house over the demo city, with a few records of bins, on a clock that stands still."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from cityloop.core.clock import ManualClock
from cityloop.core.settings import Settings
from cityloop.drill.people import ensure_accounts, load_people
from cityloop.serve.app import create_app
from cityloop.serve.house import House

ROOT = Path(__file__).parents[2]
NOON = datetime(2026, 3, 9, 4, 0, tzinfo=UTC)


class Client:
    """Asks the application in this process as somebody who has signed in."""

    def __init__(self, app: FastAPI, token: str) -> None:
        self._app, self._token = app, token

    def get(self, path: str) -> httpx.Response:
        return self.ask("GET", path)

    def post(self, path: str, **request: Any) -> httpx.Response:
        return self.ask("POST", path, **request)

    def ask(self, method: str, path: str, **request: Any) -> httpx.Response:
        async def go() -> httpx.Response:
            transport = httpx.ASGITransport(app=self._app)
            headers = {"authorization": f"Bearer {self._token}"}
            async with httpx.AsyncClient(transport=transport, base_url="http://city", headers=headers) as client:
                return await client.request(method, path, **request)

        return asyncio.run(go())


class Town:
    """The house of the demo city and clients of its people; ``restart`` opens it anew over the same data."""

    def __init__(self, data: Path, city: Path = ROOT / "cities" / "demo", database: str = "") -> None:
        self.city, self.data, self.database, self.clock = city, data, database, ManualClock(NOON)
        self.open()

    def open(self) -> None:
        settings = Settings(city=self.city, data=self.data, database=self.database, sync=False, linger_ms=0)
        self.house = House(settings, self.clock)
        ensure_accounts(load_people(self.city), self.house.accounts)
        self.app = create_app(self.house.services)

    def restart(self) -> None:
        self.close()
        self.open()

    def close(self) -> None:
        self.house.close()

    def client(self, account: str) -> Client:
        token = self.house.accounts.open_session(account, "token")
        return Client(self.app, token)

    def push(self, feed: str, records: list[dict[str, Any]]) -> dict[str, Any]:
        answer = self.client("shuju").post(f"/api/v1/feeds/{feed}/records", content=json.dumps(records))
        assert answer.status_code == 200, answer.text
        receipt: dict[str, Any] = answer.json()
        return receipt


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    made = Town(tmp_path_factory.mktemp("town"))
    yield made
    made.close()
