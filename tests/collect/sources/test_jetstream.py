"""JetStream against a real server: exactly once, through failures, restarts and kills, good and bad records alike."""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

import nats
import pytest
from nats.js import JetStreamContext
from nats.js.api import StreamConfig

from cityloop.core.web import Paging
from tests.collect.small_town import NOON, STEWARD
from tests.collect.sources.conftest import WiredMaker
from tests.collect.sources.wired import Wired, killed_at_work, wait
from tests.parts import Part
from tests.running import KILLS

FIRST = Paging(page=1, size=500, sort="")
T = TypeVar("T")


def with_stream(server: Part, work: Callable[[JetStreamContext], Awaitable[T]]) -> T:
    async def run() -> T:
        client = await nats.connect(f"nats://127.0.0.1:{server.port}")
        try:
            return await work(client.jetstream())
        finally:
            await client.close()

    return asyncio.run(run())


@pytest.fixture
def stream(request: pytest.FixtureRequest, nats_server: Part) -> str:
    """A new stream with the subjects ``<name>.>``."""
    name = f"S{abs(hash(request.node.name)) % 10**9}{time.time_ns() % 10**6}"
    make(nats_server, name)
    return name


def make(server: Part, name: str) -> None:
    with_stream(server, lambda js: js.add_stream(StreamConfig(name=name, subjects=[f"{name}.>"])))


def publish(server: Part, stream: str, *bodies: Any, station: str = "1001A") -> None:
    async def work(js: JetStreamContext) -> None:
        for body in bodies:
            await js.publish(f"{stream}.{station}", body if isinstance(body, bytes) else json.dumps(body).encode())

    with_stream(server, work)


def record(n: int, **fields: Any) -> dict[str, Any]:
    return {"time": (NOON - timedelta(seconds=1 + n)).isoformat(), "PM2.5": float(n % 300), **fields}


def source(server: Part, stream: str, **connection: Any) -> dict[str, Any]:
    given = {"url": f"nats://127.0.0.1:{server.port}", "stream": stream, "subject": f"{stream}.*station"}
    return {"wire": "nats", "connection": {**given, **connection}}


def test_messages_that_lie_there_and_those_that_come_arrive_once(
    wire_up: WiredMaker, nats_server: Part, stream: str
) -> None:
    publish(nats_server, stream, record(1), [record(n) for n in range(2, 100)])
    wired = wire_up(source(nats_server, stream))
    wired.settle(99)
    publish(nats_server, stream, record(100), station="1002A")
    view = wired.settle(100)
    assert [row["entity"] for row in wired.rows()].count("1002A") == 1
    assert len({row["record"] for row in wired.rows()}) == 100
    assert (view.state, view.duplicate, view.waiting) == ("running", 0, 0)


def test_a_restart_begins_behind_the_lake_whatever_was_acknowledged(
    wire_up: WiredMaker, nats_server: Part, stream: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(nats_server, stream, *[record(n) for n in range(20)], b"bad")
    wired = wire_up(source(nats_server, stream))
    wired.settle(20, quarantined=1)
    wired.restart()
    publish(nats_server, stream, *[record(n) for n in range(20, 30)], b"worse")
    view = wired.settle(30, quarantined=2)
    assert len(wired.rows()) == 30 and view.duplicate == 0
    assert {item.raw for item in wired.town.collector.quarantine(STEWARD, FIRST, None).items} == {"worse", "bad"}


def test_how_much_waits_is_known_before_the_first_message(wire_up: WiredMaker, nats_server: Part, stream: str) -> None:
    wired = wire_up(source(nats_server, stream))
    wait(lambda: wired.view().waiting == 0, "an empty stream has nothing waiting")


def test_a_commit_that_fails_is_made_up_for_and_nothing_is_stepped_over(
    wire_up: WiredMaker, nats_server: Part, stream: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    wired = wire_up(source(nats_server, stream))
    append, calls = wired.town.lake.append, iter(range(1000))

    def flaky(*given: Any) -> int:
        if next(calls) % 3 == 1:
            raise OSError(28, "No space left on device")
        return append(*given)

    monkeypatch.setattr(wired.town.lake, "append", flaky)
    for start in range(0, 60, 10):
        publish(nats_server, stream, *[record(n) for n in range(start, start + 10)], b"bad %d" % start)
    wired.settle(60, quarantined=6)
    wait(lambda: len(wired.rows()) == 60, "all rows are there")
    assert wired.view().failures == 0
    assert wired.town.collector.quarantine(STEWARD, FIRST, None).total == 6


def test_a_server_that_restarts_is_found_again(wire_up: WiredMaker, nats_server: Part, stream: str) -> None:
    wired = wire_up(source(nats_server, stream))
    publish(nats_server, stream, record(1))
    wired.settle(1)
    nats_server.stop()
    wait(lambda: wired.view().state == "failing", "the loss is noticed")
    nats_server.start()
    publish(nats_server, stream, record(2))
    wired.settle(2)
    assert len(wired.rows()) == 2


def test_a_stream_that_was_made_anew_is_read_from_its_first_message(
    wire_up: WiredMaker, nats_server: Part, stream: str
) -> None:
    publish(nats_server, stream, *[record(n) for n in range(5)])
    wired = wire_up(source(nats_server, stream))
    wired.settle(5)
    wired.close()
    with_stream(nats_server, lambda js: js.delete_stream(stream))
    time.sleep(1.1)  # the server tells when a stream was made to the second that we keep
    make(nats_server, stream)
    publish(nats_server, stream, record(7), record(8))
    wired.open()
    wired.settle(7)
    assert len(wired.rows()) == 7


def test_a_missing_stream_is_told(wire_up: WiredMaker, nats_server: Part) -> None:
    wired = wire_up(source(nats_server, "NOWHERE"))
    wait(lambda: wired.view().state == "failing", "the error is told")
    assert "there is no stream 'NOWHERE'" in (wired.view().last_error or "")


def test_a_dry_run_shows_messages_and_leaves_them(wire_up: WiredMaker, nats_server: Part, stream: str) -> None:
    publish(nats_server, stream, record(1), {"PM2.5": 3}, b"[")
    wired = wire_up(source(nats_server, stream), started=False)
    trial = wired.sources.dry_run(STEWARD, "air")
    assert [row["entity"] for row in trial.mapped] == ["1001A"]
    assert [(r.index, r.rule) for r in trial.refusals] == [(1, "required"), (2, "malformed")]
    assert trial.raw[2] == {"": "["}
    assert wired.rows() == []


@pytest.mark.slow
def test_kills_at_any_moment_neither_lose_nor_double_anything(tmp_path: Path, nats_server: Part, stream: str) -> None:
    """A process is killed again and again while it takes messages; then one is let finish."""
    draw, each = random.Random(KILLS), 150
    bodies = [
        b"bad %d" % n if n % 50 == 7 else [record(n * 10 + i) for i in range(9)] + [{"PM2.5": n}]
        for n in range(each * KILLS)
    ]
    Wired(tmp_path).declare(source(nats_server, stream))
    for number in range(KILLS):
        publish(nats_server, stream, *bodies[number * each : (number + 1) * each])
        killed_at_work(tmp_path, draw.uniform(0.0, 0.3))
    wired = Wired(tmp_path).open()
    try:
        bad = sum(isinstance(body, bytes) for body in bodies)
        rows, refused = (len(bodies) - bad) * 9, len(bodies)
        wait(lambda: len(wired.rows()) >= rows, "all rows arrive")
        wait(lambda: wired.sources.get(STEWARD, "air").waiting == 0, "the stream is empty")
        found = wired.rows()
        assert len(found) == rows == len({(row["entity"], row["observed_at"]) for row in found})
        assert wired.town.collector.quarantine(STEWARD, FIRST, None).total == refused
    finally:
        wired.close()
