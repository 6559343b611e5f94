"""Routes of collect: push records, look at feeds and entities."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from fastapi.concurrency import run_in_threadpool

from cityloop.access.routes import Asker, TheSettings
from cityloop.collect.schemas import EntityTypeView, EntityView, FeedView, HistoryView, NearEntity, Receipt
from cityloop.collect.service import Collector
from cityloop.core.values import Page
from cityloop.core.web import Paged, content_type, read_body, service

router = APIRouter(prefix="/api/v1", tags=["collect"])
TheCollector = Annotated[Collector, Depends(service(Collector))]


@router.post("/feeds/{feed}/records")
async def push(feed: str, request: Request, collector: TheCollector, actor: Asker, settings: TheSettings) -> Receipt:
    """Push records: a JSON array, NDJSON (``Content-Type: application/x-ndjson``) or CSV with a heading (``text/csv``).

    Answered once the good rows are durable in the lake and the bad ones lie whole in quarantine.
    """
    body = await read_body(request, settings.body_limit)
    return await asyncio.wrap_future(
        await run_in_threadpool(collector.hand_in, actor, feed, body, content_type(request))
    )


@router.get("/feeds")
def feeds(collector: TheCollector, actor: Asker) -> list[FeedView]:
    """All feeds with their health."""
    return collector.feeds(actor)


@router.get("/entity-types")
def entity_types(collector: TheCollector, actor: Asker) -> list[EntityTypeView]:
    """The entity types of the standard that this city uses."""
    return collector.entity_types(actor)


@router.get("/entities")
def entities(
    collector: TheCollector,
    actor: Asker,
    paged: Paged,
    entity_type: str | None = None,
    area: Annotated[str | None, Query(description="area code; everything below it counts")] = None,
    text: Annotated[str | None, Query(max_length=60)] = None,
) -> Page[EntityView]:
    """Entities with their latest values."""
    return collector.entities(actor, paged, entity_type=entity_type, area=area, text=text)


@router.get("/entities.geojson")
def entity_points(collector: TheCollector, actor: Asker, entity_type: str | None = None) -> dict[str, Any]:
    """All entities that have a position, as GeoJSON points; ``properties`` are those of the entity view."""
    return collector.geojson(actor, entity_type)


@router.get("/entities/near")
def near(
    collector: TheCollector,
    actor: Asker,
    lon: Annotated[float, Query(ge=-180, le=180)],
    lat: Annotated[float, Query(ge=-90, le=90)],
    metres: Annotated[float, Query(gt=0, le=5000)] = 200,
    entity_type: str | None = None,
    size: Annotated[int, Query(ge=1, le=500)] = 50,
) -> list[NearEntity]:
    """Entities around a point (WGS 84), the nearest first, with class, owner and latest values."""
    return collector.near(actor, lon, lat, metres, entity_type, size)


@router.get("/entities/{entity}")
def entity(entity: str, collector: TheCollector, actor: Asker) -> EntityView:
    """One entity."""
    return collector.entity(actor, entity)


@router.get("/entities/{entity}/history")
def history(
    entity: str,
    collector: TheCollector,
    actor: Asker,
    property: Annotated[str, Query()],
    start: datetime | None = None,
    end: datetime | None = None,
) -> HistoryView:
    """Observations of one property, oldest first, at most 5,000; the default window is the last 24 hours."""
    return collector.history(actor, entity, property, start, end)


@router.get("/records/{record}")
def record(record: str, collector: TheCollector, actor: Asker) -> dict[str, Any]:
    """One stored row by its record id: the end of every trace."""
    return collector.record(actor, record)
