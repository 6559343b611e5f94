"""All rules of one entity type, with their states: turns committed rows into readings and decisions."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from cityloop.core.values import Title
from cityloop.watch import silence
from cityloop.watch.cells import Floats
from cityloop.watch.evaluate import FUTURE, evaluate, sound, tick, warm
from cityloop.watch.family import Family, shares
from cityloop.watch.foreseeing import Modelled, Seer, deviation, deviations, usual_evidence
from cityloop.watch.judging import Decision, Outcome, Stage, Tally, instant, micros
from cityloop.watch.locality import Locality
from cityloop.watch.outlook import Absent
from cityloop.watch.reading import Reader, likeness
from cityloop.watch.recent import Recent
from cityloop.watch.rules import Rule
from cityloop.watch.runs import Readings
from cityloop.watch.schemas import ModelEvidence
from cityloop.watch.state import State
from cityloop.watch.terms import Terms, bucket_of

STAGES = {"quiet": Stage.QUIET, "waiting": Stage.WAITING, "open": Stage.OPEN}
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
    memo: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Verdict:
    """What one rule found in one batch."""

    rule: Rule
    decisions: Sequence[Decision]
    standings: Sequence[Standing]
    tally: Tally


class Guard:
    """Watches one entity type. Not safe for several threads: the service holds its lock."""

    def __init__(self, entity_type: str, rules: Sequence[Rule], locality: Locality = Locality()) -> None:
        self.entity_type, self.rules, self._locality = entity_type, tuple(rules), locality
        self.span = max(timedelta(seconds=Terms([rule]).size * bucket_of(rule)) for rule in rules)
        wanted = [column for rule in rules for column in rule.columns]
        self.columns = list(dict.fromkeys(["entity", "observed_at", "received_at", "record", "area", *wanted]))
        self.reader = Reader(self.rules, locality)
        self._kin = _kin(self.rules)
        together = {rule.id for rules in self._kin for rule in rules}
        self._lone = [rule for rule in self.rules if rule.id not in together]
        self.wanting: dict[str, Title] = {}
        """Rules that no model serves now, and why."""
        self.forget()

    def forget(self) -> None:
        """Begin with empty rings."""
        self.reader.forget()
        self.states = {rule.id: State(rule, self.reader.entities(rule)) for rule in self._lone}
        """Of the rules that are judged alone."""
        families = [Family(rules, self.reader.entities(rules[0])) for rules in self._kin]
        self._families = {rule.id: family for family in families for rule in family.rules}
        self.recent = Recent(self.columns, self.span + SLACK)
        self._listed: dict[str, int] = {}
        self._seers = {rule.id: Seer(rule) for rule in self.rules if rule.aggregate == "forecast"}

    def restore(self, standings: Iterable[Standing]) -> None:
        """Take over what the database remembers."""
        rules = {rule.id: rule for rule in self.rules}
        for one in standings:
            if rule := rules.get(one.rule):
                rank, at = rank_of(rule, one.level), micros(one.judged_at)
                self.reader.know(rule, [one.entity], at)
                self._recall(rule, one)
                row = (one.entity, rank, STAGES[one.stage], at)
                if family := self._families.get(rule.id):
                    family.restore(rule, [row])
                else:
                    self.states[rule.id].restore([row])

    def warm(self, rows: pa.Table) -> None:
        """Fill the windows from history, without deciding. What lay in the future on arrival was an error then."""
        rows = rows.filter(pc.less_equal(rows["observed_at"], pc.add(rows["received_at"], pa.scalar(FUTURE))))
        if not rows.num_rows:
            return
        self.recent.add(rows, pc.max(rows["observed_at"]).as_py())
        for rule, readings in self.reader.read(rows, self._readers):
            if family := self._families.get(rule.id):
                family.warm(readings)
            else:
                self._warmed(rule, readings)

    def take(self, rows: pa.Table, now: datetime) -> list[Verdict]:
        """Evaluate new rows, in order of arrival; of kindred rules only those that have something to tell do."""
        self.recent.add(rows, now + FUTURE)
        verdicts = []
        for rule, readings in self.reader.read(rows, self._readers):
            if family := self._families.get(rule.id):
                verdicts += [self._verdict(*spoken) for spoken in family.take(readings, now)]
            else:
                verdicts.append(self._verdict(rule, *self._evaluated(rule, readings, now)))
        self._release()
        return verdicts

    def tick(self, now: datetime) -> list[Verdict]:
        """Let time pass."""
        verdicts = [self._verdict(rule, *self._ticked(rule, now)) for rule in self._lone]
        for rules in self._kin:
            verdicts += [self._verdict(*spoken) for spoken in self._families[rules[0].id].tick(now)]
        return verdicts

    @property
    def _readers(self) -> list[Rule]:
        """The rules that are judged alone, and one of each family."""
        return [*self._lone, *(rules[0] for rules in self._kin)]

    def values(self, rule: Rule, rows: pa.Table) -> Floats:
        """One number a row for people, as the rule's thresholds mean it; NaN where nothing is usual."""
        found = self.reader.values(rule, rows)
        if rule.aggregate != "anomaly":
            return found
        at = np.asarray(rows["observed_at"].cast(pa.timestamp("us", tz="UTC")).cast(pa.int64())) / 1_000_000
        outlook = self._locality.outlook
        usual = outlook.expected(rule.entity_type, rule.property, rows["entity"].to_pylist(), at)
        return np.full(len(found), np.nan) if isinstance(usual, Absent) else deviation(usual, found)

    def evidence(self, rule: Rule, decision: Decision) -> ModelEvidence | None:
        """What the model behind a decision had to say."""
        if rule.aggregate == "anomaly":
            return usual_evidence(rule, decision.entity, decision.at, self._locality.outlook)
        seer = self._seers.get(rule.id)
        return seer.evidence(decision.entity) if seer else None

    def _recall(self, rule: Rule, one: Standing) -> None:
        """Fill the ring of an entity with the forecasts that were judged: the lake does not hold them."""
        told = (one.memo or {}).get("told", [])
        if rule.id in self._seers and told:
            state = self.states[rule.id]
            at, value = zip(*told, strict=True)
            state.fill(np.repeat(state.numbers([one.entity]), len(at)), np.array(at, np.int64), np.array(value))

    def _warmed(self, rule: Rule, readings: Readings) -> None:
        state = self.states[rule.id]
        state.fit()
        if seer := self._seers.get(rule.id):
            seer.hear(readings.entity)
        else:
            warm(rule, state, self._meant(rule, readings))

    def _meant(self, rule: Rule, readings: Readings) -> Readings:
        """The readings as the rule's thresholds mean them: for an anomaly how far they lie from what is usual."""
        if rule.aggregate != "anomaly" or not len(readings.entity):
            return readings
        return self._heeded(rule, deviations(rule, self.states[rule.id], readings, self._locality.outlook))

    def _heeded(self, rule: Rule, found: Modelled) -> Readings:
        """The readings of a model; who has none has no data."""
        self.states[rule.id].outcome[found.unknown] = Outcome.NO_DATA
        if found.absent:
            self.wanting[rule.id] = found.absent
        else:
            self.wanting.pop(rule.id, None)
        return found.readings

    def _foreseen(self, rule: Rule, seer: Seer, now: datetime) -> tuple[list[Decision], Tally]:
        """Judge the forecasts of whoever had records; all that do not stand quiet are remembered with their runs."""
        if not self._locality.open_at(rule.active, now):
            return [], Tally()
        state = self.states[rule.id]
        found = seer.look(state, self._locality.outlook, now)
        if found is None:
            return tick(rule, state, now)[1:]
        readings = self._heeded(rule, found)
        _, decisions, tally = evaluate(rule, state, readings, now)
        busy = readings.entity[state.stage[readings.entity] != Stage.QUIET]
        tally.turned.update(state.names[number] for number in busy)
        return decisions, tally

    def _release(self) -> None:
        """Give the numbers of forgotten places to new ones; those of which a warning speaks are kept."""
        for rule in self._lone:
            state = self.states[rule.id]
            for name in self.reader.forgotten(rule):
                if state.stage[state.index[name]] == Stage.QUIET:
                    state.entities.release(name)

    def _evaluated(self, rule: Rule, readings: Readings, now: datetime) -> tuple[list[Decision], Tally]:
        state = self.states[rule.id]
        state.fit()
        if seer := self._seers.get(rule.id):
            seer.hear(readings.entity)
            return [], Tally()
        if rule.windowed:
            return evaluate(rule, state, self._meant(rule, readings), now)[1:]
        wrong = Tally()
        heard = silence.hear(state, sound(state, readings, now, wrong))
        if not self._locality.open_at(rule.active, now):
            return [], wrong
        _, decisions, tally = silence.judge(rule, state, now, heard)
        tally.errors += wrong.errors
        return decisions, tally

    def _ticked(self, rule: Rule, now: datetime) -> tuple[list[Decision], Tally]:
        if seer := self._seers.get(rule.id):
            return self._foreseen(rule, seer, now)
        if rule.windowed:
            return tick(rule, self.states[rule.id], now)[1:]
        if not self._locality.open_at(rule.active, now):
            return [], Tally()
        enlisted = self._enlisted(rule, now)
        _, decisions, tally = silence.judge(rule, self.states[rule.id], now)
        tally.turned.update(enlisted)
        return decisions, tally

    def _enlisted(self, rule: Rule, now: datetime) -> list[str]:
        """Things that never sent anything and are counted from now on; looked for where the directory has grown."""
        things = self._locality.things(self.entity_type) if rule.unheard else {}
        if len(things) == self._listed.get(rule.id, 0):
            return []
        self._listed[rule.id] = len(things)
        return silence.enlist(self.states[rule.id], things, now, self._locality.zone)

    def _verdict(self, rule: Rule, decisions: list[Decision], tally: Tally) -> Verdict:
        standings = [self._standing(rule, entity) for entity in sorted(tally.turned)]
        return Verdict(rule, decisions, standings, tally)

    def _standing(self, rule: Rule, entity: str) -> Standing:
        family = self._families.get(rule.id)
        state, column = family.standing(rule, entity) if family else (self.states[rule.id], 0)
        number = state.index[entity]
        rank, stage = int(state.levels[number, column]), Stage(int(state.stages[number, column]))
        level = rule.ladder[rank - 1][0] if rank else None
        left, at = float(state.lefts[number, column]), instant(state.last[number])
        memo = {"told": state.newest(number)} if rule.aggregate == "forecast" and stage != Stage.QUIET else None
        return Standing(rule.id, entity, level, stage.name.lower(), left, at, memo)


def _kin(rules: Sequence[Rule]) -> list[list[Rule]]:
    """Rules that can be judged together, at least two of them in each list."""
    found: dict[tuple[str, int, int], list[Rule]] = defaultdict(list)
    for rule in rules:
        if shares(rule):
            found[likeness(rule), rule.bucket, rule.late].append(rule)
    return [kin for kin in found.values() if len(kin) > 1]


def rank_of(rule: Rule, level: str | None) -> int:
    """1-based position of ``level`` in the rule's ladder; a level that was taken out counts as the least one."""
    if level is None:
        return 0
    return next((rank for rank, (name, _) in enumerate(rule.ladder, 1) if name == level), 1)
