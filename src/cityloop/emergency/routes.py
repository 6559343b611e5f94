"""Routes of emergencies: responses, contacts, tasks, resources, log, hand-over, report."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response

from cityloop.access.routes import Asker
from cityloop.core.paper import Language, ReportForm
from cityloop.core.values import Page
from cityloop.core.web import Paged, service
from cityloop.emergency.desk import Responses
from cityloop.emergency.papers import Papers
from cityloop.emergency.schemas import (
    Acknowledgement,
    AssignmentMove,
    AssignmentWish,
    HandOverOffer,
    KindView,
    LevelWish,
    LogNote,
    ResourcePlace,
    ResponseEnd,
    ResponseLine,
    ResponseState,
    ResponseView,
    ResponseWish,
    TaskMove,
    TaskWish,
)

router = APIRouter(prefix="/api/v1", tags=["emergency"])
TheResponses = Annotated[Responses, Depends(service(Responses))]
ThePapers = Annotated[Papers, Depends(service(Papers))]
Spoken = Annotated[Language, Query()]


@router.get("/response-kinds")
def kinds(actor: Asker, desk: TheResponses) -> list[KindView]:
    """Kinds of emergency that can be opened."""
    return desk.kinds(actor)


@router.get("/response-kinds/{kind}/contacts")
def contact_list(
    kind: str, actor: Asker, papers: ThePapers, format: ReportForm = "html", language: Spoken = "zh"
) -> Response:
    """The people who are called, with phones, to be printed and kept for when nothing works."""
    return papers.contacts(actor, kind, format, language)


@router.get("/responses")
def responses(actor: Asker, desk: TheResponses, paged: Paged, state: ResponseState | None = None) -> Page[ResponseLine]:
    """Emergencies in the asker's sight, the newest first."""
    return desk.list(actor, state, paged)


@router.post("/responses", status_code=201)
def open_response(body: ResponseWish, actor: Asker, desk: TheResponses) -> ResponseView:
    """Open a response: tasks are given and contacts called at once. 409 where one is open for the district."""
    return desk.open(actor, body)


@router.get("/responses/{response}")
def response(response: str, actor: Asker, desk: TheResponses) -> ResponseView:
    """The command centre's page, by id or number."""
    return desk.get(actor, response)


@router.post("/responses/{response}/level")
def level(response: str, body: LevelWish, actor: Asker, desk: TheResponses) -> ResponseView:
    """Change the level, with its reason."""
    return desk.level(actor, response, body)


@router.post("/responses/{response}/contacts/{contact}/acknowledge")
def acknowledge(response: str, contact: str, body: Acknowledgement, actor: Asker, desk: TheResponses) -> ResponseView:
    """Somebody has answered a call."""
    return desk.acknowledge(actor, response, contact, body)


@router.post("/responses/{response}/tasks", status_code=201)
def add_task(response: str, body: TaskWish, actor: Asker, desk: TheResponses) -> ResponseView:
    """Give a task."""
    return desk.add_task(actor, response, body)


@router.post("/responses/{response}/tasks/{task}")
def move_task(response: str, task: str, body: TaskMove, actor: Asker, desk: TheResponses) -> ResponseView:
    """Take a task, report it done, drop it."""
    return desk.move_task(actor, response, task, body)


@router.post("/responses/{response}/resources", status_code=201)
def assign(response: str, body: AssignmentWish, actor: Asker, desk: TheResponses) -> ResponseView:
    """Send a resource. 409 when less of it is free."""
    return desk.assign(actor, response, body)


@router.post("/responses/{response}/assignments/{assignment}")
def move_assignment(
    response: str, assignment: str, body: AssignmentMove, actor: Asker, desk: TheResponses
) -> ResponseView:
    """It has arrived, or is released."""
    return desk.move_assignment(actor, response, assignment, body)


@router.post("/responses/{response}/resources/{resource}/place")
def place(response: str, resource: str, body: ResourcePlace, actor: Asker, desk: TheResponses) -> ResponseView:
    """Where a resource is, and whether it can be used."""
    return desk.place(actor, response, resource, body)


@router.post("/responses/{response}/log", status_code=201)
def note(response: str, body: LogNote, actor: Asker, desk: TheResponses) -> ResponseView:
    """Write a line into the situation log; lines are never changed."""
    return desk.note(actor, response, body)


@router.post("/responses/{response}/hand-over")
def hand_over(response: str, body: HandOverOffer, actor: Asker, desk: TheResponses) -> ResponseView:
    """Hand over to somebody, with what he must know."""
    return desk.offer(actor, response, body)


@router.post("/responses/{response}/hand-over/accept")
def accept(response: str, actor: Asker, desk: TheResponses) -> ResponseView:
    """Take over."""
    return desk.accept(actor, response)


@router.post("/responses/{response}/end")
def end(response: str, body: ResponseEnd, actor: Asker, desk: TheResponses) -> ResponseView:
    """End it; 409 while tasks are open."""
    return desk.end(actor, response, body)


@router.get("/responses/{response}/report")
def report(
    response: str, actor: Asker, papers: ThePapers, format: ReportForm = "html", language: Spoken = "zh"
) -> Response:
    """The after-action report as a page, a workbook or PDF."""
    return papers.report(actor, response, format, language)
