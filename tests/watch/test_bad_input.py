"""What no rule can reckon with is an error or left out and counted; it is never taken for quiet, and spoils nothing."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pyarrow as pa
import pytest

from cityloop.watch.evaluate import evaluate, warm
from cityloop.watch.guard import Guard
from cityloop.watch.judging import DIVISION, Outcome
from cityloop.watch.state import State
from tests.watch.feeding import LATER, outcome, readings, steps
from tests.watch.house import House
from tests.watch.naive import at, rule_of
from tests.watch.things import rows

FUTURE = "the instant lies in the future"
NO_NUMBER = "the value is not a finite number"
YEAR = 365 * 86_400.0
KIN = [rule_of(id="a.low"), rule_of(id="a.high", levels={"red": 30})]


@pytest.mark.parametrize("rules", [KIN[:1], KIN], ids=["alone", "together"])
def test_a_record_from_the_future_is_an_error_and_stays_out_of_the_windows(rules: list[object]) -> None:
    guard = Guard("Thing", KIN[: len(rules)])
    told = guard.take(rows(("a", YEAR, 99), ("a", 0, 1)), at(1))
    assert [verdict.tally.errors for verdict in told] == [{FUTURE: 1}] * len(rules)
    assert [d.at for v in guard.take(rows(("a", 2, 99)), at(2)) for d in v.decisions] == [at(2)] * len(rules)


def test_a_record_from_the_future_does_not_silence_a_rule_after_a_restart(tmp_path: Path) -> None:
    house = House(tmp_path, [rule_of(window=10, hold=20)], begin=0)
    house.see(("a", 0, 12))
    early = _received(rows(("a", YEAR, 1)), 1)
    house.watch.observe(house.things.commit_rows(early))
    house.see(("a", 10, 12))
    again = House(tmp_path, [rule_of(window=10, hold=20)], begin=0)
    again.see(("a", 20, 12))
    assert again.told() == ["raised"]


def test_a_record_from_the_far_past_is_counted_and_changes_nothing() -> None:
    guard = Guard("Thing", KIN)
    guard.take(rows(("a", YEAR, 1)), LATER + timedelta(days=400))
    told = guard.take(rows(("a", 0, 99), ("a", YEAR + 1, 1)), LATER + timedelta(days=400))
    assert [(verdict.tally.late, list(verdict.decisions)) for verdict in told] == [(1, []), (1, [])]


def test_a_city_clock_that_is_set_back_makes_records_errors_and_is_told(tmp_path: Path) -> None:
    house = House(tmp_path, [rule_of(window=10)], begin=0)
    house.watch.tick(at(7000))
    house.watch.tick(at(0))
    house.see(("a", 1000, 12))
    assert house.told() == []
    assert house.watch.errors.keys() == {"clock", "test.rule"}
    assert house.watch.errors["test.rule"] == f"1 × {FUTURE}"


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf"), 1e308])
def test_what_is_no_number_to_reckon_with_is_an_error_beside_good_records(value: float) -> None:
    rule = rule_of()
    state = State(rule)
    _, decisions, tally = evaluate(
        rule, state, readings(state, [("a", 0, value), ("a", 1, 12), ("b", 0, value)]), LATER
    )
    assert (steps(decisions), tally.errors) == ([("FIRE", "blue", 1)], {NO_NUMBER: 2})
    assert outcome(state, "b") is Outcome.ERROR


def test_no_number_in_the_history_spoils_no_window_after_a_restart() -> None:
    rule = rule_of()
    state = State(rule)
    warm(rule, state, readings(state, [("a", 0, 12), ("a", 1, float("nan"))]))
    assert steps(evaluate(rule, state, readings(state, [("a", 2, 12)]), LATER)[1]) == [("FIRE", "blue", 2)]


def test_a_division_by_zero_is_an_error_at_every_record_of_a_run_and_keeps_the_warning() -> None:
    rule = rule_of(aggregate="rate", per=1, levels={"blue": 1}, window=10)
    state = State(rule)
    told = [("a", 0.0, 0.0), ("a", 5.0, 10.0), *(("a", 20.0, float(n)) for n in (1, 2, 3)), ("b", 20.0, 1.0)]
    _, decisions, tally = evaluate(rule, state, readings(state, told), LATER)
    assert steps(decisions) == [("FIRE", "blue", 5)]
    assert tally.errors == {DIVISION: 2}
    assert (outcome(state, "a"), outcome(state, "b")) == (Outcome.ERROR, Outcome.NO_DATA)
    assert state.level[state.index["a"]] == 1


def _received(told: pa.Table, second: float) -> pa.Table:
    """The same rows, as if they had arrived at that second."""
    place = told.schema.get_field_index("received_at")
    arrived = pa.array([at(second)] * told.num_rows, told.schema.field(place).type)
    return told.set_column(place, told.schema.field(place), arrived)
