"""Observations a second, acknowledged after the durable commit: in process and over HTTP, beside delta-rs.

One observation is counted for each record: one station at one time, with eleven values; over HTTP also with one value,
which is one observation in the narrowest sense. Every record is decoded from JSON, mapped,
checked, looked up in the entity directory, held against duplicates, committed with fsync and taken into the state.
In process that is ``Collector.push``; over HTTP it is a whole ``cityloop serve`` in a process of its own, with rules
that judge every value, and clients on the same cores. The peer appends the same rows, already decoded and checked,
with delta-rs, one commit a request, without fsync.
"""

from __future__ import annotations

import json
import random
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pyarrow as pa
from deltalake import DeltaTable, write_deltalake
from tests.running import RunningCity

from bench.conditions import conditions, percentiles
from bench.town import write_entities, write_town
from cityloop.access.actor import Actor
from cityloop.access.audit import Audit
from cityloop.access.door import Door
from cityloop.access.policy import Policy, Post
from cityloop.city.schemas import Place
from cityloop.collect.service import Collector
from cityloop.core.clock import ManualClock
from cityloop.core.database import Database
from cityloop.core.outbox import Outbox
from cityloop.core.settings import Settings
from cityloop.core.values import Title
from cityloop.lake.append import Txn
from cityloop.lake.compactor import Compactor
from cityloop.lake.service import Lake
from cityloop.serve.users import add_user
from cityloop.standard.feeds import load_feeds
from cityloop.standard.service import Standard

PACKS = [Path(__file__).parent / "packs" / "gauge"]
TABLE, FEED = "Gauge", "gauges"
STATIONS = [f"bench{n:04}" for n in range(1000)]
START = datetime(2026, 1, 1, tzinfo=UTC)
MACHINE = Actor(id="bench", name=Title(zh="测速", en="Bench"), kind="machine", posts=("feed",))
CLIENTS = 32


class Nowhere:
    """No areas: finding them is not what is measured."""

    def locate_many(self, lons: Sequence[float], lats: Sequence[float], /) -> list[Place | None]:
        """Nothing for every point."""
        return [None] * len(lons)

    def nearest(self, lon: float, lat: float, /) -> None:
        """Nothing is near."""


@dataclass
class BenchCity:
    """The part of a city that collect needs."""

    folder: Path
    clock: ManualClock = field(default_factory=lambda: ManualClock(START + timedelta(days=365)))
    areas: Nowhere = field(default_factory=Nowhere)


class TimedLake(Lake):
    """A lake that notes how long its commits take, in milliseconds."""

    commits: list[float]

    def append(self, table: str, rows: pa.Table, txn: Txn | None = None) -> int:
        """Append, timed."""
        began = time.perf_counter()
        version = super().append(table, rows, txn)
        self.commits.append((time.perf_counter() - began) * 1000)
        return version


NAMES = ("PM2.5", "PM10", "SO2", "NO2", "CO", "O3", "TEMP", "DEWP", "WSPM")
STILL = {"PRES": 1001.5, "wd": "NW"}


class Bodies:
    """Requests of 1,000 records, each with a time of its own. Written once; only the time is filled in.

    A record has eleven values, or one when it is ``narrow``.
    """

    def __init__(self, narrow: bool = False) -> None:
        rng = random.Random(7)
        names, still = (NAMES[:1], {}) if narrow else (NAMES, STILL)
        records = [
            {"station": station, "time": "@", **still, **{n: round(rng.random() * 30, 1) for n in names}}
            for station in STATIONS
        ]
        self._text = json.dumps(records).encode()
        self._number = 0
        self._turn = threading.Lock()

    def next(self) -> bytes:
        """The next request."""
        with self._turn:
            self._number += 1
            at = START + timedelta(seconds=self._number)
        return self._text.replace(b"@", at.isoformat().encode())


def run(seconds: float) -> dict[str, Any]:
    """Measure for about ``seconds`` of each way; the result holds its conditions."""
    over_http = {}
    for shape, narrow in (("records_of_eleven_values", False), ("records_of_one_value", True)):
        with tempfile.TemporaryDirectory(prefix="cityloop-bench-") as folder:
            over_http[shape] = _over_http(Path(folder), seconds, Bodies(narrow))
    with tempfile.TemporaryDirectory(prefix="cityloop-bench-") as folder:
        lake = TimedLake(Path(folder) / "lake", sync=True)
        lake.commits = []
        collector, database = _collector(Path(folder), lake)
        compactor = Compactor(lake, 30)
        collector.start()
        compactor.start()
        try:
            return _measure(seconds, Path(folder), collector, lake, over_http)
        finally:
            compactor.stop()
            collector.stop()
            lake.close()
            database.close()


def _over_http(folder: Path, seconds: float, bodies: Bodies) -> dict[str, Any]:
    """``CLIENTS`` connections that post one request after another to a server of its own."""
    city, data = write_town(folder, TABLE, STATIONS), folder / "data"
    settings = Settings(city=city, data=data)
    token = add_user(settings, "sensors", "sensors", ["feed"], None, [], None)
    kind = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    hands = threading.local()
    served = RunningCity(["serve", str(city), "--data", str(data), "--port", "0"])
    address = urlsplit(served.url)

    def post(body: bytes) -> int:
        hand = getattr(hands, "hand", None) or HTTPConnection(str(address.hostname), address.port, timeout=60)
        hands.hand = hand
        hand.request("POST", f"/api/v1/feeds/{FEED}/records", body, kind)
        answer = json.loads(hand.getresponse().read())
        return int(answer["accepted"])

    try:
        _push(post, bodies, 1, min(1.0, seconds / 10))
        many, times = _push(post, bodies, CLIENTS, seconds)
    finally:
        served.stop()
    return {"observations_per_second": round(many), "push_ms": percentiles(times), "clients": CLIENTS}


def _measure(
    seconds: float, folder: Path, collector: Collector, lake: TimedLake, over_http: dict[str, Any]
) -> dict[str, Any]:
    bodies = Bodies()

    def push(body: bytes) -> int:
        return collector.push(MACHINE, FEED, body, "application/json").accepted

    _push(push, bodies, 1, min(1.0, seconds / 10))
    lake.commits.clear()
    many, many_ms = _push(push, bodies, CLIENTS, seconds * 0.6)
    commits, groups = percentiles(lake.commits), len(lake.commits)
    one, one_ms = _push(push, bodies, 1, seconds * 0.15)
    stored = lake.query(f'SELECT count(*) AS n, count(DISTINCT record) AS d FROM "{TABLE}"', [TABLE]).to_pylist()[0]
    if stored["n"] != stored["d"]:
        raise AssertionError(f"{stored['n']} rows are stored of {stored['d']} records")
    peer = _peer(folder / "peer", lake, seconds * 0.25)
    return {
        "observations_per_second": round(many),
        "values_per_second": round(many * 11),
        "push_ms": percentiles(many_ms),
        "commit_ms": commits,
        "rows_per_commit": round(many * seconds * 0.6 / max(1, groups)),
        "over_http": over_http,
        "one_client": {"observations_per_second": round(one), "push_ms": percentiles(one_ms)},
        "delta_rs_append": {"observations_per_second": round(peer), "fsync": False, "decoding_and_checks": False},
        "ratio_to_delta_rs": round(many / peer, 2),
        "conditions": {
            **conditions("deltalake", "duckdb", "polars", "pyarrow"),
            "records_per_request": len(STATIONS),
            "clients": CLIENTS,
            "linger_ms": Settings().linger_ms,
            "fsync": lake.sync,
            "seconds": seconds,
        },
    }


def _push(push: Callable[[bytes], int], bodies: Bodies, clients: int, seconds: float) -> tuple[float, list[float]]:
    """Push from ``clients`` threads; return accepted observations a second and the milliseconds of every push."""
    until, times = time.perf_counter() + seconds, []
    accepted = [0] * clients

    def client(number: int) -> None:
        while time.perf_counter() < until:
            body, began = bodies.next(), time.perf_counter()
            accepted[number] += push(body)
            times.append((time.perf_counter() - began) * 1000)

    began = time.perf_counter()
    with ThreadPoolExecutor(clients) as pool:
        list(pool.map(client, range(clients)))
    return sum(accepted) / (time.perf_counter() - began), times


def _peer(folder: Path, lake: Lake, seconds: float) -> float:
    """delta-rs appending one request's rows a commit, with a handle that is reused."""
    rows = lake.query(f'SELECT * FROM "{TABLE}" LIMIT {len(STATIONS)}', [TABLE]).cast(lake.schema(TABLE))
    table = DeltaTable.create(str(folder), lake.schema(TABLE), partition_by=["date"])
    step: Callable[[], None] = lambda: write_deltalake(table, rows, mode="append")  # noqa: E731
    step()
    count, began = 0, time.perf_counter()
    while time.perf_counter() - began < seconds:
        step()
        count += rows.num_rows
    return count / (time.perf_counter() - began)


def _collector(folder: Path, lake: Lake) -> tuple[Collector, Database]:
    write_entities(folder / "city", TABLE, STATIONS)
    database = Database(f"sqlite:///{folder / 'city.db'}")
    database.create()
    standard = Standard.load(PACKS)
    policy = Policy(posts={"feed": Post(title=Title(zh="接入", en="Feed"), may=("feed.push",))})
    collector = Collector(
        database=database,
        lake=lake,
        standard=standard,
        feeds=load_feeds(PACKS, standard),
        city=BenchCity(folder / "city"),
        door=Door(policy),
        audit=Audit(database),
        outbox=Outbox(database),
        settings=Settings(sync=True),
    )
    return collector, database
