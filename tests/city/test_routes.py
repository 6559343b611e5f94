"""The city over HTTP."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest

from cityloop.access.actor import Actor
from cityloop.access.audit import Audit
from cityloop.access.door import Door
from cityloop.access.service import Accounts
from cityloop.city.service import City
from cityloop.core.clock import PacedClock
from cityloop.core.database import Database
from cityloop.core.settings import Settings
from cityloop.core.values import Title
from cityloop.serve.app import create_app

from .conftest import NOW, ROOT


class Client:
    """Asks the application in this process as somebody who has signed in."""

    def __init__(self, database: Database) -> None:
        city = City.load(ROOT / "cities" / "demo", PacedClock(NOW, 60))
        accounts = Accounts(database, Audit(database), 12)
        services = {City: city, Accounts: accounts, Door: Door(city.policy), Settings: Settings()}
        self._app = create_app(services)
        self._tokens = {"": ""}
        for post in ("analyst", "shift_leader"):
            accounts.put(Actor(id=post, name=Title(zh=post, en=post), posts=(post,)))
            self._tokens[post] = accounts.open_session(post)

    def ask(self, method: str, path: str, post: str = "analyst", **request: Any) -> httpx.Response:
        async def go() -> httpx.Response:
            transport = httpx.ASGITransport(app=self._app)
            headers = {"authorization": f"Bearer {self._tokens[post]}"}
            async with httpx.AsyncClient(transport=transport, base_url="http://city", headers=headers) as client:
                return await client.request(method, f"/api/v1/{path}", **request)

        return asyncio.run(go())


@pytest.fixture
def client(database: Database) -> Client:
    return Client(database)


def test_the_city_is_readable_before_sign_in(client: Client) -> None:
    answer = client.ask("GET", "city", post="")
    assert answer.status_code == 200
    assert answer.json()["title"]["zh"] == "演示城市（深圳底图）"
    assert len(answer.json()["departments"]) == 10


@pytest.mark.parametrize("path", ["areas", "areas.geojson", "matters"])
def test_its_content_is_not(client: Client, path: str) -> None:
    assert client.ask("GET", f"city/{path}", post="").status_code == 401


def test_areas_shapes_and_matters_are_listed(client: Client) -> None:
    assert len(client.ask("GET", "city/areas").json()) == 502
    assert len(client.ask("GET", "city/areas?level=district").json()) == 10
    assert len(client.ask("GET", "city/areas.geojson?level=cell").json()["features"]) == 491
    assert "gb47678:matter:06010" in [matter["key"] for matter in client.ask("GET", "city/matters").json()]


def test_many_points_find_their_cells_at_once(client: Client) -> None:
    points = [{"lon": 114.055, "lat": 22.535}, {"lon": 120.0, "lat": 30.0}, {"lon": 114.055, "lat": 22.535}]
    found = client.ask("POST", "city/locate", json={"points": points}).json()
    assert found["outside"] == 1 and found["places"][1] is None and found["places"][0] == found["places"][2]
    assert found["places"][0]["district"] == "440304" and len(found["places"][0]["area"]) == 15
    assert client.ask("POST", "city/locate", json={"points": []}).json() == {"places": [], "outside": 0}
    assert client.ask("POST", "city/locate", json={"points": [{"lon": 200, "lat": 0}]}).status_code == 422
    assert client.ask("POST", "city/locate", post="", json={"points": points}).status_code == 401


def test_only_a_post_that_may_changes_the_speed(client: Client) -> None:
    refused = client.ask("PATCH", "clock", json={"speed": 600})
    assert refused.status_code == 403
    assert "shift_leader" in refused.json()["mend"]
    changed = client.ask("PATCH", "clock", post="shift_leader", json={"speed": 600})
    assert changed.json()["speed"] == 600
    assert client.ask("GET", "clock").json()["speed"] == 600
    assert client.ask("PATCH", "clock", post="shift_leader", json={"speed": -1}).status_code == 422
