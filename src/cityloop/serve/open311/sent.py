"""What became of cases at other systems: listed as far as the asker sees the cases, and sent again by a person."""

from __future__ import annotations

import builtins
from collections.abc import Mapping
from typing import Any, Literal

from fastapi import Response
from sqlalchemy import ColumnElement, func, or_, select

from cityloop.access.actor import Actor
from cityloop.access.audit import Audit
from cityloop.access.door import Door
from cityloop.cases.listings import ENTITY
from cityloop.cases.models import CaseRow
from cityloop.citizen.reading import COLUMNS
from cityloop.city.service import City
from cityloop.core.clock import Clock
from cityloop.core.database import Database
from cityloop.core.errors import Conflict, Invalid, NotFound
from cityloop.core.values import Frozen, Instant, Page, Title
from cityloop.core.web import EXPORT_LIMIT, ExportFormat, Paging, export_rows
from cityloop.serve.open311.content import Recipient
from cityloop.serve.open311.models import SentRow

RESEND = "open311.resend"
STUCK = ("refused", "doubtful")
"""States in which a case waits for a person."""
Delivery = Literal["waiting", "sending", "sent", "ended", "refused", "doubtful"]
_SORTS: dict[str, ColumnElement[Any]] = {
    "number": CaseRow.__table__.c.number,
    "opened_at": CaseRow.__table__.c.opened_at,
    "state": SentRow.__table__.c.state,
    "next_at": SentRow.__table__.c.next_at,
    "attempts": SentRow.__table__.c.attempts,
}
_KEY = (SentRow.__table__.c.case, SentRow.__table__.c.recipient)
_HEADINGS = {
    "number": ("案件号", "Number"),
    "title": ("标题", "Title"),
    "recipient_title": ("外部系统", "System"),
    "state": ("投递状态", "Delivery"),
    "remote_number": ("对方编号", "Number there"),
    "status": ("对方状态", "Status there"),
    "notes": ("对方说明", "Notes there"),
    "attempts": ("尝试次数", "Attempts"),
    "error": ("最近的错误", "Last error"),
    "next_at": ("下次时间", "Next at"),
    "opened_at": ("上报时间", "Opened"),
}


class SentFilter(Frozen):
    """How the list is narrowed; ``stuck``: only what waits for a person; ``text`` is looked for in number and title."""

    state: Delivery | None = None
    stuck: bool | None = None
    recipient: str | None = None
    case: str | None = None
    text: str = ""


class SentView(Frozen):
    """A case at another system."""

    case: str
    number: str
    title: str
    opened_at: Instant
    recipient: str
    recipient_title: Title
    state: Delivery
    remote_number: str | None
    status: str | None
    notes: str | None
    attempts: int
    error: str | None
    next_at: Instant


class SentRecipient(Frozen):
    """A system that gets cases of a department."""

    id: str
    title: Title
    department: str


class SentCases:
    """All verbs of people on what was sent; what the machine does with it is the :class:`Sender`'s."""

    def __init__(
        self,
        recipients: Mapping[str, Recipient],
        *,
        database: Database,
        door: Door,
        audit: Audit,
        city: City,
        clock: Clock,
    ) -> None:
        self._recipients, self._database, self._door, self._audit = recipients, database, door, audit
        self._city, self._clock = city, clock

    def recipients(self, actor: Actor) -> builtins.list[SentRecipient]:
        """The systems that the city sends to, for whoever sees cases."""
        self._door.scope(actor, ENTITY)
        return [SentRecipient(id=r.id, title=r.title, department=r.department) for r in self._recipients.values()]

    def list(self, actor: Actor, wanted: SentFilter, paged: Paging) -> Page[SentView]:
        """Cases at other systems, those in trouble first and then the newest; raises :class:`Invalid` for an order."""
        where = self._where(actor, wanted)
        count = select(func.count()).select_from(SentRow).join(CaseRow, CaseRow.id == SentRow.case).where(*where)
        with self._database.reading() as session:
            total = session.scalar(count) or 0
        return Page(
            items=self._some(where, paged.sort, paged.offset, paged.size),
            total=total,
            page=paged.page,
            size=paged.size,
        )

    def export(self, actor: Actor, wanted: SentFilter, form: ExportFormat) -> Response:
        """The same list as a file, at most :data:`EXPORT_LIMIT` rows."""
        rows = self._some(self._where(actor, wanted), "", 0, EXPORT_LIMIT)
        with self._database.transaction() as tx:
            detail = {"format": form, "rows": len(rows), "filter": wanted.model_dump(exclude_defaults=True)}
            self._audit.record(tx, self._city.clock.now(), actor.id, "open311.export", "open311", detail)
        chinese = self._city.language == "zh"
        return export_rows("open311", form, _HEADINGS, rows, chinese=chinese, zone=self._city.zone)

    def resend(self, actor: Actor, case: str, recipient: str) -> None:
        """Send again what was refused or may not have arrived, after a person has looked."""
        self._door.permit(actor, RESEND)
        if not self._some(self._where(actor, SentFilter(case=case, recipient=recipient)), "", 0, 1):
            raise NotFound("this case was never sent to that system, or is not within your sight", "check both")
        with self._database.transaction() as tx:
            row = tx.session.get_one(SentRow, (case, recipient), with_for_update=True)
            if row.state not in STUCK:
                raise Conflict(f"the case is '{row.state}' there", "only what is refused or doubtful is sent again")
            detail = {"recipient": recipient, "state": row.state, "error": row.error}
            self._audit.record(tx, self._city.clock.now(), actor.id, RESEND, case, detail)
            row.state, row.next_at, row.error = "waiting", self._clock.now(), None

    def _where(self, actor: Actor, wanted: SentFilter) -> builtins.list[ColumnElement[bool]]:
        found = [self._door.scope(actor, ENTITY).where(COLUMNS)]
        if wanted.case is not None:
            found.append(or_(CaseRow.id == wanted.case, CaseRow.number == wanted.case))
        if wanted.text:
            words = wanted.text.strip()
            found.append(or_(*[c.contains(words, autoescape=True) for c in (CaseRow.number, CaseRow.title)]))
        if wanted.stuck is not None:
            found.append(SentRow.state.in_(STUCK) if wanted.stuck else SentRow.state.not_in(STUCK))
        named = ((SentRow.state, wanted.state), (SentRow.recipient, wanted.recipient))
        return [*found, *(column == value for column, value in named if value is not None)]

    def _some(
        self, where: builtins.list[ColumnElement[bool]], sort: str, offset: int, size: int
    ) -> builtins.list[SentView]:
        columns = (SentRow, CaseRow.number, CaseRow.title, CaseRow.opened_at)
        query = select(*columns).join(CaseRow, CaseRow.id == SentRow.case).where(*where).order_by(*_order(sort))
        with self._database.reading() as session:
            return [self._view(*row) for row in session.execute(query.offset(offset).limit(size))]

    def _view(self, row: SentRow, number: str, title: str, opened_at: Any) -> SentView:
        known = self._recipients.get(row.recipient)
        same = ("case", "recipient", "state", "status", "notes", "attempts", "error", "next_at")
        return SentView(
            **{name: getattr(row, name) for name in same},
            number=number,
            title=title,
            opened_at=opened_at,
            recipient_title=known.title if known else Title(zh=row.recipient, en=row.recipient),
            remote_number=row.number,
        )


def _order(sort: str) -> list[ColumnElement[Any]]:
    last: list[ColumnElement[Any]] = [CaseRow.opened_at.desc(), *_KEY]
    if not sort:
        return [SentRow.state.in_(STUCK).desc(), *last]
    column = _SORTS.get(sort.removeprefix("-"))
    if column is None:
        raise Invalid(f"sent cases cannot be sorted by '{sort}'", f"one of: {', '.join(_SORTS)}, with - for descending")
    return [column.desc() if sort.startswith("-") else column.asc(), *last]
