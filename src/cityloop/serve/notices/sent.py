"""What became of notices: listed without their words, and sent again by a person."""

from __future__ import annotations

import builtins
from typing import Literal

from sqlalchemy import func, select

from cityloop.access.actor import Actor
from cityloop.access.audit import Audit
from cityloop.access.door import Door
from cityloop.access.masks import masked
from cityloop.city.service import City
from cityloop.collect.sources.secrets import is_reference
from cityloop.core.clock import Clock, SystemClock
from cityloop.core.database import Database
from cityloop.core.errors import Conflict, NotFound
from cityloop.core.values import Frozen, Instant, Page
from cityloop.core.web import Paging
from cityloop.serve.notices.content import Channel
from cityloop.serve.notices.models import NoticeRow
from cityloop.serve.notices.sender import STUCK

MANAGE = "notice.manage"
NoticeState = Literal["waiting", "sending", "sent", "refused", "doubtful", "expired"]


class NoticeView(Frozen):
    """One event told to one address; what it said stays in the house."""

    id: str
    notice: str
    channel: Channel
    address: str
    """Covered: enough to tell one from another."""
    kind: str
    subject: str
    """The warning or case."""
    state: NoticeState
    attempts: int
    made_at: Instant
    next_at: Instant
    tried_at: Instant | None
    error: str | None


class SentNotices:
    """All verbs of people on notices; both need ``notice.manage``."""

    def __init__(self, *, database: Database, door: Door, audit: Audit, city: City, clock: Clock | None = None) -> None:
        self._database, self._door, self._audit, self._city = database, door, audit, city
        self._clock = clock or SystemClock()

    def list(self, actor: Actor, states: builtins.list[NoticeState], paged: Paging) -> Page[NoticeView]:
        """Notices in these states (none: all), the newest first."""
        self._door.permit(actor, MANAGE)
        where = [NoticeRow.state.in_(states)] if states else []
        query = select(NoticeRow).where(*where).order_by(NoticeRow.made_at.desc(), NoticeRow.id)
        with self._database.reading() as session:
            total = session.scalar(select(func.count()).select_from(NoticeRow).where(*where)) or 0
            items = [_view(row) for row in session.scalars(query.offset(paged.offset).limit(paged.size))]
        return Page(items=items, total=total, page=paged.page, size=paged.size)

    def again(self, actor: Actor, notice: str) -> NoticeView:
        """Send what did not arrive, or may not have; raises :class:`NotFound`, or :class:`Conflict` for any other."""
        self._door.permit(actor, MANAGE)
        with self._database.transaction() as tx:
            row = tx.session.get(NoticeRow, notice, with_for_update=True)
            if row is None:
                raise NotFound(f"there is no notice '{notice}'", "GET /api/v1/notices lists them")
            if row.state not in STUCK:
                raise Conflict(f"it is '{row.state}'", f"only what is {', '.join(STUCK)} is sent again")
            detail = {"state": row.state, "error": row.error}
            self._audit.record(tx, self._city.clock.now(), actor.id, "notice.again", notice, detail)
            row.state, row.error, row.message = "waiting", None, None
            row.made_at = row.next_at = self._clock.now()
            tx.flush()
            return _view(row)


def _view(row: NoticeRow) -> NoticeView:
    names = [name for name in NoticeView.model_fields if name != "address"]
    return NoticeView.model_validate({**{name: getattr(row, name) for name in names}, "address": covered(row.address)})


def covered(address: str) -> str:
    """An address without its personal part; where it stands is no secret."""
    if is_reference(address):
        return address
    name, at, domain = address.rpartition("@")
    return f"{name[:1]}***@{domain}" if at else str(masked("phone", address))
