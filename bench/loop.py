"""From the POST of a crossing value to the dispatched case, over HTTP and the live stream, with load beside it."""

from __future__ import annotations

import json
import tempfile
import threading
import time
from datetime import datetime, timedelta
from typing import Any

import httpx
from tests.running import RunningCity, running

from bench.conditions import conditions, percentiles

CROSSINGS_PER_SECOND = 5
BATCH = 100
CLIENTS = 8


class Ear:
    """Listens to the live stream and notes when each bin's case was dispatched."""

    def __init__(self, client: httpx.Client) -> None:
        self._client = client
        self._bins: dict[str, str] = {}
        self.warned: dict[str, float] = {}
        self.dispatched: dict[str, float] = {}
        self.ready = threading.Event()
        self.stop = threading.Event()
        self.thread = threading.Thread(target=self._listen, daemon=True)

    def _listen(self) -> None:
        kind = ""
        with self._client.stream("GET", "/api/v1/stream", timeout=60) as stream:
            self.ready.set()
            for line in stream.iter_lines():
                if self.stop.is_set():
                    return
                if line.startswith("event: "):
                    kind = line[7:]
                elif line.startswith("data: ") and kind in ("warning", "case"):
                    self._note(kind, json.loads(line[6:]), time.perf_counter())

    def _note(self, kind: str, row: dict[str, Any], now: float) -> None:
        if kind == "warning" and row["entity_type"] == "WasteContainer":
            self._bins[row["id"]] = row["entity"]
            self.warned.setdefault(row["entity"], now)
        elif kind == "case" and row["warning"] in self._bins and row["department"]:
            self.dispatched.setdefault(self._bins[row["warning"]], now)


class Load(threading.Thread):
    """Pushes ordinary values of its own station at a steady rate in requests of 100.

    Every push waits for the durable commit, so one client alone cannot go faster than the linger lets it.
    """

    def __init__(self, client: httpx.Client, station: str, start: datetime, rate: float) -> None:
        super().__init__(daemon=True)
        self._client, self._station, self._at, self._rate = client, station, start, rate
        self.stopped = threading.Event()
        self.accepted = 0

    def run(self) -> None:
        pause, due = BATCH / self._rate, time.perf_counter()
        while not self.stopped.is_set():
            self._push()
            due += pause
            time.sleep(max(0.0, due - time.perf_counter()))

    def finish(self) -> int:
        """Stop, and return how many were accepted."""
        self.stopped.set()
        self.join(30)
        return self.accepted

    def _push(self) -> None:
        records = []
        for _ in range(BATCH):
            self._at += timedelta(milliseconds=1)
            records.append({"station": self._station, "time": self._at.isoformat(), "PM2.5": 10})
        answer = self._client.post("/api/v1/feeds/air-hourly/records", json=records)
        self.accepted += answer.raise_for_status().json()["accepted"]


def run(seconds: float, rate: int) -> dict[str, Any]:
    """Measure for ``seconds`` with ``rate`` observations a second beside it; latencies are milliseconds."""
    with tempfile.TemporaryDirectory() as folder:
        arguments = ["demo", "--port", "0", "--data", folder, "--speed", "1"]
        with running(arguments) as city:
            return _measure(city, seconds, rate)


def _measure(city: RunningCity, seconds: float, rate: int) -> dict[str, Any]:
    steward, leader = city.client("shuju"), city.client("lingdao")
    _quiet(city.client("xitong"))
    now = datetime.fromisoformat(steward.get("/api/v1/clock").json()["now"])
    bins = [e["id"] for e in _entities(steward, "WasteContainer")]
    stations = [e["id"] for e in _entities(steward, "AirQualityStation")]
    ear = Ear(leader)
    ear.thread.start()
    ear.ready.wait(30)
    past = now - timedelta(hours=2)
    loads = [Load(city.client("shuju"), station, past, rate / CLIENTS) for station in stations[:CLIENTS] if rate]
    began = time.perf_counter()
    for load in loads:
        load.start()
    time.sleep(2)
    started = time.perf_counter()
    posted = _cross(steward, bins, now, seconds)
    time.sleep(3)
    ended = time.perf_counter()
    accepted = sum(load.finish() for load in loads)
    ear.stop.set()
    return {
        "conditions": {**conditions("duckdb", "deltalake", "polars", "fastapi"), "fsync": True, "linger_ms": 50},
        "seconds": round(ended - started, 1),
        "beside": {
            "asked_per_second": rate,
            "accepted_per_second": round(accepted / (ended - began)),
            "clients": len(loads),
            "records_per_request": BATCH,
        },
        "crossings": len(posted),
        "dispatched": len(ear.dispatched),
        "to_acknowledged_post_ms": percentiles([(done - begun) * 1000 for begun, done in posted.values()]),
        "to_warning_on_stream_ms": percentiles(
            [(ear.warned[b] - posted[b][0]) * 1000 for b in ear.warned if b in posted]
        ),
        "to_dispatched_case_ms": percentiles(
            [(ear.dispatched[b] - posted[b][0]) * 1000 for b in ear.dispatched if b in posted]
        ),
    }


def _quiet(client: httpx.Client) -> None:
    """Send the drill players home: only the measured cases move."""
    for player in client.get("/api/v1/drill/actors").json():
        client.patch(f"/api/v1/drill/actors/{player['account']}", json={"playing": False}).raise_for_status()


def _entities(client: httpx.Client, kind: str) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = client.get(f"/api/v1/entities?entity_type={kind}&size=500").json()["items"]
    return items


def _cross(client: httpx.Client, bins: list[str], now: datetime, seconds: float) -> dict[str, tuple[float, float]]:
    """Report one full bin after another; return when each POST began and was acknowledged."""
    posted = {}
    due = time.perf_counter()
    for bin_id in bins[: int(seconds * CROSSINGS_PER_SECOND)]:
        record = {"bin": bin_id, "time": now.isoformat(), "fill_before_pct": 100, "fill_after_pct": 0}
        begun = time.perf_counter()
        client.post("/api/v1/feeds/bin-emptying/records", json=[record]).raise_for_status()
        posted[bin_id] = (begun, time.perf_counter())
        due += 1 / CROSSINGS_PER_SECOND
        time.sleep(max(0.0, due - time.perf_counter()))
    return posted
