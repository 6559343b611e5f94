"""Feeds records to the evaluation, and reads what came of them."""

from __future__ import annotations

import numpy as np

from cityloop.watch.evaluate import evaluate
from cityloop.watch.judging import Decision, Outcome, micros
from cityloop.watch.rules import Rule
from cityloop.watch.runs import Readings
from cityloop.watch.state import State
from tests.watch.naive import START, at

Record = tuple[str, float, float]
LATER = at(10_000_000)


def readings(state: State, records: list[Record]) -> Readings:
    entity = state.numbers([name for name, _, _ in records])
    instants = np.array([micros(at(second)) for _, second, _ in records], np.int64)
    return Readings(entity, instants, np.array([value for _, _, value in records], np.float64))


def run(rule: Rule, records: list[Record], sizes: list[int] | None = None) -> tuple[State, list[Decision]]:
    """Feed records in batches of the given sizes (the last size repeats)."""
    state, decisions, rest = State(rule), [], list(records)
    queue = list(sizes or [len(records) or 1])
    while rest:
        size = queue.pop(0) if len(queue) > 1 else queue[0]
        state, found, _ = evaluate(rule, state, readings(state, rest[:size]), LATER)
        decisions += found
        rest = rest[size:]
    return state, decisions


def steps(decisions: list[Decision], entity: str = "a") -> list[tuple[str, str | None, float]]:
    """Outcome, level and second of the decisions of one entity."""
    return [
        (d.outcome.name, d.level, (d.at - START).total_seconds()) for d in decisions if d.entity == entity
    ]  # fmt: skip


def outcome(state: State, entity: str = "a") -> Outcome:
    return Outcome(int(state.outcome[state.index[entity]]))


def left(state: State, entity: str = "a") -> float:
    return float(state.left[state.index[entity]])
