"""Routes of watch: warnings and rules."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response

from cityloop.access.routes import Asker
from cityloop.core.values import Page
from cityloop.core.web import ExportFormat, Paged, service
from cityloop.watch.schemas import Level, RuleView, WarningDetail, WarningFilter, WarningStatus, WarningView
from cityloop.watch.service import Watch

router = APIRouter(prefix="/api/v1", tags=["watch"])
TheWatch = Annotated[Watch, Depends(service(Watch))]


async def warning_filter(
    status: WarningStatus | None = None,
    level: Annotated[list[Level] | None, Query()] = None,
    rule: str | None = None,
    entity: str | None = None,
    series: str | None = None,
    area: Annotated[str | None, Query(description="area code; everything below it counts")] = None,
    start: Annotated[datetime | None, Query(description="raised at or after")] = None,
    end: Annotated[datetime | None, Query(description="raised before")] = None,
) -> WarningFilter:
    """The filter parameters of a request."""
    return WarningFilter(
        status=status,
        level=tuple(level or ()),
        rule=rule,
        entity=entity,
        series=series,
        area=area,
        start=start,
        end=end,
    )


Filtered = Annotated[WarningFilter, Depends(warning_filter)]


@router.get("/warnings")
def warnings(watch: TheWatch, actor: Asker, paged: Paged, wanted: Filtered) -> Page[WarningView]:
    """Warnings; sort by ``raised_at`` (default, descending), ``updated_at``, ``level``."""
    return watch.list(actor, wanted, paged)


@router.get("/warnings/export")
def export_warnings(watch: TheWatch, actor: Asker, wanted: Filtered, format: ExportFormat = "csv") -> Response:
    """The same list as a file."""
    return watch.export(actor, wanted, format)


@router.get("/warnings/{warning}")
def warning(warning: str, watch: TheWatch, actor: Asker) -> WarningDetail:
    """One warning with evidence and history."""
    return watch.get(actor, warning)


@router.post("/warnings/{warning}/acknowledge")
def acknowledge(warning: str, watch: TheWatch, actor: Asker) -> WarningDetail:
    """Say that somebody has seen it; a second time changes nothing."""
    return watch.acknowledge(actor, warning)


@router.get("/rules")
def rules(watch: TheWatch, actor: Asker) -> list[RuleView]:
    """All rules with how often they fired."""
    return watch.rules(actor)
