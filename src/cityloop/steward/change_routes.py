"""Routes of changes of the standard: plan, apply, versions."""

from __future__ import annotations

import io
import zipfile
from typing import Annotated

from fastapi import APIRouter, Depends, Response

from cityloop.access.routes import Asker
from cityloop.core.web import ExportFormat, service
from cityloop.steward.plans import ApplyRequest, Plan, PlanRequest, RestoreRequest, VersionLine, VersionView
from cityloop.steward.versions import Versions

router = APIRouter(prefix="/api/v1/standard", tags=["steward"])
TheVersions = Annotated[Versions, Depends(service(Versions))]


@router.post("/changes/plan")
def plan_change(body: PlanRequest, versions: TheVersions, actor: Asker) -> Plan:
    """What a set of declarations changes, what rests on it, what breaks, and what becomes of recent records."""
    return versions.plan(actor, body)


@router.post("/changes", status_code=201)
def apply_change(body: ApplyRequest, versions: TheVersions, actor: Asker, response: Response) -> VersionView:
    """Apply a set that was planned; it holds from the next record on. 409 for a stale plan and for what breaks."""
    made = versions.apply(actor, body)
    response.headers["Location"] = f"/api/v1/standard/versions/{made.number}"
    return made


@router.get("/versions")
def standard_versions(versions: TheVersions, actor: Asker) -> list[VersionLine]:
    """All applied versions, newest first; version 0 are the packs alone."""
    return versions.list(actor)


@router.get("/versions/export", response_class=Response)
def export_versions(versions: TheVersions, actor: Asker, format: ExportFormat = "csv") -> Response:
    """The same list as a file."""
    return versions.export_list(actor, format)


@router.get("/versions/{number}")
def standard_version(number: int, versions: TheVersions, actor: Asker) -> VersionView:
    """One version with its differences and declarations."""
    return versions.get(actor, number)


@router.post("/versions/{number}/restore", status_code=201)
def restore_version(number: int, body: RestoreRequest, versions: TheVersions, actor: Asker) -> VersionView:
    """Bring the state of a former version back as a new one; 0 are the packs alone."""
    return versions.restore(actor, number, body)


@router.get("/versions/{number}/export", response_class=Response)
def export_version(number: int, versions: TheVersions, actor: Asker) -> Response:
    """All that stands beyond the packs in a version, as the files of a pack (zip)."""
    blob = io.BytesIO()
    with zipfile.ZipFile(blob, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in versions.export(actor, number).items():
            archive.writestr(name, text)
    headers = {"Content-Disposition": f'attachment; filename="standard-{number}.zip"'}
    return Response(blob.getvalue(), media_type="application/zip", headers=headers)
