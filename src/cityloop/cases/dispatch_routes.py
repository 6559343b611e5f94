"""Routes of dispatch: the table, what is in hand, what was learned, what a change would do, the change."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query

from cityloop.access.routes import Asker
from cityloop.cases.dispatch_schemas import (
    AsideWish,
    DepartmentLoad,
    DispatchProposal,
    NewResponsibility,
    ResponsibilityPlan,
    ResponsibilityView,
    ResponsibilityWish,
)
from cityloop.cases.service import CaseDesk
from cityloop.core.web import service

router = APIRouter(prefix="/api/v1/dispatch", tags=["dispatch"])
TheDesk = Annotated[CaseDesk, Depends(service(CaseDesk))]


@router.get("/table")
def table(desk: TheDesk, actor: Asker) -> ResponsibilityView:
    """The table of responsibility and every version of it, the newest first."""
    return desk.dispatch.view(actor)


@router.get("/loads")
def department_loads(
    desk: TheDesk, actor: Asker, matter: Annotated[str | None, Query(max_length=80)] = None
) -> list[DepartmentLoad]:
    """Open cases and handlers of every department; with a matter also how long such cases take it."""
    return desk.dispatch.loads(actor, matter)


@router.get("/proposals")
def proposals(desk: TheDesk, actor: Asker) -> list[DispatchProposal]:
    """What dispatchers keep choosing instead of the table in force; what was put aside comes last."""
    return desk.dispatch.proposals.list(actor)


@router.post("/proposals/{proposal}/aside")
def put_aside(
    proposal: Annotated[str, Path(max_length=40)], body: AsideWish, desk: TheDesk, actor: Asker
) -> list[DispatchProposal]:
    """Put a proposal aside with a reason, for as long as the table stays as it is; answers all proposals."""
    return desk.dispatch.proposals.put_aside(actor, proposal, body.reason)


@router.post("/plan")
def plan(body: ResponsibilityWish, desk: TheDesk, actor: Asker) -> ResponsibilityPlan:
    """Explain a change by the cases of the past. Nothing is written."""
    return desk.dispatch.plan(actor, body)


@router.post("/versions", status_code=201)
def apply(body: NewResponsibility, desk: TheDesk, actor: Asker) -> ResponsibilityView:
    """Put an explained change into force; cases that have been dispatched stay where they are."""
    return desk.dispatch.apply(actor, body)
