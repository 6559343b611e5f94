"""Takes runs of records at once, as long as they move no level.

What the windows come to after each record tells, within the rounding of their sums, which thresholds may be reached.
Most entities are far from all of them, or stay open where they are: they are done. The others are judged closely, on
copies of their rings.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from cityloop.watch.aggregating import bounds, instantaneous
from cityloop.watch.cells import NEVER, Bools, Cells, Floats, Ints, grown
from cityloop.watch.findings import Findings, write
from cityloop.watch.judging import Judgement, Moments, Outcome, Stage, at_rest, judge, reaching, settled
from cityloop.watch.rings import Rings
from cityloop.watch.runs import Run
from cityloop.watch.state import State
from cityloop.watch.terms import Group
from cityloop.watch.windows import MOST_CELLS, Course

_SIDES = ("low", "high", "blank")


@dataclass(frozen=True)
class Sight:
    """Between which values the windows of one group lie during a run: signed, shape (entities,)."""

    low: Floats
    high: Floats
    """NaN where no window says anything."""
    blank: Bools
    """Whether some window says nothing."""
    resting: Ints
    """The outcome behind the run for pairs at rest."""
    wrong: Ints
    """Records over whose window nothing could be divided."""


def settle(state: State, run: Run, findings: Findings) -> Ints:
    """Settle the runs that move no level; return the others, whose records are not in the rings yet."""
    ahead = run.bucket > state.head[run.entity]
    state.advance(run.entity[ahead], run.bucket[ahead])
    slot = run.bucket % state.size
    base = {name: cells[run.entity, slot] for name, cells in state.cells.items() if name != "values"}
    after = grown(base, run.at, run.value, run.there)
    courses = {span: one.course(state, run.entity, run.at, run.value, run.there) for span, one in state.windows.items()}
    sights = [_sight(group, courses[group.span], run.there) for group in state.terms.groups]
    near, open_ = _near(state, run.entity, sights)
    moving = np.zeros(len(run.entity), np.bool_)
    if "values" in state.cells:  # to copy rings of all values would cost more than to take the records one by one
        moving[near], near = True, near[:0]
    judged = [(rows, _closely(state, run, rows, after)) for rows in _portions(near, state.size * run.there.shape[1])]
    for rows, found in judged:
        moving[rows[found.owner[found.pair[found.level != found.before]]]] = True
    still = np.flatnonzero(~moving)
    _keep(state, run, still, after, courses)
    for number, sight in enumerate(sights):
        findings.rest(state, run.entity[still], number, sight.resting[still], int(sight.wrong[still].sum()))
    state.outcomes[open_] = Outcome.OPEN
    for rows, found in judged:
        _conclude(state, run.entity[rows], found, np.flatnonzero(~moving[rows[found.owner]]), findings)
    return np.flatnonzero(moving)


def _keep(state: State, run: Run, still: Ints, after: dict[str, Cells], courses: dict[int, Course]) -> None:
    """Put the records of these runs into the rings."""
    entity, slot = run.entity[still], run.bucket[still] % state.size
    for name, grown_to in after.items():
        state.cells[name][entity, slot] = grown_to[still, -1]
    if "values" in state.cells:
        there = run.there[still]
        row, column = np.nonzero(there)
        place = after["count"][still, -1][row] - there.sum(axis=1)[row] + there.cumsum(axis=1)[row, column] - 1
        state.store(entity[row], slot[row], place, run.value[still][row, column])
    for span, windows in state.windows.items():
        windows.keep(entity, courses[span], still)
    newest = np.where(run.there, run.at, NEVER).max(axis=1)
    state.last[entity] = np.maximum(state.last[entity], newest[still])


def _sight(group: Group, course: Course, there: Bools) -> Sight:
    low, high = bounds(group.rule, course)
    if group.rule.sign < 0:
        low, high = -high, -low
    nothing = np.isnan(low)
    wrong = instantaneous(course.windows) if group.rule.aggregate == "rate" else None
    return Sight(
        low=np.fmin.reduce(low, axis=1),
        high=np.fmax.reduce(high, axis=1),
        blank=np.asarray(nothing.any(axis=1)),
        resting=at_rest(low[:, -1], None if wrong is None else wrong[:, -1]),
        wrong=np.zeros(len(low), np.int64) if wrong is None else (wrong & there).sum(axis=1),
    )


def _near(state: State, entity: Ints, sights: Sequence[Sight]) -> tuple[Ints, tuple[Ints, Ints]]:
    """Which of these entities may come near a threshold; and pairs (entity, rule) of the others, which stay open."""
    terms = state.terms
    possible = np.zeros(len(entity), np.int64)
    for group, sight in zip(terms.groups, sights, strict=True):
        possible += reaching(group, sight.high)
    restless = np.flatnonzero(state.restless[entity])
    place, rule = np.nonzero(state.busy[entity[restless]])
    row = restless[place]
    number, of = entity[row], terms.group[rule]
    low, high, blank = (np.array([getattr(sight, name) for sight in sights])[of, row] for name in _SIDES)
    stays = settled(terms, rule, state.levels[number, rule].astype(np.int64), low, high) & ~blank
    stays &= (state.stages[number, rule] == Stage.OPEN) & (state.lefts[number, rule] == 0)
    known = np.bincount(row[high >= terms.limits[rule, 0]], minlength=len(entity))
    moved = np.bincount(row[~stays], minlength=len(entity)) > 0
    near = (possible > known) | moved
    far = ~near[row]
    return np.flatnonzero(near), (number[far], rule[far])


def _portions(rows: Ints, cells: int) -> list[Ints]:
    """Cut so that not too much is copied at once; ``cells`` for each row."""
    portion = max(1, MOST_CELLS // cells)
    return [rows[first : first + portion] for first in range(0, len(rows), portion)]


def _closely(state: State, run: Run, rows: Ints, after: dict[str, Cells]) -> Judgement:
    """Judge these entities at each of their records, on their rings as they stood then."""
    owner, column = np.nonzero(run.there[rows])
    place = rows[owner]
    entity, row = run.entity[place], np.arange(len(owner))
    cells = {name: of_all[entity] for name, of_all in state.cells.items()}
    slot = run.bucket[place] % state.size
    for name, of_run in after.items():
        cells[name][row, slot] = of_run[place, column]
    arrived = np.c_[state.last[run.entity[rows]], np.where(run.there[rows], run.at[rows], NEVER)]
    newest = np.maximum.accumulate(arrived, axis=1)[:, 1:]
    rings = Rings(state.step, state.size, cells, state.head[entity], newest[owner, column])
    return judge(state, Moments(rings, row, run.entity[rows], run.there[rows].sum(axis=1)))


def _conclude(state: State, entity: Ints, found: Judgement, pairs: Ints, findings: Findings) -> None:
    """Write where these pairs stand behind their runs, which moved no level."""
    before = np.r_[np.int64(NEVER), found.stage[:-1]] if len(found.stage) else found.stage
    before[found.start] = state.stages[entity[found.owner], found.rule]
    turned = np.bincount(found.pair[before != found.stage], minlength=len(found.owner))[pairs] > 0
    findings.turn(state, entity[found.owner[pairs[turned]]], found.rule[pairs[turned]])
    write(state, found, entity, pairs)
