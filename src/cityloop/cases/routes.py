"""Routes of cases: the list, the case, its moves."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Depends, Form, Query, Response, UploadFile
from fastapi.concurrency import run_in_threadpool

from cityloop.access.routes import Asker
from cityloop.cases.attachments import Size
from cityloop.cases.schemas import (
    AttachmentKind,
    AttachmentView,
    CaseDetail,
    CaseFilter,
    CasePartDetail,
    CasePartView,
    CaseReport,
    CaseView,
    Channel,
    Light,
    MoveRequest,
    SimilarCase,
    SimilarWish,
    StateView,
)
from cityloop.cases.service import CaseDesk
from cityloop.core.values import Page
from cityloop.core.web import ExportFormat, Paged, answer, service

router = APIRouter(prefix="/api/v1", tags=["cases"])
TheDesk = Annotated[CaseDesk, Depends(service(CaseDesk))]


async def case_filter(
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
    entity: Annotated[str | None, Query(max_length=80, description="what the case is about: a component")] = None,
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


@router.get("/cases", response_model=Page[CaseView])
def cases(desk: TheDesk, actor: Asker, paged: Paged, wanted: Filtered) -> Response:
    """Cases; sort by ``opened_at`` (default), ``due_at``, ``updated_at``, ``closed_at``, ``number``, ``risk``.

    ``urgency`` is the order of a desk: late ones first, then deadlines drawn forward by their risk.
    """
    return answer(desk.list(actor, wanted, paged))


@router.post("/cases", status_code=201)
def report(body: CaseReport, desk: TheDesk, actor: Asker, response: Response) -> CaseDetail:
    """Report a case. A known ``external_number`` of the same channel answers 200 with the case there already is."""
    detail, created = desk.report(actor, body)
    if not created:
        response.status_code = 200
    response.headers["Location"] = f"/api/v1/cases/{detail.id}"
    return detail


@router.post("/cases/similar")
def similar(body: SimilarWish, desk: TheDesk, actor: Asker) -> list[SimilarCase]:
    """Open cases like a report that has not been sent, the likest first, at most 10. Nothing is written."""
    return desk.similar.before(actor, body)


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


@router.get("/cases/{case}", response_model=CaseDetail)
def case(case: str, desk: TheDesk, actor: Asker) -> Response:
    """One case, by id or number, with timeline, deadline and the moves on offer."""
    return answer(desk.get(actor, case))


@router.get("/cases/{case}/similar")
def similar_to(case: str, desk: TheDesk, actor: Asker) -> list[SimilarCase]:
    """Open cases like this one, the likest first, at most 10."""
    return desk.similar.of(actor, case)


@router.get("/tasks", response_model=Page[CasePartView])
def tasks(
    desk: TheDesk,
    actor: Asker,
    paged: Paged,
    mine: bool = False,
    open: bool | None = None,
    department: str | None = None,
    case: str | None = None,
) -> Response:
    """Parts of co-handlers, the first due first; ``mine``: what waits for the asker."""
    return answer(desk.tasks.list(actor, paged, mine, open, department, case))


@router.get("/tasks/{task}")
def task(task: str, desk: TheDesk, actor: Asker) -> CasePartDetail:
    """One part with its history and the moves on offer."""
    return desk.tasks.get(actor, task)


@router.post("/tasks/{task}/moves")
def move_task(task: str, body: MoveRequest, desk: TheDesk, actor: Asker) -> CasePartDetail:
    """Make a move of a part."""
    return desk.tasks.move(actor, task, body)


@router.post("/attachments", status_code=201)
async def stage_attachment(
    file: UploadFile, desk: TheDesk, actor: Asker, kind: Annotated[AttachmentKind, Form()] = "before"
) -> AttachmentView:
    """Send a file before its report; the report then names its hash. JPEG, PNG, WebP or PDF, by content."""
    content = await file.read(desk.attachments.limit + 1)
    return await run_in_threadpool(desk.attachments.stage, actor, file.filename or "", kind, content)


@router.post("/cases/{case}/attachments", status_code=201)
async def add_attachment(
    case: str, file: UploadFile, desk: TheDesk, actor: Asker, kind: Annotated[AttachmentKind, Form()] = "other"
) -> AttachmentView:
    """Put a file on a case. Place and time of capture are kept as facts and taken out of the stored copy."""
    content = await file.read(desk.attachments.limit + 1)
    return await run_in_threadpool(desk.attachments.add, actor, case, file.filename or "", kind, content)


@router.get("/cases/{case}/attachments")
def attachments(case: str, desk: TheDesk, actor: Asker) -> list[AttachmentView]:
    """The files of a case."""
    return desk.attachments.list(actor, case)


@router.get("/attachments/{hash}", response_class=Response)
def attachment(hash: str, desk: TheDesk, actor: Asker, size: Size = "full") -> Response:
    """The stored copy, or its thumbnail (WebP, at most 320 pixels). Never run by a browser."""
    content, media_type, name = desk.attachments.content(actor, hash, size)
    way = "inline" if media_type.startswith("image/") else "attachment"
    headers = {
        "Content-Disposition": f"{way}; filename*=UTF-8''{quote(name)}",
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "default-src 'none'; sandbox",
        "Cache-Control": "private, max-age=86400, immutable",
        "ETag": f'"{hash}.{size}"',
    }
    return Response(content, media_type=media_type, headers=headers)


@router.post("/cases/{case}/moves", response_model=CaseDetail)
def move(case: str, body: MoveRequest, desk: TheDesk, actor: Asker) -> Response:
    """Make a move. A refusal names the guard, why, and which posts could."""
    return answer(desk.move(actor, case, body))
