"""All rules of one entity type, with their states: turns committed rows into readings and decisions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from cityloop.watch.evaluate import evaluate, tick, warm
from cityloop.watch.judging import Decision, Stage, Tally, instant, micros
from cityloop.watch.recent import Recent
from cityloop.watch.rules import Rule
from cityloop.watch.runs import Readings
from cityloop.watch.state import Entities, Ints, State

_STAGES = {"quiet": Stage.QUIET, "waiting": Stage.WAITING, "open": Stage.OPEN}
SLACK = timedelta(hours=1)


@dataclass(frozen=True)
class Standing:
    """Where a rule stands with an entity; see ``RuleStateRow``."""

    rule: str
    entity: str
    level: str | None
    stage: str
    left_seconds: float
    judged_at: datetime


@dataclass(frozen=True)
class Verdict:
    """What one rule found in one batch."""

    rule: Rule
    decisions: Sequence[Decision]
    standings: Sequence[Standing]
    tally: Tally


class Guard:
    """Watches one entity type. Not safe for several threads: the service holds its lock."""

    def __init__(self, entity_type: str, rules: Sequence[Rule]) -> None:
        self.entity_type, self.rules = entity_type, tuple(rules)
        self.span = max(timedelta(seconds=s.size * r.bucket) for r in rules if (s := State(r)))
        wanted = [column for rule in rules for column in (rule.property, *rule.match)]
        self.columns = list(dict.fromkeys(["entity", "observed_at", "received_at", "record", "area", *wanted]))
        self.forget()

    def forget(self) -> None:
        """Begin with empty rings."""
        self.entities = Entities()
        self.states = {rule.id: State(rule, self.entities) for rule in self.rules}
        self.recent = Recent(self.columns, self.span + SLACK)

    def restore(self, standings: Iterable[Standing]) -> None:
        """Take over what the database remembers."""
        rules = {rule.id: rule for rule in self.rules}
        for one in standings:
            if rule := rules.get(one.rule):
                rank = rank_of(rule, one.level)
                self.states[rule.id].restore([(one.entity, rank, _STAGES[one.stage], micros(one.judged_at))])

    def warm(self, rows: pa.Table) -> None:
        """Fill the windows from history, without deciding."""
        self.recent.add(rows)
        for rule, readings in self._readings(rows):
            warm(rule, self.states[rule.id], readings)

    def take(self, rows: pa.Table, now: datetime) -> list[Verdict]:
        """Evaluate new rows, in order of arrival."""
        self.recent.add(rows)
        return [self._verdict(rule, *self._evaluated(rule, found, now)) for rule, found in self._readings(rows)]

    def tick(self, now: datetime) -> list[Verdict]:
        """Let time pass."""
        return [self._verdict(rule, *tick(rule, self.states[rule.id], now)[1:]) for rule in self.rules]

    def _evaluated(self, rule: Rule, readings: Readings, now: datetime) -> tuple[list[Decision], Tally]:
        _, decisions, tally = evaluate(rule, self.states[rule.id], readings, now)
        return decisions, tally

    def _readings(self, rows: pa.Table) -> Iterator[tuple[Rule, Readings]]:
        """The readings of every rule; rules that look at the same rows share them."""
        names = rows["entity"].combine_chunks().dictionary_encode()
        entity = self.entities.numbers(names.dictionary.to_pylist())[np.asarray(names.indices)]
        at = np.asarray(rows["observed_at"].cast(pa.timestamp("us", tz="UTC")).cast(pa.int64()))
        known: dict[str, Readings] = {}
        for rule in self.rules:
            key = f"{rule.property} {sorted(rule.match.items())}"
            if key not in known:
                known[key] = _picked(rule, rows, entity, at)
            self.states[rule.id].fit()
            yield rule, known[key]

    def _verdict(self, rule: Rule, decisions: list[Decision], tally: Tally) -> Verdict:
        state = self.states[rule.id]
        standings = [_standing(rule, state, entity) for entity in sorted(tally.turned)]
        return Verdict(rule, decisions, standings, tally)


def rank_of(rule: Rule, level: str | None) -> int:
    """1-based position of ``level`` in the rule's ladder; a level that was taken out counts as the least one."""
    if level is None:
        return 0
    return next((rank for rank, (name, _) in enumerate(rule.ladder, 1) if name == level), 1)


def _standing(rule: Rule, state: State, entity: str) -> Standing:
    number = state.index[entity]
    rank, stage = int(state.level[number]), Stage(int(state.stage[number]))
    level = rule.ladder[rank - 1][0] if rank else None
    return Standing(rule.id, entity, level, stage.name.lower(), float(state.left[number]), instant(state.last[number]))


def _picked(rule: Rule, rows: pa.Table, entity: Ints, at: Ints) -> Readings:
    keep = pc.is_valid(rows[rule.property])
    for column, values in rule.match.items():
        keep = pc.and_(keep, pc.is_in(rows[column], pa.array(list(values), rows[column].type)))
    mask = np.asarray(keep)
    value = np.asarray(rows[rule.property].cast(pa.float64()), np.float64)
    return Readings(entity[mask], at[mask], value[mask])
