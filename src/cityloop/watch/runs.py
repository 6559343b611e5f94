"""Runs: records of one entity that follow on each other in one bucket. A feed that sends every second sends long ones.

Each record is judged over the window as it stood at that record. As long as none of a run moves a level, all of them
can be judged at once: by what the window comes to where that is far from every threshold, else each on a copy of the
entity's ring. Where one moves a level, the run is taken record by record.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from cityloop.watch.cells import MOST_VALUES, NEVER, Bools, Floats, Ints
from cityloop.watch.findings import Findings
from cityloop.watch.judging import Moments, Tally, judge
from cityloop.watch.state import State

LONGEST = 64
"""Most records of a run."""


@dataclass(frozen=True)
class Readings:
    """Records of one batch in order of arrival: entity number, instant (µs since 1970), value.

    ``value`` has two columns, longitude and latitude, where the rule looks at positions.
    """

    entity: Ints
    at: Ints
    value: Floats


@dataclass(frozen=True)
class Run:
    """One run of each of some *different* entities: shape (entities,), and (entities, records) for the records."""

    entity: Ints
    bucket: Ints
    turn: Ints
    """Which record of its entity, counted in the batch, the first is."""
    at: Ints
    value: Floats
    there: Bools
    """Where a record stands: runs differ in length."""

    def of(self, chosen: Ints, there: Bools) -> Run:
        """The entities at these places only, with these records only."""
        width = int(there[chosen].any(axis=0).cumsum().argmax()) + 1 if len(chosen) else 0
        rows = (self.at, self.value, there)
        return Run(
            self.entity[chosen],
            self.bucket[chosen],
            self.turn[chosen],
            *(cells[chosen, :width] for cells in rows),  # type: ignore[arg-type]
        )


def runs(readings: Readings, step: int) -> Iterator[Run]:
    """Cut the records into runs: the first of every entity, then the second of every entity, and so on.

    Single records come apart from longer runs, which would only widen them.
    """
    if not len(readings.entity):
        return
    order = np.argsort(readings.entity, kind="stable")
    entity, at, value = readings.entity[order], readings.at[order], readings.value[order]
    bucket = at // step
    other = np.r_[True, entity[1:] != entity[:-1]]
    begins = other | np.r_[True, bucket[1:] != bucket[:-1]]
    place = np.arange(len(entity))
    start = np.flatnonzero((place - _latest(begins)) % LONGEST == 0)
    length = np.diff(np.r_[start, len(entity)])
    turn = (place - _latest(other))[start]
    number = np.arange(len(start)) - _latest(other[start])
    for chosen in _split(2 * number + (length > 1)):
        columns = np.arange(length[chosen].max())
        there = columns < length[chosen][:, None]
        rows = np.where(there, start[chosen][:, None] + columns, 0)
        yield Run(entity[start[chosen]], bucket[start[chosen]], turn[chosen], at[rows], value[rows], there)


def fitting(state: State, run: Run, findings: Findings) -> Run:
    """The records that are in time, and find room."""
    fit = run.there & _in_time(state, run)
    late = np.nonzero(run.there & ~fit)[0]
    findings.common.late += len(late)
    findings.late.append(run.entity[late])
    if "values" in state.cells:
        fit = _with_room(state, run, fit, findings.common)
    findings.common.taken += int(fit.sum())
    return run.of(np.flatnonzero(fit.any(axis=1)), fit)


def one_by_one(state: State, run: Run, findings: Findings) -> None:
    """Put the records into the rings and move the levels, the first of every entity, then the second, and so on."""
    for column in range(run.there.shape[1]):
        now = run.there[:, column]
        if now.any():
            entity = run.entity[now]
            state.put(entity, run.at[now, column], run.value[now, column])
            findings.fall(state, judge(state, Moments.now(state, entity)), entity, run.turn[now] + column)


def _in_time(state: State, run: Run) -> Bools:
    before = np.where(run.there, run.at, NEVER)
    last = np.maximum.accumulate(np.c_[state.last[run.entity], before[:, :-1]], axis=1)
    tolerated = run.at >= last - state.terms.late
    reached = run.bucket > state.head[run.entity] - state.size
    return np.asarray((last == NEVER) | (tolerated & reached[:, None]))


def _with_room(state: State, run: Run, fit: Bools, tally: Tally) -> Bools:
    """Leave out what a bucket has no room for: an error of the rule, whose bucket is too wide for its feed."""
    held = np.where(run.bucket > state.head[run.entity], 0, state.cells["count"][run.entity, run.bucket % state.size])
    full = fit & (held[:, None] + fit.cumsum(axis=1) > MOST_VALUES)
    if full.any():
        tally.errors[f"a bucket holds more than {MOST_VALUES} values: choose a smaller one"] += int(full.sum())
    return np.asarray(fit & ~full)


def _latest(marks: Bools) -> Ints:
    """For each position the last marked one up to it; the first is marked."""
    return np.maximum.accumulate(np.where(marks, np.arange(len(marks)), 0))


def _split(number: Ints) -> list[Ints]:
    """Positions by number, for 0, 1, 2 and so on, in order; without those that nothing has."""
    order = np.argsort(number, kind="stable")
    return [part for part in np.split(order, np.cumsum(np.bincount(number))[:-1]) if len(part)]
