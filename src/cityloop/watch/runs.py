"""Runs: records of one entity that follow on each other in one bucket. A feed that sends every second sends long ones.

Each record is judged over the window as it stood at that record. As long as none of a run moves the level, all of them
can be judged at once, each on a copy of the entity's ring; where one does, the run is taken record by record.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from cityloop.watch.judging import Decision, Tally, decide, judge
from cityloop.watch.rules import Rule
from cityloop.watch.state import ALWAYS, MOST_VALUES, NEVER, Bools, Cells, Floats, Ints, Rings, State

LONGEST = 64
"""Most records of a run."""
MOST_CELLS = 1_000_000
"""Most cells of one kind that are copied at once."""
Fallen = tuple[int, int, Decision]
"""A decision behind the turn of its record among those of its entity, and the entity's number."""


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
    """Cut the records into runs: the first of every entity, then the second of every entity, and so on."""
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
    for chosen in _split(number):
        columns = np.arange(length[chosen].max())
        there = columns < length[chosen][:, None]
        rows = np.where(there, start[chosen][:, None] + columns, 0)
        yield Run(entity[start[chosen]], bucket[start[chosen]], turn[chosen], at[rows], value[rows], there)


def take(rule: Rule, state: State, run: Run, tally: Tally) -> list[Fallen]:
    """Put the records into the rings and move the levels."""
    fit = run.there & _in_time(rule, state, run)
    tally.late += int(run.there.sum() - fit.sum())
    if "values" in state.cells:
        fit = _with_room(state, run, fit, tally)
    tally.taken += int(fit.sum())
    long = (fit.sum(axis=1) > 1) & state.at_once
    moving = fit.any(axis=1) & ~long
    portion = max(1, MOST_CELLS // (state.size * fit.shape[1]))
    for rows in np.split(np.flatnonzero(long), range(portion, int(long.sum()), portion)):
        if len(rows):
            moving[rows[_moving(rule, state, run.of(rows, fit), tally)]] = True
    return _one_by_one(rule, state, run.of(np.flatnonzero(moving), fit), tally)


def _in_time(rule: Rule, state: State, run: Run) -> Bools:
    before = np.where(run.there, run.at, NEVER)
    last = np.maximum.accumulate(np.c_[state.last[run.entity], before[:, :-1]], axis=1)
    tolerated = run.at >= last - rule.late * 1_000_000
    reached = run.bucket > state.head[run.entity] - state.size
    return np.asarray((last == NEVER) | (tolerated & reached[:, None]))


def _with_room(state: State, run: Run, fit: Bools, tally: Tally) -> Bools:
    """Leave out what a bucket has no room for: an error of the rule, whose bucket is too wide for its feed."""
    held = np.where(run.bucket > state.head[run.entity], 0, state.cells["count"][run.entity, run.bucket % state.size])
    full = fit & (held[:, None] + fit.cumsum(axis=1) > MOST_VALUES)
    if full.any():
        tally.errors[f"a bucket holds more than {MOST_VALUES} values: choose a smaller one"] += int(full.sum())
    return np.asarray(fit & ~full)


def _one_by_one(rule: Rule, state: State, run: Run, tally: Tally) -> list[Fallen]:
    found: list[Fallen] = []
    for column in range(run.there.shape[1]):
        now = run.there[:, column]
        if not now.any():
            continue
        state.put(run.entity[now], run.at[now, column], run.value[now, column])
        turns = dict(zip(run.entity[now].tolist(), (run.turn[now] + column).tolist(), strict=True))
        for decision in decide(rule, state, run.entity[now], tally):
            number = state.index[decision.entity]
            found.append((turns[number], number, decision))
    return found


def _moving(rule: Rule, state: State, run: Run, tally: Tally) -> Ints:
    """Settle the runs that move no level; return the others, whose records are not in the rings yet."""
    ahead = run.bucket > state.head[run.entity]
    state.advance(run.entity[ahead], run.bucket[ahead])
    slot = run.bucket % state.size
    grown = _grown(state, run, slot)
    owner, column = np.nonzero(run.there)
    moments = _moments(state, run, slot, grown, (owner, column))
    found = judge(rule, moments, np.arange(len(owner)))
    moving = np.zeros(len(run.entity), np.bool_)
    moving[owner[found.level != moments.level]] = True
    still = np.flatnonzero(~moving)
    last = np.searchsorted(owner, still, side="right") - 1
    entity, end = run.entity[still], column[last]
    for name, cells in state.cells.items():
        cells[entity, slot[still]] = grown[name][still, end]
    state.last[entity] = moments.last[last]
    stage = np.r_[NEVER, found.stage[:-1]]
    stage[np.flatnonzero(np.r_[True, owner[1:] != owner[:-1]])] = state.stage[run.entity]
    turned = np.unique(owner[(stage != found.stage) & ~moving[owner]])
    tally.turned.update(state.names[number] for number in run.entity[turned])
    state.outcome[entity], state.left[entity] = found.outcome[last], found.left[last]
    state.stage[entity] = found.stage[last]
    return np.flatnonzero(moving)


def _moments(state: State, run: Run, slot: Ints, grown: dict[str, Cells], place: tuple[Ints, Ints]) -> Rings:
    """The ring of its entity as it stood at each record."""
    owner = place[0]
    entity, row = run.entity[owner], np.arange(len(owner))
    cells = {name: of_all[entity] for name, of_all in state.cells.items()}
    for name, of_run in grown.items():
        cells[name][row, slot[owner]] = of_run[place]
    newest = np.maximum.accumulate(np.c_[state.last[run.entity], np.where(run.there, run.at, NEVER)], axis=1)
    return Rings(state, cells, state.head[entity], newest[:, 1:][place], state.level[entity])


def _grown(state: State, run: Run, slot: Ints) -> dict[str, Cells]:
    """The bucket's cells after each record: shape (entities, records)."""
    ways: dict[str, tuple[np.ufunc, Any, float]] = {
        "count": (np.add, 1, 0),
        "total": (np.add, run.value, 0.0),
        "first": (np.minimum, run.at, ALWAYS),
        "low": (np.minimum, run.value, np.inf),
        "high": (np.maximum, run.value, -np.inf),
        "newest_at": (np.maximum, run.at, NEVER),
    }
    base = {name: cells[run.entity, slot][:, None] for name, cells in state.cells.items()}
    grown: dict[str, Cells] = {}
    for name in base.keys() & ways.keys():
        way, gain, none = ways[name]
        gains = np.where(run.there, gain, none).astype(base[name].dtype)
        grown[name] = way.accumulate(np.concatenate([base[name], gains], axis=1), axis=1)
    if "newest" in base:
        newer = run.there & (run.at >= grown["newest_at"][:, :-1])
        chosen = np.maximum.accumulate(np.where(newer, np.arange(1, newer.shape[1] + 1), 0), axis=1)
        values = np.concatenate([base["newest"], run.value], axis=1)
        grown["newest"] = np.c_[base["newest"], np.take_along_axis(values, chosen, axis=1)]
    return {name: cells[:, 1:] for name, cells in grown.items()}


def _latest(marks: Bools) -> Ints:
    """For each position the last marked one up to it; the first is marked."""
    return np.maximum.accumulate(np.where(marks, np.arange(len(marks)), 0))


def _split(number: Ints) -> list[Ints]:
    """Positions by number, for 0, 1, 2 and so on, in order."""
    order = np.argsort(number, kind="stable")
    return np.split(order, np.cumsum(np.bincount(number))[:-1])
