"""Routes of instant approval: those of officers, and those that need no account."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response

from cityloop.access.routes import Asker
from cityloop.approve.desk import ApprovalDesk
from cityloop.approve.judging import State
from cityloop.approve.moves import Check
from cityloop.approve.public import PublicApprovals
from cityloop.approve.rates import Supervision
from cityloop.approve.schemas import (
    Appeal,
    ApplicationFilter,
    ApplicationLine,
    ApplicationMove,
    ApplicationReceipt,
    ApplicationView,
    ApplicationWish,
    ApprovalItem,
    ItemRates,
    PublicApplication,
    Reproduced,
)
from cityloop.city.service import City
from cityloop.core.errors import Invalid
from cityloop.core.values import Page
from cityloop.core.web import ExportFormat, Paged, caller, service

router = APIRouter(prefix="/api/v1", tags=["approve"])
TheDesk = Annotated[ApprovalDesk, Depends(service(ApprovalDesk))]
ThePublic = Annotated[PublicApprovals, Depends(service(PublicApprovals))]
TheSupervision = Annotated[Supervision, Depends(service(Supervision))]
TheCity = Annotated[City, Depends(service(City))]
_PERIOD = timedelta(days=30)


async def wanted(
    item: Annotated[str | None, Query(max_length=40)] = None,
    state: State | None = None,
    check: Check | None = None,
    late: bool | None = None,
    instant: bool | None = None,
    q: Annotated[str | None, Query(max_length=40)] = None,
) -> ApplicationFilter:
    """The filter of a list; ``q`` looks in numbers."""
    return ApplicationFilter(item=item, state=state, check=check, late=late, instant=instant, q=q)


Filter = Annotated[ApplicationFilter, Depends(wanted)]


@router.get("/items")
def items(actor: Asker, desk: TheDesk) -> list[ApprovalItem]:
    """Items that are approved at once where the rule is clear."""
    return desk.items(actor)


@router.get("/applications")
def applications(actor: Asker, desk: TheDesk, wanted: Filter, paged: Paged) -> Page[ApplicationLine]:
    """Applications in the asker's sight."""
    return desk.list(actor, wanted, paged)


@router.get("/applications/export")
def export(actor: Asker, desk: TheDesk, wanted: Filter, format: ExportFormat = "csv") -> Response:
    """The same list as a file."""
    return desk.export(actor, wanted, format)


@router.post("/applications", status_code=201)
def file(body: ApplicationWish, actor: Asker, desk: TheDesk) -> ApplicationReceipt:
    """Take an application at the counter."""
    return desk.file(actor, body)


@router.get("/applications/{key}")
def application(key: str, actor: Asker, desk: TheDesk) -> ApplicationView:
    """One application with evidence, facts, matched rule and timeline. Audited."""
    return desk.get(actor, key)


@router.post("/applications/{key}/move")
def move(key: str, body: ApplicationMove, actor: Asker, desk: TheDesk) -> ApplicationView:
    """Grant, refuse, revoke, pass or fail a check; 409 when it has changed meanwhile."""
    return desk.move(actor, key, body)


@router.get("/applications/{key}/reproduction")
def reproduction(key: str, actor: Asker, supervision: TheSupervision) -> Reproduced:
    """The decision worked out once more from what was kept."""
    return supervision.reproduce(actor, key)


@router.get("/approval-rates")
def rates(
    actor: Asker,
    supervision: TheSupervision,
    city: TheCity,
    since: Annotated[datetime | None, Query()] = None,
    until: Annotated[datetime | None, Query()] = None,
) -> list[ItemRates]:
    """The rates of every item, by default of the last 30 days."""
    if any(at is not None and at.tzinfo is None for at in (since, until)):
        raise Invalid("an instant without an offset", "write it as 2026-03-09T00:00:00%2B08:00")
    end = until or city.clock.now() + timedelta(seconds=1)
    return supervision.rates(actor, since or end - _PERIOD, end)


@router.get("/public/items")
def public_items(public: ThePublic) -> list[ApprovalItem]:
    """What can be applied for, with every form."""
    return public.items()


@router.post("/public/applications", status_code=201)
def apply(body: ApplicationWish, public: ThePublic, request: Request) -> ApplicationReceipt:
    """Apply without an account. Number and secret code come back once; 429 with ``Retry-After`` when it is too much."""
    return public.apply(body, caller(request))


@router.get("/public/applications/{number}")
def follow(
    number: str, public: ThePublic, request: Request, code: Annotated[str, Query(max_length=40)] = ""
) -> PublicApplication:
    """How an application stands, for whoever has its code."""
    return public.follow(number, code, caller(request))


@router.post("/public/applications/{number}/appeal")
def appeal(number: str, body: Appeal, public: ThePublic, request: Request) -> PublicApplication:
    """Appeal once against a refusal or revocation."""
    return public.appeal(number, body, caller(request))
