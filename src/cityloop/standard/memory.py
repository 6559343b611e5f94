"""Checks against an entity's own past: jumps and stuck sensors, by event time, the same however batches are cut.

For every entity of a feed and every judged property the last reading and the run of equal readings are kept. A record
that comes late is never judged against later ones, and changes nothing. A refused record leaves no trace, a reading
flagged as a jump is not what the next one is measured against.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from cityloop.core.phrases import Saying
from cityloop.standard.check_rules import JumpRule, StuckRule, code_of
from cityloop.standard.checks import Refusal, titled
from cityloop.standard.mapped import INDEX, Mapped
from cityloop.standard.mapping import FeedMapping
from cityloop.standard.numbers import Numbers, ends, ordered
from cityloop.standard.phrases import PHRASES

StateRule = JumpRule | StuckRule
_Broken = dict[int, list[tuple[StateRule, Saying]]]
_NOWHERE = np.zeros(0, dtype=np.int64)
_NEVER = np.iinfo(np.int64).min // 2
_SECOND = 1_000_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
PAST = {"entity": pl.String(), "property": pl.String(), "at": pl.Int64(), "value": pl.Float64(),
        "since": pl.Int64(), "count": pl.Int64()}  # fmt: skip
"""Columns of :meth:`Memory.restore`: the last reading, since when and how often in a row it was read (microseconds)."""


@dataclass
class _Past:
    """One property of all entities: last reading and its run, by slot."""

    at: NDArray[np.int64]
    value: NDArray[np.float64]
    since: NDArray[np.int64]
    count: NDArray[np.int64]

    @classmethod
    def empty(cls) -> _Past:
        none = np.zeros(0, dtype=np.int64)
        return cls(none, np.zeros(0), none.copy(), none.copy())

    def grown(self, size: int) -> None:
        more = size - len(self.at)
        if more > 0:
            self.at = np.concatenate([self.at, np.full(more, _NEVER)])
            self.value = np.concatenate([self.value, np.zeros(more)])
            self.since = np.concatenate([self.since, np.full(more, _NEVER)])
            self.count = np.concatenate([self.count, np.zeros(more, dtype=np.int64)])

    def run(self, slot: int) -> _Run:
        """The last reading of one entity, as plain numbers."""
        return _Run(*(column[slot].item() for column in (self.at, self.value, self.since, self.count)))

    def put(self, slot: Any, at: Any, value: Any, since: Any, count: Any) -> None:
        self.at[slot], self.value[slot], self.since[slot], self.count[slot] = at, value, since, count


class _Run(NamedTuple):
    """A reading, or a column of readings, and since when and how often in a row the value was read."""

    at: Any
    value: Any
    since: Any
    count: Any

    def then(self, at: int, value: float) -> _Run:
        """The run after one more reading."""
        goes_on = self.count and value == self.value
        return _Run(at, value, self.since, self.count + 1) if goes_on else _Run(at, value, at, 1)


@dataclass(frozen=True)
class _Sweep:
    """One property's readings in order, judged as if none broke a rule: each with the one before it and its run.

    ``place`` is the reading's place in that order, counted over all rows.
    """

    past: _Past
    place: NDArray[np.int64]
    slot: NDArray[np.int64]
    run: _Run
    before_at: NDArray[np.int64]
    before: NDArray[np.float64]

    def breaking(self, rule: StateRule) -> NDArray[np.int64]:
        """The places of the readings that break the rule."""
        broken: NDArray[np.int64] = self.place[_breaks(rule, self.run, self.before_at, self.before)]
        return broken

    def after(self, place: int, slot: int) -> _Run:
        """The entity's run when the rows up to this place are read."""
        last = int(np.searchsorted(self.place, place, side="right")) - 1
        if last < 0 or self.slot[last] != slot:
            return self.past.run(slot)
        return _Run(*(column[last].item() for column in self.run))

    def learn(self) -> None:
        """Remember every entity's last reading."""
        if len(self.place):
            last = ends(self.slot)
            self.past.put(self.slot[last], *(column[last] for column in self.run))


@dataclass(frozen=True)
class _Batch:
    """The rows of one batch by slot, then time: their numbers, slots, instants and values by property."""

    row: NDArray[np.int64]
    slot: NDArray[np.int64]
    at: NDArray[np.int64]
    values: Mapping[str, NDArray[np.float64]]


class Memory:
    """The past of one feed's entities. Used by one thread at a time."""

    def __init__(self, mapping: FeedMapping) -> None:
        self._mapping = mapping
        self._rules = list(mapping.state_rules)
        self._units = {rule.property: _unit(mapping, rule.property) for rule in self._rules}
        self._begin()

    @property
    def properties(self) -> list[str]:
        """The properties whose past is kept."""
        return list(self._past)

    def restore(self, past: pl.DataFrame) -> None:
        """Take over what was kept before, as :data:`PAST`; everything held until now is forgotten."""
        self._begin()
        slots = self._slot(past["entity"])
        for name, kept in self._past.items():
            here = (past["property"] == name).to_numpy()
            part = past.filter(pl.Series(here))
            columns = [part[column].to_numpy() for column in ("at", "value", "since", "count")]
            kept.put(slots[here], *columns)

    def judge(self, mapped: Mapped) -> Mapped:
        """Move records that break a rule to the refusals or mark them, and remember the others."""
        if not self._rules or mapped.rows.is_empty():
            return mapped
        batch = self._batch(mapped.rows)
        sweeps = {name: _sweep(past, batch, batch.values[name]) for name, past in self._past.items()}
        breaks = [(rule, sweeps[rule.property].breaking(rule)) for rule in self._rules]
        turning = [places for rule, places in breaks if _turns(rule)]
        found, ends, walked = self._walked(batch, sweeps, sorted(set(np.concatenate([_NOWHERE, *turning]).tolist())))
        for rule, places in breaks:
            if not _turns(rule):
                self._noted(rule, places[~walked[places]], batch, sweeps[rule.property], found)
        for sweep in sweeps.values():
            sweep.learn()
        for slot, runs in ends.items():
            for name, run in runs.items():
                self._past[name].put(slot, *run)
        return self._settled(mapped, found) if found else mapped

    def _begin(self) -> None:
        self._numbers = Numbers()
        self._past = {rule.property: _Past.empty() for rule in self._rules}

    def _slot(self, entities: pl.Series) -> NDArray[np.int64]:
        """The place of each entity in the arrays; unknown ones get a new one."""
        slots = self._numbers.of(entities)
        size = int(slots.max(initial=-1)) + 1
        for past in self._past.values():
            past.grown(size)
        return slots

    def _batch(self, rows: pl.DataFrame) -> _Batch:
        slots, times = self._slot(rows["entity"]), rows["observed_at"].to_physical().to_numpy()
        order = ordered(slots, times)
        columns = {name: rows[name].cast(pl.Float64).to_numpy() for name in self._past}
        return _Batch(order, slots[order], times[order], {name: column[order] for name, column in columns.items()})

    def _walked(
        self, batch: _Batch, sweeps: Mapping[str, _Sweep], places: Sequence[int]
    ) -> tuple[_Broken, dict[int, dict[str, _Run]], NDArray[np.bool_]]:
        """Broken rules by row, the runs of entities that end otherwise than the sweeps tell, and the places walked.

        What the sweeps tell is true up to an entity's first broken rule that turns what follows. From there on one
        row after another is judged, until the runs are again what the sweeps tell; then the next place where a rule
        is broken counts.
        """
        found: _Broken = {}
        ends: dict[int, dict[str, _Run]] = {}
        walked = np.zeros(len(batch.slot), dtype=np.bool_)
        done = -1
        for first in places:
            if first <= done:
                continue
            done, slot = first, int(batch.slot[first])
            runs = {name: sweep.after(first - 1, slot) for name, sweep in sweeps.items()}
            end = int(np.searchsorted(batch.slot, slot, side="right"))
            for place in range(first, end):
                done = place
                walked[place] = True
                broken, runs = self._stepped(batch, place, runs)
                if broken:
                    found[int(batch.row[place])] = broken
                if all(runs[name] == sweep.after(place, slot) for name, sweep in sweeps.items()):
                    break
            else:
                ends[slot] = runs
        return found, ends, walked

    def _noted(self, rule: StateRule, places: NDArray[np.int64], batch: _Batch, sweep: _Sweep, found: _Broken) -> None:
        """Add a broken rule that turns nothing, as the sweep tells it."""
        for place, nth in zip(places.tolist(), np.searchsorted(sweep.place, places).tolist(), strict=True):
            run = _Run(*(column[nth].item() for column in sweep.run))
            reason = _reason(
                rule, self._units[rule.property], run, sweep.before_at[nth].item(), sweep.before[nth].item()
            )
            found.setdefault(int(batch.row[place]), []).append((rule, reason))

    def _stepped(
        self, batch: _Batch, place: int, runs: dict[str, _Run]
    ) -> tuple[list[tuple[StateRule, Saying]], dict[str, _Run]]:
        """The rules that one row breaks, and the runs after it."""
        at = batch.at[place].item()
        read = {name: column[place].item() for name, column in batch.values.items()}
        fresh = {name: value for name, value in read.items() if at > runs[name].at and not math.isnan(value)}
        broken = self._verdict(runs, at, fresh)
        if any(rule.severity == "refuse" for rule, _ in broken):
            return broken, runs
        jumped = {rule.property for rule, _ in broken if isinstance(rule, JumpRule)}
        return broken, runs | {name: runs[name].then(at, v) for name, v in fresh.items() if name not in jumped}

    def _verdict(self, runs: Mapping[str, _Run], at: int, fresh: Mapping[str, float]) -> list[tuple[StateRule, Saying]]:
        """The rules that one record breaks; ``fresh`` are its readings that are not late."""
        broken: list[tuple[StateRule, Saying]] = []
        for rule in self._rules:
            if rule.property not in fresh:
                continue
            before = runs[rule.property]
            run = before.then(at, fresh[rule.property])
            if _breaks(rule, run, before.at, before.value):
                broken.append((rule, _reason(rule, self._units[rule.property], run, before.at, before.value)))
        return broken

    def _settled(self, mapped: Mapped, found: _Broken) -> Mapped:
        refusals, flags = dict(mapped.refusals), dict(mapped.flags)
        places = list(found)
        indices, marks = mapped.rows[INDEX].gather(places).to_list(), mapped.rows["quality"].gather(places).to_list()
        gone = np.zeros(mapped.rows.height, dtype=bool)
        for nth, (row, broken) in enumerate(found.items()):
            index = indices[nth]
            refused = [item for item in broken if item[0].severity == "refuse"]
            if refused:
                gone[row] = True
                refusals[index] = self._explained(index, refused)
                flags.pop(index, None)
                continue
            flags[index] = [*flags.get(index, []), *self._explained(index, broken)]
            marks[nth] = ",".join([*([marks[nth]] if marks[nth] else []), *[code_of(rule) for rule, _ in broken]])
        quality = mapped.rows["quality"].scatter(places, pl.Series(marks, dtype=pl.String))
        rows, head = mapped.rows.with_columns(quality), mapped.head
        if gone.any():
            keep = pl.Series(~gone)
            rows, head = rows.filter(keep), head.filter(keep) if head.height else head
        return replace(mapped, rows=rows, refusals=refusals, flags=flags, head=head)

    def _explained(self, index: int, broken: Sequence[tuple[StateRule, Saying]]) -> list[Refusal]:
        return [
            Refusal(index, self._mapping.column_of(rule.property), rule.rule, titled(reason, rule.title))
            for rule, reason in broken
        ]


def _sweep(past: _Past, batch: _Batch, values: NDArray[np.float64]) -> _Sweep:
    """Readings that are there and not late, in order, with the reading before each and its run."""
    place = np.flatnonzero(~np.isnan(values) & (batch.at > past.at[batch.slot]))
    slot, at = batch.slot[place], batch.at[place]
    if len(place):
        # Of two readings of one instant the first counts.
        single = np.concatenate([[True], (slot[1:] != slot[:-1]) | (at[1:] != at[:-1])])
        place, slot, at = place[single], slot[single], at[single]
    value = values[place]
    first = np.concatenate([[True], slot[1:] != slot[:-1]])[: len(place)]
    before_at = np.where(first, past.at[slot], np.roll(at, 1))
    before = np.where(first, past.value[slot], np.roll(value, 1))
    goes_on = (before_at > _NEVER) & (before == value)
    here = np.arange(len(place))
    start = np.maximum.accumulate(np.where(~goes_on | first, here, 0)) if len(place) else here
    held = goes_on[start]
    since = np.where(held, past.since[slot], at[start])
    count = here - start + 1 + np.where(held, past.count[slot], 0)
    return _Sweep(past, place, slot, _Run(at, value, since, count), before_at, before)


def _turns(rule: StateRule) -> bool:
    """Whether what comes after a row that breaks the rule is judged otherwise than if it had not."""
    return isinstance(rule, JumpRule) or rule.severity == "refuse"


def _breaks(rule: StateRule, run: _Run, before_at: Any, before: Any) -> Any:
    """Whether a reading, or each of a column of readings, breaks the rule; the one before it is ``before``."""
    if isinstance(rule, JumpRule):
        seconds, change = (run.at - before_at) / _SECOND, abs(run.value - before)
        known = (before_at > _NEVER) & (seconds <= rule.within)
        return known & (change > rule.change) & (change > rule.change * (seconds / rule.per))
    if rule.readings is not None:
        stuck = run.count >= rule.readings
    else:
        stuck = (run.at - run.since) / _SECOND >= (rule.lasting or 0.0)
    for free in rule.but:
        stuck = stuck & (run.value != free)
    return stuck


def _reason(rule: StateRule, unit: str, run: _Run, before_at: int, before: float) -> Saying:
    """The sentence for one reading that breaks the rule."""
    if isinstance(rule, JumpRule):
        most = rule.change * max(1.0, (run.at - before_at) / _SECOND / rule.per)
        facts = {"value": run.value, "before": before, "at": _instant(before_at), "most": most}
        return PHRASES.say("jump", **facts, unit=unit)
    return PHRASES.say("stuck", value=run.value, unit=unit, count=run.count, since=_instant(run.since))


def _unit(mapping: FeedMapping, identity: str) -> str:
    item = mapping.entity_type.find(identity)
    return f" {item.symbol}" if item and item.symbol else ""


def _instant(micros: int) -> str:
    return (_EPOCH + timedelta(microseconds=micros)).isoformat(timespec="seconds")
