"""Routes of limits: what a department's sheet would change."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, UploadFile
from fastapi.concurrency import run_in_threadpool

from cityloop.access.routes import Asker, TheDoor, TheSettings
from cityloop.cases.limits_desk import CHANGE
from cityloop.city.limit_sheet import LimitsPlan
from cityloop.city.routes import TheCity
from cityloop.core.web import read_file
from cityloop.serve.limits import plan_limits

router = APIRouter(prefix="/api/v1/limits", tags=["city"])


@router.post("/import")
async def plan(
    file: UploadFile,
    the_city: TheCity,
    actor: Asker,
    door: TheDoor,
    settings: TheSettings,
    sheet: Annotated[str | None, Form(max_length=60)] = None,
) -> LimitsPlan:
    """Read a CSV or Excel file of limits and conditions: which matters change, and which cells cannot be read.

    Nothing is written: ``change`` is what ``/limits/plan`` explains and ``/limits/versions`` applies, ``document`` the
    city's ``limits.yaml`` as it would be.
    """
    door.permit(actor, CHANGE)
    body = await read_file(file, settings.body_limit)
    return await run_in_threadpool(plan_limits, the_city, file.filename or "limits", body, sheet)
