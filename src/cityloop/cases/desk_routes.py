"""Routes of the desk's screens: the process picture of a case, and earlier cases of a caller."""

from __future__ import annotations

from fastapi import APIRouter

from cityloop.access.routes import Asker
from cityloop.cases.callers import CallerWish
from cityloop.cases.process import ProcessPicture
from cityloop.cases.routes import TheDesk
from cityloop.cases.schemas import CaseView

router = APIRouter(prefix="/api/v1", tags=["cases"])


@router.get("/cases/{case}/process")
def process(case: str, desk: TheDesk, actor: Asker) -> ProcessPicture:
    """The states and ways of the workflow that the case runs under, and the way it took."""
    return desk.pictures.of(actor, case)


@router.post("/cases/callers")
def callers(body: CallerWish, desk: TheDesk, actor: Asker) -> list[CaseView]:
    """Earlier cases of a telephone number, the newest 20. The number stands in the body, so no log holds it."""
    return desk.callers.earlier(actor, body)
