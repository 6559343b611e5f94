"""The city over HTTP."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from cityloop.access.actor import Actor
from cityloop.access.audit import Audit
from cityloop.access.door import Door
from cityloop.access.routes import router as access_router
from cityloop.access.service import Accounts
from cityloop.city.routes import router
from cityloop.city.service import City
from cityloop.core.clock import PacedClock
from cityloop.core.database import Database
from cityloop.core.errors import Problem
from cityloop.core.settings import Settings
from cityloop.core.values import Title
from cityloop.serve.app import _problem

from .conftest import NOW, ROOT


@pytest.fixture
def client(database: Database) -> Iterator[TestClient]:
    """A city on a paced clock, with an analyst and a shift leader who have signed in."""
    city = City.load(ROOT / "cities" / "demo", PacedClock(NOW, 60))
    accounts = Accounts(database, Audit(database), 12)
    app = FastAPI()
    app.state.services = {City: city, Accounts: accounts, Door: Door(city.policy), Settings: Settings()}
    for each in (access_router, router):
        app.include_router(each)
    app.add_exception_handler(Problem, _problem)
    for post in ("analyst", "shift_leader"):
        accounts.put(Actor(id=post, name=Title(zh=post, en=post), posts=(post,)))
    with TestClient(app) as client:
        client.headers["authorization"] = f"Bearer {accounts.open_session('analyst')}"
        client.app_state = {"leader": accounts.open_session("shift_leader")}
        yield client


def test_the_city_is_readable_before_sign_in(client: TestClient) -> None:
    answer = client.get("/api/v1/city", headers={"authorization": ""})
    assert answer.status_code == 200
    assert answer.json()["title"]["zh"] == "演示城市（深圳底图）"
    assert len(answer.json()["departments"]) == 9


@pytest.mark.parametrize("path", ["areas", "areas.geojson", "matters"])
def test_its_content_is_not(client: TestClient, path: str) -> None:
    assert client.get(f"/api/v1/city/{path}", headers={"authorization": ""}).status_code == 401


def test_areas_shapes_and_matters_are_listed(client: TestClient) -> None:
    assert len(client.get("/api/v1/city/areas").json()) == 502
    assert len(client.get("/api/v1/city/areas", params={"level": "district"}).json()) == 10
    shapes = client.get("/api/v1/city/areas.geojson", params={"level": "cell"}).json()
    assert len(shapes["features"]) == 491
    assert len(client.get("/api/v1/city/matters").json()) == 250


def test_only_a_post_that_may_changes_the_speed(client: TestClient) -> None:
    refused = client.patch("/api/v1/clock", json={"speed": 600})
    assert refused.status_code == 403
    assert "shift_leader" in refused.json()["mend"]
    leader = {"authorization": f"Bearer {client.app_state['leader']}"}
    changed = client.patch("/api/v1/clock", json={"speed": 600}, headers=leader)
    assert changed.json()["speed"] == 600
    assert client.get("/api/v1/clock").json()["speed"] == 600
    assert client.patch("/api/v1/clock", json={"speed": -1}, headers=leader).status_code == 422
