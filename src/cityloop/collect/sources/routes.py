"""Routes of sources: health lines, and the verbs of whoever operates them."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.concurrency import run_in_threadpool

from cityloop.access.routes import Asker, TheSettings
from cityloop.collect.sources.declarations import AnyWire
from cityloop.collect.sources.runner import State
from cityloop.collect.sources.schemas import DryRunView, PauseRequest, SourceFilter, SourceView
from cityloop.collect.sources.service import Sources
from cityloop.core.values import Page
from cityloop.core.web import ExportFormat, Paged, content_type, read_body, service

router = APIRouter(prefix="/api/v1", tags=["sources"])
TheSources = Annotated[Sources, Depends(service(Sources))]


async def source_filter(
    wire: AnyWire | None = None,
    state: State | None = None,
    feed: str | None = None,
    department: str | None = None,
    text: Annotated[str | None, Query(max_length=60, description="in id, title or address")] = None,
) -> SourceFilter:
    """The filter parameters of a request."""
    return SourceFilter(wire=wire, state=state, feed=feed, department=department, text=text)


Filtered = Annotated[SourceFilter, Depends(source_filter)]


@router.get("/sources")
def sources(the_sources: TheSources, actor: Asker, paged: Paged, wanted: Filtered) -> Page[SourceView]:
    """Sources with their health; sort by ``id`` (default), ``state``, ``lag_seconds``, ``rate_per_minute`` …"""
    return the_sources.page(actor, wanted, paged)


@router.get("/sources/export")
def export_sources(the_sources: TheSources, actor: Asker, wanted: Filtered, format: ExportFormat = "csv") -> Response:
    """The same list as CSV or Excel."""
    return the_sources.export(actor, wanted, format)


@router.get("/sources/{source}")
def source(source: str, the_sources: TheSources, actor: Asker) -> SourceView:
    """One source with its health."""
    return the_sources.get(actor, source)


@router.post("/sources/{source}/pause")
def pause(source: str, the_sources: TheSources, actor: Asker, body: PauseRequest | None = None) -> SourceView:
    """Pause a source, durably; brokers and streams keep what comes meanwhile."""
    return the_sources.pause(actor, source, body.reason if body else "")


@router.post("/sources/{source}/resume")
def resume(source: str, the_sources: TheSources, actor: Asker) -> SourceView:
    """Go on where the source was paused."""
    return the_sources.resume(actor, source)


@router.post("/sources/{source}/run")
def run(source: str, the_sources: TheSources, actor: Asker) -> SourceView:
    """Start a run now; answered at once. A listening source that fails tries again now."""
    return the_sources.run(actor, source)


@router.post("/sources/{source}/dry-run")
async def try_source(
    source: str, request: Request, the_sources: TheSources, actor: Asker, settings: TheSettings
) -> DryRunView:
    """The first 100 records before and after the mapping; nothing is written, nothing acknowledged.

    For the source ``push-<feed>`` the records to be tried are the body, as they would be pushed.
    """
    body = await read_body(request, settings.body_limit)
    given = (body, content_type(request)) if body else None
    return await run_in_threadpool(the_sources.dry_run, actor, source, given)
