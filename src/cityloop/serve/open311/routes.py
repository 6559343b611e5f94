"""Routes of GeoReport v2. Parameters are read by hand, so that every refusal has the standard's own form."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.concurrency import run_in_threadpool

from cityloop.access.actor import Actor
from cityloop.access.routes import Asker, TheSettings
from cityloop.city.service import City
from cityloop.core.errors import NotFound, Problem
from cityloop.core.settings import Settings
from cityloop.core.values import Page
from cityloop.core.web import ExportFormat, Paged, content_type, read_body, service
from cityloop.serve.open311.asked import Pairs, plain, read_form, read_sent, read_update, read_updates, read_wanted
from cityloop.serve.open311.sender import Sender
from cityloop.serve.open311.sent import Delivery, SentFilter, SentRecipient, SentView
from cityloop.serve.open311.service import ROOT, Open311
from cityloop.serve.open311.wire import TYPES, Form, spell

router = APIRouter(tags=["open311"])
TheOpen311 = Annotated[Open311, Depends(service(Open311))]
TheSender = Annotated[Sender, Depends(service(Sender))]
TheCity = Annotated[City, Depends(service(City))]
Ask = Callable[[dict[str, str]], Any]
KEPT = (403, 404, 429)
"""What else is wrong answers 400, as the specification wants it."""


@router.get("/open311/discovery", response_class=Response)
@router.get("/open311/discovery.{form}", response_class=Response)
def discovery(request: Request, open311: TheOpen311, form: str = "") -> Response:
    """Where the endpoints are, in which formats. Without a format XML, or JSON where the client accepts only that."""
    accepted = request.headers.get("accept", "")
    chosen = form or ("json" if "json" in accepted and "xml" not in accepted else "xml")
    base = str(request.base_url).rstrip("/")
    return _answer(request, chosen, "discovery", lambda _: open311.discovery(base))


@router.get(f"{ROOT}/services.{{form}}", response_class=Response)
def services(form: str, request: Request, open311: TheOpen311) -> Response:
    """What can be reported."""
    return _answer(request, form, "services", _here(open311, lambda _: open311.services.list()))


@router.get(f"{ROOT}/services/{{code}}.{{form}}", response_class=Response)
def definition(code: str, form: str, request: Request, open311: TheOpen311) -> Response:
    """The questions of a service."""
    return _answer(request, form, "service_definition", _here(open311, lambda _: open311.services.definition(code)))


@router.get(f"{ROOT}/tokens/{{token}}.{{form}}", response_class=Response)
def token(token: str, form: str, request: Request, open311: TheOpen311) -> Response:
    """The number behind a token."""
    return _answer(request, form, "service_requests", _here(open311, lambda _: [open311.token(token)]))


@router.get(f"{ROOT}/requests.{{form}}", response_class=Response)
def requests(form: str, request: Request, open311: TheOpen311, city: TheCity) -> Response:
    """Requests under a filter; by default those of the latest 90 days, at most 1,000."""
    ask = _here(open311, lambda given: open311.list(read_wanted(given, city.clock.now())))
    return _answer(request, form, "service_requests", ask)


@router.get(f"{ROOT}/requests/{{number}}.{{form}}", response_class=Response)
def one(number: str, form: str, request: Request, open311: TheOpen311) -> Response:
    """One request."""
    ask = _here(open311, lambda given: [open311.get(number, given.get("extensions", "").lower() == "true")])
    return _answer(request, form, "service_requests", ask)


@router.post(f"{ROOT}/requests.{{form}}", status_code=201, response_class=Response)
async def post(form: str, request: Request, open311: TheOpen311, settings: TheSettings) -> Response:
    """Report; a form with an ``api_key``. Answers the number, or a token where the service works in batches."""
    return await _posted(
        form, request, open311, settings, "service_requests",
        lambda actor, pairs: open311.post(actor, read_sent(pairs)),
    )  # fmt: skip


@router.get(f"{ROOT}/servicerequestupdates.{{form}}", response_class=Response)
def updates(form: str, request: Request, open311: TheOpen311, city: TheCity) -> Response:
    """What became of requests between two dates; an extension of the specification."""
    ask = _here(open311, lambda given: open311.updates.list(read_updates(given, city.clock.now())))
    return _answer(request, form, "service_request_updates", ask)


@router.post(f"{ROOT}/servicerequestupdates.{{form}}", status_code=201, response_class=Response)
async def post_update(form: str, request: Request, open311: TheOpen311, settings: TheSettings) -> Response:
    """What another system says of a request; a form with an ``api_key``. An ``update_id`` is taken once."""
    return await _posted(
        form, request, open311, settings, "service_request_updates",
        lambda actor, pairs: open311.updates.take(actor, read_update(pairs)),
    )  # fmt: skip


def sent_filter(
    state: Delivery | None = None,
    stuck: Annotated[bool | None, Query(description="only what waits for a person")] = None,
    recipient: Annotated[str | None, Query(max_length=60)] = None,
    case: Annotated[str | None, Query(max_length=60, description="id or number")] = None,
    text: Annotated[str, Query(max_length=60, description="in number or title")] = "",
) -> SentFilter:
    """The filter parameters of a request."""
    return SentFilter(state=state, stuck=stuck, recipient=recipient, case=case, text=text)


Narrowed = Annotated[SentFilter, Depends(sent_filter)]


@router.get("/api/v1/open311/sent")
def sent(sender: TheSender, actor: Asker, paged: Paged, wanted: Narrowed) -> Page[SentView]:
    """Cases at other systems; sort by ``opened_at``, ``number``, ``state``, ``next_at``; by default trouble first."""
    return sender.sent.list(actor, wanted, paged)


@router.get("/api/v1/open311/sent/export")
def export_sent(sender: TheSender, actor: Asker, wanted: Narrowed, format: ExportFormat = "csv") -> Response:
    """The same list as a file."""
    return sender.sent.export(actor, wanted, format)


@router.get("/api/v1/open311/recipients")
def recipients(sender: TheSender, actor: Asker) -> list[SentRecipient]:
    """The systems that the city sends cases to."""
    return sender.sent.recipients(actor)


@router.post("/api/v1/open311/sent/{case}/{recipient}", status_code=204)
def resend(case: str, recipient: str, sender: TheSender, actor: Asker) -> None:
    """Send again what was refused or may not have arrived."""
    sender.sent.resend(actor, case, recipient)


async def _posted(
    form: str,
    request: Request,
    open311: Open311,
    settings: Settings,
    root: str,
    take: Callable[[Actor, Pairs], dict[str, Any]],
) -> Response:
    """What a keyholder sent, taken in a thread; its answer is a list of one."""
    try:
        chosen = _form(form)
        pairs = read_form(content_type(request), await read_body(request, settings.body_limit))
    except Problem as problem:
        return _refused(_or_xml(form), problem)

    def ask(_: dict[str, str]) -> Any:
        given = {**plain(request.query_params.multi_items()), **plain(pairs)}
        open311.jurisdiction(given.get("jurisdiction_id"))
        return [take(open311.keyholder(given.get("api_key")), pairs)]

    return await run_in_threadpool(_answer, request, chosen, root, ask, 201)


def _here(open311: Open311, ask: Ask) -> Ask:
    """Ask only on behalf of this city."""

    def asked(given: dict[str, str]) -> Any:
        open311.jurisdiction(given.get("jurisdiction_id"))
        return ask(given)

    return asked


def _answer(request: Request, form: str, root: str, ask: Ask, status: int = 200) -> Response:
    try:
        chosen = _form(form)
        value = ask(plain(request.query_params.multi_items()))
    except Problem as problem:
        return _refused(_or_xml(form), problem)
    return Response(spell(chosen, root, value), status, media_type=TYPES[chosen])


def _refused(form: Form, problem: Problem) -> Response:
    status = problem.status if problem.status in KEPT else 400
    whole = [{"code": status, "description": _said(problem)}]
    return Response(spell(form, "errors", whole), status, problem.headers(), media_type=TYPES[form])


def _said(problem: Problem) -> str:
    faults = "; ".join(str(fault) for fault in problem.faults)
    return faults or str(problem)


def _form(text: str) -> Form:
    if text == "xml":
        return "xml"
    if text == "json":
        return "json"
    raise NotFound(f"there is no format '{text[:20]}'", "xml or json")


def _or_xml(text: str) -> Form:
    return "json" if text == "json" else "xml"
