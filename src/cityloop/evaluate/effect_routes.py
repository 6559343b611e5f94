"""Routes of effects: what an action changed, against no action."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query

from cityloop.access.routes import Asker
from cityloop.core.web import service
from cityloop.evaluate.effect_schemas import EffectAsked, MeasuredEffect
from cityloop.evaluate.effecting import Effects

router = APIRouter(prefix="/api/v1", tags=["evaluate"])
TheEffects = Annotated[Effects, Depends(service(Effects))]


@router.get("/effects")
def effect(effects: TheEffects, actor: Asker, asked: Annotated[EffectAsked, Query()]) -> MeasuredEffect:
    """How a metric of some units moved in a time, against what was to be expected without what happened then."""
    return effects.of(actor, asked)


@router.get("/effects/runs/{run}")
def effect_of_run(effects: TheEffects, actor: Asker, run: str) -> MeasuredEffect | None:
    """The same for a run of a plan, on the metric that its plan names, in the run's area; null without one."""
    return effects.of_run(actor, run)
