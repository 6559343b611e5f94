"""Runs rules over the lake's history, with the code and in the order in which they would have run then.

Rows come in order of arrival. One that was loaded more than a day after its instant was not late but brought in later:
it is taken at its own instant. Time passes between the rows as it did, so that holds end and silence speaks.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa

from cityloop.core.errors import Conflict
from cityloop.core.values import Title
from cityloop.lake.service import Lake
from cityloop.watch.cards import Describe
from cityloop.watch.guard import Guard, Verdict
from cityloop.watch.joining import Joiner
from cityloop.watch.judging import Decision, micros
from cityloop.watch.locality import Locality
from cityloop.watch.rules import LEVELS, Rule
from cityloop.watch.schemas import Level

LOADED_LATER = "1 day"
_DAY = timedelta(days=1)
_SHORTEST, _LONGEST = timedelta(minutes=1), timedelta(hours=1)

Progress = Callable[[float], None]
"""Told the share that is done, 0 to 1, after every day; raises :class:`Stopped` to end the work."""


class Stopped(Conflict):
    """Somebody stopped the work."""

    code = "stopped"


@dataclass
class Episode:
    """One warning as it would have been, from its raising to its end."""

    rule: str
    entity: str
    raised: datetime
    peak: Level
    ended: datetime | None = None

    def meets(self, start: datetime, end: datetime) -> bool:
        """Whether it was open at some instant of [start, end]."""
        return self.raised <= end and (self.ended is None or self.ended >= start)


@dataclass
class Past:
    """What rules would have said."""

    episodes: list[Episode] = field(default_factory=list)
    records: int = 0
    errors: Counter[str] = field(default_factory=Counter)
    late: Counter[str] = field(default_factory=Counter)
    wanting: dict[str, Title] = field(default_factory=dict)
    """Rules that no model served in the end, and why."""

    def of(self, rule: str) -> list[Episode]:
        """The episodes of one rule, as they were raised."""
        return [episode for episode in self.episodes if episode.rule == rule]


class Rehearsal:
    """One run of some rules over a part of the past."""

    def __init__(self, rules: Sequence[Rule], lake: Lake, describe: Describe, locality: Locality = Locality()) -> None:
        self._lake = lake
        observed = [rule for rule in rules if not rule.conditions]
        types = dict.fromkeys(rule.entity_type for rule in observed)
        self._guards = [Guard(t, [r for r in observed if r.entity_type == t], locality) for t in types]
        self._joiner = Joiner(rules, describe)
        self._step = _step(rules)
        self._running: dict[tuple[str, str], Episode] = {}
        self._past = Past()

    def run(self, start: datetime, end: datetime, progress: Progress = lambda share: None) -> Past:
        """What the rules would have said in ``[start, end)``."""
        for guard in self._guards:
            guard.warm(self._rows(guard, start - guard.span, start))
        for begin in _days(start, end):
            until = min(begin + _DAY, end)
            self._day(begin, until)
            progress((until - start) / (end - start))
        for guard in self._guards:
            self._past.wanting |= guard.wanting
        return self._past

    def _day(self, begin: datetime, end: datetime) -> None:
        tables = [(guard, self._rows(guard, begin, end)) for guard in self._guards]
        edges = [micros(at) for at in _instants(begin, end, self._step)]
        places = [np.searchsorted(_arrivals(rows), edges, side="left") for _, rows in tables]
        for number, at in enumerate(_instants(begin, end, self._step)):
            for (guard, rows), place in zip(tables, places, strict=True):
                first = int(place[number - 1]) if number else 0
                self._take(guard, rows.slice(first, int(place[number]) - first), at)
            for guard, _ in tables:
                self._note(guard.tick(at))
            self._note(self._joiner.tick(at), joined=True)

    def _take(self, guard: Guard, rows: pa.Table, now: datetime) -> None:
        if rows.num_rows:
            self._past.records += rows.num_rows
            self._note(guard.take(rows, now))

    def _note(self, verdicts: Sequence[Verdict], joined: bool = False) -> None:
        for verdict in verdicts:
            self._past.errors.update({f"{verdict.rule.id}: {what}": n for what, n in verdict.tally.errors.items()})
            self._past.late[verdict.rule.id] += verdict.tally.late
            for decision in verdict.decisions:
                self._move(decision)
        if verdicts and not joined:
            self._note(self._joiner.follow(verdicts), joined=True)

    def _move(self, decision: Decision) -> None:
        key = (decision.rule, decision.entity)
        running = self._running.get(key)
        if decision.level is None:
            if running:
                self._running.pop(key).ended = decision.at
        elif running is None:
            self._running[key] = Episode(decision.rule, decision.entity, decision.at, decision.level)
            self._past.episodes.append(self._running[key])
        else:
            running.peak = max(running.peak, decision.level, key=LEVELS.index)

    def _rows(self, guard: Guard, start: datetime, end: datetime) -> pa.Table:
        """Rows that arrived in ``[start, end)``, in order of arrival, as columns that the guard reads."""
        table = guard.entity_type
        if not set(self._lake.schema(table).names).issuperset(guard.columns):
            return self._lake.schema(table).empty_table()
        arrived = f"""
            CASE WHEN received_at > observed_at + INTERVAL '{LOADED_LATER}' THEN observed_at
            ELSE greatest(received_at, observed_at) END
        """
        wanted = [name for name in guard.columns if name != "received_at"]
        columns = ", ".join(f'"{name}"' for name in wanted)
        sql = f"""
            SELECT {columns}, {arrived} AS received_at FROM "{table}"
            WHERE date BETWEEN $first AND $last AND {arrived} >= $start AND {arrived} < $end
            ORDER BY received_at, observed_at, record
        """  # noqa: S608 - names of columns and tables that a checked rule speaks of
        days = {"first": (start - _DAY).date(), "last": (end + _DAY).date()}
        return self._lake.query(sql, [table], {"start": start, "end": end, **days})


def resting(rule: Rule, rules: Mapping[str, Rule]) -> list[Rule]:
    """A rule and all rules under its conditions: what it needs to say anything."""
    needed = {rule.id: rule}
    queue = [rule]
    while queue:
        for condition in queue.pop().conditions:
            other = rules.get(condition.rule)
            if other is not None and other.id not in needed:
                needed[other.id] = other
                queue.append(other)
    return list(needed.values())


def touching(rule: Rule, rules: Mapping[str, Rule]) -> list[Rule]:
    """A rule, all that it rests on, and the other rules over the same entity types: what a comparison needs."""
    needed = resting(rule, rules)
    known, types = {one.id for one in needed}, {one.entity_type for one in needed}
    beside = [r for r in rules.values() if r.entity_type in types and not r.conditions and r.id not in known]
    return [*needed, *beside]


def _step(rules: Sequence[Rule]) -> timedelta:
    """How often time passes: often enough for the shortest bucket, hold and silence of the rules."""
    spans = [float(rule.bucket) for rule in rules if rule.bucket]
    spans += [value / 10 for rule in rules if rule.aggregate == "silence" for value in rule.levels.values()]
    return min(max(timedelta(seconds=min(spans, default=3600)), _SHORTEST), _LONGEST)


def _days(start: datetime, end: datetime) -> Iterator[datetime]:
    while start < end:
        yield start
        start += _DAY


def _instants(begin: datetime, end: datetime, step: timedelta) -> Iterator[datetime]:
    at = begin + step
    while at < end:
        yield at
        at += step
    yield end


def _arrivals(rows: pa.Table) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    return np.asarray(rows["received_at"].cast(pa.timestamp("us", tz="UTC")).cast(pa.int64()))


def utc_day(at: datetime) -> datetime:
    """The beginning of a UTC day."""
    return at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
