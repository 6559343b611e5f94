"""Routes of models: which matter a text means, and the cards of the models in force."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends

from cityloop.access.routes import Asker
from cityloop.cases.learned import MatterSuggestion
from cityloop.core.web import service
from cityloop.learn.artefact import Card
from cityloop.learn.schemas import RiskView, Text
from cityloop.learn.service import Learner

router = APIRouter(prefix="/api/v1", tags=["learn"])
TheLearner = Annotated[Learner, Depends(service(Learner))]


@router.post("/cases/classify")
def classify(body: Text, learner: TheLearner, actor: Asker) -> MatterSuggestion:
    """The three likeliest matters of a text with calibrated confidence; ``automatic``: no person needs to choose."""
    return learner.classify(actor, body)


@router.get("/cases/{case}/risk")
def risk(case: str, learner: TheLearner, actor: Asker) -> RiskView:
    """How likely an open case is to miss its limit, and which of its features say so."""
    return learner.why(actor, case)


@router.get("/models")
def models(learner: TheLearner, actor: Asker) -> list[Card]:
    """The cards of the models in force: rows, span, features, figures on unseen cases, seed, digests."""
    return learner.cards(actor)
