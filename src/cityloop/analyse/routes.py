"""Routes of analyse: the semantic model and the typed query."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends

from cityloop.access.routes import Asker
from cityloop.analyse.schemas import ModelView, QueryRequest, QueryResult
from cityloop.analyse.service import Analyst
from cityloop.core.web import service

router = APIRouter(prefix="/api/v1", tags=["analyse"])
TheAnalyst = Annotated[Analyst, Depends(service(Analyst))]


@router.get("/model")
def model(analyst: TheAnalyst, actor: Asker) -> ModelView:
    """Metrics and dimensions."""
    return analyst.model()


@router.post("/query")
def query(body: QueryRequest, analyst: TheAnalyst, actor: Asker) -> QueryResult:
    """Ask the semantic model, within the asker's scope."""
    return analyst.query(actor, body)
