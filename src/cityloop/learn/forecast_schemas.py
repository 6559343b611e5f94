"""What the routes of forecasts answer.

``GET /api/v1/forecasts``: a list of :class:`ForecastModel`, one for each declared property.
``GET /api/v1/forecasts/{model}``: one of them.
``GET /api/v1/forecasts/{model}/entities``: a page of :class:`EntityOutlook` (``area``, ``text``, ``sort``, ``page``).
``GET /api/v1/forecasts/{model}/entities/{entity}``: one :class:`EntityForecast` (``hours`` of past to show).
``POST /api/v1/forecasts/{model}/retrain``: 202 and the :class:`ForecastModel`, for who holds ``model.train``.

``{model}`` is ``<entity type>.<property>``, as ``AirQualityStation.pm2_5``.
"""

from __future__ import annotations

from typing import Literal

from cityloop.core.values import Frozen, Instant, Title
from cityloop.watch.outlook import Server


class HorizonScore(Frozen):
    """How one horizon did on the hold-out; errors in the property's unit, ``None`` where nothing was measured."""

    horizon_seconds: int
    server: Server
    """Who serves this horizon."""
    reason: Title
    """Why: the model beats both rivals, or by how much it does not."""
    rows: int
    model_mae: float | None
    model_rmse: float | None
    persistence_mae: float | None
    persistence_rmse: float | None
    seasonal_mae: float | None
    seasonal_rmse: float | None
    gain: float | None
    """1 − error of who serves ÷ error of the better rival; 0 where a rival serves."""
    coverage: float | None
    """Share of the hold-out's truths within the interval, 0..1."""
    width: float | None
    """Mean width of the interval."""

    @property
    def served_mae(self) -> float | None:
        """Error of who serves."""
        return {"model": self.model_mae, "persistence": self.persistence_mae, "seasonal": self.seasonal_mae}[
            self.server
        ]

    @property
    def naive_mae(self) -> float | None:
        """Error of the better rival."""
        return min((one for one in (self.persistence_mae, self.seasonal_mae) if one is not None), default=None)


class Drift(Frozen):
    """The error of late beside that of the hold-out, for the first horizon."""

    state: Literal["steady", "drifted", "unknown"]
    reason: Title
    recent_mae: float | None = None
    holdout_mae: float | None = None
    recent_coverage: float | None = None
    rows: int = 0
    """Forecasts of late whose truth has come in."""
    since: Instant | None = None


class ForecastModel(Frozen):
    """A declared forecast and the model behind it, if there is one."""

    id: str
    """``AirQualityStation.pm2_5``."""
    entity_type: str
    entity_title: Title
    property: str
    property_title: Title
    unit: str
    grain_seconds: int
    horizon_seconds: list[int]
    season_seconds: int
    state: Literal["ready", "untrained"]
    reason: Title
    """``untrained``: why there is no model yet. ``ready``: who serves, in one sentence."""
    version: int | None = None
    trained_at: Instant | None = None
    trained_by: str | None = None
    training_seconds: float | None = None
    first: Instant | None = None
    last: Instant | None = None
    """Span of the data it was trained and judged on."""
    holdout_from: Instant | None = None
    """Data from here on was held out; it was read once, after all choices."""
    rows: int = 0
    entities: int = 0
    wished_coverage: float
    scores: list[HorizonScore] = []
    drift: Drift
    candidates: dict[str, float] = {}
    """Mean absolute error of each candidate on the validation part, by which the choice was made."""
    next_training_at: Instant | None = None
    """``None``: only by command, or as soon as there is enough past."""


class ForecastPoint(Frozen):
    """A forecast for one instant, in the property's unit."""

    at: Instant
    horizon_seconds: int
    value: float
    low: float
    high: float
    server: Server
    mae: float | None
    """Error of who serves at this horizon on the hold-out."""
    naive_mae: float | None
    usual: float | None
    """What the seasonal slot of that instant usually shows."""


class PastPoint(Frozen):
    """What was observed, beside what had been forecast for the first horizon then (``None``: nothing was)."""

    at: Instant
    value: float | None
    usual: float | None
    forecast: float | None = None
    low: float | None = None
    high: float | None = None


class EntityOutlook(Frozen):
    """An entity with its newest value and its forecasts; no points when its newest record is too old."""

    entity: str
    title: Title
    area: str | None
    series: str | None
    origin: Instant | None
    """The newest record, from which horizons count."""
    value: float | None
    points: list[ForecastPoint]
    highest: float | None
    """Highest value among the points, to sort by."""
    reason: Title | None = None
    """Why there are no points."""


class EntityForecast(Frozen):
    """All that a page about one entity shows."""

    model: ForecastModel
    outlook: EntityOutlook
    past: list[PastPoint]
    recent_mae: float | None
    """Error of this entity's own forecasts at the first horizon within ``past``."""
    recent_naive_mae: float | None
    """Error of persistence on the same instants."""
