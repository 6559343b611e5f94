"""The live stream: what many may see is written once and sent in one piece, and nobody waits for a slow one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from cityloop.access.actor import Actor
from cityloop.access.door import Door, Protected
from cityloop.access.policy import Policy, Post, Sight
from cityloop.core.database import Database
from cityloop.core.outbox import Outbox
from cityloop.core.values import Title
from cityloop.serve import stream as live
from cityloop.serve.stream import Client, Stream

NAME = Title(zh="李", en="Li")
POLICY = Policy(posts={"handler": Post(title=NAME, sees={"case": Sight(rows=("own_department",))})})
WATER = Actor(id="li", name=NAME, posts=("handler",), department="water")
POLICE = Actor(id="wu", name=NAME, posts=("handler",), department="police")
NOW = datetime(2026, 3, 10, tzinfo=UTC)


class Town:
    """A stream over a database of its own; the test is the thread that forwards."""

    def __init__(self, folder: Path) -> None:
        self.database = Database(f"sqlite:///{folder / 'stream.db'}")
        self.database.create()
        self.outbox = Outbox(self.database)
        door = Door(POLICY)
        door.register(Protected("case", department="department"))
        self.pulse: dict[str, dict[str, Any]] = {"clock": {"speed": 1}}
        self.stream = Stream(self.outbox, door, lambda: self.pulse)

    def happen(self, *cases: str, department: str = "water") -> None:
        """One event for each case, and what the reader of the outbox does with them."""
        with self.database.transaction() as tx:
            for case in cases:
                row = {"id": case, "department": department}
                self.outbox.record(tx, "cityloop.case.moved", case, NOW, {"case": row})
        self.stream._forward()


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    made = Town(tmp_path)
    yield made
    made.database.close()


async def _heard(town: Town, actor: Actor, acts: Callable[[], None]) -> list[bytes]:
    """The pieces that reach somebody who was connected while ``acts`` happened."""
    pieces = town.stream.subscribe(actor, None)
    await anext(pieces)
    acts()
    return [piece async for piece in _waiting(pieces)]


async def _waiting(pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    while True:
        try:
            yield await asyncio.wait_for(anext(pieces), 0.2)
        except TimeoutError:
            return


def test_events_that_came_together_are_one_piece(town: Town) -> None:
    pieces = asyncio.run(_heard(town, WATER, lambda: town.happen("A", "B", "C")))
    assert len(pieces) == 1
    assert [line for line in pieces[0].splitlines() if line.startswith(b"id: ")] == [b"id: 1", b"id: 2", b"id: 3"]


def test_who_may_see_none_of_it_is_sent_nothing(town: Town) -> None:
    assert asyncio.run(_heard(town, POLICE, lambda: town.happen("A"))) == []


def test_the_pulse_comes_when_it_changed_and_not_oftener_than_it_may(town: Town) -> None:
    def beats() -> None:
        town.stream._beat()
        town.pulse = {"clock": {"speed": 60}}
        town.stream._beat()

    assert asyncio.run(_heard(town, WATER, beats)) == [b'event: clock\ndata: {"speed":1}\n\n']


def test_a_connection_is_kept_open_when_nothing_happens(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    for seconds in ("PULSE_SECONDS", "LINGER_SECONDS", "HEARTBEAT_SECONDS"):
        monkeypatch.setattr(live, seconds, 0.0)

    def beats() -> None:
        town.stream._beat()
        town.stream._beat()

    assert asyncio.run(_heard(town, WATER, beats))[1] == b": beat\n\n"


def test_who_does_not_keep_up_is_told_to_fetch_anew() -> None:
    async def fill() -> Client:
        client = Client(asyncio.get_running_loop(), {})
        for number in range(live.QUEUE_SIZE + 1):
            client.put(b"%d" % number)
        return client

    client = asyncio.run(fill())
    assert client.queue.qsize() == 1
    assert client.queue.get_nowait() == b"event: reset\ndata: {}\n\n"


def test_what_was_missed_comes_first(town: Town) -> None:
    town.happen("A", "B")

    async def connected() -> bytes:
        return await anext(town.stream.subscribe(WATER, 1))

    first = asyncio.run(connected())
    assert b'"id":"B"' in first and b'"id":"A"' not in first
