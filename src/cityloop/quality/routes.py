"""Routes of quality: the scoreboard, the hours of a feed, breaches, inspections."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query, Response

from cityloop.access.routes import Asker
from cityloop.core.values import Page
from cityloop.core.web import ExportFormat, Paged, service
from cityloop.quality.schemas import (
    BreachView,
    By,
    Example,
    Finding,
    FindingState,
    HoursView,
    InspectionDetail,
    InspectionDraft,
    InspectionLine,
    Move,
    SchemeView,
    ScorePage,
    State,
)
from cityloop.quality.scheme import Check
from cityloop.quality.service import Quality
from cityloop.quality.views import FindingFilter

router = APIRouter(prefix="/api/v1", tags=["quality"])
TheQuality = Annotated[Quality, Depends(service(Quality))]
From = Annotated[datetime | None, Query(alias="from", description="with offset; included")]
To = Annotated[datetime | None, Query(alias="to", description="with offset; not included")]


async def finding_filter(
    department: str | None = None,
    feed: str | None = None,
    check: Check | None = None,
    state: FindingState | None = None,
) -> FindingFilter:
    """The filter parameters of a list of findings."""
    return FindingFilter(department, feed, check, state)


Filtered = Annotated[FindingFilter, Depends(finding_filter)]


@router.get("/quality/scheme")
def scheme(quality: TheQuality, actor: Asker) -> SchemeView:
    """Dimensions with weights and bounds, bands, minimum sample."""
    return quality.scheme(actor)


@router.get("/quality/scores")
def scores(
    quality: TheQuality,
    actor: Asker,
    paged: Paged,
    by: By = "feed",
    start: From = None,
    end: To = None,
    department: str | None = None,
) -> ScorePage:
    """The scoreboard, by default of the last seven days; sort by ``score``, ``id``, ``title`` or a dimension."""
    return quality.scores(actor, by, start, end, paged, department)


@router.get("/quality/scores/export")
def export_scores(
    quality: TheQuality,
    actor: Asker,
    by: By = "feed",
    start: From = None,
    end: To = None,
    department: str | None = None,
    format: ExportFormat = "csv",
) -> Response:
    """The same board as a file, with numerators and denominators."""
    return quality.export_scores(actor, by, start, end, department, format)


@router.get("/quality/feeds/{feed}/hours")
def hours(feed: str, quality: TheQuality, actor: Asker, start: From = None, end: To = None) -> HoursView:
    """A feed hour by hour, by default of the last 48 hours, at most 31 days."""
    return quality.hours(actor, feed, start, end)


@router.get("/quality/feeds/{feed}/evidence")
def evidence(
    feed: str,
    quality: TheQuality,
    actor: Asker,
    paged: Paged,
    dimension: Check,
    start: From = None,
    end: To = None,
) -> Page[Example]:
    """The gaps, rows and records in quarantine behind a figure of a feed."""
    return quality.evidence(actor, feed, dimension, start, end, paged)


@router.get("/quality/breaches")
def breaches(
    quality: TheQuality,
    actor: Asker,
    paged: Paged,
    open: bool | None = None,
    feed: str | None = None,
) -> Page[BreachView]:
    """Feeds that are or were stale or incomplete, newest first."""
    return quality.breaches(actor, paged, open, feed)


@router.get("/inspections")
def inspections(
    quality: TheQuality, actor: Asker, paged: Paged, state: State | None = None, plan: str | None = None
) -> Page[InspectionLine]:
    """Data inspections; sort by ``planned_for`` (default, descending), ``started_at``, ``state``."""
    return quality.inspections(actor, paged, state, plan)


@router.get("/inspections/export")
def export_inspections(
    quality: TheQuality,
    actor: Asker,
    state: State | None = None,
    plan: str | None = None,
    format: ExportFormat = "csv",
) -> Response:
    """The same list as a file."""
    return quality.export_inspections(actor, state, plan, format)


@router.post("/inspections", status_code=201)
def plan(body: InspectionDraft, quality: TheQuality, actor: Asker, response: Response) -> InspectionDetail:
    """Plan an inspection. With ``planned_for`` it starts by itself on that day, else by hand."""
    detail = quality.plan(actor, body)
    response.headers["Location"] = f"/api/v1/inspections/{detail.id}"
    return detail


@router.get("/inspections/{inspection}")
def inspection(inspection: str, quality: TheQuality, actor: Asker) -> InspectionDetail:
    """One inspection: progress, departments beside the inspection before, checks, log."""
    return quality.inspection(actor, inspection)


@router.get("/inspections/{inspection}/findings")
def findings(inspection: str, quality: TheQuality, actor: Asker, paged: Paged, wanted: Filtered) -> Page[Finding]:
    """What it found; sort by ``department`` (default), ``feed``, ``check``, ``state``, ``due_at``, ``id``."""
    return quality.findings(actor, inspection, wanted, paged)


@router.get("/inspections/{inspection}/findings/export")
def export_findings(
    inspection: str, quality: TheQuality, actor: Asker, wanted: Filtered, format: ExportFormat = "csv"
) -> Response:
    """The same list as a file."""
    return quality.export_findings(actor, inspection, wanted, format)


@router.get("/inspections/{inspection}/report")
def report(
    inspection: str,
    quality: TheQuality,
    actor: Asker,
    format: Literal["html", "xlsx"] = "html",
    language: Literal["zh", "en"] | None = None,
) -> Response:
    """The report: a page that needs nothing else and prints well, or an Excel book."""
    return quality.report(actor, inspection, format, language)


@router.post("/inspections/{inspection}/{move}")
def act(inspection: str, move: Move, quality: TheQuality, actor: Asker) -> InspectionDetail:
    """Start, stop, resume, recheck or close; 409 names what the state allows."""
    return quality.act(actor, inspection, move)
