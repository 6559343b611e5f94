"""Routes of the drill: who plays, and switching players off to play oneself."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends

from cityloop.access.routes import Asker, TheDoor
from cityloop.core.web import service
from cityloop.drill.schemas import DrillActorView, DrillChange
from cityloop.drill.service import Drill

router = APIRouter(prefix="/api/v1", tags=["drill"])
TheDrill = Annotated[Drill, Depends(service(Drill))]


@router.get("/drill/actors")
def actors(drill: TheDrill, actor: Asker) -> list[DrillActorView]:
    """All drill actors; an empty list where no drill runs."""
    return drill.actors()


@router.patch("/drill/actors/{account}")
def switch(account: str, body: DrillChange, drill: TheDrill, actor: Asker, door: TheDoor) -> DrillActorView:
    """Switch one drill actor on or off."""
    door.permit(actor, "drill.switch")
    return drill.switch(account, body.playing)
