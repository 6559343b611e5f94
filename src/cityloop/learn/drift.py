"""Whether a model's error of late is still what it was on its hold-out."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from cityloop.core.values import Title
from cityloop.learn.forecast_content import Forecast
from cityloop.learn.forecast_schemas import Drift

if TYPE_CHECKING:
    from cityloop.learn.foretelling import Foreteller

_LEAST = 50
"""Forecasts with a truth before anything is said."""
_FACTOR = 1.5
"""An error of late that exceeds the hold-out's by so much has drifted."""


def drift_of(teller: Foreteller, wanted: Forecast) -> Drift:
    """The first horizon's forecasts whose truth has come in."""
    lately = teller.lately()
    expected = teller.trained.scores[0].served_mae
    since = None if lately.since is None else datetime.fromtimestamp(lately.since * wanted.step, UTC)
    if lately.mae is None or not expected or lately.rows < _LEAST:
        return Drift(
            state="unknown",
            reason=Title(
                zh=f"已到期的预测仅 {lately.rows} 条，不足 {_LEAST} 条",
                en=f"only {lately.rows} forecasts have come due, {_LEAST} are needed",
            ),
            holdout_mae=expected,
            rows=lately.rows,
            since=since,
        )
    ratio = lately.mae / expected
    drifted = ratio > _FACTOR
    return Drift(
        state="drifted" if drifted else "steady",
        reason=Title(
            zh=f"近期误差为留出期的 {ratio:.0%}" + ("，已漂移，将提前重训" if drifted else ""),
            en=f"the error of late is {ratio:.0%} of the hold-out's"
            + (": drifted, it learns anew soon" if drifted else ""),
        ),
        recent_mae=lately.mae,
        holdout_mae=expected,
        recent_coverage=lately.coverage,
        rows=lately.rows,
        since=since,
    )
