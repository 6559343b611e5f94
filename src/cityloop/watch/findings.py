"""What comes of a batch for rules that are alike, gathered while its records are judged."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field

import numpy as np

from cityloop.watch.cells import Ints
from cityloop.watch.judging import DIVISION, Decision, Judgement, Outcome, Tally
from cityloop.watch.state import State

Fallen = tuple[int, int, Decision]
"""A decision behind the turn of its record among those of its entity, and the entity's number."""


@dataclass
class Findings:
    """By the position of each rule."""

    common: Tally = field(default_factory=Tally)
    """What holds for every rule."""
    late: list[Ints] = field(default_factory=list)
    """The entities of late records."""
    turned: dict[int, set[str]] = field(default_factory=lambda: defaultdict(set))
    wrong: Counter[int] = field(default_factory=Counter)
    """Records over whose window nothing could be divided."""
    fallen: dict[int, list[Fallen]] = field(default_factory=lambda: defaultdict(list))

    def speaking(self) -> list[int]:
        """The rules of which something is to be told."""
        return sorted({*self.turned, *self.fallen, *(rule for rule, wrong in self.wrong.items() if wrong)})

    def decisions(self, rule: int) -> list[Decision]:
        """Those of one rule, in the order in which they fall."""
        found = sorted(self.fallen.get(rule, ()), key=lambda fallen: fallen[:2])
        return [decision for _, _, decision in found]

    def tally(self, rule: int) -> Tally:
        """What became of the records for one rule."""
        errors = self.common.errors.copy()
        if self.wrong[rule]:
            errors[DIVISION] += self.wrong[rule]
        return Tally(self.common.taken, self.common.late, errors, self.turned.get(rule, set()))

    def turn(self, state: State, entity: Ints, rule: Ints) -> None:
        """These pairs went from quiet, waiting or open to another of them, or changed their level."""
        for number, position in zip(entity.tolist(), rule.tolist(), strict=True):
            self.turned[position].add(state.names[number])

    def rest(self, state: State, entity: Ints, group: int, outcome: Ints, wrong: int) -> None:
        """What was found of entities whose pairs with a group's rules are at rest; ``wrong`` divisions failed."""
        state.note(entity, group, outcome)
        if wrong:
            self.wrong.update(dict.fromkeys(state.terms.groups[group].members.tolist(), wrong))

    def fall(self, state: State, found: Judgement, entity: Ints, turn: Ints) -> None:
        """Move the levels of these entities, each judged once, and write what was found."""
        number = entity[found.owner]
        moved = found.before != found.level
        turned = moved | (found.stage != state.stages[number, found.rule])
        self.turn(state, number[turned], found.rule[turned])
        for place in np.flatnonzero(moved).tolist():
            decision = found.decision(state, int(number[place]), place)
            self.fallen[int(found.rule[place])].append((int(turn[found.owner[place]]), int(number[place]), decision))
        for group, outcome in enumerate(found.resting):
            self.rest(state, entity, group, outcome, int((outcome == Outcome.ERROR).sum()))
        state.levels[number, found.rule] = found.level
        write(state, found, entity, np.arange(len(number)))


def write(state: State, found: Judgement, entity: Ints, pairs: Ints) -> None:
    """Where pairs stand behind the last of their moments; their levels have not moved, or are written already."""
    place, number, rule = found.end[pairs], entity[found.owner[pairs]], found.rule[pairs]
    state.stages[number, rule] = found.stage[place]
    state.outcomes[number, rule] = found.outcome[place]
    state.lefts[number, rule] = found.left[place]
    state.occupy(number, rule, found.looked[place])
