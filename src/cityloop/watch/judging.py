"""Judges entities by rules as their rings stand: which thresholds hold, since when, what follows. No I/O, no clock.

The rings may be those of entities, or those of moments of entities: to judge moves nothing, only what calls it writes
what was found.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import IntEnum

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from cityloop.watch.aggregating import Windows, instantaneous, measure
from cityloop.watch.cells import NEVER, Bools, Floats, Ints
from cityloop.watch.rings import Rings
from cityloop.watch.schemas import Level
from cityloop.watch.state import State, each_of
from cityloop.watch.terms import Group, Terms, span_of
from cityloop.watch.windows import MOST_CELLS

DIVISION = "division by zero: all records of the window are of one instant"
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


@dataclass(frozen=True)
class Moments:
    """When some different entities are judged: the moments of one beside each other, in order of arrival."""

    rings: Rings
    row: Ints
    """Row of the rings of each moment."""
    entity: Ints
    count: Ints
    """Moments of each entity."""

    @classmethod
    def now(cls, state: State, entity: Ints) -> Moments:
        """Entities as they stand."""
        return cls(state, entity, entity, np.ones(len(entity), np.int64))

    @property
    def start(self) -> Ints:
        """The first moment of each entity."""
        return np.asarray(np.cumsum(self.count) - self.count)


@dataclass(frozen=True)
class Judgement:
    """What was found of pairs of an entity and a rule, at each moment of the entity. All others are at rest."""

    owner: Ints
    """Position of each pair's entity among the moments' entities."""
    rule: Ints
    """Position of its rule."""
    start: Ints
    """Its first place in what follows, which has its moments beside each other."""
    pair: Ints
    """Which pair each place belongs to."""
    before: Ints
    """The level that the judgement started from; 1-based position in the rule's ladder, 0 for none."""
    level: Ints
    outcome: Ints
    left: Floats
    stage: Ints
    looked: Bools
    """Whether the pair was not at rest."""
    now: Floats
    met_since: Ints
    """Since when each level's threshold is reached, (places, levels); ``NEVER``: it is not, or nothing hangs on it."""
    gone_since: Ints
    resting: Ints
    """The outcome of pairs at rest at each moment: (groups, moments)."""

    @property
    def end(self) -> Ints:
        """The last place of each pair."""
        return np.asarray(np.r_[self.start[1:], len(self.pair)][: len(self.start)] - 1)

    def decision(self, state: State, entity: int, place: int) -> Decision:
        """The change of one entity of ``state`` at one place, with what it rests on."""
        position = int(self.rule[self.pair[place]])
        rule = state.terms.rules[position]
        before, after = int(self.before[place]), int(self.level[place])
        level, threshold = rule.ladder[max(after, 1) - 1]
        since = self.met_since[place, after - 1] if after > before else self.gone_since[place, before - 1]
        end = (int(state.head[entity]) + 1) * state.step
        return Decision(
            rule=rule.id,
            entity=state.names[entity],
            outcome=Outcome.FIRE if before == 0 else Outcome.LEVEL if after else Outcome.CLEAR,
            level=level if after else None,
            before=rule.ladder[before - 1][0] if before else None,
            value=float(self.now[place]),
            threshold=threshold,
            at=instant(state.last[entity]),
            window_from=instant(end - span_of(rule) * state.step),
            window_to=instant(end),
            since=instant(since if since > NEVER else state.last[entity]),
        )


def judge(state: State, moments: Moments) -> Judgement:
    """Evaluate these entities at these moments, all of them from the level at which each entity stands."""
    terms = state.terms
    now = np.empty((len(terms.groups), len(moments.row)))
    resting = np.empty(now.shape, np.int64)
    for number, group in enumerate(terms.groups):
        windows = windows_of(moments.rings, moments.row, group.span, 1)
        now[number] = measure(group.rule, windows)[:, 0]
        wrong = instantaneous(windows)[:, 0] if group.rule.aggregate == "rate" else None
        resting[number] = at_rest(now[number], wrong)
    owner, rule = _concerned(state, moments, now)
    pair, step = each_of(moments.count[owner])
    moment, of = moments.start[owner][pair] + step, rule[pair]
    before = state.levels[moments.entity[owner], rule].astype(np.int64)[pair]
    found = _Found(terms, moments.rings, moments.row[moment], of, before, now[terms.group[of], moment])
    at_last = resting[terms.group[of], moment]
    return Judgement(
        owner=owner,
        rule=rule,
        start=np.flatnonzero(np.r_[True, pair[1:] != pair[:-1]]) if len(pair) else pair,
        pair=pair,
        before=before,
        level=found.level,
        outcome=np.where(found.looked & (at_last != Outcome.ERROR), found.outcome, at_last),
        left=found.left,
        stage=found.stage,
        looked=found.looked,
        now=found.now,
        met_since=found.met_since,
        gone_since=found.gone_since,
        resting=resting,
    )


def at_rest(now: Floats, wrong: Bools | None) -> Ints:
    """The outcome of entities that reach no threshold."""
    found = np.where(np.isnan(now), Outcome.NO_DATA, Outcome.QUIET)
    return found if wrong is None else np.where(wrong, Outcome.ERROR, found)


def windows_of(rings: Rings, row: Ints, span: int, columns: int) -> Windows:
    """Windows that end with each of the newest buckets, for the cells of one kind: (rows, ``columns``, …, buckets)."""

    def windows(name: str) -> Floats:
        cells = rings.recent(name, row, columns + span - 1)
        return np.asarray(sliding_window_view(cells, span, axis=1))

    return windows


def _concerned(state: State, moments: Moments, now: Floats) -> tuple[Ints, Ints]:
    """Pairs of (position of an entity, rule) that are busy, or whose lowest threshold is reached at some moment."""
    owners, rules = [], []
    restless = np.flatnonzero(state.restless[moments.entity])
    owner, rule = np.nonzero(state.busy[moments.entity[restless]])
    owners.append(restless[owner])
    rules.append(rule)
    for number, group in enumerate(state.terms.groups):
        reached = reaching(group, state.terms.sign[group.members[0]] * now[number])
        most = np.maximum.reduceat(reached, moments.start) if len(reached) else reached
        owner, place = each_of(most)
        rule = group.members[place]
        entity = moments.entity[owner]
        fresh = ~(state.busy[entity, rule] | state.apart[entity, rule])
        owners.append(owner[fresh])
        rules.append(rule[fresh])
    return np.concatenate(owners), np.concatenate(rules)


def reaching(group: Group, signed: Floats) -> Ints:
    """How many of a group's rules have their lowest threshold reached by each value: so many of its first members."""
    found = np.searchsorted(group.lowest, signed, side="right")
    return np.where(np.isnan(signed), 0, found)


def micros(instant: datetime) -> int:
    """Microseconds since 1970."""
    return (instant - _EPOCH) // timedelta(microseconds=1)


def instant(value: int) -> datetime:
    """The instant of microseconds since 1970."""
    return _EPOCH + timedelta(microseconds=int(value))


class _Found:
    """What follows for some places from the levels at which they stand."""

    def __init__(self, terms: Terms, rings: Rings, row: Ints, rule: Ints, before: Ints, now: Floats) -> None:
        self.terms, self.rings, self.row, self.rule, self.before, self.now = terms, rings, row, rule, before, now
        signed = terms.sign[rule] * now
        self.looked = (before > 0) | (signed >= terms.limits[rule, 0])
        steady = settled(terms, rule, before, signed, signed)
        self.level, self.left = before.copy(), np.zeros(len(rule))
        self.outcome = np.where(self.looked, Outcome.OPEN, Outcome.QUIET).astype(np.int64)
        self.stage = np.where(self.looked, Stage.OPEN, Stage.QUIET).astype(np.int64)
        self.met_since = np.full((len(rule), len(terms.ranks)), NEVER, np.int64)
        self.gone_since = self.met_since.copy()
        deep = np.flatnonzero(self.looked & ~steady)
        for number, group in enumerate(terms.groups):
            self._look_back(group, deep[terms.group[rule[deep]] == number])
        self._conclude(deep)

    def _look_back(self, group: Group, place: Ints) -> None:
        """Since when each threshold has been reached or left, for these places."""
        terms, rings = self.terms, self.rings
        rows, where = np.unique(self.row[place], return_inverse=True)
        portion = max(1, MOST_CELLS // (group.span * group.columns))
        for first in range(0, len(rows), portion):
            some = rows[first : first + portion]
            here = place[(where >= first) & (where < first + portion)]
            course = where[(where >= first) & (where < first + portion)] - first
            values = measure(group.rule, windows_of(rings, some, group.span, group.columns))
            signed = terms.sign[group.members[0]] * values[:, ::-1]
            rule = self.rule[here]
            limits = terms.limits[rule]
            least, most = np.minimum.accumulate(signed, axis=1), np.maximum.accumulate(signed, axis=1)
            met = _lasting(least, course, limits, np.greater_equal)
            gone = _lasting(most, course, limits - terms.margin[rule][:, None], np.less)
            starts = _starts(rings, some, group.columns)[:, ::-1]
            self.met_since[here] = _since(starts, course, met, terms.columns[rule])
            self.gone_since[here] = _since(starts, course, gone, terms.columns[rule])

    def _conclude(self, place: Ints) -> None:
        """Move the levels of these places; ``left`` are the seconds until the next change."""
        terms, rule, before, now = self.terms, self.rule[place], self.before[place], self.now[place]
        last, ranks = self.rings.last[self.row[place]], terms.ranks
        met = _left(last, self.met_since[place], terms.waits[rule])
        gone = _left(last, self.gone_since[place], terms.patience[rule][:, None])
        up = np.where(met <= 0, ranks, 0).max(axis=1, initial=0)
        stay = np.where((gone > 0) & (ranks <= before[:, None]), ranks, 0).max(axis=1, initial=0)
        after = np.where(up > before, up, stay)
        after = np.where(terms.lapse[rule] & np.isnan(now), 0, after)
        rising = np.where(ranks > after[:, None], met, np.inf).min(axis=1, initial=np.inf)
        falling = np.where(ranks == after[:, None], gone, np.inf).min(axis=1, initial=np.inf)
        left = np.minimum(rising, falling)
        self.level[place], self.left[place] = after, np.where(np.isfinite(left), left, 0.0)
        self.outcome[place] = _outcomes(before, after, self.left[place], now)
        waiting = self.outcome[place] == Outcome.NOT_YET
        self.stage[place] = np.where(waiting, Stage.WAITING, np.where(after > 0, Stage.OPEN, Stage.QUIET))


def settled(terms: Terms, rule: Ints, before: Ints, low: Floats, high: Floats) -> Bools:
    """Whether pairs stay open at their level whatever signed value between ``low`` and ``high`` is the true one."""
    limit = terms.limits[rule, np.maximum(before, 1) - 1]
    return np.asarray((before > 0) & (low >= limit - terms.margin[rule]) & (high < terms.nexts[rule, before]))


def _lasting(extreme: Floats, course: Ints, limits: Floats, holds: np.ufunc) -> Ints:
    """How many of the newest windows meet each limit without a break: (places, levels), by halving.

    ``extreme`` is the least or greatest value of the windows so far back, (courses, columns), the newest first.
    """
    low = np.zeros(limits.shape, np.int64)
    high = np.full(limits.shape, extreme.shape[1], np.int64)
    while (low < high).any():
        middle = (low + high) // 2
        meets = holds(extreme[course[:, None], np.minimum(middle, extreme.shape[1] - 1)], limits) & (low < high)
        low, high = np.where(meets, middle + 1, low), np.where(meets, high, np.minimum(high, middle))
    return low


def _since(starts: Ints, course: Ints, lasting: Ints, columns: Ints) -> Ints:
    """Start of the unbroken run that ends now; ``NEVER`` when there is none."""
    first = np.clip(lasting, 1, columns[:, None]) - 1
    return np.where(lasting > 0, starts[course[:, None], first], NEVER)


def _left(last: Ints, since: Ints, hold: Floats) -> Floats:
    """Seconds until a run has lasted its ``hold``, at most 0 when it has; infinite when there is no run."""
    lasted = (last[:, None] - since) / 1_000_000
    return np.where(since > NEVER, hold - lasted, np.inf)


def _starts(rings: Rings, row: Ints, columns: int) -> Ints:
    """When each of the newest buckets began to speak: its first record, or its start when it has none."""
    first = rings.recent("first", row, columns)
    count = rings.recent("count", row, columns)
    begin = (rings.head[row][:, None] - np.arange(columns - 1, -1, -1)) * rings.step
    return np.where(count > 0, first, begin).astype(np.int64)


def _outcomes(before: Ints, after: Ints, left: Floats, now: Floats) -> Ints:
    quiet = np.where(np.isnan(now), Outcome.NO_DATA, np.where(after > 0, Outcome.OPEN, Outcome.QUIET))
    steady = np.where(left > 0, Outcome.NOT_YET, quiet)
    moved = np.where(before == 0, Outcome.FIRE, np.where(after == 0, Outcome.CLEAR, Outcome.LEVEL))
    return np.where(before == after, steady, moved)
