"""Forecasts of a quantity: nothing later is used, rivals are beaten or serve, intervals hold what they say."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cityloop.core.errors import Invalid
from cityloop.learn.ahead import intervals, rivals
from cityloop.learn.ahead.columns import Columns
from cityloop.learn.ahead.fitting import Effort, sample, truth
from cityloop.learn.ahead.forecaster import Aim, Parts, Report, build, parts
from cityloop.learn.ahead.grid import Grid, calendar
from cityloop.learn.ahead.near import of_graph, of_likeness, of_places
from cityloop.learn.ahead.profile import Profile
from cityloop.learn.ahead.usual import usual
from tests.learn.series import HOUR, town

AIM = Aim((1, 3), 24, Effort(rows=5_000, rounds=40, leaves=15, rate=0.1))


@pytest.fixture(scope="module")
def grid() -> Grid:
    return town()


@pytest.fixture(scope="module")
def report(grid: Grid) -> Report:
    return build(grid, AIM, None, parts(grid.steps))


@settings(max_examples=12, deadline=None)
@given(day=st.integers(0, 11), longest=st.sampled_from([1, 6, 22, 24, 30, 48]), rolling=st.booleans())
def test_a_profile_never_contains_its_own_day(day: int, longest: int, rolling: bool) -> None:
    known = town(12, 2, horizon=48)
    changed = replace(known, values=known.values.copy())
    changed.values[day * 24 : day * 24 + 24] += 1000
    wanted = np.arange(day * 24, day * 24 + 24)
    memory = 3 if rolling else 28
    before, after = (Profile(one, longest, memory=memory).at(wanted) for one in (known, changed))
    np.testing.assert_array_equal(before, after)


@settings(max_examples=12, deadline=None)
@given(origin=st.integers(48, 280), horizon=st.sampled_from([1, 6, 22, 24, 30, 48]), rolling=st.booleans())
def test_columns_show_nothing_later_than_the_origin(origin: int, horizon: int, rolling: bool) -> None:
    known = town(12, 3, horizon=48)
    memory, cut = (3, None) if rolling else (28, 48)
    shown = []
    for later in (0.0, 1000.0):
        values = known.values.copy()
        values[origin + 1 :] += later
        one = replace(known, values=values, beside={"other": values * 2})
        columns = Columns(one, Profile(one, horizon, cut, memory), of_likeness(known.values[:48], 2), horizon)
        shown.append(columns.rows(np.full(3, origin), np.arange(3), np.full(3, horizon)))
    np.testing.assert_array_equal(shown[0], shown[1])


def test_a_model_never_sees_the_rows_it_is_judged_on(grid: Grid, report: Report) -> None:
    changed = grid.values.copy()
    changed[report.parts.judge :] = changed[report.parts.judge :][::-1] * 3
    other = build(replace(grid, values=changed), AIM, None, report.parts)
    assert other.fit.trees == report.fit.trees
    assert other.candidates == report.candidates


def test_targets_of_the_training_end_before_its_part_does(grid: Grid) -> None:
    rows = sample(grid.values[:300], (1, 6), 2_000, 24)
    assert (rows.origin + rows.horizon).max() < 300
    assert not np.isnan(truth(grid.values, rows)).any()


def test_the_model_serves_where_it_beats_both_rivals(report: Report) -> None:
    assert report.servers == ("model", "model")
    for place in range(2):
        found = {who: report.judged.errors(who, place) for who in report.judged.told}
        model = found["model"]
        assert model is not None
        assert all(model.mae < other.mae for who, other in found.items() if other is not None and who != "model")


def test_a_rival_serves_where_nothing_can_be_learned() -> None:
    chance = np.random.default_rng(3)
    walk = np.cumsum(chance.choice([-1.0, 1.0], (24 * 20, 3)), 0).astype(np.float32)
    found = build(
        Grid(walk, calendar(HOUR * np.arange(24 * 20 + 2), HOUR)), replace(AIM, horizons=(1,)), None, parts(480)
    )
    assert found.servers == ("persistence",)
    np.testing.assert_array_equal(found.judged.of(found.servers)[:, :, 0], found.judged.told["persistence"][:, :, 0])


def test_the_same_data_give_the_same_model(grid: Grid, report: Report) -> None:
    assert build(grid, AIM, None, report.parts).fit.trees == report.fit.trees


def test_too_short_a_past_is_refused_with_the_days_it_takes(grid: Grid) -> None:
    with pytest.raises(Invalid, match="too few") as refused:
        build(grid.before(60), AIM, None, Parts(40, 50))
    assert "days are needed" in str(refused.value.mend)


def test_gaps_are_not_filled_with_inventions() -> None:
    values = np.array([[1.0], [np.nan], [np.nan], [4.0]], np.float32)
    assert rivals.last_known(values)[:, 0].tolist() == [1, 1, 1, 4]
    holed = town(30)
    holed.values[200:230, 0] = np.nan
    rows = sample(holed.values, (1,), 10_000, 24)
    assert not ((rows.entity == 0) & (rows.origin + 1 >= 200) & (rows.origin + 1 < 230)).any()


def test_the_seasonal_rival_takes_the_newest_known_season() -> None:
    grid = town(4, 1)
    found = rivals.seasonal(grid, np.array([50, 50]), np.array([0, 0]), np.array([1, 30]), 24)
    assert found.tolist() == [grid.values[27, 0], grid.values[32, 0]]


@settings(max_examples=8, deadline=None)
@given(
    wished=st.sampled_from([0.8, 0.9]),
    shift=st.floats(0.3, 4.0),
    seed=st.integers(0, 100),
    horizon=st.integers(1, 6),
)
def test_adaptive_intervals_cover_what_they_promise(wished: float, shift: float, seed: int, horizon: int) -> None:
    """Errors that grow or shrink by half time, heavier than normal: the share inside is kept."""
    chance = np.random.default_rng(seed)
    origins = np.arange(900)
    truth_ = chance.standard_t(4, (900, 3, 1)) * np.where(origins < 450, 1, shift)[:, None, None]
    forecast = np.zeros_like(truth_)
    scale = intervals.usual_error(forecast[:100], truth_[:100])
    adaptive = intervals.Adaptive(1, wished)
    covered = intervals.run(adaptive, scale, forecast, truth_, origins, np.array([horizon]))
    assert abs(covered.share()[0] - wished) < 0.025


def test_an_interval_rests_only_on_truths_that_had_come_in() -> None:
    chance = np.random.default_rng(0)
    truth_ = chance.normal(0, 1, (200, 2, 1))
    wild = truth_.copy()
    wild[100:] *= 100
    scale = intervals.usual_error(np.zeros((50, 2, 1)), truth_[:50])
    told = [
        intervals.run(intervals.Adaptive(1), scale, np.zeros_like(one), one, np.arange(200), np.array([5])).radius
        for one in (truth_, wild)
    ]
    np.testing.assert_array_equal(told[0][:105], told[1][:105])
    assert told[1][110] > told[0][110]


def test_intervals_of_a_model_cover_on_days_it_has_not_seen(report: Report) -> None:
    assert np.all(np.abs(report.covered.share() - 0.9) < 0.04)


def test_the_usual_level_is_that_of_the_slot_and_no_spread_is_nothing() -> None:
    grid = town(30, 2, lasting=0.0)
    grid.values[:, 1] = 7
    found = usual(grid, 28)
    level, spread = found.of(np.array([0, 0, 1]), np.array([6, 18, 3]), np.array([0, 0, 1]))
    assert level == pytest.approx([70, 30, 7], abs=2.5)
    assert np.all(spread > 0)


def test_neighbours_are_the_nearest_and_a_lonely_one_has_none() -> None:
    near = of_places(np.array([114.0, 114.001, 115.0]), np.array([22.5, 22.5, 22.5]), 2, 5.0)
    assert near.index[0, 0] == 1
    assert near.weight[2].tolist() == [0, 0]
    panel = np.array([[1.0, 3.0, 9.0], [np.nan, np.nan, 9.0]], np.float32)
    assert near.mean(panel)[0, :2].tolist() == [3, 1]
    assert np.isnan(near.mean(panel)[:, 2]).all()
    assert np.isnan(near.mean(panel)[1, 0])
    assert of_graph(np.array([[9, 1, 2], [1, 9, 0], [2, 0, 9.0]]), 1).index[:, 0].tolist() == [2, 0, 0]


def test_a_grain_that_does_not_fill_a_day_is_refused() -> None:
    with pytest.raises(Invalid, match="does not fill a day"):
        calendar([0.0], 7 * 60)


def test_a_holiday_is_no_working_day_and_a_shifted_saturday_is() -> None:
    days = calendar(np.arange(7) * 86_400.0, 86_400, {0: False, 2: True})
    assert days.kind.tolist() == [1, 0, 0, 1, 0, 0, 0]
