"""Judges entities by a rule as their rings stand: which thresholds hold, since when, what follows. No I/O, no clock.

The rings may be those of entities, or those of the moments of one entity: to judge moves nothing, only :func:`decide`
writes what was found.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import IntEnum

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from cityloop.watch.aggregating import AGGREGATES, instantaneous
from cityloop.watch.rules import Rule
from cityloop.watch.schemas import Level
from cityloop.watch.state import NEVER, Bools, Floats, Ints, Rings, State

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


@dataclass
class Judgement:
    """What was found of some entities, in their order."""

    level: Ints
    """1-based position in the rule's ladder that follows; 0: none."""
    outcome: Ints
    left: Floats
    stage: Ints
    looked: Ints
    """Positions whose past was looked at, in the order of ``view``: all that are not quiet and stay so."""
    view: _View | None = None


DIVISION = "division by zero: all records of the window are of one instant"


def judge(rule: Rule, rings: Rings, entity: Ints) -> Judgement:
    """Evaluate these entities at their newest instant."""
    now = aggregates(rule, rings, entity, 1)[:, 0]
    beyond = rule.sign * now >= rule.sign * rule.ladder[0][1]
    looked = np.flatnonzero(beyond | (rings.level[entity] != 0))
    found = Judgement(
        level=np.zeros(len(entity), np.int64),
        outcome=np.where(np.isnan(now), Outcome.NO_DATA, Outcome.QUIET),
        left=np.zeros(len(entity)),
        stage=np.full(len(entity), Stage.QUIET, np.int64),
        looked=looked,
    )
    if len(looked):
        view = found.view = _View(rule, rings, entity[looked])
        after = view.level_after()
        outcome = _outcomes(rings.level[entity[looked]].astype(np.int64), after, view)
        stage = np.where(outcome == Outcome.NOT_YET, Stage.WAITING, np.where(after > 0, Stage.OPEN, Stage.QUIET))
        found.level[looked], found.outcome[looked], found.left[looked] = after, outcome, view.left
        found.stage[looked] = stage
    if rule.aggregate == "rate":
        found.outcome[instantaneous(rings, entity)] = Outcome.ERROR
    return found


def decide(rule: Rule, state: State, entity: Ints, tally: Tally) -> list[Decision]:
    """Evaluate these entities at their newest instant and move their levels."""
    found = judge(rule, state, entity)
    before = state.level[entity].astype(np.int64)
    turned = (found.stage != state.stage[entity]) | (before != found.level)
    tally.turned.update(state.names[number] for number in entity[turned])
    state.level[entity], state.stage[entity] = found.level, found.stage
    state.outcome[entity], state.left[entity] = found.outcome, found.left
    if rule.aggregate == "rate" and (wrong := int((found.outcome == Outcome.ERROR).sum())):
        tally.errors[DIVISION] += wrong
    if found.view is None:
        return []
    moved = np.flatnonzero(before[found.looked] != found.level[found.looked])
    places = found.looked[moved]
    return [
        found.view.decision(state, row, was, now)
        for row, was, now in zip(moved.tolist(), before[places].tolist(), found.level[places].tolist(), strict=True)
    ]


def aggregates(rule: Rule, rings: Rings, entity: Ints, columns: int) -> Floats:
    """The aggregate at the end of each of the newest buckets: shape (entities, ``columns``); NaN: no record."""

    def windows(name: str) -> Floats:
        cells = rings.recent(name, entity, columns + rings.span - 1)
        return np.asarray(sliding_window_view(cells, rings.span, axis=1))

    count = windows("count").sum(axis=2)
    result = AGGREGATES[rule.aggregate](rule, windows, count)
    result = np.where(count > 0, result, 0.0 if rule.empty == "zero" else np.nan)
    return result if rule.least == 1 else np.where((count > 0) & (count < rule.least), np.nan, result)


def micros(instant: datetime) -> int:
    """Microseconds since 1970."""
    return (instant - _EPOCH) // timedelta(microseconds=1)


def instant(value: int) -> datetime:
    """The instant of microseconds since 1970."""
    return _EPOCH + timedelta(microseconds=int(value))


class _View:
    """One evaluation of some entities: which thresholds hold, since when, and what follows."""

    def __init__(self, rule: Rule, rings: Rings, entity: Ints) -> None:
        self.rule, self.rings, self.entity = rule, rings, entity
        values = aggregates(rule, rings, entity, rings.columns)
        self.now = values[:, -1]
        self.limits = rule.sign * np.array([value for _, value in rule.ladder])
        signed = rule.sign * values[:, :, None]
        self.starts = _starts(rings, entity)
        self.last = rings.last[entity]
        self.met_since = self._since(signed >= self.limits)
        self.gone_since = self._since(signed < self.limits - rule.clear.margin)
        self.left = np.zeros(len(entity))

    def level_after(self) -> Ints:
        """The level (1-based, 0 none) that follows; also sets ``left``, the seconds until the next change."""
        rule, ranks = self.rule, np.arange(1, len(self.limits) + 1)
        before = self.rings.level[self.entity].astype(np.int64)
        met = self._left(self.met_since, np.array(rule.waits))
        gone = self._left(self.gone_since, np.array([rule.clear.hold]))
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

    def decision(self, state: State, row: int, before: int, after: int) -> Decision:
        """The change of one entity of ``state``, with what it rests on."""
        rule = self.rule
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
        first = np.clip(self.rings.columns - run, 0, self.rings.columns - 1)
        return np.asarray(np.where(run > 0, np.take_along_axis(self.starts, first, axis=1), NEVER))

    def _left(self, since: Ints, hold: Ints) -> Floats:
        """Seconds until a run has lasted its ``hold``, at most 0 when it has; infinite when there is no run."""
        lasted = (self.last[:, None] - since) / 1_000_000
        return np.where(since > NEVER, hold - lasted, np.inf)


def _starts(rings: Rings, entity: Ints) -> Ints:
    """When each of the newest buckets began to speak: its first record, or its start when it has none."""
    first = rings.recent("first", entity, rings.columns)
    count = rings.recent("count", entity, rings.columns)
    begin = (rings.head[entity][:, None] - np.arange(rings.columns - 1, -1, -1)) * rings.step
    return np.where(count > 0, first, begin).astype(np.int64)


def _outcomes(before: Ints, after: Ints, view: _View) -> Ints:
    steady = np.where(
        view.left > 0,
        Outcome.NOT_YET,
        np.where(np.isnan(view.now), Outcome.NO_DATA, np.where(after > 0, Outcome.OPEN, 0)),
    )
    moved = np.where(before == 0, Outcome.FIRE, np.where(after == 0, Outcome.CLEAR, Outcome.LEVEL))
    return np.where(before == after, steady, moved)
