"""Follows the decisions of rules into the rules over them, across entity types. The keeper holds its lock."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime

from cityloop.standard.batch import EntityCard
from cityloop.watch.agreeing import Holding, Stand, judge
from cityloop.watch.cards import Describe
from cityloop.watch.guard import STAGES, Standing, Verdict, rank_of
from cityloop.watch.judging import Decision, Tally, instant
from cityloop.watch.rules import LEVELS, Condition, Rule
from cityloop.watch.schemas import Level

CITY = "city"


class Joiner:
    """The rules with conditions, and where they stand."""

    def __init__(self, rules: Sequence[Rule], describe: Describe) -> None:
        self.rules = {rule.id: rule for rule in rules if rule.conditions}
        self._types = {rule.id: rule.entity_type for rule in rules}
        self._describe = describe
        self._uses: dict[str, list[tuple[Rule, int, Condition]]] = defaultdict(list)
        for rule in self.rules.values():
            for number, condition in enumerate(rule.conditions):
                self._uses[condition.rule].append((rule, number, condition))
        self.members = frozenset(self._uses)
        """Rules that are conditions of others."""
        self.forget()

    def forget(self) -> None:
        """Begin with nothing held."""
        self._holding = {rule: Holding() for rule in self.rules}
        self._stands: dict[str, dict[str, Stand]] = {rule: {} for rule in self.rules}

    def restore(self, standings: Iterable[Standing]) -> None:
        """Take over what the database remembers of joint rules and of their conditions."""
        for one in standings:
            if rule := self.rules.get(one.rule):
                rank = rank_of(rule, one.level)
                assert one.stage in STAGES
                stand = Stand.remembered(rank, one.judged_at, one.left_seconds, one.memo)
                self._stands[rule.id][one.entity] = stand
            self._put(one.rule, one.entity, _level(one.level))

    def follow(self, verdicts: Iterable[Verdict]) -> list[Verdict]:
        """What joint rules decide upon the decisions of others, and upon each other's."""
        found: list[Verdict] = []
        queue = [decision for verdict in verdicts for decision in verdict.decisions]
        while queue:
            decision = queue.pop(0)
            for rule, key in self._put(decision.rule, decision.entity, decision.level):
                verdict = self._judge(rule, key, decision.at)
                found.append(verdict)
                queue += verdict.decisions
        return found

    def tick(self, now: datetime) -> list[Verdict]:
        """Let holds end."""
        due = [(r, k) for r, stands in self._stands.items() for k, stand in stands.items() if stand.left > 0]
        verdicts = [self._judge(self.rules[rule], key, now) for rule, key in due]
        spoken = [verdict for verdict in verdicts if verdict.decisions]
        return [*spoken, *self.follow(spoken)]

    def _put(self, rule: str, subject: str, level: Level | None) -> list[tuple[Rule, str]]:
        """Note a level; returns the joint rules and keys that it touches."""
        touched = []
        for joint, number, condition in self._uses.get(rule, ()):
            card = self._describe(self._types[rule], subject)
            key = key_of(subject, card, condition.by or joint.join)
            if key is not None:
                holds = level is not None and LEVELS.index(level) >= LEVELS.index(condition.at)
                self._holding[joint.id].put(key, number, subject, holds)
                touched.append((joint, key))
        return touched

    def _judge(self, rule: Rule, key: str, at: datetime) -> Verdict:
        before = self._stands[rule.id].get(key, Stand())
        after, decision = judge(rule, key, before, self._holding[rule.id].count(key), at)
        self._stands[rule.id][key] = after
        changed = decision is not None or after.stage != before.stage
        level = rule.ladder[after.level - 1][0] if after.level else None
        standing = Standing(
            rule.id, key, level, after.stage.name.lower(), after.left, instant(after.last), after.memo()
        )
        decisions: list[Decision] = [decision] if decision else []
        return Verdict(rule, decisions, [standing] if changed else [], Tally())


def key_of(subject: str, card: EntityCard | None, by: str) -> str | None:
    """What a subject is joined by: itself, its area or district, the whole city, or an attribute of the directory."""
    if by == "entity":
        return subject
    if by == CITY:
        return CITY
    if card is None:
        return None
    if by in ("area", "district"):
        return card.area if by == "area" else card.district
    return card.attributes.get(by) or None


def _level(name: str | None) -> Level | None:
    return next((level for level in LEVELS if level == name), None)
