"""Rules at speed: a thousand of them over many entities, and what each kind costs."""

from __future__ import annotations

from typing import Any

from bench.conditions import conditions
from bench.watch_rules import kinds, many

FEW = 2000
"""Observations a second of a quieter city; also the entities on which each kind is measured."""
ROWS = 10_000
"""Observations of a batch when a kind is measured."""
WANTED_MS = 25.0


def run(rules: int, entities: int, rate: int, batches: int) -> dict[str, Any]:
    """Batches of 200 ms at ``rate`` and with few records, then each kind of rule by itself."""
    busy = many(rules, entities, rate, batches)
    return {
        "conditions": conditions("numpy", "pyarrow"),
        "many_rules": busy,
        "wanted": {"p99_ms_a_batch": WANTED_MS, "met": busy["batch_ms"]["p99"] < WANTED_MS},
        "many_rules_few_records": many(rules, entities, FEW, batches),
        "processor_us_per_observation_and_rule": kinds(FEW, ROWS, max(3, batches // 20)),
    }
