"""Routes of limits: the list, the versions, what a change would do, the change."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response

from cityloop.access.routes import Asker
from cityloop.cases.limits_schemas import LimitFilter, LimitLine, LimitsEffect, LimitsView, LimitsWish, NewLimits
from cityloop.cases.routes import TheDesk
from cityloop.city.deadlines import LimitSource
from cityloop.core.values import Page
from cityloop.core.web import ExportFormat, Paged

router = APIRouter(prefix="/api/v1/limits", tags=["city"])


def limit_filter(
    text: Annotated[str, Query(max_length=60, description="in code, name, class or limit")] = "",
    standard: Annotated[str | None, Query(max_length=60)] = None,
    class_code: Annotated[str | None, Query(max_length=20)] = None,
    source: Annotated[LimitSource | None, Query(description="what the limit is written for")] = None,
) -> LimitFilter:
    """The filter parameters of a request."""
    return LimitFilter(text=text, standard=standard, class_code=class_code, source=source)


Narrowed = Annotated[LimitFilter, Depends(limit_filter)]


@router.get("")
def limits(desk: TheDesk, actor: Asker, paged: Paged, wanted: Narrowed) -> Page[LimitLine]:
    """The matters of the catalogue with limit, filing and closing conditions."""
    return desk.limits.list(wanted, paged)


@router.get("/export")
def export_limits(desk: TheDesk, actor: Asker, wanted: Narrowed, format: ExportFormat = "csv") -> Response:
    """The same list as a file that an import reads back."""
    return desk.limits.export(actor, wanted, format)


@router.get("/versions")
def versions(desk: TheDesk, actor: Asker) -> LimitsView:
    """The version in force and every version of the limits, the newest first."""
    return desk.limits.view()


@router.post("/plan")
def plan(body: LimitsWish, desk: TheDesk, actor: Asker) -> LimitsEffect:
    """Explain a change: the matters it alters and the open cases it could move. Nothing is written."""
    return desk.limits.plan(actor, body)


@router.post("/versions", status_code=201)
def apply(body: NewLimits, desk: TheDesk, actor: Asker) -> LimitsView:
    """Put an explained change into force."""
    return desk.limits.apply(actor, body)
