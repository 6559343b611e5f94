"""Routes of forecasts: models with their errors, entities with their forecasts."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query

from cityloop.access.routes import Asker
from cityloop.core.values import Page
from cityloop.core.web import Paged, service
from cityloop.learn.forecast_desk import ForecastDesk
from cityloop.learn.forecast_schemas import EntityForecast, EntityOutlook, ForecastModel

router = APIRouter(prefix="/api/v1/forecasts", tags=["learn"])
TheDesk = Annotated[ForecastDesk, Depends(service(ForecastDesk))]


@router.get("")
def forecasts(desk: TheDesk, actor: Asker) -> list[ForecastModel]:
    """Every declared forecast: who serves which horizon and why, errors beside the rivals', coverage, drift."""
    return desk.models(actor)


@router.get("/{model}")
def forecast(model: str, desk: TheDesk, actor: Asker) -> ForecastModel:
    """One declared forecast, by ``<entity type>.<property>``."""
    return desk.model(actor, model)


@router.get("/{model}/entities")
def forecast_entities(
    model: str,
    desk: TheDesk,
    actor: Asker,
    paged: Paged,
    area: Annotated[str | None, Query(max_length=40)] = None,
    text: Annotated[str | None, Query(max_length=80)] = None,
) -> Page[EntityOutlook]:
    """Entities with their forecasts and intervals; ``sort`` is title, value or highest, ``-`` before it descends."""
    return desk.page(actor, paged, model, area, text)


@router.get("/{model}/entities/{entity}")
def forecast_entity(
    model: str,
    entity: str,
    desk: TheDesk,
    actor: Asker,
    hours: Annotated[float, Query(gt=0, le=24 * 14)] = 24,
) -> EntityForecast:
    """One entity: its forecasts, the last hours beside what had been forecast for them, and the model behind."""
    return desk.entity(actor, model, entity, hours)


@router.post("/{model}/retrain", status_code=202)
def retrain(model: str, desk: TheDesk, actor: Asker) -> ForecastModel:
    """Let the model learn anew as soon as the trainer is free; needs ``model.train``."""
    return desk.retrain(actor, model)
