"""Routes of the steward's room."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response

from cityloop.access.routes import Asker
from cityloop.core.values import Page
from cityloop.core.web import Paging, paging, service
from cityloop.steward.schemas import GrantFilter, GrantRequest, GrantState, GrantView, MoveRequest, UsageView
from cityloop.steward.sharing import Sharing

router = APIRouter(prefix="/api/v1", tags=["steward"])
TheSharing = Annotated[Sharing, Depends(service(Sharing))]
Paged = Annotated[Paging, Depends(paging)]


@router.get("/grants")
def grants(
    sharing: TheSharing,
    actor: Asker,
    paged: Paged,
    state: GrantState | None = None,
    department: Annotated[str | None, Query(description="asks for it or owns the data")] = None,
    dataset: str | None = None,
) -> Page[GrantView]:
    """Grants between departments, newest first; ``moves`` are what the asker can do with each."""
    return sharing.list(actor, GrantFilter(state=state, department=department, dataset=dataset), paged)


@router.post("/grants", status_code=201)
def ask_for_grant(body: GrantRequest, sharing: TheSharing, actor: Asker, response: Response) -> GrantView:
    """Ask the department that owns a dataset to share fields and rows of it for a time."""
    made = sharing.ask(actor, body)
    response.headers["Location"] = f"/api/v1/grants/{made.id}"
    return made


@router.get("/grants/{grant}")
def grant(grant: str, sharing: TheSharing, actor: Asker) -> GrantView:
    """One grant."""
    return sharing.get(actor, grant)


@router.post("/grants/{grant}/moves")
def move_grant(grant: str, body: MoveRequest, sharing: TheSharing, actor: Asker) -> GrantView:
    """Approve, refuse or revoke (the owner department, never who asked), or withdraw (the asking department)."""
    return sharing.move(actor, grant, body)


@router.get("/grants/{grant}/usage")
def grant_usage(grant: str, sharing: TheSharing, actor: Asker) -> UsageView:
    """How often, by whom and when last a grant was read by."""
    return sharing.usage(actor, grant)
