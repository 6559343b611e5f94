"""Routes of ask: a question, and a query that came of one."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends

from cityloop.access.routes import Asker
from cityloop.ask.schemas import AskAnswer, AskEdit, AskRequest
from cityloop.ask.service import AskDesk
from cityloop.core.web import service

router = APIRouter(prefix="/api/v1", tags=["ask"])
TheDesk = Annotated[AskDesk, Depends(service(AskDesk))]


@router.post("/ask")
def ask(body: AskRequest, desk: TheDesk, actor: Asker) -> AskAnswer:
    """Ask a question in Chinese or English, within the asker's scope."""
    return desk.ask(actor, body)


@router.post("/ask/query")
def ask_query(body: AskEdit, desk: TheDesk, actor: Asker) -> AskAnswer:
    """Answer a typed query that came of a question, read out again."""
    return desk.edit(actor, body)
