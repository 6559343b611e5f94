"""Routes of cases: the list, the case, its moves."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Response

from cityloop.access.routes import Asker
from cityloop.cases.schemas import CaseDetail, CaseFilter, CaseReport, CaseView, Channel, Light, MoveRequest, StateView
from cityloop.cases.service import CaseDesk
from cityloop.core.values import Page
from cityloop.core.web import ExportFormat, Paging, paging, service

router = APIRouter(prefix="/api/v1", tags=["cases"])
TheDesk = Annotated[CaseDesk, Depends(service(CaseDesk))]
Paged = Annotated[Paging, Depends(paging)]


def case_filter(
    state: Annotated[list[str] | None, Query()] = None,
    open: bool | None = None,
    mine: Annotated[bool, Query(description="only cases on which the asker can make a move now")] = False,
    department: str | None = None,
    area: Annotated[str | None, Query(description="area code; everything below it counts")] = None,
    matter: Annotated[list[str] | None, Query(description="keys, or prefixes of keys that end with *: a class")] = None,
    channel: Channel | None = None,
    light: Light | None = None,
    on_time: bool | None = None,
    series: str | None = None,
    warning: str | None = None,
    text: Annotated[str | None, Query(max_length=60, description="in number, title or address")] = None,
    opened_from: datetime | None = None,
    opened_to: datetime | None = None,
    closed_from: datetime | None = None,
    closed_to: datetime | None = None,
) -> CaseFilter:
    """The filter parameters of a request."""
    values = dict(locals())
    return CaseFilter(**{**values, "state": tuple(state or ()), "matter": tuple(matter or ())})


Filtered = Annotated[CaseFilter, Depends(case_filter)]


@router.get("/cases")
def cases(desk: TheDesk, actor: Asker, paged: Paged, wanted: Filtered) -> Page[CaseView]:
    """Cases; sort by ``opened_at`` (default), ``due_at``, ``updated_at``, ``closed_at``, ``number``, ``risk``."""
    return desk.list(actor, wanted, paged)


@router.post("/cases", status_code=201)
def report(body: CaseReport, desk: TheDesk, actor: Asker, response: Response) -> CaseDetail:
    """Report a case. A known ``external_number`` of the same channel answers 200 with the case there already is."""
    detail, created = desk.report(actor, body)
    if not created:
        response.status_code = 200
    response.headers["Location"] = f"/api/v1/cases/{detail.id}"
    return detail


@router.get("/cases/export")
def export_cases(desk: TheDesk, actor: Asker, wanted: Filtered, format: ExportFormat = "csv") -> Response:
    """The same list as a file."""
    return desk.export(actor, wanted, format)


@router.get("/cases.geojson")
def case_points(desk: TheDesk, actor: Asker, wanted: Filtered) -> dict[str, Any]:
    """The newest 5,000 as GeoJSON points; ``properties``: id, number, title, state, light, department."""
    return desk.geojson(actor, wanted)


@router.get("/case-states")
def states(desk: TheDesk, actor: Asker) -> list[StateView]:
    """The states of the workflow in force."""
    return desk.states()


@router.get("/cases/{case}")
def case(case: str, desk: TheDesk, actor: Asker) -> CaseDetail:
    """One case, by id or number, with timeline, deadline and the moves on offer."""
    return desk.get(actor, case)


@router.post("/cases/{case}/moves")
def move(case: str, body: MoveRequest, desk: TheDesk, actor: Asker) -> CaseDetail:
    """Make a move. A refusal names the guard, why, and which posts could."""
    return desk.move(actor, case, body)
