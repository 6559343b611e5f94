"""Routes of watch: warnings and rules."""

from __future__ import annotations

from asyncio import to_thread
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response

from cityloop.access.routes import Asker
from cityloop.core.values import Page
from cityloop.core.web import ExportFormat, Paged, read_body, service
from cityloop.watch.cap import MEDIA_TYPE
from cityloop.watch.schemas import (
    CapReceipt,
    Level,
    MuteView,
    NewAssignment,
    NewMute,
    NewOutcome,
    Outcome,
    RuleHealth,
    RuleView,
    SimilarWarnings,
    WarningDetail,
    WarningFilter,
    WarningStatus,
    WarningView,
)
from cityloop.watch.service import Watch

router = APIRouter(prefix="/api/v1", tags=["watch"])
CAP_LIMIT = 1024 * 1024
"""Largest CAP message in bytes."""
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
    muted: Annotated[bool | None, Query(description="only those that are kept quiet, or none of them")] = None,
    outcome: Outcome | None = None,
    acknowledged: Annotated[
        bool | None, Query(description="only those that somebody has seen, or none of them")
    ] = None,
    department: str | None = None,
    entity_type: str | None = None,
    assignee: str | None = None,
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
        muted=muted,
        outcome=outcome,
        acknowledged=acknowledged,
        department=department,
        entity_type=entity_type,
        assignee=assignee,
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


@router.get("/warnings/{warning}/similar")
def similar(warning: str, watch: TheWatch, actor: Asker) -> SimilarWarnings:
    """Earlier warnings of the same rule and thing or area, and how they ended."""
    return watch.similar(actor, warning)


@router.post("/warnings/{warning}/acknowledge")
def acknowledge(warning: str, watch: TheWatch, actor: Asker) -> WarningDetail:
    """Say that somebody has seen it; a second time changes nothing."""
    return watch.acknowledge(actor, warning)


@router.get("/rules")
def rules(watch: TheWatch, actor: Asker) -> list[RuleView]:
    """All rules with how often they fired."""
    return watch.rules(actor)


@router.get("/rules/health")
def health(watch: TheWatch, actor: Asker, days: Annotated[int, Query(ge=1, le=3660)] = 30) -> list[RuleHealth]:
    """How every rule served: fire rate, false share, cases, rules that never spoke."""
    return watch.health(actor, days)


@router.post("/warnings/{warning}/outcome")
def label(warning: str, body: NewOutcome, watch: TheWatch, actor: Asker) -> WarningDetail:
    """Say what a warning turned out to be; it feeds the statistics of its rule."""
    return watch.label(actor, warning, body)


@router.post("/warnings/{warning}/assign")
def assign(warning: str, body: NewAssignment, watch: TheWatch, actor: Asker) -> WarningDetail:
    """Give it to a department, a person, or both; every hand-over stays in its history."""
    return watch.assign(actor, warning, body)


@router.get("/warnings/{warning}/cap")
def cap(
    warning: str,
    watch: TheWatch,
    actor: Asker,
    number: Annotated[int | None, Query(ge=0, description="from 0; default: the newest")] = None,
) -> Response:
    """A message of the warning's chain in CAP 1.2: alert, updates, cancellation."""
    return Response(watch.cap(actor, warning, number), media_type=MEDIA_TYPE)


@router.post("/cap", status_code=202)
async def take_cap(request: Request, watch: TheWatch, actor: Asker) -> CapReceipt:
    """Take a CAP 1.2 message of somebody else; sent again it changes nothing."""
    body = await read_body(request, CAP_LIMIT)
    return await to_thread(watch.take_cap, actor, body)


@router.get("/mutes")
def mutes(
    watch: TheWatch, actor: Asker, every: Annotated[bool, Query(description="past ones too")] = False
) -> list[MuteView]:
    """Silences and maintenance windows."""
    return watch.mutes(actor, every)


@router.post("/mutes", status_code=201)
def mute(body: NewMute, watch: TheWatch, actor: Asker) -> MuteView:
    """Keep warnings quiet for a reason and a time; they are watched all the same."""
    return watch.mute(actor, body)


@router.post("/mutes/{mute}/end")
def unmute(mute: str, watch: TheWatch, actor: Asker) -> MuteView:
    """End a mute early: warnings that are still open are raised now."""
    return watch.unmute(actor, mute)
