"""People at desks and with phones who ask one server over HTTP, and what became of it."""

from __future__ import annotations

import asyncio
import os
import random
import time
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from bench.cases_city import Person
from bench.conditions import percentiles

QUEUE = "mine=true&open=true&sort=urgency&size=50"
MOVES: Mapping[str, Mapping[str, str]] = {
    "acceptor": {"reported": "accept", "to_inspect": "accept_without_visit"},
    "shift_leader": {"to_file": "file", "to_close": "close"},
    "dispatcher": {"to_dispatch": "dispatch"},
    "department": {"to_handle": "assign", "to_review": "confirm"},
    "handler": {"handling": "submit_result"},
}
"""The moves that each post makes most, by the state that they leave."""
_ARRIVAL = 0.02
"""Seconds between two who come to work."""
FIELDS: Mapping[str, Mapping[str, Any]] = {"submit_result": {"result": "已处理"}}


@dataclass(frozen=True)
class Habit:
    """How somebody works: mean seconds between two looks at the queue, and after which share of them there is an act.

    An act is to open a case and to make the usual move of one's post on it.
    """

    pause: float
    acts: float


DESK, PHONE = Habit(5.0, 1 / 3), Habit(30.0, 1 / 10)
HASTE = Habit(0.0, 1.0)
"""Nobody thinks: the next request goes out as soon as the last is answered."""


@dataclass
class Tally:
    """Milliseconds by kind of request, and what went wrong."""

    took: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    errors: Counter[str] = field(default_factory=Counter)
    conflicts: int = 0
    live: int = 0
    """Frames that came by the live stream."""

    def note(self, kind: str, milliseconds: float, answer: httpx.Response) -> None:
        """Count one answer."""
        if answer.is_success:
            self.took[kind].append(milliseconds)
        elif answer.status_code == 409 and "changed_by" in answer.json():
            self.conflicts += 1
        else:
            self.errors[f"{kind} {answer.status_code}"] += 1

    def told(self) -> dict[str, Any]:
        """For the report."""
        return {kind: {"requests": len(took), **percentiles(took)} for kind, took in sorted(self.took.items())}


class Asker:
    """Requests of many people through one pool of connections."""

    def __init__(self, url: str, people: int = 1, seed: int = 7) -> None:
        limits = httpx.Limits(max_connections=people, max_keepalive_connections=people)
        self.client = httpx.AsyncClient(base_url=url, timeout=60, limits=limits)
        self.draw = random.Random(seed)
        self.tally = Tally()
        self.following = 0
        """Live streams that were answered."""

    async def get(self, person: Person, kind: str, path: str) -> Any:
        """A read, timed."""
        return await self._send(person, kind, "GET", path)

    async def queue(self, person: Person, kind: str = "queue_page", query: str = QUEUE) -> list[dict[str, Any]]:
        """A page of somebody's cases."""
        page = await self.get(person, kind, f"/api/v1/cases?{query}")
        return page["items"] if page else []

    async def move(self, person: Person, case: Mapping[str, Any]) -> None:
        """The move that the person's post makes most in the state of the case."""
        move = MOVES[person.actor.posts[0]][case["state"]]
        body = {"move": move, "version": case["version"], "fields": FIELDS.get(move, {})}
        await self._send(person, "move", "POST", f"/api/v1/cases/{case['id']}/moves", body)

    async def follow(self, person: Person) -> None:
        """Keep a live stream open, as every screen does, until cancelled.

        By hand, not by the client library: 550 of them must cost the one process that asks next to nothing.
        """
        where = self.client.base_url
        reader, writer = await asyncio.open_connection(where.host, where.port)
        head = f"GET /api/v1/stream HTTP/1.1\r\nHost: {where.host}\r\nAuthorization: Bearer {person.token}\r\n\r\n"
        writer.write(head.encode())
        answer = await reader.readline()
        if b" 200 " not in answer:
            self.tally.errors[f"stream {answer.decode().strip()}"] += 1
        self.following += 1
        try:
            while piece := await reader.read(65536):
                self.tally.live += piece.count(b"\nevent: ")
            self.tally.errors["stream ended"] += 1
        finally:
            writer.close()

    async def _send(self, person: Person, kind: str, method: str, path: str, body: Any = None) -> Any:
        headers, begun = {"Authorization": f"Bearer {person.token}"}, time.perf_counter()
        try:
            answer = await self.client.request(method, path, json=body, headers=headers)
        except httpx.HTTPError as error:
            self.tally.errors[f"{kind} {type(error).__name__}"] += 1
            return None
        self.tally.note(kind, (time.perf_counter() - begun) * 1000, answer)
        return answer.json() if answer.is_success else None


def ready(person: Person, cases: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Those of a page on which the person can make the usual move now."""
    states, post = MOVES[person.actor.posts[0]], person.actor.posts[0]
    mine = (None, person.actor.id)
    return [case for case in cases if case["state"] in states and (post != "handler" or case["handler"] in mine)]


async def together(asker: Asker, people: Sequence[tuple[Person, Habit]], seconds: float) -> dict[str, Any]:
    """Let all of them work for so long, each with a live stream; returns what they saw.

    They have come to work one after another: the measurement begins when every stream is open.
    """
    streams = []
    for person, _ in people:
        streams.append(asyncio.create_task(asker.follow(person)))
        await asyncio.sleep(_ARRIVAL)
    while asker.following < len(people) and not asker.tally.errors:
        await asyncio.sleep(_ARRIVAL)
    begun = time.perf_counter()
    await asyncio.gather(*[_work(asker, person, habit, begun + seconds) for person, habit in people])
    took = time.perf_counter() - begun
    for stream in streams:
        stream.cancel()
    await asyncio.gather(*streams, return_exceptions=True)
    answered = sum(map(len, asker.tally.took.values()))
    return {
        "seconds": round(took, 1),
        "requests_per_second": round(answered / took, 1),
        "live_frames": asker.tally.live,
        **asker.tally.told(),
    }


async def _work(asker: Asker, person: Person, habit: Habit, end: float) -> None:
    """Look at the queue, now and then open a case and move it; over and over, with pauses."""
    await asyncio.sleep(asker.draw.uniform(0, min(habit.pause, end - time.perf_counter())))
    while time.perf_counter() < end:
        found = await asker.queue(person)
        able = ready(person, found)
        if found and asker.draw.random() < habit.acts:
            await asker.get(person, "case", f"/api/v1/cases/{asker.draw.choice(able or found)['id']}")
            if able:
                await asker.move(person, asker.draw.choice(able))
        await asyncio.sleep(min(asker.draw.uniform(0.5, 1.5) * habit.pause, max(0.0, end - time.perf_counter())))


class Processor:
    """Processor time of one process, where the system tells it (Linux)."""

    def __init__(self, process: int) -> None:
        self._told = Path(f"/proc/{process}/stat")
        self._tick = 1000 / os.sysconf("SC_CLK_TCK")

    def milliseconds(self) -> float:
        """Spent so far, in the program and for it in the system."""
        fields = self._told.read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) * self._tick
