"""Forecasts as the wire shows them; pure."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np

from cityloop.collect.schemas import EntityView
from cityloop.core.values import Title
from cityloop.learn.artefact import Card
from cityloop.learn.forecast_content import Forecast
from cityloop.learn.forecast_schemas import Drift, EntityOutlook, ForecastModel, ForecastPoint, PastPoint
from cityloop.standard.types import EntityType
from cityloop.watch.cells import Floats

if TYPE_CHECKING:
    from cityloop.learn.forecast_model import Trained
    from cityloop.learn.foretelling import Foreteller, Told

Usual = Callable[[Floats], Floats]
"""What an entity usually shows at instants (seconds since 1970)."""
NO_DRIFT = Drift(state="unknown", reason=Title(zh="尚无模型", en="there is no model yet"))
SILENT = Title(zh="没有足够新的记录，无法预测", en="no record is recent enough to forecast from")
UNKNOWN = Title(
    zh="模型训练时尚无此对象的记录，重新训练后才能预测",
    en="the model was trained before this entity had records; it forecasts after the next training",
)


def model_view(
    wanted: Forecast, kind: EntityType, held: tuple[Card, Trained] | None, absent: Title | None, drift: Drift
) -> ForecastModel:
    """A declared forecast; ``absent`` says why there is no model."""
    found = kind.find(wanted.property)
    assert found is not None
    bare = ForecastModel(
        id=wanted.id,
        entity_type=kind.id,
        entity_title=kind.title,
        property=wanted.property,
        property_title=found.title,
        unit=found.symbol,
        grain_seconds=wanted.step,
        horizon_seconds=[step * wanted.step for step in wanted.steps],
        season_seconds=wanted.season_steps * wanted.step,
        state="untrained",
        reason=absent or Title(zh="", en=""),
        wished_coverage=0.9,
        drift=drift,
    )
    if held is None:
        return bare
    card, trained = held
    return bare.model_copy(
        update={
            "state": "ready",
            "reason": _who_serves(trained),
            "version": card.version,
            "trained_at": card.trained_at,
            "trained_by": card.trained_by,
            "training_seconds": card.metrics.get("training_seconds"),
            "first": card.first,
            "last": card.last,
            "holdout_from": datetime.fromtimestamp(trained.holdout_from, UTC),
            "rows": card.rows,
            "entities": len(trained.entities),
            "wished_coverage": trained.wished,
            "scores": list(trained.scores),
            "candidates": dict(trained.candidates),
        }
    )


def outlook(view: EntityView, value: float | None, points: list[ForecastPoint], reason: Title) -> EntityOutlook:
    """An entity with its forecasts, or with the reason why there are none."""
    return EntityOutlook(
        entity=view.id,
        title=view.title,
        area=view.area,
        series=view.series,
        origin=points[0].at - timedelta(seconds=points[0].horizon_seconds) if points else None,
        value=value,
        points=points,
        highest=max((point.value for point in points), default=None),
        reason=None if points else reason,
    )


def points_of(wanted: Forecast, place: int, told: Told, trained: Trained, usual: Usual) -> list[ForecastPoint]:
    """The forecasts of the entity at a place, without those that are missing."""
    at = np.array([(told.origin + horizon) * float(wanted.step) for horizon in trained.horizons])
    expected = usual(at)
    return [
        ForecastPoint(
            at=datetime.fromtimestamp(at[number], UTC),
            horizon_seconds=horizon * wanted.step,
            value=_short(told.value[place, number]),
            low=_short(told.low[place, number]),
            high=_short(told.high[place, number]),
            server=trained.servers[number],
            mae=trained.scores[number].served_mae,
            naive_mae=trained.scores[number].naive_mae,
            usual=number_or_none(expected[number]),
        )
        for number, horizon in enumerate(trained.horizons)
        if not np.isnan(told.value[place, number])
    ]


def past(teller: Foreteller, place: int, steps: int, usual: Usual) -> list[PastPoint]:
    """The last ``steps`` of an entity beside what had been forecast for them at the first horizon."""
    seen = teller.seen
    if seen is None or place < 0:
        return []
    horizon = teller.trained.horizons[0]
    numbers = np.arange(max(0, seen.grid.steps - steps), seen.grid.steps)
    at = seen.instants(numbers)
    expected = usual(at)
    found = []
    for number, instant, level in zip(numbers.tolist(), at.tolist(), expected.tolist(), strict=True):
        told = teller.told.get(seen.first + number - horizon)
        foretold = [
            number_or_none(getattr(told, part)[place, 0]) if told else None for part in ("value", "low", "high")
        ]
        found.append(
            PastPoint(
                at=datetime.fromtimestamp(instant, UTC),
                value=number_or_none(seen.grid.values[number, place]),
                usual=number_or_none(level),
                forecast=foretold[0],
                low=foretold[1],
                high=foretold[2],
            )
        )
    return found


def recent_errors(points: list[PastPoint], horizon: int) -> tuple[float | None, float | None]:
    """Mean absolute error of the forecasts among ``points``, and of persistence on the same instants."""
    own, plain = [], []
    for number, point in enumerate(points):
        before = points[number - horizon].value if number >= horizon else None
        if point.value is not None and point.forecast is not None and before is not None:
            own.append(abs(point.value - point.forecast))
            plain.append(abs(point.value - before))
    return (float(np.mean(own)), float(np.mean(plain))) if own else (None, None)


def number_or_none(value: float) -> float | None:
    """A number for the wire; NaN is none."""
    return None if np.isnan(value) else _short(value)


def _short(value: float) -> float:
    """Four significant digits say more than any forecast knows."""
    return float(f"{float(value):.5g}")


def _who_serves(trained: Trained) -> Title:
    by_model = sum(server == "model" for server in trained.servers)
    every = len(trained.servers)
    if by_model == every:
        return Title(zh="各时距均由模型给出", en="the model serves every horizon")
    if not by_model:
        return Title(zh="模型未胜过朴素法，由朴素法代替", en="the model beats no plain forecast: plain ones serve")
    return Title(
        zh=f"{every} 个时距中 {by_model} 个由模型给出，其余由朴素法代替",
        en=f"the model serves {by_model} of {every} horizons, plain forecasts the others",
    )
