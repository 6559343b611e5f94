"""The case desk with very many cases: a page of a queue, a move, then operators and phones at once, over HTTP.

Every measurement ends after ``seconds`` or after its count of requests, whichever comes first. A move that somebody
else has overtaken is refused as it should be and counted as a conflict; all else that is no success is an error.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections import Counter
from collections.abc import Awaitable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
from tests import parts
from tests.running import RunningCity

from bench.cases_city import Builder, Person, copy_city
from bench.conditions import conditions
from bench.crowd import DESK, HASTE, MOVES, PHONE, Asker, Habit, Processor, ready, together

WANTED_MS = {"queue_page": 150.0, "move": 60.0}
"""Wanted of the p95, of one asker at a time and in the crowd."""
RISKY = "open=true&sort=-risk&size=50"
_COUNT = 200


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
            crowd = [*[(p, DESK) for p in desks[:operators]], *[(p, PHONE) for p in hands[:phones]]]
            found = asyncio.run(_measure(served, [*desks, *hands], crowd, seconds))
        finally:
            served.stop()
        size = sum(path.stat().st_size for path in data.glob("cityloop.db*"))
    return {
        "conditions": {**conditions("fastapi", "sqlalchemy", "httpx"), "store": url.partition(":")[0],
                       "fsync": database != "postgres", "client": "same machine, one process"},
        "open": open_cases,
        "ended": ended,
        "operators": operators,
        "phones": phones,
        "timelines": "of open cases",
        "build_seconds": round(built, 1),
        **({"database_megabytes": round(size / 1e6, 1)} if size else {}),
        **found,
        "wanted_p95_ms": WANTED_MS,
        "met": {
            f"{kind} {when}": found[when].get(kind, {}).get("p95", 1e9) < most
            for when in ("alone", "together")
            for kind, most in WANTED_MS.items()
        },
    }  # fmt: skip


async def _measure(
    served: RunningCity, staff: Sequence[Person], crowd: Sequence[tuple[Person, Habit]], seconds: float
) -> dict[str, Any]:
    askers = alone, working, rushing = [Asker(served.url, many) for many in (1, len(crowd), len(crowd))]
    costs = Costs(Processor(served.process.pid))
    await _alone(alone, costs, staff, seconds)
    habits = {"desk": vars(DESK), "phone": vars(PHONE)}
    at_work = await together(working, crowd, seconds)
    in_haste = await together(rushing, [(person, HASTE) for person, _ in crowd], seconds / 3)
    for asker in askers:
        await asker.client.aclose()
    return {
        "alone": alone.tally.told(),
        "server_processor_ms": costs.each,
        "together": {"people": len(crowd), "habits": habits, **at_work},
        "as_fast_as_they_can": in_haste,
        "errors": dict(sum((asker.tally.errors for asker in askers), Counter[str]())),
        "conflicts": sum(asker.tally.conflicts for asker in askers),
    }


class Costs:
    """Processor time of the server by kind of request, its own idle work taken off."""

    def __init__(self, processor: Processor) -> None:
        self._processor = processor
        self._idle = 0.0
        self.each: dict[str, float] = {}

    async def rest(self, seconds: float) -> None:
        """See what the server does when nobody asks."""
        begun = self._processor.milliseconds()
        await asyncio.sleep(seconds)
        self._idle = (self._processor.milliseconds() - begun) / seconds
        self.each["idle_second"] = round(self._idle, 1)

    @contextmanager
    def of(self, kind: str, asker: Asker) -> Iterator[None]:
        """Count what is asked inside."""
        answered, spent, begun = len(asker.tally.took[kind]), self._processor.milliseconds(), time.perf_counter()
        yield
        count = len(asker.tally.took[kind]) - answered
        used = self._processor.milliseconds() - spent - self._idle * (time.perf_counter() - begun)
        if count:
            self.each[kind] = round(used / count, 1)


async def _alone(asker: Asker, costs: Costs, people: Sequence[Person], seconds: float) -> None:
    """One asker at a time: the queue of each post, the riskiest cases, a case, then moves."""
    posts = [next(person for person in people if person.actor.posts == (post,)) for post in MOVES]
    for person in posts:
        await asker.queue(person, "first_page")
    await costs.rest(min(5.0, seconds / 6))
    turns = [posts[number % len(posts)] for number in range(_COUNT)]
    waiting = {person.actor.id: await _waiting(asker, person) for person in posts}
    with costs.of("queue_page", asker):
        await _until(seconds / 3, (asker.queue(person) for person in turns))
    with costs.of("riskiest_page", asker):
        await _until(seconds / 3, (asker.queue(posts[1], "riskiest_page", RISKY) for _ in turns))
    able = [(person, waiting[person.actor.id].pop()) for person in turns if waiting[person.actor.id]]
    with costs.of("case", asker):
        await _until(seconds / 3, (asker.get(person, "case", f"/api/v1/cases/{case['id']}") for person, case in able))
    with costs.of("move", asker):
        await _until(seconds / 3, (asker.move(person, case) for person, case in able))


async def _until(seconds: float, requests: Iterable[Awaitable[Any]]) -> None:
    """One after another, while there is time."""
    limit = time.perf_counter() + seconds
    for request in requests:
        await request
        if time.perf_counter() > limit:
            return


async def _waiting(asker: Asker, person: Person) -> list[dict[str, Any]]:
    states = "&".join(f"state={state}" for state in MOVES[person.actor.posts[0]])
    return ready(person, await asker.queue(person, "list_of_states", f"{states}&mine=true&size=100"))


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
