"""The case desk with very many cases: a page of a queue, a move, then operators and phones at once, over HTTP.

Every measurement ends after ``seconds`` or after its count of requests, whichever comes first. A move that somebody
else has overtaken is refused as it should be and counted as a conflict; all else that is no success is an error.
"""

from __future__ import annotations

import asyncio
import random
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psycopg
from tests import parts
from tests.running import RunningCity

from bench.cases_city import Builder, Person, copy_city
from bench.conditions import conditions, percentiles

WANTED_MS = {"queue_page": 150.0, "move": 60.0}
"""Wanted of the p95 of one asker at a time."""
QUEUE = "mine=true&open=true&sort=urgency&size=50"
RISKY = "open=true&sort=-risk&size=50"
MOVES: Mapping[str, Mapping[str, str]] = {
    "acceptor": {"reported": "accept", "to_inspect": "accept_without_visit"},
    "shift_leader": {"to_file": "file", "to_close": "close"},
    "dispatcher": {"to_dispatch": "dispatch"},
    "department": {"to_handle": "assign", "to_review": "confirm"},
    "handler": {"handling": "submit_result"},
}
"""The moves that each post makes most, by the state that they leave."""
FIELDS: Mapping[str, Mapping[str, Any]] = {"submit_result": {"result": "已处理"}}
_OPERATOR_PAUSE, _PHONE_PAUSE = 5.0, 30.0
"""Mean seconds between two acts of one person."""
_COUNT = 200


@dataclass
class Tally:
    """Milliseconds by kind of request, and what went wrong."""

    took: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    errors: Counter[str] = field(default_factory=Counter)
    conflicts: int = 0

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

    def __init__(self, url: str, seed: int = 7) -> None:
        limits = httpx.Limits(max_connections=100, max_keepalive_connections=100)
        self.client = httpx.AsyncClient(base_url=url, timeout=60, limits=limits)
        self.draw = random.Random(seed)
        self.tally = Tally()

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

    async def _send(self, person: Person, kind: str, method: str, path: str, body: Any = None) -> Any:
        headers, begun = {"Authorization": f"Bearer {person.token}"}, time.perf_counter()
        try:
            answer = await self.client.request(method, path, json=body, headers=headers)
        except httpx.HTTPError as error:
            self.tally.errors[f"{kind} {type(error).__name__}"] += 1
            return None
        self.tally.note(kind, (time.perf_counter() - begun) * 1000, answer)
        return answer.json() if answer.is_success else None


def run(open_cases: int, ended: int, operators: int, phones: int, seconds: float, database: str) -> dict[str, Any]:
    """Build and measure; ``database`` is empty for SQLite, ``postgres`` for a server of its own, or a URL."""
    with tempfile.TemporaryDirectory() as folder, _store(database, Path(folder)) as url:
        data = Path(folder) / "data"
        data.mkdir()
        city, begun = copy_city(Path(folder)), time.perf_counter()
        builder = Builder(city, url, data)
        desks, hands = builder.people(operators, phones)
        builder.fill(open_cases, ended)
        builder.close()
        built = time.perf_counter() - begun
        more = {"CITYLOOP_DATABASE": url, "CITYLOOP_TRAIN_HOURS": "0", "CITYLOOP_RISK_SECONDS": "3600"}
        served = RunningCity(["serve", str(city), "--data", str(data), "--port", "0"], more)
        try:
            found = asyncio.run(_measure(served.url, desks, hands, operators, phones, seconds))
        finally:
            served.stop()
        size = sum(path.stat().st_size for path in data.glob("cityloop.db*"))
    return {
        "conditions": {**conditions("fastapi", "sqlalchemy", "httpx"), "store": url.partition(":")[0],
                       "fsync": database != "postgres", "client": "same machine, one process"},
        "open": open_cases,
        "ended": ended,
        "timelines": "of open cases",
        "build_seconds": round(built, 1),
        **({"database_megabytes": round(size / 1e6, 1)} if size else {}),
        **found,
        "wanted_p95_ms": WANTED_MS,
        "met": {kind: found["alone"].get(kind, {}).get("p95", 1e9) < most for kind, most in WANTED_MS.items()},
    }  # fmt: skip


async def _measure(
    url: str, desks: Sequence[Person], hands: Sequence[Person], operators: int, phones: int, seconds: float
) -> dict[str, Any]:
    alone = Asker(url)
    await _alone(alone, [*desks, *hands], seconds)
    together, begun = Asker(url), time.perf_counter()
    crowd = [
        *(_person(together, person, begun + seconds, _OPERATOR_PAUSE) for person in desks[:operators]),
        *(_person(together, person, begun + seconds, _PHONE_PAUSE) for person in hands[:phones]),
    ]
    await asyncio.gather(*crowd)
    took = time.perf_counter() - begun
    for asker in (alone, together):
        await asker.client.aclose()
    return {
        "alone": alone.tally.told(),
        "together": {
            "operators": operators,
            "phones": phones,
            "seconds": round(took, 1),
            "requests_per_second": round(sum(map(len, together.tally.took.values())) / took, 1),
            **together.tally.told(),
        },
        "errors": dict(alone.tally.errors + together.tally.errors),
        "conflicts": alone.tally.conflicts + together.tally.conflicts,
    }


async def _alone(asker: Asker, people: Sequence[Person], seconds: float) -> None:
    """One asker at a time: the queue of each post, the riskiest cases, then moves."""
    posts = [next(person for person in people if person.actor.posts == (post,)) for post in MOVES]
    await asker.queue(posts[0], "first_page")
    limit = time.perf_counter() + seconds
    for number in range(_COUNT):
        if time.perf_counter() > limit:
            break
        person = posts[number % len(posts)]
        await asker.queue(person, "queue_page")
        await asker.queue(posts[1], "riskiest_page", RISKY)
    waiting = {person.actor.id: await _waiting(asker, person) for person in posts}
    limit = time.perf_counter() + seconds
    for number in range(_COUNT):
        person = posts[number % len(posts)]
        if time.perf_counter() < limit and waiting[person.actor.id]:
            await asker.move(person, waiting[person.actor.id].pop())


async def _waiting(asker: Asker, person: Person) -> list[dict[str, Any]]:
    states = "&".join(f"state={state}" for state in MOVES[person.actor.posts[0]])
    return _ready(person, await asker.queue(person, "list_of_states", f"{states}&mine=true&size=100"))


def _ready(person: Person, cases: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Those of a page on which the person can make the usual move now."""
    states, post = MOVES[person.actor.posts[0]], person.actor.posts[0]
    mine = (None, person.actor.id)
    return [case for case in cases if case["state"] in states and (post != "handler" or case["handler"] in mine)]


async def _person(asker: Asker, person: Person, end: float, pause: float) -> None:
    """Look at the queue, open a case, make a move; over and over, with pauses."""
    await asyncio.sleep(asker.draw.uniform(0, min(pause, end - time.perf_counter())))
    while time.perf_counter() < end:
        found = await asker.queue(person)
        ready = _ready(person, found)
        if found:
            await asker.get(person, "case", f"/api/v1/cases/{asker.draw.choice(ready or found)['id']}")
        if ready:
            await asker.move(person, asker.draw.choice(ready))
        await asyncio.sleep(min(asker.draw.uniform(0.5, 1.5) * pause, max(0.0, end - time.perf_counter())))


@contextmanager
def _store(database: str, folder: Path) -> Iterator[str]:
    """The URL of an empty operational store."""
    if database != "postgres":
        yield database or f"sqlite:///{folder / 'data' / 'cityloop.db'}"
        return
    for server in parts.served(parts.make_postgres):
        address = f"host=127.0.0.1 port={server.port} user=city dbname=postgres"
        with psycopg.connect(address, autocommit=True) as first:
            first.execute("CREATE DATABASE city")
        yield server.url
