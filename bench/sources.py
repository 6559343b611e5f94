"""Observations a second from JetStream, acknowledged after the durable commit, beside the same consumer over delta-rs.

A server of its own holds messages of 100 observations, published before the clock starts. The source decodes, maps,
checks, looks up entities, holds against duplicates, commits with fsync and the number of the last message, takes into
the state and acknowledges. The peer fetches the same messages in batches of the same size, decodes them, appends with
delta-rs without fsync, and acknowledges: no mapping, no checks, no entities, no duplicates, and twice after a crash.
"""

from __future__ import annotations

import asyncio
import io
import json
import random
import shutil
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import nats
import polars as pl
from deltalake import DeltaTable, write_deltalake
from nats.js import JetStreamContext
from nats.js.api import AckPolicy, ConsumerConfig, StreamConfig

from bench.conditions import conditions, percentiles
from bench.ingest import FEED, START, STATIONS, TABLE, TimedLake, _collector
from cityloop.collect.sources.declarations import NatsConnection, SourceDeclaration
from cityloop.collect.sources.jetstream import JetStreamWire
from cityloop.collect.sources.ledger import Ledger
from cityloop.collect.sources.loading import Source
from cityloop.collect.sources.sink import Sink
from cityloop.core.clock import SystemClock
from cityloop.core.errors import Problem
from cityloop.core.settings import Settings
from cityloop.lake.compactor import Compactor

PER_MESSAGE = 100
STREAM = "BENCH"
AT_ONCE = 200
"""Messages that the peer takes with one commit: as many as the source does at this size."""


def run(seconds: float) -> dict[str, Any]:
    """Measure about ``seconds`` each for source and peer; raises :class:`Problem` without a NATS server."""
    messages = max(200, int(seconds * 1200))
    with tempfile.TemporaryDirectory(prefix="cityloop-bench-") as name:
        folder = Path(name)
        with _server(folder / "nats") as url:
            asyncio.run(_publish(url, messages))
            began = time.process_time()
            ours, commits = _ours(folder, url, messages)
            between = time.process_time()
            peer = asyncio.run(_with_stream(url, lambda js: _peer(js, folder / "peer", messages)))
            ended, scale = time.process_time(), 1e6 / (messages * PER_MESSAGE)
    return {
        "observations_per_second": round(ours),
        "messages_per_second": round(ours / PER_MESSAGE),
        "cpu_us_per_observation": round((between - began) * scale, 2),
        "commit_ms": commits,
        "delta_rs_append": {
            "observations_per_second": round(peer),
            "cpu_us_per_observation": round((ended - between) * scale, 2),
            "fsync": False,
            "mapping_and_checks": False,
        },
        "ratio_to_delta_rs": round(ours / peer, 2),
        "conditions": {
            **conditions("nats-py", "deltalake", "polars", "pyarrow"),
            "observations": messages * PER_MESSAGE,
            "observations_per_message": PER_MESSAGE,
            "values_per_observation": 11,
            "fsync": True,
            "acknowledged": "after the durable commit",
            "server": "on the same cores",
        },
    }


@contextmanager
def _server(folder: Path) -> Iterator[str]:
    binary = shutil.which("nats-server") or shutil.which("nats-server", path="/usr/sbin:/usr/local/sbin")
    if binary is None:
        raise Problem("there is no nats-server on this machine", "on Debian: apt-get install nats-server")
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port = sock.getsockname()[1]
    command = [binary, "-a", "127.0.0.1", "-p", str(port), "-js", "-sd", str(folder)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(200):
            with socket.socket() as sock:
                if sock.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.05)
        yield f"nats://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(20)


async def _with_stream(url: str, work: Callable[[JetStreamContext], Awaitable[float]]) -> float:
    client = await nats.connect(url)
    try:
        return await work(client.jetstream(timeout=30))
    finally:
        await client.close()


async def _publish(url: str, messages: int) -> None:
    bodies = _bodies()

    async def work(js: JetStreamContext) -> float:
        await js.add_stream(StreamConfig(name=STREAM, subjects=["bench.>"]))
        for start in range(0, messages, 100):
            batch = range(start, min(start + 100, messages))
            await asyncio.gather(*[js.publish("bench.air", next(bodies)) for _ in batch])
        return 0.0

    await _with_stream(url, work)


def _bodies() -> Iterator[bytes]:
    """Messages of 100 stations at one time each; only the time differs from round to round."""
    rng = random.Random(7)
    names = ("PM2.5", "PM10", "SO2", "NO2", "CO", "O3", "TEMP", "DEWP", "WSPM")
    records = [
        {"station": s, "time": "@", "PRES": 1001.5, "wd": "NW", **{n: round(rng.random() * 30, 1) for n in names}}
        for s in STATIONS
    ]
    starts = range(0, len(STATIONS), PER_MESSAGE)
    parts = [json.dumps(records[start : start + PER_MESSAGE]).encode() for start in starts]
    number = 0
    while True:
        at = (START + timedelta(seconds=number)).isoformat().encode()
        yield from (part.replace(b"@", at) for part in parts)
        number += 1


def _ours(folder: Path, url: str, messages: int) -> tuple[float, dict[str, float]]:
    lake = TimedLake(folder / "lake", sync=True)
    lake.commits = []
    collector, database = _collector(folder, lake)
    compactor = Compactor(lake, Settings().compact_seconds)
    connection = NatsConnection(url=url, stream=STREAM)
    declaration = SourceDeclaration.model_validate(
        {"id": "bench", "title": "bench", "feed": FEED, "wire": "nats", "connection": {}}
    )
    source = Source(declaration, connection, folder)
    sink = Sink(source, collector, Ledger(database, "bench"), database, SystemClock())
    collector.start()
    compactor.start()
    halt, total = threading.Event(), messages * PER_MESSAGE
    thread = threading.Thread(target=JetStreamWire(source, connection).run, args=(sink, halt))
    began = time.perf_counter()
    thread.start()
    while sink.ledger.counts["accepted"] < total and thread.is_alive():
        time.sleep(0.002)
    seconds = time.perf_counter() - began
    halt.set()
    thread.join()
    compactor.stop()
    collector.stop()
    stored = lake.query(f'SELECT count(*) AS n, count(DISTINCT record) AS d FROM "{TABLE}"', [TABLE]).to_pylist()[0]
    if (stored["n"], stored["d"]) != (total, total):
        raise AssertionError(f"{stored} is stored of {total} observations")
    lake.close()
    database.close()
    return total / seconds, percentiles(lake.commits)


async def _peer(js: JetStreamContext, folder: Path, messages: int) -> float:
    config = ConsumerConfig(ack_policy=AckPolicy.EXPLICIT, ack_wait=300, max_ack_pending=10_000)
    pull = await js.pull_subscribe("", durable="peer", stream=STREAM, config=config)
    table: DeltaTable | None = None
    done, began = 0, time.perf_counter()
    while done < messages:
        found = await pull.fetch(AT_ONCE, timeout=5)
        frames = [pl.read_json(io.BytesIO(message.data)) for message in found]
        rows = pl.concat(frames).with_columns(pl.col("time").str.slice(0, 10).alias("date")).to_arrow()
        if table is None:
            write_deltalake(str(folder), rows, partition_by=["date"])
            table = DeltaTable(str(folder))
        else:
            write_deltalake(table, rows, mode="append")
        for message in found:
            await message.ack()
        done += len(found)
    return messages * PER_MESSAGE / (time.perf_counter() - began)
