"""Rules at speed: many over many entities, each kind, from a record to the screen, and beside peers on one broker."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Any

from bench import loop, watch_peers
from bench.conditions import conditions
from bench.watch_rules import kinds, many

FEW = 2000
"""Observations a second of a quieter city; also the entities on which each kind is measured."""
ROWS = 10_000
"""Observations of a batch when a kind is measured."""
BATCH_MS, SCREEN_P50_MS, SCREEN_P99_MS = 25.0, 150.0, 500.0
"""What is wanted."""


def run(
    parts: Collection[str], rules: int, entities: int, rate: int, batches: int, seconds: float, folder: Path | None
) -> dict[str, Any]:
    """The wished ``parts``: rules, screen, peers; ``seconds`` for each measurement of the last two."""
    found: dict[str, Any] = {"conditions": conditions("numpy", "pyarrow", "duckdb", "deltalake", "paho-mqtt")}
    if "rules" in parts:
        found["rules"] = _rules(rules, entities, rate, batches)
    if "screen" in parts:
        found["screen"] = _screen(seconds)
    if "peers" in parts:
        found["peers"] = watch_peers.run(seconds, FEW, folder)
    return found


def _rules(rules: int, entities: int, rate: int, batches: int) -> dict[str, Any]:
    busy = many(rules, entities, rate, batches)
    return {
        "many": busy,
        "wanted": {"p99_ms_a_batch": BATCH_MS, "met": busy["batch_ms"]["p99"] < BATCH_MS},
        "many_rules_few_records": many(rules, entities, FEW, batches),
        "processor_us_per_observation_of_a_rule": kinds(FEW, ROWS, max(3, batches // 20)),
    }


def _screen(seconds: float) -> dict[str, Any]:
    """From the POST of a crossing value to the warning on the live stream, with load beside it."""
    told = loop.run(seconds, FEW)
    late = told["to_warning_on_stream_ms"]
    met = bool(late) and late["p50"] < SCREEN_P50_MS and late["p99"] < SCREEN_P99_MS
    return {
        **{name: told[name] for name in ("conditions", "beside", "crossings", "to_acknowledged_post_ms")},
        "to_warning_on_stream_ms": late,
        "wanted": {"p50_ms": SCREEN_P50_MS, "p99_ms": SCREEN_P99_MS, "met": met},
    }
