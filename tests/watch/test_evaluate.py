"""The sentences of docs/rules.md about the evaluation, one by one."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from cityloop.watch.aggregating import measure
from cityloop.watch.cells import NEVER
from cityloop.watch.evaluate import evaluate, tick, warm
from cityloop.watch.judging import Outcome, micros, windows_of
from cityloop.watch.runs import Readings
from cityloop.watch.state import State
from tests.watch.feeding import LATER, left, outcome, readings, run, steps
from tests.watch.naive import at, rule_of


def test_a_value_beyond_the_threshold_fires_at_once_without_a_hold() -> None:
    state, decisions = run(rule_of(), [("a", 0, 12)])
    assert steps(decisions) == [("FIRE", "blue", 0)]
    assert outcome(state) is Outcome.FIRE


def test_a_second_value_beyond_the_threshold_changes_nothing() -> None:
    state, decisions = run(rule_of(), [("a", 0, 12), ("a", 10, 13)])
    assert len(decisions) == 1
    assert outcome(state) is Outcome.OPEN


def test_the_value_equal_to_the_threshold_is_beyond_it() -> None:
    assert steps(run(rule_of(), [("a", 0, 10)])[1]) == [("FIRE", "blue", 0)]


def test_levels_go_up_and_down_with_one_open_warning() -> None:
    rule = rule_of(window=10)
    _, decisions = run(rule, [("a", 0, 12), ("a", 10, 25), ("a", 20, 11), ("a", 30, 1)])
    assert steps(decisions) == [
        ("FIRE", "blue", 0),
        ("LEVEL", "red", 10),
        ("LEVEL", "blue", 20),
        ("CLEAR", None, 30),
    ]


def test_a_hold_waits_and_says_how_long_it_still_waits() -> None:
    rule = rule_of(window=10, hold=30)
    state, decisions = run(rule, [("a", 0, 12), ("a", 10, 12), ("a", 20, 12)])
    assert decisions == []
    assert (outcome(state), left(state)) == (Outcome.NOT_YET, 10)
    state, decisions, _ = evaluate(rule, state, readings(state, [("a", 30, 12)]), LATER)
    assert steps(decisions) == [("FIRE", "blue", 30)]
    assert decisions[0].since == at(0)


def test_a_dip_breaks_the_hold() -> None:
    records = [("a", 0.0, 12.0), ("a", 10.0, 12.0), ("a", 20.0, 3.0), ("a", 30.0, 12.0), ("a", 40.0, 12.0)]
    state, decisions = run(rule_of(window=10, hold=30), records)
    assert decisions == []
    assert left(state) == 20


def test_silence_longer_than_the_window_breaks_the_hold() -> None:
    state, decisions = run(rule_of(window=10, hold=30), [("a", 0, 12), ("a", 40, 12)])
    assert decisions == []
    assert left(state) == 30


def test_hysteresis_keeps_the_warning_until_the_margin_is_passed_for_the_clear_hold() -> None:
    rule = rule_of(window=10, clear={"margin": 2, "hold": 20})
    state, decisions = run(rule, [("a", 0, 12), ("a", 10, 9), ("a", 20, 7), ("a", 30, 7)])
    assert steps(decisions) == [("FIRE", "blue", 0)]
    assert (outcome(state), left(state)) == (Outcome.NOT_YET, 10)
    _, decisions, _ = evaluate(rule, state, readings(state, [("a", 40, 7)]), LATER)
    assert steps(decisions) == [("CLEAR", None, 40)]


def test_a_late_record_within_the_tolerance_completes_the_hold_by_event_time() -> None:
    rule = rule_of(window=10, hold=30)
    state, decisions = run(rule, [("a", 0, 12), ("a", 10, 12), ("a", 30, 12)])
    assert decisions == []
    _, decisions, tally = evaluate(rule, state, readings(state, [("a", 20, 12)]), LATER)
    assert steps(decisions) == [("FIRE", "blue", 30)]
    assert tally.late == 0


def test_a_record_beyond_the_tolerance_is_counted_and_left_out() -> None:
    rule = rule_of(window=60, late=20)
    state, _ = run(rule, [("a", 100, 1)])
    _, decisions, tally = evaluate(rule, state, readings(state, [("a", 70, 100)]), LATER)
    assert (decisions, tally.late, tally.taken) == ([], 1, 0)


def test_entities_do_not_touch_each_other() -> None:
    _, decisions = run(rule_of(), [("a", 0, 1), ("b", 0, 12), ("a", 1, 1)])
    assert [d.entity for d in decisions] == ["b"]


def test_small_values_are_bad_when_the_direction_is_below() -> None:
    rule = rule_of(window=10, direction="below", levels={"blue": 5, "red": 2}, clear={"margin": 1})
    _, decisions = run(rule, [("a", 0, 6), ("a", 10, 5), ("a", 20, 1), ("a", 30, 6), ("a", 40, 6.5)])
    assert steps(decisions) == [("FIRE", "blue", 10), ("LEVEL", "red", 20), ("LEVEL", "blue", 30), ("CLEAR", None, 40)]


@pytest.mark.parametrize(
    ("aggregate", "expected"), [("mean", 2.0), ("max", 3.0), ("min", 1.0), ("sum", 6.0), ("count", 3.0), ("last", 2.0)]
)
def test_every_aggregate_means_what_it_says(aggregate: str, expected: float) -> None:
    rule = rule_of(aggregate=aggregate)
    state, _ = run(rule, [("a", 0, 3), ("a", 5, 1), ("a", 15, 2)])
    windows = windows_of(state, state.numbers(["a"]), state.terms.groups[0].span, 1)
    assert measure(rule, windows).tolist() == [[expected]]


def test_the_newest_record_decides_the_last_even_when_an_older_one_arrives_after_it() -> None:
    rule = rule_of(aggregate="last")
    state, decisions = run(rule, [("a", 10, 12), ("a", 5, 1)])
    assert steps(decisions) == [("FIRE", "blue", 10)]
    assert outcome(state) is Outcome.OPEN


def test_no_number_is_an_error_and_never_all_is_well() -> None:
    rule = rule_of()
    state = State(rule)
    _, decisions, tally = evaluate(rule, state, readings(state, [("a", 0, float("nan")), ("b", 0, 12)]), LATER)
    assert tally.errors == {"the value is not a finite number": 1}
    assert outcome(state) is Outcome.ERROR
    assert [d.entity for d in decisions] == ["b"]


def test_an_instant_in_the_future_is_an_error_and_does_not_move_the_window() -> None:
    rule = rule_of(window=10)
    state = State(rule)
    _, _, tally = evaluate(rule, state, readings(state, [("a", 10_000, 12)]), at(0))
    assert tally.errors == {"the instant lies in the future": 1}
    _, decisions, _ = evaluate(rule, state, readings(state, [("a", 0, 12)]), at(0))
    assert steps(decisions) == [("FIRE", "blue", 0)]


def test_silence_keeps_a_warning_open_by_default() -> None:
    rule = rule_of(window=10)
    state, _ = run(rule, [("a", 0, 12)])
    _, decisions, _ = tick(rule, state, at(1000))
    assert decisions == []
    assert outcome(state) is Outcome.NO_DATA
    assert state.level[state.index["a"]] == 1


def test_where_no_record_means_zero_silence_clears_once_late_records_can_no_longer_come() -> None:
    rule = rule_of(window=30, aggregate="sum", empty="zero", late=60)
    state, _ = run(rule, [("a", 0, 12)])
    assert tick(rule, state, at(60))[1] == []
    assert tick(rule, state, at(89))[1] == []
    assert steps(tick(rule, state, at(90))[1]) == [("CLEAR", None, 30)]


def test_a_finding_may_lapse_in_silence() -> None:
    rule = rule_of(window=30, aggregate="max", empty="lapse", late=0)
    state, _ = run(rule, [("a", 0, 12)])
    assert tick(rule, state, at(29))[1] == []
    assert steps(tick(rule, state, at(31))[1]) == [("CLEAR", None, 31)]


def test_a_hold_ends_by_time_alone_while_its_window_still_speaks() -> None:
    rule = rule_of(window=60, hold=30, late=0)
    state, _ = run(rule, [("a", 0, 12)])
    assert tick(rule, state, at(29))[1] == []
    assert steps(tick(rule, state, at(31))[1]) == [("FIRE", "blue", 31)]


def test_the_worked_example_of_the_documentation_is_true() -> None:
    rule = rule_of(
        window=1200,
        bucket=600,
        levels={"blue": 600, "orange": 1000},
        hold=600,
        clear={"margin": 50, "hold": 600},
        late=1200,
    )
    entries = (500, 720, 820, 1240, 1100, 700, 500, 480, 300)
    state, told = State(rule), []
    for step, value in enumerate(entries):
        state, _, _ = evaluate(rule, state, readings(state, [("a", step * 600, value)]), LATER)
        told.append((outcome(state).name, left(state)))
    waiting = ("NOT_YET", 600.0)
    assert told == [
        ("QUIET", 0.0),
        waiting,
        ("FIRE", 0.0),
        waiting,
        ("LEVEL", 0.0),
        waiting,
        ("LEVEL", 0.0),
        waiting,
        ("CLEAR", 0.0),
    ]


def test_a_restart_in_the_middle_of_a_hold_changes_nothing() -> None:
    rule = rule_of(window=10, hold=30)
    records = [("a", float(second), 12.0) for second in range(0, 25, 5)]
    fresh = State(rule)
    fresh = warm(rule, fresh, readings(fresh, records))
    _, decisions, _ = evaluate(rule, fresh, readings(fresh, [("a", 29, 12)]), LATER)
    assert decisions == []
    assert left(fresh) == 1
    _, decisions, _ = evaluate(rule, fresh, readings(fresh, [("a", 30, 12)]), LATER)
    assert steps(decisions) == [("FIRE", "blue", 30)]


def test_of_twenty_thousand_entities_only_those_with_readings_are_judged() -> None:
    rule = rule_of(window=900, bucket=60, hold=120, clear={"margin": 1, "hold": 300})
    all_, few, chance = State(rule), State(rule), np.random.default_rng(7)
    names = [f"e{n}" for n in range(20_000)]
    entity, touched = all_.numbers(names), sorted(chance.choice(20_000, 2_000, replace=False))
    of_few = few.numbers([names[n] for n in touched])
    for step in range(6):
        instants = np.full(2_000, micros(at(step * 60)), np.int64)
        values = chance.uniform(8, 15, 2_000)
        _, here, _ = evaluate(rule, all_, Readings(entity[touched], instants, values), LATER)
        _, there, _ = evaluate(rule, few, Readings(of_few, instants, values), LATER)
        assert steps(here) == steps(there)
    assert np.flatnonzero(all_.last[:20_000] > NEVER).tolist() == touched


def test_ladders_are_read_from_blue_to_red() -> None:
    rule = rule_of(levels={"red": 4, "blue": 1, "orange": 3, "yellow": 2})
    assert all(low[1] < high[1] for low, high in pairwise(rule.ladder))
