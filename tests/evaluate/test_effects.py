"""Effects of actions: a known one is recovered, none is claimed where nothing was done, too little history says so."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from cityloop.evaluate.effects import LEAST_SPANS, Panel, estimate

AIR = Path(__file__).parents[2] / "cities" / "demo" / "series" / "air-hourly.parquet"
TREATED = 4
"""The first stations stand for the district that acted."""


@pytest.fixture(scope="module")
def measured() -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    """PM2.5 of twelve stations of Beijing, hour by hour for two weeks."""
    rows = pl.read_parquet(AIR).pivot("station", index="time", values="PM2.5").sort("time")
    return rows.drop("time").cast(pl.Float64).fill_null(np.nan).to_numpy()


def panel(
    values: np.ndarray[tuple[int, int], np.dtype[np.float64]], begin: int, end: int, treated: int = TREATED
) -> Panel:
    """The action of the first stations in these hours."""
    units = np.arange(values.shape[1]) < treated
    return Panel(values[:end].copy(), units, np.arange(end) % 24, begin, end)


@pytest.mark.parametrize("effect", [-60.0, -45.0, 45.0])
def test_a_known_effect_on_real_air_is_recovered(measured: np.ndarray, effect: float) -> None:
    asked = panel(measured, 264, 276)
    asked.values[264:276, :TREATED] += effect
    found = estimate(asked)
    plain = estimate(panel(measured, 264, 276))
    assert found.low is not None
    assert found.high is not None
    assert found.low <= effect <= found.high
    assert found.verdict == ("lower" if effect < 0 else "higher")
    assert found.effect == pytest.approx((plain.effect or 0) + effect)


def test_nothing_was_done_in_beijing_so_no_difference_is_claimed(measured: np.ndarray) -> None:
    """The recorded air does not know of a simulated action: one claim in ten may be false, and few more are."""
    verdicts = [estimate(panel(measured, begin, begin + 12)).verdict for begin in range(150, 315, 6)]
    assert "not_enough" not in verdicts
    assert verdicts.count("no_difference") >= 0.85 * len(verdicts)


def test_the_control_group_makes_the_answer_sharper(measured: np.ndarray) -> None:
    """Weather moves all stations alike; what it does to the others is taken off."""
    with_others = estimate(panel(measured, 264, 276))
    alone = estimate(panel(measured[:, :TREATED], 264, 276))
    assert alone.share == 0
    assert with_others.share > 0.5
    widths = [(found.high or 0) - (found.low or 0) for found in (with_others, alone)]
    assert widths[0] < 0.6 * widths[1]


def test_the_season_is_not_taken_for_an_effect() -> None:
    """A figure that rises every morning does so in the morning of the action too."""
    hours = np.arange(24 * 12)
    wave = 50 + 40 * np.sin(hours / 24 * 2 * np.pi)
    noise = np.random.default_rng(7).normal(0, 1, (len(hours), 6))
    found = estimate(panel(wave[:, None] + noise, 24 * 11, 24 * 11 + 6))
    assert found.verdict == "no_difference"
    assert found.low is not None
    assert found.high is not None
    assert found.high - found.low < 10


def test_too_little_history_is_said_and_nothing_claimed(measured: np.ndarray) -> None:
    found = estimate(panel(measured, 48, 60))
    assert found.spans < LEAST_SPANS
    assert (found.verdict, found.low, found.high) == ("not_enough", None, None)


def test_hours_without_data_are_no_zeros() -> None:
    values = np.full((24 * 10, 3), 20.0)
    values[5:9] = np.nan
    values[:, 1] = np.nan
    found = estimate(Panel(values, np.array([True, True, False]), np.arange(240) % 24, 230, 236))
    assert found.effect == 0
    assert found.observed == found.expected == 20


def test_an_action_without_any_data_has_no_effect_to_tell() -> None:
    values = np.full((240, 2), 20.0)
    values[230:236, 0] = np.nan
    found = estimate(Panel(values, np.array([True, False]), np.arange(240) % 24, 230, 236))
    assert (found.verdict, found.effect, found.observed) == ("not_enough", None, None)
