"""Routes of the calendars: what is in force, what a change would do, the change."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends

from cityloop.access.routes import Asker
from cityloop.cases.calendar_schemas import CalendarPlan, CalendarsView, CalendarWish, NewCalendar
from cityloop.cases.service import CaseDesk
from cityloop.core.web import service

router = APIRouter(prefix="/api/v1", tags=["calendars"])
TheDesk = Annotated[CaseDesk, Depends(service(CaseDesk))]


@router.get("/calendars")
def calendars(desk: TheDesk, actor: Asker) -> CalendarsView:
    """Day table, office hours and every version of them, the newest first."""
    return desk.calendars.view(actor)


@router.post("/calendars/plan")
def plan(body: CalendarWish, desk: TheDesk, actor: Asker) -> CalendarPlan:
    """Explain a change: the days it alters and the open cases it moves. Nothing is written."""
    return desk.calendars.plan(actor, body)


@router.post("/calendars/versions", status_code=201)
def apply(body: NewCalendar, desk: TheDesk, actor: Asker) -> CalendarsView:
    """Put an explained change into force; every open case it moves gets an entry with its old and new due instant."""
    return desk.calendars.apply(actor, body)
