"""Rules that are alike are judged together, and each decides as if it were alone."""

from __future__ import annotations

from dataclasses import replace
from math import isnan
from typing import Any

import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from cityloop.watch.evaluate import evaluate, tick
from cityloop.watch.family import Family, shares
from cityloop.watch.guard import Guard
from cityloop.watch.judging import Decision, Tally
from cityloop.watch.rules import Rule
from cityloop.watch.runs import Readings
from cityloop.watch.state import Entities, State
from tests.watch.feeding import LATER
from tests.watch.naive import at, rule_of
from tests.watch.test_reference import events, micros_of
from tests.watch.things import rows

AGGREGATES = ["mean", "max", "min", "sum", "count", "last", "change", "spread"]


@st.composite
def kin(draw: st.DrawFn) -> list[Rule]:
    """Two to five rules over the same buckets, in the same tolerance."""
    bucket, late = draw(st.sampled_from([1, 5, 10])), draw(st.sampled_from([0, 3, 12, 40]))
    return [_rule(draw, f"test.r{number}", bucket, late) for number in range(draw(st.integers(2, 5)))]


def _rule(draw: st.DrawFn, name: str, bucket: int, late: int) -> Rule:
    low, high = draw(st.sampled_from([(3.0, 6.0), (0.0, 9.0), (5.0, 5.5)]))
    direction = draw(st.sampled_from(["above", "below"]))
    levels = {"blue": low, "red": high} if direction == "above" else {"blue": high, "red": low}
    return rule_of(
        id=name,
        bucket=bucket,
        window=bucket * draw(st.sampled_from([1, 4, 6])),
        aggregate=draw(st.sampled_from(AGGREGATES)),
        least=draw(st.sampled_from([1, 1, 3])),
        direction=direction,
        levels=levels if draw(st.booleans()) else {"blue": levels["blue"]},
        hold=draw(st.sampled_from([0, 0, 7, 20])),
        clear={"margin": draw(st.sampled_from([0, 1])), "hold": draw(st.sampled_from([0, 0, 7, 30]))},
        late=late,
        empty=draw(st.sampled_from(["keep", "zero", "lapse"])),
    )


moves = st.lists(
    st.tuples(
        st.sampled_from(["a", "a", "b", "c", "tick", "cut"]),
        st.sampled_from([0, 0.125, 1, 4, 10, 35]),
        st.sampled_from([0, 0, 0, 0, 3, 12, 30]),
        st.sampled_from([0.1, 1.7, 4.9, 5.0, 5.3, 9.9]),
    ),
    max_size=60,
)


class Alone:
    """Each rule by itself."""

    def __init__(self, rules: list[Rule]) -> None:
        self.states = {rule.id: (rule, State(rule)) for rule in rules}

    def take(self, told: list[Any]) -> dict[str, tuple[list[Decision], Tally]]:
        return {n: evaluate(rule, s, read(s, told), LATER)[1:] for n, (rule, s) in self.states.items()}

    def tick(self, second: float) -> dict[str, tuple[list[Decision], Tally]]:
        return {n: tick(rule, s, at(second))[1:] for n, (rule, s) in self.states.items()}


def read(state: State, told: list[Any]) -> Readings:
    return readings_of(state.numbers([name for name, _, _ in told]), told)


def readings_of(entity: np.ndarray[Any, np.dtype[np.int64]], told: list[Any]) -> Readings:
    return Readings(entity, micros_of([s for _, s, _ in told]), np.array([value for _, _, value in told], np.float64))


def plain(decisions: list[Decision]) -> list[tuple[Any, ...]]:
    known = [replace(d, value=-1.0) if isnan(d.value) else d for d in decisions]
    return sorted((d.entity, number, d) for number, d in enumerate(known))


def batches(happened: list[Any]) -> list[Any]:
    """Records gathered up to the next cut or tick; a tick is its second."""
    found: list[Any] = []
    gathered: list[Any] = []
    for event in happened:
        if isinstance(event, tuple) and event[0] != "cut":
            gathered.append(event)
            continue
        found += [gathered] if gathered else []
        gathered = []
        found += [] if isinstance(event, tuple) else [event]
    return [*found, gathered] if gathered else found


@settings(max_examples=100, deadline=None)
@given(kin(), moves)
def test_together_equals_alone_to_the_last_bit(rules: list[Rule], told: list[Any]) -> None:
    entities, alone = Entities(), Alone(rules)
    family = Family(rules, entities)
    assert all(shares(rule) for rule in rules)
    for step in batches(events(told)):
        if isinstance(step, list):
            spoken = family.take(readings_of(entities.numbers([name for name, _, _ in step]), step), LATER)
            expected = alone.take(step)
        else:
            spoken, expected = family.tick(at(step)), alone.tick(step)
        found = {rule.id: (decisions, tally) for rule, decisions, tally in spoken}
        for name, (decisions, tally) in expected.items():
            mine, other = found.get(name, ([], Tally()))
            assert sorted(plain(mine), key=str) == sorted(plain(decisions), key=str)
            assert (other.late, other.turned) == (tally.late, tally.turned)
        _stand_alike(family, alone)


def _stand_alike(family: Family, alone: Alone) -> None:
    for rule, single in alone.states.values():
        for name, number in single.index.items():
            state, column = family.standing(rule, name)
            mine = state.index[name]
            for standing in ("levels", "stages", "lefts", "outcomes"):
                assert getattr(state, standing)[mine, column] == getattr(single, standing)[number, 0], standing
            assert state.last[mine] == single.last[number]


def test_a_thousand_rules_that_are_alike_share_their_rings() -> None:
    guard = Guard("Thing", [rule_of(id=f"test.r{n}", levels={"blue": 10 + n / 100}) for n in range(1000)])
    told = guard.take(rows(("a", 0, 12.5)), LATER)
    assert [(len(verdict.decisions), len(verdict.standings)) for verdict in told] == [(1, 1)] * 251
    assert guard.take(rows(("a", 1, 12.5), ("b", 1, 3)), LATER) == []


def test_a_restart_while_one_of_two_rules_waits_for_silent_devices_changes_nothing() -> None:
    rules = [rule_of(id="test.low", levels={"blue": 5}, hold=90), rule_of(id="test.high", levels={"blue": 50})]
    before, after = rows(("a", 0, 9), ("b", 0, 9)), rows(("a", 40, 9), ("a", 70, 60), ("b", 100, 2))
    steady, fresh = Guard("Thing", rules), Guard("Thing", rules)
    standings = [one for verdict in steady.take(before, LATER) for one in verdict.standings]
    standings += [one for verdict in steady.tick(at(80)) for one in verdict.standings]
    fresh.warm(before)
    fresh.restore(standings)
    for guard in (steady, fresh):
        guard.tick(at(95))
    assert heard(steady, after) == heard(fresh, after)
    assert heard(steady, rows(("a", 190, 9))) == heard(fresh, rows(("a", 190, 9)))


def heard(guard: Guard, told: pa.Table) -> list[Any]:
    verdicts = [*guard.take(told, LATER), *guard.tick(at(300))]
    found = [(v.rule.id, v.tally.late, plain(list(v.decisions)), list(v.standings)) for v in verdicts]
    return sorted(found, key=lambda spoken: spoken[0])
