"""Routes of notices: what became of them, and sending again."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query

from cityloop.access.routes import Asker
from cityloop.core.values import Page
from cityloop.core.web import Paged, service
from cityloop.serve.notices.sent import NoticeState, NoticeView, SentNotices

router = APIRouter(prefix="/api/v1/notices", tags=["notices"])
TheNotices = Annotated[SentNotices, Depends(service(SentNotices))]


@router.get("")
def notices(
    sent: TheNotices, actor: Asker, paged: Paged, state: Annotated[list[NoticeState] | None, Query()] = None
) -> Page[NoticeView]:
    """Notices by e-mail and text message, the newest first, without their words."""
    return sent.list(actor, state or [], paged)


@router.post("/{notice}/again", status_code=202)
def send_again(notice: str, sent: TheNotices, actor: Asker) -> NoticeView:
    """Send one that was refused, has expired, or may not have arrived."""
    return sent.again(actor, notice)
