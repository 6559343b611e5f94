"""Routes of the library of plans: reading, linting, drawing, explaining, applying, dry runs."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends

from cityloop.access.routes import Asker
from cityloop.core.web import bounded, service
from cityloop.linkage.catalogue import SERVICES, ServiceKind
from cityloop.linkage.drawing import LARGEST
from cityloop.linkage.library import Library
from cityloop.linkage.plan_schemas import (
    NewPlanVersion,
    PlanApplied,
    PlanDetail,
    PlanExplained,
    PlanLint,
    PlanText,
    PlanTried,
    PlanTry,
    PlanVersionDetail,
    PlanVersionView,
    PlanView,
)
from cityloop.linkage.rehearse import Rehearsal

BODY = 3 * LARGEST
"""Bytes of a body: JSON may write what stands in a diagram at up to thrice its length."""
router = APIRouter(prefix="/api/v1", tags=["plans"], route_class=bounded(BODY))
TheLibrary = Annotated[Library, Depends(service(Library))]
TheRehearsal = Annotated[Rehearsal, Depends(service(Rehearsal))]


@router.get("/plans")
def plans(library: TheLibrary, actor: Asker) -> list[PlanView]:
    """The plans in force."""
    return library.list(actor)


@router.get("/plan-services")
def plan_services(library: TheLibrary, actor: Asker) -> list[ServiceKind]:
    """The services that a plan's steps may call, with what each is given."""
    library.list(actor)
    return list(SERVICES.values())


@router.post("/plans/lint")
def lint_plan(body: PlanText, library: TheLibrary, actor: Asker) -> PlanLint:
    """What is wrong with a diagram, at the id of each element. Nothing is written."""
    return library.lint(actor, body)


@router.post("/plans/layout")
def lay_out_plan(body: PlanText, library: TheLibrary, actor: Asker) -> PlanText:
    """The diagram, drawn anew. Nothing is written."""
    return library.layout(actor, body)


@router.get("/plans/{plan}")
def plan(plan: str, library: TheLibrary, actor: Asker) -> PlanDetail:
    """One plan with its diagram, what starts it, and who takes part."""
    return library.get(actor, plan)


@router.get("/plans/{plan}/versions")
def plan_versions(plan: str, library: TheLibrary, actor: Asker) -> list[PlanVersionView]:
    """Every version, the newest first."""
    return library.versions(actor, plan)


@router.get("/plans/{plan}/versions/{version}")
def plan_version(plan: str, version: int, library: TheLibrary, actor: Asker) -> PlanVersionDetail:
    """One version with its diagram."""
    return library.version_detail(actor, plan, version)


@router.post("/plans/{plan}/explain")
def explain_plan(plan: str, body: PlanText, library: TheLibrary, actor: Asker) -> PlanExplained:
    """What a diagram would change, and which open runs could go on by it. Nothing is written."""
    return library.explain(actor, plan, body)


@router.post("/plans/{plan}/apply", status_code=201)
def apply_plan(plan: str, body: NewPlanVersion, library: TheLibrary, actor: Asker) -> PlanApplied:
    """Put an explained diagram into force; new runs follow it, open ones where asked and possible."""
    return library.apply(actor, plan, body)


@router.post("/plans/{plan}/dry-run")
def try_plan(plan: str, body: PlanTry, rehearsal: TheRehearsal, actor: Asker) -> PlanTried:
    """How a plan, or a diagram of it that is being drawn, would go with these facts and answers. Nothing is sent."""
    return rehearsal.play(actor, plan, body)
