"""One rule over many entities: what a batch of readings costs that touches only some of them."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
from tests.watch.feeding import LATER
from tests.watch.naive import at, rule_of

from bench.conditions import conditions, percentiles
from cityloop.watch.evaluate import evaluate
from cityloop.watch.judging import micros
from cityloop.watch.runs import Readings
from cityloop.watch.state import State


def run(entities: int, touched: int, batches: int) -> dict[str, Any]:
    """Milliseconds of processor for each batch, one reading of each touched entity, a minute apart."""
    rule = rule_of(window=900, bucket=60, hold=600, clear={"margin": 1, "hold": 300})
    state = State(rule)
    known = state.numbers([f"e{n}" for n in range(entities)])
    draw, spent, decided = np.random.default_rng(7), [], 0
    for step in range(batches):
        some = draw.choice(known, touched, replace=False)
        instants = np.full(touched, micros(at(step * 60)), np.int64)
        readings = Readings(some, instants, draw.uniform(0, 15, touched))
        begun = time.process_time()
        _, decisions, _ = evaluate(rule, state, readings, LATER)
        spent.append((time.process_time() - begun) * 1000)
        decided += len(decisions)
    told = {"entities": entities, "touched": touched, "batches": batches, "decisions": decided}
    return {"conditions": conditions("numpy"), **told, "batch_ms": percentiles(spent)}
