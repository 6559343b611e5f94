"""What a session tells its holder: who it is, what it may do, and what it sees anything of."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from cityloop.access.actor import Actor
from cityloop.access.audit import Audit
from cityloop.access.door import Door
from cityloop.access.service import Accounts
from cityloop.city.service import City
from cityloop.core.clock import ManualClock
from cityloop.core.database import Database
from cityloop.core.settings import Settings
from cityloop.core.values import Title
from cityloop.serve.app import create_app

ROOT = Path(__file__).parents[2]


@pytest.fixture
def door() -> Door:
    return Door(City.load(ROOT / "cities" / "demo", ManualClock(datetime(2026, 3, 10, tzinfo=UTC))).policy)


def seen_by(database: Database, door: Door, *posts: str) -> list[str]:
    """What ``GET /session`` tells an account of these posts that it sees anything of."""
    accounts = Accounts(database, Audit(database), 12)
    accounts.put(Actor(id="zhou", name=Title(zh="周", en="Zhou"), posts=posts))
    transport = httpx.ASGITransport(app=create_app({Accounts: accounts, Door: door, Settings: Settings()}))
    headers = {"authorization": f"Bearer {accounts.open_session('zhou')}"}

    async def ask() -> httpx.Response:
        async with httpx.AsyncClient(transport=transport, base_url="http://city", headers=headers) as client:
            return await client.get("/api/v1/session")

    found: list[str] = asyncio.run(ask()).raise_for_status().json()["sees"]
    return found


@pytest.mark.parametrize("post", ["steward", "handler", "shift_leader", "leader"])
def test_it_sees_what_its_posts_have_a_sight_of_and_nothing_else(database: Database, door: Door, post: str) -> None:
    seen = seen_by(database, door, post)
    assert seen == sorted(door.policy.posts[post].sees)
    assert ("source" in seen) == (post in {"steward", "leader"})


def test_two_posts_see_what_either_sees(database: Database, door: Door) -> None:
    seen = set(seen_by(database, door, "handler", "steward"))
    assert seen == {*door.policy.posts["handler"].sees, *door.policy.posts["steward"].sees}


def test_without_a_post_nothing_is_seen(database: Database, door: Door) -> None:
    assert seen_by(database, door) == []
