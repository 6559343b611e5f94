"""The forecasts of one city, wired to what they rest on."""

from __future__ import annotations

from collections.abc import Collection

from cityloop.access.audit import Audit
from cityloop.access.door import Door
from cityloop.city.service import City
from cityloop.collect.service import Collector
from cityloop.core.database import Database
from cityloop.core.settings import Settings
from cityloop.lake.service import Lake
from cityloop.learn.forecast_content import Forecast
from cityloop.learn.forecast_desk import ForecastDesk
from cityloop.learn.forecasts import Forecasts
from cityloop.serve.training import models_folder
from cityloop.steward.declared import Current


def open_forecasts(
    *,
    settings: Settings,
    city: City,
    declared: Collection[Forecast],
    lake: Lake,
    database: Database,
    door: Door,
    audit: Audit,
    collector: Collector,
    current: Current,
) -> tuple[Forecasts, ForecastDesk]:
    """What will be measured, and who shows it to people."""
    forecasts = Forecasts(
        lake=lake,
        city=city,
        declared=declared,
        folder=models_folder(settings),
        threads=settings.model_threads,
    )
    desk = ForecastDesk(
        database=database,
        door=door,
        audit=audit,
        clock=city.clock,
        forecasts=forecasts,
        entities=collector,
        standard=lambda: current.declared.standard,
        hours=settings.train_hours,
    )
    return forecasts, desk
