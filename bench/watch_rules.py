"""What rules cost: many rules over many entities in batches of 200 ms, and each kind of rule by itself."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from tests.watch.naive import rule_of

from bench.conditions import percentiles
from cityloop.watch.guard import Guard
from cityloop.watch.rules import Rule

START = 1_773_014_400_000_000
"""2026-03-09 in microseconds."""
LATER = datetime(2027, 1, 1, tzinfo=UTC)
LINGER = 200_000
"""Microseconds of a batch."""
FENCE = {"polygons": [[(114.0, 22.5), (114.1, 22.5), (114.1, 22.6), (114.0, 22.6)]]}
NEAR = {"metres": 300}
ALIKE: dict[str, Any] = {"window": 900, "bucket": 10, "hold": 600, "clear": {"margin": 1, "hold": 300}, "late": 600}
KINDS: dict[str, dict[str, Any]] = {
    **{name: {"aggregate": name} for name in ("mean", "max", "min", "sum", "count", "last", "change", "spread")},
    "rate": {"aggregate": "rate", "per": 60},
    "percentile": {"aggregate": "percentile", "percentile": 85},
    "roam": {"aggregate": "roam", "property": "", "levels": {"blue": 1e7}},
    "silence": {"aggregate": "silence", "property": "", "window": 0, "bucket": 0, "hold": 0, "levels": {"blue": 3600}},
    "fence": {"aggregate": "last", "property": "", "fence": FENCE, "levels": {"blue": 2}},
    "near": {"aggregate": "count", "property": "", "near": NEAR},
    "by area": {"aggregate": "mean", "by": ["area"]},
    "in hours": {"aggregate": "mean", "active": [{"days": "workday", "start": "08:00", "end": "18:00"}]},
}
"""Each kind of rule over the same records; none of them speaks, as rules mostly do not."""


class Records:
    """Batches of records of one type: one value each, a level of its own for every entity and noise around it."""

    def __init__(self, entities: int, draw: np.random.Generator) -> None:
        self._draw = draw
        self._names = pa.array([f"entity-{number:06}" for number in range(entities)])
        self._level = draw.normal(30, 8, entities)
        self._place = draw.uniform((113.8, 22.4), (114.3, 22.8), (entities, 2))

    def everybody(self) -> pa.Table:
        """One record of each, before all others."""
        number = np.arange(len(self._names))
        return self._rows(number, np.full(len(number), START - 1_000_000), "w")

    def batches(self, count: int, rows: int) -> Iterator[pa.Table]:
        """Batches as a feed brings them: each entity as often as chance has it."""
        for number in range(count):
            at = START + number * LINGER + np.sort(self._draw.integers(0, LINGER, rows))
            yield self._rows(self._draw.integers(0, len(self._names), rows), at, f"b{number}")

    def _rows(self, who: npt.NDArray[np.int64], at: npt.NDArray[np.int64], batch: str) -> pa.Table:
        instants = pa.array(at, pa.timestamp("us", tz="UTC"))
        noise = self._draw.normal(0, 3, len(who))
        return pa.table(
            {
                "entity": self._names.take(pa.array(who)),
                "observed_at": instants,
                "received_at": instants,
                "record": [f"{batch}:{number}" for number in range(len(who))],
                "area": pa.array([f"4403{number % 74:02}" for number in who.tolist()]),
                "x": self._level[who] + noise,
                "lon": self._place[who, 0],
                "lat": self._place[who, 1],
            }
        )


def many(rules: int, entities: int, rate: int, batches: int) -> dict[str, Any]:
    """Batches of 200 ms at ``rate`` observations a second through rules that each watch every entity."""
    draw = np.random.default_rng(7)
    thresholds = np.sort(draw.uniform(58, 100, rules))
    guard = Guard("Thing", [_rule(f"r{n}", levels={"blue": float(t)}) for n, t in enumerate(thresholds)])
    records = Records(entities, draw)
    guard.warm(records.everybody())
    taken = _timed(guard, records.batches(batches, rate * LINGER // 1_000_000))
    return {
        "rules": rules,
        "entities": entities,
        "observations_per_second": rate,
        "seconds_of_records": round(batches * LINGER / 1_000_000, 1),
        **taken,
    }


def kinds(entities: int, rows: int, batches: int) -> dict[str, float]:
    """Microseconds of processor for each observation and rule of each kind."""
    found = {}
    for name, changes in KINDS.items():
        records = Records(entities, np.random.default_rng(7))
        guard = Guard("Thing", [_rule("kind", **({"levels": {"blue": 1e9}} | changes))])
        guard.warm(records.everybody())
        found[name] = _timed(guard, records.batches(batches, rows))["processor_us_per_observation"]
    return found


def _timed(guard: Guard, batches: Iterator[pa.Table]) -> dict[str, Any]:
    """Milliseconds of each batch from committed rows to decisions, by the clock and of the processor."""
    clock, processor, decisions, standings, rows = [], [], 0, 0, 0
    for batch in batches:
        begun, spent = time.perf_counter(), time.process_time()
        verdicts = guard.take(batch, LATER)
        clock.append((time.perf_counter() - begun) * 1000)
        processor.append((time.process_time() - spent) * 1000)
        decisions += sum(len(verdict.decisions) for verdict in verdicts)
        standings += sum(len(verdict.standings) for verdict in verdicts)
        rows += batch.num_rows
    return {
        "batch_ms": percentiles(clock),
        "batch_processor_ms": percentiles(processor),
        "processor_us_per_observation": round(sum(processor) * 1000 / rows, 3),
        "decisions": decisions,
        "standings_written": standings,
    }


def _rule(name: str, **changes: Any) -> Rule:
    return rule_of(**({"id": f"bench.{name}"} | ALIKE | changes))
