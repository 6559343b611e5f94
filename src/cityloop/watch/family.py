"""Rules that are alike, judged together on one set of rings.

Time that passes without records moves only the rings of rules that are not quiet. Such a pair of an entity and a rule
is judged apart from then on, on a ring of its own, until both rings hold the same again. So a rule decides as if it
were alone.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

import numpy as np

from cityloop.watch.cells import Ints
from cityloop.watch.evaluate import absorb, overdue, sound, tick, waiting, warm
from cityloop.watch.findings import Findings
from cityloop.watch.judging import Decision, Tally
from cityloop.watch.rules import Aggregate, Rule
from cityloop.watch.runs import Readings
from cityloop.watch.state import Entities, State
from cityloop.watch.terms import Terms

ALONE: frozenset[Aggregate] = frozenset({"percentile", "rate", "roam", "silence", "agree", "anomaly", "forecast"})
"""Aggregates whose rules are judged alone: few cities have several of them over the same records."""
Spoken = tuple[Rule, list[Decision], Tally]


def shares(rule: Rule) -> bool:
    """Whether the rule can be judged together with others: what is in time must not depend on whose ring is longer."""
    if rule.aggregate in ALONE or rule.near is not None:
        return False
    terms = Terms([rule])
    return terms.tolerated <= terms.size


class Family:
    """At least two rules with the same readings, buckets and tolerance."""

    def __init__(self, rules: Sequence[Rule], entities: Entities) -> None:
        self.rules = tuple(rules)
        self._positions = {rule.id: position for position, rule in enumerate(rules)}
        self._state = State(rules, entities)
        self._apart: dict[int, State] = {}

    def warm(self, readings: Readings) -> None:
        """Fill the windows from history, without deciding."""
        self._state.fit()
        warm(self.rules[0], self._state, readings)

    def restore(self, rule: Rule, rows: Iterable[tuple[str, int, int, int]]) -> None:
        """Take over what the database remembers of one of the rules; see :meth:`State.restore`."""
        position = self._positions[rule.id]
        for row in rows:
            number = self._state.numbers(row[:1])
            if row[3] <= self._state.last[number[0]]:
                self._state.restore([row], position)
            else:
                self._part(position, number)
                self._apart[position].restore([row])

    def take(self, readings: Readings, now: datetime) -> Iterator[Spoken]:
        """Evaluate the records of a batch; only rules of which something is to be told are."""
        self._state.fit()
        findings = Findings()
        readings = sound(self._state, readings, now, findings.common)
        absorb(self._state, readings, findings)
        missed = {position: self._absorb_apart(position, readings, findings) for position in list(self._apart)}
        common = findings.common
        told = range(len(self.rules)) if common.late or common.errors else sorted({*findings.speaking(), *missed})
        for position in told:
            tally = findings.tally(position)
            tally.late += missed.get(position, 0)
            yield self.rules[position], findings.decisions(position), tally

    def tick(self, now: datetime) -> Iterator[Spoken]:
        """Let time pass for pairs that are not quiet."""
        entity = overdue(self._state, now)
        owner, positions = np.nonzero(waiting(self._state, entity))
        parting: dict[int, list[int]] = defaultdict(list)
        for number, position in zip(entity[owner].tolist(), positions.tolist(), strict=True):
            parting[position].append(number)
        for position, numbers in parting.items():
            self._part(position, np.array(numbers))
        for position, own in self._apart.items():
            _, decisions, tally = tick(self.rules[position], own, now)
            if decisions or tally.turned:
                yield self.rules[position], decisions, tally

    def standing(self, rule: Rule, entity: str) -> tuple[State, int]:
        """The state that knows where a rule stands with an entity, and the rule's position in it."""
        position = self._positions[rule.id]
        own = self._apart.get(position)
        return (own, 0) if own and entity in own.index else (self._state, position)

    def _absorb_apart(self, position: int, readings: Readings, findings: Findings) -> int:
        """Take the records of entities that are judged apart; returns how many more of them came too late."""
        own, state = self._apart[position], self._state
        theirs = np.array([state.index[name] for name in own.index], np.int64)
        missed = -sum(int(np.isin(late, theirs).sum()) for late in findings.late)
        chosen = np.isin(readings.entity, theirs)
        if not chosen.any():
            return missed
        number = own.numbers([state.names[number] for number in readings.entity[chosen].tolist()])
        found = Findings()
        absorb(own, Readings(number, readings.at[chosen], readings.value[chosen]), found)
        for turn, _, decision in found.fallen[0]:
            findings.fallen[position].append((turn, state.index[decision.entity], decision))
        findings.turned[position] |= found.turned[0]
        self._join(position, np.unique(number))
        return missed + found.common.late

    def _part(self, position: int, entity: Ints) -> None:
        """Judge these entities apart by one rule from now on."""
        state, own = self._state, self._apart.setdefault(position, State(self.rules[position]))
        number = own.numbers([state.names[each] for each in entity.tolist()])
        own.head[number], own.last[number] = state.head[entity], state.last[entity]
        slots = (state.head[entity][:, None] - np.arange(own.size - 1, -1, -1)) % own.size
        for name, cells in own.cells.items():
            cells[number[:, None], slots] = state.recent(name, entity, own.size)
        own.adopt(number, 0, state, entity, position)
        state.dismiss(entity, position)

    def _join(self, position: int, number: Ints) -> None:
        """Judge those whose rings hold the same again together with the others."""
        state, own = self._state, self._apart[position]
        entity = np.array([state.index[own.names[each]] for each in number.tolist()])
        same = (own.head[number] == state.head[entity]) & (own.last[number] == state.last[entity])
        for name in own.cells:
            mine, shared = own.recent(name, number, own.size), state.recent(name, entity, own.size)
            same &= ((mine == shared) | (np.isnan(mine) & np.isnan(shared))).all(axis=1)
        state.adopt(entity[same], position, own, number[same], 0)
        for each in number[same].tolist():
            own.entities.release(own.names[each])
        own.forget(number[same])
        if not own.index:
            del self._apart[position]
