"""Rules over models: deviations from the usual, forecasts; no data where there is no model; restarts; backtests."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from cityloop.watch.checking import Known, check
from cityloop.watch.guard import Guard, Standing
from cityloop.watch.judging import Decision, Outcome
from cityloop.watch.locality import Locality
from cityloop.watch.rehearsal import Rehearsal
from cityloop.watch.rule_schemas import NewBacktest
from cityloop.watch.rules import Rule
from tests.watch.house import BOSS, House, card
from tests.watch.models import Models
from tests.watch.naive import START, at, rule_of
from tests.watch.things import rows

UNUSUAL = rule_of(
    id="test.unusual", aggregate="anomaly", unit="", direction="either", window=10, levels={"blue": 3, "red": 6}
)
AHEAD = rule_of(
    id="test.ahead", aggregate="forecast", window=20, bucket=10, horizon=120, levels={"blue": 10, "red": 20}
)


@pytest.fixture
def models() -> Models:
    return Models()


@pytest.fixture
def house(tmp_path: Path, models: Models) -> Iterator[House]:
    one = House(tmp_path, [UNUSUAL, AHEAD], begin=0, locality=Locality(outlook=models))
    yield one
    one.database.close()


def foretell(house: House, models: Models, second: float, *values: float, entity: str = "a") -> None:
    """A record arrives, the models know it, and time passes."""
    models.told[entity] = (second, values)
    house.clock.set(at(second))
    house.see((entity, second, 0))
    house.watch.tick(house.clock.now())


def test_an_unusual_value_is_told_in_usual_spreads_to_both_sides(house: House, models: Models) -> None:
    models.usual = {"a": (40, 5), "b": (40, 5)}
    house.see(("a", 0, 58), ("b", 0, 22))
    high, low = (house.warnings(entity=name)[0] for name in "ab")
    assert (high.level, low.level) == ("blue", "blue")
    assert [high.value, low.value] == pytest.approx([3.6, 3.6])
    evidence = house.watch.get(BOSS, low.id).evidence
    assert [value for _, value, _ in evidence.points] == pytest.approx([-3.6])
    assert evidence.model is not None
    assert (evidence.model.kind, evidence.model.value, evidence.model.low, evidence.model.high) == ("usual", 40, 35, 45)
    assert any("forecast.Thing.x/1" in line.zh and "40" in line.zh for line in evidence.trace)
    house.see(("a", 10, 41))
    assert house.warnings(entity="a")[0].status == "cleared"


def test_without_a_model_a_rule_has_no_data_and_says_why(house: House, models: Models) -> None:
    models.ready = False
    foretell(house, models, 0, 99, 99)
    house.see(("a", 1, 999))
    assert house.warnings() == []
    assert house.watch.errors == {}
    assert [view.no_data.en for view in house.watch.rules(BOSS) if view.no_data] == ["there are no forecast models"] * 2
    models.ready, models.usual = True, {"a": (0, 1)}
    foretell(house, models, 10, 99, 99)
    assert [view.no_data for view in house.watch.rules(BOSS)] == [None, None]
    house.see(("a", 20, 999))
    assert sorted(warning.rule for warning in house.warnings()) == ["test.ahead", "test.unusual"]


def test_a_thing_without_a_past_has_no_data_beside_one_that_has(models: Models) -> None:
    models.usual = {"a": (0, 1)}
    guard = Guard("Thing", [UNUSUAL], Locality(outlook=models))
    (verdict,) = guard.take(rows(("a", 0, 1), ("b", 0, 99)), at(0))
    state = guard.states[UNUSUAL.id]
    assert [Outcome(int(state.outcome[state.index[name]])) for name in "ab"] == [Outcome.QUIET, Outcome.NO_DATA]
    assert (list(verdict.decisions), verdict.tally.errors, guard.wanting) == ([], {}, {})


def test_a_value_that_is_no_number_is_an_error_of_an_anomaly_too(models: Models) -> None:
    models.usual = {"a": (0, 1)}
    guard = Guard("Thing", [UNUSUAL], Locality(outlook=models))
    (verdict,) = guard.take(rows(("a", 0, float("nan"))), at(0))
    assert verdict.tally.errors == {"the value is not a finite number": 1}


def test_a_forecast_warns_of_the_worst_within_its_horizon_with_interval_error_and_server(
    house: House, models: Models
) -> None:
    foretell(house, models, 0, 9, 12)
    (warning,) = house.warnings()
    assert (warning.rule, warning.level, warning.value) == ("test.ahead", "blue", 12)
    evidence = house.watch.get(BOSS, warning.id).evidence
    model = evidence.model
    assert model is not None
    assert (model.kind, model.origin, model.at) == ("forecast", at(0), at(120))
    assert (model.low, model.high, model.server, model.error, model.naive_error) == (7, 17, "persistence", 2.5, 4)
    assert [record for _, _, record in evidence.points] == ["b1:0"]
    assert any("persistence" in line.en and "2.5" in line.en and "91 %" in line.en for line in evidence.trace)
    foretell(house, models, 10, 21, 9)
    foretell(house, models, 20, 1, 2)
    history = house.watch.get(BOSS, warning.id).history
    assert [(step.what, step.level) for step in history] == [("raised", "blue"), ("level", "red"), ("cleared", None)]


def test_figures_that_nobody_measured_are_told_as_such(house: House, models: Models) -> None:
    models.error = float("nan")
    foretell(house, models, 0, 12, 0)
    evidence = house.watch.get(BOSS, house.warnings()[0].id).evidence
    assert evidence.model is not None
    assert (evidence.model.error, evidence.model.naive_error) == (None, 3)
    assert any("mean absolute error —" in line.en for line in evidence.trace)


def test_forecasts_are_asked_for_once_for_many_records_and_not_without_news(house: House, models: Models) -> None:
    for tenth in range(10):
        foretell(house, models, 100 + tenth / 10, 1, 1)
    assert models.asked == 1
    house.clock.set(at(200))
    house.watch.tick(at(200))
    house.watch.tick(at(300))
    assert models.asked == 2


@pytest.mark.parametrize(("bound", "expected"), [("low", None), ("value", "blue"), ("high", "blue")])
def test_a_bound_asks_for_more_or_less_certainty(
    tmp_path: Path, models: Models, bound: str, expected: str | None
) -> None:
    house = House(tmp_path, [rule_of(**{**dict(AHEAD), "bound": bound})], begin=0, locality=Locality(outlook=models))
    foretell(house, models, 0, 12, 8)
    assert [warning.level for warning in house.warnings()] == ([expected] if expected else [])
    house.database.close()


def test_a_horizon_that_no_forecast_meets_is_no_data(tmp_path: Path, models: Models) -> None:
    house = House(tmp_path, [rule_of(**{**dict(AHEAD), "horizon": 30})], begin=0, locality=Locality(outlook=models))
    foretell(house, models, 0, 99, 99)
    assert house.warnings() == []
    assert house.watch.rules(BOSS)[0].no_data is not None
    house.database.close()


def test_a_restart_in_the_middle_of_the_hold_of_a_forecast_changes_nothing(tmp_path: Path, models: Models) -> None:
    rules = [rule_of(**{**dict(AHEAD), "hold": 30})]
    for second in (0, 10, 20):
        house = House(tmp_path, rules, begin=second, locality=Locality(outlook=models))
        foretell(house, models, second, 12, 12)
        assert house.warnings() == []
        house.database.close()
    last = House(tmp_path, rules, begin=29, locality=Locality(outlook=models))
    foretell(last, models, 30, 12, 12)
    assert [warning.level for warning in last.warnings()] == ["blue"]
    last.database.close()


steps = st.lists(
    st.tuples(st.sampled_from([1, 4, 10, 25]), st.sampled_from("ab"), st.sampled_from([5.0, 12.0, 25.0])), max_size=25
)
holding = st.fixed_dictionaries(
    {
        "hold": st.sampled_from([0, 15, 40]),
        "clear": st.fixed_dictionaries({"margin": st.just(1), "hold": st.sampled_from([0, 20])}),
        "empty": st.sampled_from(["keep", "lapse"]),
    }
)


def told(decisions: list[Decision]) -> list[Any]:
    return [(d.entity, d.outcome, d.level, d.at, d.since) for d in decisions]


class Course:
    """A guard that is fed records and forecasts step by step, and what the database would remember of it."""

    def __init__(self, rule: Rule) -> None:
        self.rule, self.models, self.second = rule, Models(), 0.0
        self.standings: dict[str, Standing] = {}
        self.past: list[tuple[str, float, float]] = []
        self.decisions: list[Decision] = []
        self.begin()

    def begin(self) -> None:
        """Start, or start again from what is remembered."""
        self.guard = Guard("Thing", [self.rule], Locality(outlook=self.models))
        self.guard.warm(rows(*self.past))
        self.guard.restore(self.standings.values())

    def step(self, span: float, entity: str, value: float) -> None:
        """One record and one tick."""
        self.second += span
        record = (entity, self.second, value)
        self.models.told[entity] = (self.second, (value, value))
        self.past.append(record)
        for verdict in (*self.guard.take(rows(record), at(self.second)), *self.guard.tick(at(self.second))):
            self.decisions += verdict.decisions
            self.standings |= {standing.entity: standing for standing in verdict.standings}


@settings(max_examples=30, deadline=None)
@given(holding, steps, st.integers(0, 25))
def test_a_restart_of_a_forecast_at_any_point_changes_nothing(
    changes: dict[str, Any], happened: list[Any], point: int
) -> None:
    rule = rule_of(**{**dict(AHEAD), **changes})
    whole, broken = Course(rule), Course(rule)
    for number, move in enumerate(happened):
        whole.step(*move)
        if number == point:
            broken.begin()
        broken.step(*move)
    assert told(broken.decisions) == told(whole.decisions)


@settings(max_examples=30, deadline=None)
@given(holding, steps, st.lists(st.integers(1, 7), min_size=1, max_size=5))
def test_an_anomaly_is_the_mean_of_deviations_however_records_are_cut(
    changes: dict[str, Any], happened: list[Any], sizes: list[int]
) -> None:
    models = Models()
    models.usual = {"a": (10, 2), "b": (4, 0.5)}
    records, second = [], 0.0
    for span, entity, value in happened:
        second += span
        records.append((entity, second, value))
    rule = rule_of(**{**dict(UNUSUAL), "direction": "above", **changes})
    plain = rule.model_copy(update={"aggregate": "mean"})
    deviations = [(entity, second, (value - models.usual[entity][0]) / models.usual[entity][1])
                  for entity, second, value in records]  # fmt: skip
    found = fed(Guard("Thing", [rule], Locality(outlook=models)), records, sizes)
    assert found == fed(Guard("Thing", [plain]), deviations, [1])


def fed(guard: Guard, records: list[tuple[str, float, float]], sizes: list[int]) -> dict[str, list[Any]]:
    """The decisions of each thing, its records taken in batches of these sizes (the last repeats)."""
    rest, queue, found = list(records), list(sizes), list[Decision]()
    while rest:
        size = queue.pop(0) if len(queue) > 1 else queue[0]
        found += [d for verdict in guard.take(rows(*rest[:size]), at(10_000)) for d in verdict.decisions]
        rest = rest[size:]
    return {name: told([replace(d, rule="") for d in found if d.entity == name]) for name in "ab"}


def test_a_backtest_over_models_warns_that_they_may_know_the_past(house: House, models: Models) -> None:
    foretell(house, models, 0, 12, 12)
    past = Rehearsal([AHEAD], house.things.lake, card, Locality(outlook=models)).run(START, START + timedelta(hours=1))
    assert [episode.entity for episode in past.episodes] == ["a"]
    house.clock.set(at(60))
    asked = house.watch.backtests.ask(BOSS, NewBacktest(rule=AHEAD.id, start=START, end=at(60)))
    house.watch.backtests.join()
    report = house.watch.backtests.get(BOSS, asked.id).report
    assert report is not None
    assert "flatter" in report.cautions[0].en


def test_the_examples_of_the_documentation_are_right() -> None:
    page = (Path(__file__).parents[2] / "docs" / "rules.md").read_text(encoding="utf-8")
    part = page.partition("## Rules over models")[2].partition("\n## ")[0]
    examples = [rule for text in re.findall(r"```yaml\n(.*?)```", part, re.DOTALL) for rule in yaml.safe_load(text)]
    assert {example["id"].split(".")[0] for example in examples} == {"metro", "traffic", "air", "sanitation"}
    for example in examples:
        assert list(check(rule_of(**{"unit": "", **example}), Known())) == []


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({"aggregate": "forecast"}, "horizon"),
        ({"aggregate": "mean", "horizon": 60}, "horizon"),
        ({"aggregate": "mean", "bound": "low"}, "bound"),
        ({"aggregate": "mean", "direction": "either"}, "direction"),
        ({"aggregate": "anomaly", "direction": "either", "levels": {"blue": -1}}, "levels"),
        ({"aggregate": "anomaly", "by": "kind"}, "by"),
        ({"aggregate": "forecast", "horizon": 60, "least": 2}, "aggregate"),
        ({"aggregate": "anomaly", "property": "y"}, "property"),
    ],
)
def test_a_rule_over_models_is_checked(changes: dict[str, Any], key: str) -> None:
    found = list(check(rule_of(**changes), Known(foretold=Models().declared)))
    assert [where[0] for where, _, _ in found] == [key]
    assert all(what and mend for _, what, mend in found)
