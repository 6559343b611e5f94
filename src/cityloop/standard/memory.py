"""Checks against an entity's own past: jumps and stuck sensors, by event time, the same however batches are cut.

For every entity of a feed and every judged property the last reading and the run of equal readings are kept. A record
that comes late is never judged against later ones, and changes nothing. A refused record leaves no trace, a reading
flagged as a jump is not what the next one is measured against.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from cityloop.standard.check_rules import JumpRule, StuckRule, code_of
from cityloop.standard.checks import Refusal
from cityloop.standard.mapping import INDEX, FeedMapping, Mapped

StateRule = JumpRule | StuckRule
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
            self.value = np.concatenate([self.value, np.full(more, np.nan)])
            self.since = np.concatenate([self.since, np.full(more, _NEVER)])
            self.count = np.concatenate([self.count, np.zeros(more, dtype=np.int64)])

    def put(self, slot: Any, at: Any, value: Any, since: Any, count: Any) -> None:
        self.at[slot], self.value[slot], self.since[slot], self.count[slot] = at, value, since, count


@dataclass(frozen=True)
class _Readings:
    """Judged readings of one property, by slot and time, each with what came before it and the run it stands in."""

    row: NDArray[np.int64]
    slot: NDArray[np.int64]
    at: NDArray[np.int64]
    value: NDArray[np.float64]
    before_at: NDArray[np.int64]
    before: NDArray[np.float64]
    since: NDArray[np.int64]
    count: NDArray[np.int64]


class Memory:
    """The past of one feed's entities. Used by one thread at a time."""

    def __init__(self, mapping: FeedMapping) -> None:
        self._mapping = mapping
        self._rules = list(mapping.state_rules)
        self._slots: dict[str, int] = {}
        self._past = {rule.property: _Past.empty() for rule in self._rules}

    @property
    def properties(self) -> list[str]:
        """The properties whose past is kept."""
        return list(self._past)

    def restore(self, past: pl.DataFrame) -> None:
        """Take over what was kept before, as :data:`PAST`; everything held until now is forgotten."""
        self._slots = {}
        self._past = {name: _Past.empty() for name in self._past}
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
        rows = mapped.rows
        slots, times = self._slot(rows["entity"]), rows["observed_at"].to_physical().to_numpy()
        order = np.lexsort((times, slots))
        found = self._broken(rows, slots, times, order)
        return self._settled(mapped, found) if found else mapped

    def _slot(self, entities: pl.Series) -> NDArray[np.int64]:
        """The place of each entity in the arrays; unknown ones get a new one."""
        names = entities.unique().to_list()
        for name in names:
            self._slots.setdefault(name, len(self._slots))
        for past in self._past.values():
            past.grown(len(self._slots))
        if not names:
            return np.zeros(0, dtype=np.int64)
        numbers = [self._slots[name] for name in names]
        return entities.replace_strict(names, numbers, return_dtype=pl.Int64).to_numpy()

    def _broken(
        self, rows: pl.DataFrame, slots: NDArray[np.int64], times: NDArray[np.int64], order: NDArray[np.int64]
    ) -> dict[int, list[tuple[StateRule, str]]]:
        """Broken rules by row. Entities without any are done in one sweep, the others reading by reading."""
        sweeps = {}
        suspect: set[int] = set()
        for name, past in self._past.items():
            values = rows[name].cast(pl.Float64).fill_null(float("nan")).to_numpy()
            readings = _readings(past, order, slots, times, values)
            sweeps[name] = readings
            for rule in self._rules:
                if rule.property == name:
                    suspect |= set(readings.slot[_breaks(rule, readings)].tolist())
        for name, readings in sweeps.items():
            _learn(self._past[name], readings, suspect)
        if not suspect:
            return {}
        asked = order[np.isin(slots[order], list(suspect))]
        return self._one_by_one(rows, asked, slots, times)

    def _one_by_one(
        self, rows: pl.DataFrame, asked: NDArray[np.int64], slots: NDArray[np.int64], times: NDArray[np.int64]
    ) -> dict[int, list[tuple[StateRule, str]]]:
        part = rows.select(self.properties)[asked.tolist()]
        found: dict[int, list[tuple[StateRule, str]]] = {}
        for row, values in zip(asked.tolist(), part.iter_rows(named=True), strict=True):
            slot, at = int(slots[row]), int(times[row])
            broken = [
                (rule, reason)
                for rule in self._rules
                if (value := values[rule.property]) is not None
                and (reason := self._reason(rule, slot, at, float(value)))
            ]
            if broken:
                found[row] = broken
            if any(rule.severity == "refuse" for rule, _ in broken):
                continue
            jumped = {rule.property for rule, _ in broken if isinstance(rule, JumpRule)}
            for name, value in values.items():
                if value is not None and name not in jumped:
                    self._remember(self._past[name], slot, at, float(value))
        return found

    def _remember(self, past: _Past, slot: int, at: int, value: float) -> None:
        if at <= past.at[slot]:
            return
        goes_on = past.value[slot] == value
        since, count = (past.since[slot], past.count[slot] + 1) if goes_on else (at, 1)
        past.put(slot, at, value, since, count)

    def _reason(self, rule: StateRule, slot: int, at: int, value: float) -> str:
        """Why a reading breaks a rule, empty when it does not."""
        past = self._past[rule.property]
        before_at, before = int(past.at[slot]), float(past.value[slot])
        if at <= before_at:
            return ""
        goes_on = before == value
        since, count = (int(past.since[slot]), int(past.count[slot]) + 1) if goes_on else (at, 1)
        reading = _Readings(*[np.array([x]) for x in (0, slot, at, value, before_at, before, since, count)])
        if not _breaks(rule, reading)[0]:
            return ""
        item = self._mapping.entity_type.find(rule.property)
        unit = f" {item.symbol}" if item and item.symbol else ""
        if isinstance(rule, JumpRule):
            most = rule.change * max(1.0, (at - before_at) / _SECOND / rule.per)
            return (
                f"{value:g}{unit} after {before:g}{unit} at {_instant(before_at)}; "
                f"it may change by {most:g}{unit} in that time"
            )
        return f"{value:g}{unit} for the {count}th time in a row, since {_instant(since)}; the sensor may be stuck"

    def _settled(self, mapped: Mapped, found: dict[int, list[tuple[StateRule, str]]]) -> Mapped:
        refusals, flags = dict(mapped.refusals), dict(mapped.flags)
        indices, marks = mapped.rows[INDEX].to_list(), mapped.rows["quality"].to_list()
        gone = np.zeros(mapped.rows.height, dtype=bool)
        for row, broken in found.items():
            index = indices[row]
            refused = [item for item in broken if item[0].severity == "refuse"]
            if refused:
                gone[row] = True
                refusals[index] = self._explained(index, refused)
                flags.pop(index, None)
                continue
            flags[index] = [*flags.get(index, []), *self._explained(index, broken)]
            marks[row] = ",".join([*([marks[row]] if marks[row] else []), *[code_of(rule) for rule, _ in broken]])
        keep = pl.Series(~gone)
        rows = mapped.rows.with_columns(pl.Series("quality", marks, dtype=pl.String)).filter(keep)
        head = mapped.head.filter(keep) if mapped.head.height else mapped.head
        return replace(mapped, rows=rows, refusals=refusals, flags=flags, head=head)

    def _explained(self, index: int, broken: Sequence[tuple[StateRule, str]]) -> list[Refusal]:
        return [
            Refusal(
                index,
                self._mapping.column_of(rule.property),
                rule.rule,
                reason if rule.title is None else f"{reason} ({rule.title.zh} / {rule.title.en})",
            )
            for rule, reason in broken
        ]


def _readings(
    past: _Past,
    order: NDArray[np.int64],
    slots: NDArray[np.int64],
    times: NDArray[np.int64],
    values: NDArray[np.float64],
) -> _Readings:
    """Readings that are there and not late, in order, with the reading before each and its run."""
    slot, at, value = slots[order], times[order], values[order]
    timely = ~np.isnan(value) & (at > past.at[slot])
    row, slot, at, value = order[timely], slot[timely], at[timely], value[timely]
    if len(row):
        # Of two readings of one instant the first counts.
        single = np.concatenate([[True], (slot[1:] != slot[:-1]) | (at[1:] != at[:-1])])
        row, slot, at, value = row[single], slot[single], at[single], value[single]
    first = np.concatenate([[True], slot[1:] != slot[:-1]])[: len(row)]
    before_at = np.where(first, past.at[slot], np.roll(at, 1))
    before = np.where(first, past.value[slot], np.roll(value, 1))
    goes_on = (before_at > _NEVER) & (before == value)
    here = np.arange(len(row))
    start = np.maximum.accumulate(np.where(~goes_on | first, here, 0)) if len(row) else here
    held = goes_on[start]
    since = np.where(held, past.since[slot], at[start])
    count = here - start + 1 + np.where(held, past.count[slot], 0)
    return _Readings(row, slot, at, value, before_at, before, since, count)


def _breaks(rule: StateRule, readings: _Readings) -> NDArray[np.bool_]:
    if isinstance(rule, JumpRule):
        seconds = (readings.at - readings.before_at) / _SECOND
        most = rule.change * np.maximum(1.0, seconds / rule.per)
        known = (readings.before_at > _NEVER) & (seconds <= rule.within)
        result: NDArray[np.bool_] = known & (np.abs(readings.value - readings.before) > most)
        return result
    if rule.readings is not None:
        stuck = readings.count >= rule.readings
    else:
        stuck = (readings.at - readings.since) / _SECOND >= (rule.lasting or 0.0)
    free: NDArray[np.bool_] = stuck & ~np.isin(readings.value, rule.but)
    return free


def _learn(past: _Past, readings: _Readings, suspect: set[int]) -> None:
    """Remember the last reading of every entity that broke nothing."""
    if not len(readings.row):
        return
    last = np.concatenate([readings.slot[1:] != readings.slot[:-1], [True]])
    if suspect:
        last &= ~np.isin(readings.slot, list(suspect))
    past.put(readings.slot[last], readings.at[last], readings.value[last], readings.since[last], readings.count[last])


def _instant(micros: int) -> str:
    return (_EPOCH + timedelta(microseconds=micros)).isoformat(timespec="seconds")
