"""The forecasts of one city, wired to what they rest on."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

from cityloop.city.service import City
from cityloop.collect.service import Collector
from cityloop.core.settings import Settings
from cityloop.lake.service import Lake
from cityloop.learn.forecast_content import Forecast
from cityloop.learn.forecast_desk import ForecastDesk
from cityloop.learn.forecasts import Forecasts
from cityloop.learn.service import Learner
from cityloop.serve.training import CASES, models_folder
from cityloop.steward.declared import Current


def forecasts_of(settings: Settings, city: City, declared: Collection[Forecast], lake: Lake) -> Forecasts:
    """The models of a data folder, as rules ask them."""
    folder, threads = models_folder(settings), settings.model_threads
    return Forecasts(lake=lake, city=city, declared=declared, folder=folder, threads=threads)


def desk_of(
    forecasts: Forecasts,
    settings: Settings,
    city: City,
    collector: Collector,
    current: Current,
    shared: Mapping[str, Any],
) -> ForecastDesk:
    """The same for people."""
    return ForecastDesk(
        **{name: shared[name] for name in ("database", "door", "audit")},
        clock=city.clock,
        forecasts=forecasts,
        entities=collector,
        standard=lambda: current.declared.standard,
        hours=settings.train_hours,
    )


def to_learn(learner: Learner, forecasts: Forecasts) -> Callable[[float], tuple[str, ...]]:
    """What should be trained now: the models of cases together, each forecast by its own name."""

    def due(hours: float) -> tuple[str, ...]:
        return (*((CASES,) if learner.due(hours) else ()), *forecasts.due(hours))

    return due
