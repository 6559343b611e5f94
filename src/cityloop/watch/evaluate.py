"""Decides: ``(rule, state, readings, now) → (state, decisions, tally)``. No I/O, no clock, no randomness.

Every record is judged by itself, in order of arrival; numpy takes the n-th run of all entities of a batch at once (see
:mod:`cityloop.watch.runs`). So the same records give the same decisions however they were cut into batches. The state
given is consumed: the one returned is the same object, changed, because copying the rings would cost more than the
evaluation.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import numpy as np

from cityloop.watch.cells import Bools, Ints
from cityloop.watch.findings import Findings
from cityloop.watch.judging import Decision, Moments, Outcome, Stage, Tally, judge, micros
from cityloop.watch.rules import Rule
from cityloop.watch.runs import Readings, fitting, one_by_one, runs
from cityloop.watch.settling import settle
from cityloop.watch.state import State

FUTURE = timedelta(minutes=5)
"""How far an observation may lie beyond ``now`` before it is an error."""
LARGEST = 1e300
"""Largest value: sums of larger ones may be no number any more."""


def evaluate(rule: Rule, state: State, readings: Readings, now: datetime) -> tuple[State, list[Decision], Tally]:
    """Take the records of a batch by the one rule; return the decisions in the order in which they fall."""
    findings = Findings()
    absorb(state, sound(state, readings, now, findings.common), findings)
    return state, findings.decisions(0), findings.tally(0)


def absorb(state: State, readings: Readings, findings: Findings) -> None:
    """Take sound records by all rules of the state."""
    for run in runs(readings, state.step):
        fit = fitting(state, run, findings)
        if len(fit.entity):
            fit = fit.of(settle(state, fit, findings), fit.there)
        one_by_one(state, fit, findings)


def warm(rule: Rule, state: State, readings: Readings) -> State:
    """Fill the rings from history, in order of arrival, without deciding: what was decided then is in the database."""
    readings = _some(readings, _finite(readings))
    if not len(readings.entity):
        return state
    kept = _timely(rule, readings)
    state.fill(readings.entity[kept], readings.at[kept], readings.value[kept])
    return state


def tick(rule: Rule, state: State, now: datetime) -> tuple[State, list[Decision], Tally]:
    """Let time pass for entities that are not quiet: silence counts once the tolerance for late records is over."""
    entity = overdue(state, now)
    findings = Findings()
    if len(entity):
        until = micros(now) - state.terms.late
        state.advance(entity, np.full(len(entity), until // state.step))
        state.last[entity] = until
        findings.fall(state, judge(state, Moments.now(state, entity)), entity, np.zeros(len(entity), np.int64))
    return state, findings.decisions(0), findings.tally(0)


def overdue(state: State, now: datetime) -> Ints:
    """Entities that are not quiet by some rule, and of which nothing can come any more up to the tolerance."""
    restless = np.flatnonzero(state.restless[: len(state.names)])
    silent = restless[state.last[restless] < micros(now) - state.terms.late]
    return silent[waiting(state, silent).any(axis=1)]


def waiting(state: State, entity: Ints) -> Bools:
    """By which rules these entities are not quiet: (entities, rules)."""
    return np.asarray((state.levels[entity] > 0) | (state.stages[entity] == Stage.WAITING))


def sound(state: State, readings: Readings, now: datetime, tally: Tally) -> Readings:
    """Leave out values that are no numbers and instants that have not come: recorded as errors, never as quiet."""
    infinite = ~_finite(readings)
    future = readings.at > micros(now + FUTURE)
    for wrong, what in ((infinite, "the value is not a finite number"), (future, "the instant lies in the future")):
        if wrong.any():
            tally.errors[what] += int(wrong.sum())
            for group in range(len(state.terms.groups)):
                state.note(readings.entity[wrong], group, np.full(int(wrong.sum()), Outcome.ERROR))
    good = ~(infinite | future)
    return readings if good.all() else _some(readings, good)


def _finite(readings: Readings) -> Bools:
    finite = np.abs(readings.value) <= LARGEST
    return np.asarray(finite if finite.ndim == 1 else finite.all(axis=1))


def _some(readings: Readings, chosen: Bools) -> Readings:
    return Readings(readings.entity[chosen], readings.at[chosen], readings.value[chosen])


def _timely(rule: Rule, readings: Readings) -> Ints:
    """Positions, in order of arrival, of the records that were within the tolerance when they arrived."""
    order = np.argsort(readings.entity, kind="stable")
    base = readings.at.min()
    width = readings.at.max() - base + 1
    offset = readings.entity[order] * width
    newest = np.maximum.accumulate(readings.at[order] - base + offset) - offset + base
    return np.sort(order[readings.at[order] >= newest - rule.late * 1_000_000])
