"""Decides: ``(rule, state, readings, now) → (state, decisions, tally)``. No I/O, no clock, no randomness.

Records are taken one at a time, in order of arrival; numpy takes the n-th record of all entities of a batch at once.
So the same records give the same decisions however they were cut into batches. The state given is consumed: the one
returned is the same object, changed, because copying the rings would cost more than the evaluation.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import IntEnum

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from cityloop.watch.rules import Rule
from cityloop.watch.schemas import Level
from cityloop.watch.state import NEVER, Bools, Floats, Ints, State

FUTURE = timedelta(minutes=5)
"""How far an observation may lie beyond ``now`` before it is an error."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Outcome(IntEnum):
    """What an evaluation found for one entity. ``NOT_YET``: a hold is running; ``State.left`` has the seconds."""

    QUIET = 0
    NOT_YET = 1
    FIRE = 2
    OPEN = 3
    LEVEL = 4
    CLEAR = 5
    NO_DATA = 6
    ERROR = 7


class Stage(IntEnum):
    """Where one rule stands with one entity; ``WAITING``: a hold is running, upwards or towards clearing."""

    QUIET = 0
    WAITING = 1
    OPEN = 2


@dataclass(frozen=True)
class Readings:
    """Records of one batch in order of arrival: entity number, instant (µs since 1970), value."""

    entity: Ints
    at: Ints
    value: Floats


@dataclass(frozen=True)
class Decision:
    """A change that must be made durable: a warning opens, changes its level, or clears."""

    rule: str
    entity: str
    outcome: Outcome
    level: Level | None
    before: Level | None
    value: float
    """The aggregate at ``at``; NaN when a finding lapsed in silence."""
    threshold: float
    at: datetime
    window_from: datetime
    window_to: datetime
    since: datetime
    """Since when the condition has lasted."""


@dataclass
class Tally:
    """What became of the records of a batch, and which entities changed between quiet, waiting and open."""

    taken: int = 0
    late: int = 0
    errors: Counter[str] = field(default_factory=Counter)
    turned: set[str] = field(default_factory=set)


def evaluate(rule: Rule, state: State, readings: Readings, now: datetime) -> tuple[State, list[Decision], Tally]:
    """Take the records of a batch; return the decisions in the order in which they fall."""
    tally = Tally()
    readings = _sound(state, readings, now, tally)
    decisions: list[Decision] = []
    for entity, at, value in _rounds(readings):
        fit = _in_time(rule, state, entity, at)
        tally.late += int(len(fit) - fit.sum())
        tally.taken += int(fit.sum())
        if fit.any():
            state.put(entity[fit], at[fit], value[fit])
            decisions += decide(rule, state, entity[fit], tally)
    return state, decisions, tally


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


def decide(rule: Rule, state: State, entity: Ints, tally: Tally) -> list[Decision]:
    """Evaluate these entities at their newest instant and move their levels."""
    entity = _settle_quiet(rule, state, entity, tally)
    if not len(entity):
        return []
    view = _View(rule, state, entity, aggregates(rule, state, entity, state.columns))
    after = view.level_after()
    before = state.level[entity].astype(np.int64)
    outcome = _outcomes(before, after, view)
    stage = np.where(outcome == Outcome.NOT_YET, Stage.WAITING, np.where(after > 0, Stage.OPEN, Stage.QUIET))
    turned = (stage != state.stage[entity]) | (before != after)
    tally.turned.update(state.names[number] for number in entity[turned])
    state.level[entity], state.outcome[entity], state.left[entity] = after, outcome, view.left
    state.stage[entity] = stage
    return [view.decision(int(i), int(before[i]), int(after[i])) for i in np.flatnonzero(before != after)]


def _settle_quiet(rule: Rule, state: State, entity: Ints, tally: Tally) -> Ints:
    """Settle the many entities that are quiet and stay so; return the others, which need a look at their past."""
    now = aggregates(rule, state, entity, 1)[:, 0]
    beyond = rule.sign * now >= rule.sign * rule.ladder[0][1]
    calm = ~beyond & (state.level[entity] == 0)
    quiet = entity[calm]
    tally.turned.update(state.names[number] for number in quiet[state.stage[quiet] != Stage.QUIET])
    state.outcome[quiet] = np.where(np.isnan(now[calm]), Outcome.NO_DATA, Outcome.QUIET)
    state.left[quiet], state.stage[quiet] = 0.0, Stage.QUIET
    return np.asarray(entity[~calm])


def aggregates(rule: Rule, state: State, entity: Ints, columns: int) -> Floats:
    """The aggregate at the end of each of the newest buckets: shape (entities, ``columns``); NaN: no record."""

    def windows(name: str) -> Floats:
        cells = state.recent(name, entity, columns + state.span - 1)
        return np.asarray(sliding_window_view(cells, state.span, axis=1))

    count = windows("count").sum(axis=2)
    match rule.aggregate:
        case "count":
            result = count.astype(np.float64)
        case "sum":
            result = windows("total").sum(axis=2)
        case "mean":
            result = windows("total").sum(axis=2) / np.maximum(count, 1)
        case "min":
            result = windows("low").min(axis=2)
        case "max":
            result = windows("high").max(axis=2)
        case "last":
            newest = windows("newest_at").argmax(axis=2)[:, :, None]
            result = np.take_along_axis(windows("newest"), newest, axis=2)[:, :, 0]
    return np.where(count > 0, result, 0.0 if rule.empty == "zero" else np.nan)


def micros(instant: datetime) -> int:
    """Microseconds since 1970."""
    return (instant - _EPOCH) // timedelta(microseconds=1)


def instant(value: int) -> datetime:
    """The instant of microseconds since 1970."""
    return _EPOCH + timedelta(microseconds=int(value))


class _View:
    """One evaluation of some entities: which thresholds hold, since when, and what follows."""

    def __init__(self, rule: Rule, state: State, entity: Ints, values: Floats) -> None:
        self.rule, self.state, self.entity = rule, state, entity
        self.now = values[:, -1]
        self.limits = rule.sign * np.array([value for _, value in rule.ladder])
        signed = rule.sign * values[:, :, None]
        self.starts = _starts(state, entity)
        self.last = state.last[entity]
        self.met_since = self._since(signed >= self.limits)
        self.gone_since = self._since(signed < self.limits - rule.clear.margin)
        self.left = np.zeros(len(entity))

    def level_after(self) -> Ints:
        """The level (1-based, 0 none) that follows; also sets ``left``, the seconds until the next change."""
        rule, ranks = self.rule, np.arange(1, len(self.limits) + 1)
        before = self.state.level[self.entity].astype(np.int64)
        met, gone = self._left(self.met_since, rule.hold), self._left(self.gone_since, rule.clear.hold)
        up = np.where(met <= 0, ranks, 0).max(axis=1)
        stay = np.where((gone > 0) & (ranks <= before[:, None]), ranks, 0).max(axis=1)
        after = np.where(up > before, up, stay)
        if rule.empty == "lapse":
            after = np.where(np.isnan(self.now), 0, after)
        rising = np.where(ranks > after[:, None], met, np.inf).min(axis=1)
        falling = np.where(ranks == after[:, None], gone, np.inf).min(axis=1)
        left = np.minimum(rising, falling)
        self.left = np.where(np.isfinite(left), left, 0.0)
        return np.asarray(after)

    def decision(self, row: int, before: int, after: int) -> Decision:
        """The change of one entity, with what it rests on."""
        rule, state = self.rule, self.state
        rank = after if after > 0 else 1
        level, threshold = rule.ladder[rank - 1]
        rose = after > before
        since = self.met_since[row, rank - 1] if rose else self.gone_since[row, before - 1]
        end = (int(state.head[self.entity[row]]) + 1) * state.step
        return Decision(
            rule=rule.id,
            entity=state.names[self.entity[row]],
            outcome=Outcome.FIRE if before == 0 else Outcome.LEVEL if after else Outcome.CLEAR,
            level=level if after else None,
            before=rule.ladder[before - 1][0] if before else None,
            value=float(self.now[row]),
            threshold=threshold,
            at=instant(self.last[row]),
            window_from=instant(end - state.span * state.step),
            window_to=instant(end),
            since=instant(since if since > NEVER else self.last[row]),
        )

    def _since(self, holds: Bools) -> Ints:
        """Start of the unbroken run that ends now, for each level; ``NEVER`` when there is none."""
        run = np.logical_and.accumulate(holds[:, ::-1, :], axis=1).sum(axis=1)
        first = np.clip(self.state.columns - run, 0, self.state.columns - 1)
        return np.asarray(np.where(run > 0, np.take_along_axis(self.starts, first, axis=1), NEVER))

    def _left(self, since: Ints, hold: int) -> Floats:
        """Seconds until a run has lasted ``hold``, at most 0 when it has; infinite when there is no run."""
        lasted = (self.last[:, None] - since) / 1_000_000
        return np.where(since > NEVER, hold - lasted, np.inf)


def _starts(state: State, entity: Ints) -> Ints:
    """When each of the newest buckets began to speak: its first record, or its start when it has none."""
    first = state.recent("first", entity, state.columns)
    count = state.recent("count", entity, state.columns)
    begin = (state.head[entity][:, None] - np.arange(state.columns - 1, -1, -1)) * state.step
    return np.where(count > 0, first, begin).astype(np.int64)


def _outcomes(before: Ints, after: Ints, view: _View) -> Ints:
    steady = np.where(
        view.left > 0,
        Outcome.NOT_YET,
        np.where(np.isnan(view.now), Outcome.NO_DATA, np.where(after > 0, Outcome.OPEN, 0)),
    )
    moved = np.where(before == 0, Outcome.FIRE, np.where(after == 0, Outcome.CLEAR, Outcome.LEVEL))
    return np.where(before == after, steady, moved)


def _sound(state: State, readings: Readings, now: datetime, tally: Tally) -> Readings:
    """Leave out values that are no numbers and instants that have not come: recorded as errors, never as quiet."""
    infinite = ~np.isfinite(readings.value)
    future = readings.at > micros(now + FUTURE)
    for wrong, what in ((infinite, "the value is not a finite number"), (future, "the instant lies in the future")):
        if wrong.any():
            tally.errors[what] += int(wrong.sum())
            state.outcome[readings.entity[wrong]] = Outcome.ERROR
    good = ~(infinite | future)
    return readings if good.all() else Readings(readings.entity[good], readings.at[good], readings.value[good])


def _in_time(rule: Rule, state: State, entity: Ints, at: Ints) -> Bools:
    last, head = state.last[entity], state.head[entity]
    tolerated = at >= last - rule.late * 1_000_000
    reached = at // state.step > head - state.size
    return np.asarray((last == NEVER) | (tolerated & reached))


def _timely(rule: Rule, readings: Readings) -> Ints:
    """Positions, in order of arrival, of the records that were within the tolerance when they arrived."""
    order = np.argsort(readings.entity, kind="stable")
    base = readings.at.min()
    width = readings.at.max() - base + 1
    offset = readings.entity[order] * width
    newest = np.maximum.accumulate(readings.at[order] - base + offset) - offset + base
    return np.sort(order[readings.at[order] >= newest - rule.late * 1_000_000])


def _rounds(readings: Readings) -> list[tuple[Ints, Ints, Floats]]:
    """Cut the records so that each round has an entity at most once, keeping each entity's order of arrival."""
    if not len(readings.entity):
        return []
    order = np.argsort(readings.entity, kind="stable")
    entity = readings.entity[order]
    start = np.flatnonzero(np.r_[True, entity[1:] != entity[:-1]])
    turn = np.arange(len(entity)) - np.repeat(start, np.diff(np.r_[start, len(entity)]))
    order = order[np.argsort(turn, kind="stable")]
    edges = np.cumsum(np.bincount(turn))[:-1]
    return [(readings.entity[part], readings.at[part], readings.value[part]) for part in np.split(order, edges)]
