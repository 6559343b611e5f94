"""The evaluation against a plain reference: any rule, any course of records, however they were cut into batches."""

from __future__ import annotations

from dataclasses import replace
from math import isnan
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cityloop.watch import windows
from cityloop.watch.cells import Ints
from cityloop.watch.evaluate import evaluate, tick, warm
from cityloop.watch.judging import Decision, micros
from cityloop.watch.rules import Rule
from cityloop.watch.state import State
from tests.watch.feeding import LATER, left, readings, run, steps
from tests.watch.naive import Naive, at, rule_of

AGGREGATES = ["mean", "max", "min", "sum", "count", "last", "change", "rate", "spread", "percentile"]
AGGREGATES += ["anomaly", "forecast"]
"""Of values that a model has read already; what it reads is tested in ``test_foreseeing.py``."""


@st.composite
def rules(draw: st.DrawFn) -> Rule:
    bucket = draw(st.sampled_from([1, 5, 10]))
    low, high = draw(st.sampled_from([(3.0, 6.0), (0.0, 9.0), (5.0, 5.5)]))
    aggregate = draw(st.sampled_from(AGGREGATES))
    direction = draw(st.sampled_from(["above", "below", *(["either"] if aggregate == "anomaly" else [])]))
    return rule_of(
        bucket=bucket,
        window=bucket * draw(st.integers(1, 6)),
        aggregate=aggregate,
        percentile=draw(st.sampled_from([10, 50, 95])) if aggregate == "percentile" else None,
        per=draw(st.sampled_from([1, 10])),
        least=draw(st.sampled_from([1, 1, 1, 3])),
        direction=direction,
        levels={"blue": low, "red": high} if direction != "below" else {"blue": high, "red": low},
        hold=draw(st.sampled_from([0, 0, 7, 20, 45])),
        holds=draw(st.sampled_from([{}, {}, {"red": 60}, {"red": 0}, {"blue": 15}])),
        clear={"margin": draw(st.sampled_from([0, 1, 3])), "hold": draw(st.sampled_from([0, 0, 7, 30]))},
        late=draw(st.sampled_from([0, 10, 40, 100])),
        empty=draw(st.sampled_from(["keep", "zero", "lapse"])),
    )


def events(moves: list[Any]) -> list[Any]:
    """Turn steps in time into records and ticks: (entity, second, value) or a second."""
    clock, found = 0.0, []
    for kind, span, back, value in moves:
        clock += span
        found.append(clock if kind == "tick" else (kind, max(0.0, clock - back), value))
    return found


def micros_of(seconds: list[float]) -> Ints:
    """Instants as the evaluation counts them."""
    return np.array([micros(at(second)) for second in seconds], np.int64)


moves = st.lists(
    st.tuples(
        st.sampled_from(["a", "a", "b", "tick"]),
        st.sampled_from([0, 0.5, 1, 4, 10, 35, 200]),
        st.sampled_from([0, 0, 0, 0, 3, 12, 50]),
        st.integers(0, 10).map(float),
    ),
    max_size=40,
)


def reference(rule: Rule, happened: list[Any]) -> tuple[dict[str, Naive], list[Any]]:
    things, changes = {"a": Naive(rule), "b": Naive(rule)}, []
    for event in happened:
        if isinstance(event, tuple):
            name, second, value = event
            change = things[name].take(second, value)
            changes += [(name, *change)] if change else []
        else:
            changes += [(n, *c) for n, thing in things.items() if thing.records and (c := thing.tick(event))]
    return things, changes


def change_of(rule: Rule, decision: Decision) -> tuple[str, int, int]:
    order = [None, *[level for level, _ in rule.ladder]]
    return decision.entity, order.index(decision.before), order.index(decision.level)


@settings(max_examples=200, deadline=None)
@given(rules(), moves)
def test_the_evaluation_equals_the_plain_reference(rule: Rule, told: list[Any]) -> None:
    happened = events(told)
    state, found = State(rule), []
    state.numbers(["a", "b"])
    for event in happened:
        if isinstance(event, tuple):
            state, decisions, _ = evaluate(rule, state, readings(state, [event]), LATER)
        else:
            state, decisions, _ = tick(rule, state, at(event))
        found += [change_of(rule, decision) for decision in decisions]
    things, expected = reference(rule, happened)
    assert found == expected
    for name, thing in things.items():
        number = state.index[name]
        assert (state.level[number], state.stage[number]) == (thing.level, thing.stage)
        assert left(state, name) == pytest.approx(thing.left, abs=1e-6)


@settings(max_examples=80, deadline=None)
@given(rules(), moves, st.lists(st.integers(1, 9), min_size=1, max_size=9))
def test_the_cut_into_batches_never_matters(rule: Rule, told: list[Any], sizes: list[int]) -> None:
    records = [event for event in events(told) if isinstance(event, tuple)]
    whole, one_by_one = run(rule, records), run(rule, records, [1])
    cut = run(rule, records, sizes)
    for name in {record[0] for record in records}:
        assert steps(whole[1], name) == steps(one_by_one[1], name) == steps(cut[1], name)


def plain(decisions: list[Decision], name: str) -> list[Decision]:
    """The decisions of one entity, with a value that equals itself where there is none."""
    return [replace(d, value=-1.0) if isnan(d.value) else d for d in decisions if d.entity == name]


bursts = st.lists(
    st.tuples(
        st.sampled_from(["a", "a", "a", "b"]),
        st.sampled_from([0, 0, 0.125, 0.5, 3]),
        st.sampled_from([0, 0, 0, 0.25, 12]),
        st.sampled_from([0.1, 1.7, 4.9, 5.0, 5.3, 9.9]),
    ),
    min_size=20,
    max_size=120,
)


@settings(max_examples=80, deadline=None)
@given(rules(), bursts, st.sampled_from([1, windows.MOST_CELLS]))
def test_a_burst_is_judged_at_each_of_its_records(rule: Rule, told: list[Any], most: int) -> None:
    """To the last bit of every ring, whether records are taken in long runs or one by one."""
    records = events(told)
    state, alone, decisions, turned = State(rule), State(rule), [], set()
    for record in records:
        alone, found, tally = evaluate(rule, alone, readings(alone, [record]), LATER)
        decisions += found
        turned |= tally.turned
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("cityloop.watch.settling.MOST_CELLS", most)
        state, found, tally = evaluate(rule, state, readings(state, records), LATER)
    assert tally.turned == turned
    for name, number in state.index.items():
        assert plain(found, name) == plain(decisions, name)
        other = alone.index[name]
        for cells in ("head", "last", "level", "outcome", "stage", "left"):
            assert getattr(state, cells)[number] == getattr(alone, cells)[other], cells
        for cells in state.cells:
            ours, theirs = state.cells[cells][number], alone.cells[cells][other]
            if cells == "values":
                # How much room is held beyond what is in it depends on how many came at once.
                room = min(ours.shape[-1], theirs.shape[-1])
                assert np.isnan(ours[..., room:]).all() and np.isnan(theirs[..., room:]).all()
                ours, theirs = ours[..., :room], theirs[..., :room]
            np.testing.assert_array_equal(ours, theirs, cells)


@settings(max_examples=80, deadline=None)
@given(rules(), moves, st.integers(0, 40))
def test_a_restart_at_any_point_changes_nothing(rule: Rule, told: list[Any], point: int) -> None:
    records = [event for event in events(told) if isinstance(event, tuple)]
    before, after = records[:point], records[point:]
    state, early = run(rule, before)
    saved = [(n, int(state.level[i]), int(state.stage[i]), int(state.last[i])) for n, i in state.index.items()]
    fresh = State(rule)
    fresh = warm(rule, fresh, readings(fresh, before))
    fresh.restore(saved)
    later: list[Decision] = []
    for record in after:
        fresh, found, _ = evaluate(rule, fresh, readings(fresh, [record]), LATER)
        later += found
    for name in {record[0] for record in records}:
        assert steps(run(rule, records, [1])[1], name) == steps(early, name) + steps(later, name)
