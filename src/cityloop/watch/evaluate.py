"""Decides: ``(rule, state, readings, now) → (state, decisions, tally)``. No I/O, no clock, no randomness.

Every record is judged by itself, in order of arrival; numpy takes the n-th run of all entities of a batch at once (see
:mod:`cityloop.watch.runs`). So the same records give the same decisions however they were cut into batches. The state
given is consumed: the one returned is the same object, changed, because copying the rings would cost more than the
evaluation.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import numpy as np

from cityloop.watch.judging import Decision, Outcome, Stage, Tally, decide, micros
from cityloop.watch.rules import Rule
from cityloop.watch.runs import Readings, runs, take
from cityloop.watch.state import Ints, State

FUTURE = timedelta(minutes=5)
"""How far an observation may lie beyond ``now`` before it is an error."""


def evaluate(rule: Rule, state: State, readings: Readings, now: datetime) -> tuple[State, list[Decision], Tally]:
    """Take the records of a batch; return the decisions in the order in which they fall."""
    tally = Tally()
    readings = sound(state, readings, now, tally)
    found = [fallen for run in runs(readings, state.step) for fallen in take(rule, state, run, tally)]
    found.sort(key=lambda fallen: fallen[:2])
    return state, [decision for _, _, decision in found], tally


def warm(rule: Rule, state: State, readings: Readings) -> State:
    """Fill the rings from history, in order of arrival, without deciding: what was decided then is in the database."""
    if not len(readings.entity):
        return state
    kept = _timely(rule, readings)
    state.fill(readings.entity[kept], readings.at[kept], readings.value[kept])
    return state


def tick(rule: Rule, state: State, now: datetime) -> tuple[State, list[Decision], Tally]:
    """Let time pass for entities that are not quiet: silence counts once the tolerance for late records is over."""
    tally = Tally()
    until = micros(now) - rule.late * 1_000_000
    count = len(state.names)
    busy = (state.level[:count] > 0) | (state.stage[:count] == Stage.WAITING)
    entity = np.flatnonzero(busy & (state.last[:count] < until))
    if not len(entity):
        return state, [], tally
    state.advance(entity, np.full(len(entity), until // state.step))
    state.last[entity] = until
    return state, decide(rule, state, entity, tally), tally


def sound(state: State, readings: Readings, now: datetime, tally: Tally) -> Readings:
    """Leave out values that are no numbers and instants that have not come: recorded as errors, never as quiet."""
    finite = np.isfinite(readings.value)
    infinite = ~(finite if finite.ndim == 1 else finite.all(axis=1))
    future = readings.at > micros(now + FUTURE)
    for wrong, what in ((infinite, "the value is not a finite number"), (future, "the instant lies in the future")):
        if wrong.any():
            tally.errors[what] += int(wrong.sum())
            state.outcome[readings.entity[wrong]] = Outcome.ERROR
    good = ~(infinite | future)
    return readings if good.all() else Readings(readings.entity[good], readings.at[good], readings.value[good])


def _timely(rule: Rule, readings: Readings) -> Ints:
    """Positions, in order of arrival, of the records that were within the tolerance when they arrived."""
    order = np.argsort(readings.entity, kind="stable")
    base = readings.at.min()
    width = readings.at.max() - base + 1
    offset = readings.entity[order] * width
    newest = np.maximum.accumulate(readings.at[order] - base + offset) - offset + base
    return np.sort(order[readings.at[order] >= newest - rule.late * 1_000_000])
