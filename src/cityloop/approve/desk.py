"""The officers' side: the queue, one application with its evidence, moves, checks afterwards, reminders."""

from __future__ import annotations

import builtins
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from fastapi import Response
from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from cityloop.access.actor import Actor
from cityloop.access.audit import Audit
from cityloop.access.door import Door, Protected
from cityloop.approve.content import ItemBook
from cityloop.approve.declarations import Item
from cityloop.approve.intake import Intake
from cityloop.approve.ledger import Ledger
from cityloop.approve.models import ApplicationEntryRow, ApplicationRow
from cityloop.approve.moves import MOVES, REASONED, Move, Standing, refused
from cityloop.approve.phrases import PHRASES
from cityloop.approve.schemas import (
    ApplicationFilter,
    ApplicationLine,
    ApplicationMove,
    ApplicationReceipt,
    ApplicationView,
    ApplicationWish,
    ApprovalItem,
)
from cityloop.approve.shown import Shown, sensitivities
from cityloop.city.service import City
from cityloop.core.database import Database, Transaction
from cityloop.core.errors import Conflict, Invalid, NotFound
from cityloop.core.values import Page
from cityloop.core.web import EXPORT_LIMIT, ExportFormat, Paging, export_rows

ENTITY = "application"
FILE = "application.file"
_TABLE = ApplicationRow.__table__
COLUMNS: Mapping[str, ColumnElement[Any]] = {column.key: column for column in _TABLE.columns}
_SORTS = ("applied_at", "due_at", "answered_at", "number", "state", "item", "check_due_at")
_AFTER = timedelta(microseconds=1)
"""Finished at the due instant is on time; only after it is late."""
_CHUNK = 200
"""Reminders of one transaction."""
_HEADINGS = {
    "number": ("编号", "Number"),
    "item_title": ("事项", "Item"),
    "state": ("状态", "State"),
    "instant": ("秒批", "Instant"),
    "proposal": ("规则建议", "Proposal"),
    "applied_at": ("申请时间", "Applied at"),
    "answered_at": ("答复时间", "Answered at"),
    "due_at": ("截止时间", "Due at"),
    "late": ("超期", "Late"),
    "check": ("抽查", "Check"),
    "appeals": ("申诉", "Appeals"),
}


class ApprovalDesk:
    """What officers see and do."""

    def __init__(
        self,
        *,
        database: Database,
        door: Door,
        audit: Audit,
        city: City,
        book: ItemBook,
        intake: Intake,
        ledger: Ledger,
        shown: Shown,
    ) -> None:
        door.register(
            Protected(ENTITY, department="department", area="area", levels=lambda item: sensitivities(book, item))
        )
        self._database, self._door, self._audit, self._city = database, door, audit, city
        self._book, self._intake, self._ledger, self._shown = book, intake, ledger, shown

    def items(self, actor: Actor) -> list[ApprovalItem]:
        """Every item, for whoever sees applications at all."""
        self._door.scope(actor, ENTITY)
        return [self._shown.item(item) for item in self._book.items.values()]

    def file(self, actor: Actor, wish: ApplicationWish) -> ApplicationReceipt:
        """Take an application at the counter, for somebody who came in person."""
        self._door.permit(actor, FILE)
        with self._database.transaction() as tx:
            row, code = self._intake.apply_in(tx, actor, wish.item, wish.values, "desk", self._city.clock.now())
        return self._shown.receipt(row, code)

    def list(self, actor: Actor, wanted: ApplicationFilter, paged: Paging) -> Page[ApplicationLine]:
        """Applications in the actor's sight, newest first unless sorted otherwise."""
        where = [self._door.scope(actor, ENTITY, wanted.item).where(COLUMNS), *_conditions(wanted)]
        query = select(ApplicationRow).where(*where).order_by(*_order(paged.sort)).offset(paged.offset)
        with self._database.reading() as session:
            rows = session.scalars(query.limit(paged.size)).all()
            total = session.scalar(select(func.count()).select_from(ApplicationRow).where(*where)) or 0
        items = [self._shown.line(row) for row in rows if row.item in self._book.items]
        return Page(items=items, total=total, page=paged.page, size=paged.size)

    def export(self, actor: Actor, wanted: ApplicationFilter, form: ExportFormat) -> Response:
        """The same list as a file, headed in the city's language."""
        rows = self.list(actor, wanted, Paging(page=1, size=EXPORT_LIMIT, sort="")).items
        with self._database.transaction() as tx:
            now = self._city.clock.now()
            self._audit.record(tx, now, actor.id, "application.export", "applications", {"rows": len(rows)})
        chinese = self._city.language == "zh"
        return export_rows("applications", form, _HEADINGS, rows, chinese=chinese, zone=self._city.zone)

    def get(self, actor: Actor, key: str) -> ApplicationView:
        """One application by id or number, with its evidence; every look leaves an audit line."""
        with self._database.transaction() as tx:
            row = self._found(tx.session, actor, key)
            self._audit.record(tx, self._city.clock.now(), actor.id, "application.read", row.id, {"item": row.item})
            return self._view(tx.session, actor, row)

    def move(self, actor: Actor, key: str, wish: ApplicationMove) -> ApplicationView:
        """Make one move; raises :class:`AccessDenied` or :class:`Conflict` with what would be needed."""
        now = self._city.clock.now()
        with self._database.transaction() as tx:
            row = self._found(tx.session, actor, key, alone=True)
            item = self._book.items[row.item]
            if wish.version is not None and wish.version != row.version:
                raise Conflict(f"{row.number} has changed since it was opened", "open it anew")
            problem = refused(wish.move, item, standing(row), actor, self._door.may(actor, MOVES[wish.move].permission))
            if problem is not None:
                raise problem
            if wish.move in REASONED and len(wish.reason) < 2:
                raise PHRASES.problem(Invalid, "reason", [PHRASES.fault("reason", "reason")])
            self._carry_out(tx, actor, row, wish, now)
            tx.flush()
            return self._view(tx.session, actor, row)

    def tick(self, now: datetime) -> int:
        """Remind of what waits; returns the number of reminders. What was slept through is told once."""
        with self._database.reading() as session:
            waiting = select(ApplicationRow.id).where(ApplicationRow.remind_at <= now).limit(_CHUNK)
            if not session.scalars(waiting).first():
                return 0
        with self._database.transaction() as tx:
            rows = tx.session.scalars(
                select(ApplicationRow).where(ApplicationRow.remind_at <= now).limit(_CHUNK).with_for_update()
            ).all()
            for row in rows:
                over = row.due_at is not None and now > row.due_at
                row.reminded = "due" if over else "near"
                row.remind_at = None if over or row.due_at is None else row.due_at + _AFTER
                row.late = over
                self._ledger.remind(tx, row, row.reminded, now)
        return len(rows)

    def _carry_out(
        self, tx: Transaction, actor: Actor, row: ApplicationRow, wish: ApplicationMove, now: datetime
    ) -> None:
        before = row.state
        row.state = MOVES[wish.move].target or row.state
        if wish.move in ("grant", "refuse"):
            row.decided_by, row.answered_at, row.remind_at = actor.id, now, None
            row.late = row.late or (row.due_at is not None and now > row.due_at)
        if wish.move in ("refuse", "revoke"):
            row.ended_at = now
        if wish.move == "revoke":
            row.decided_by = actor.id
        if wish.move.startswith("check_"):
            row.check = "passed" if wish.move == "check_pass" else "failed"
            row.checked_by, row.checked_at = actor.id, now
        self._ledger.moved(tx, row, wish.move, before, actor.id, wish.reason, now)

    def _found(self, session: Session, actor: Actor, key: str, *, alone: bool = False) -> ApplicationRow:
        query = select(ApplicationRow).where((ApplicationRow.id == key) | (ApplicationRow.number == key))
        row = session.scalars(query.with_for_update() if alone else query).first()
        if row is None or row.item not in self._book.items or not self._door.scope(actor, ENTITY).lets(_row(row)):
            raise NotFound(f"there is no application '{key[:40]}' within your sight", "GET /api/v1/applications")
        return row

    def _view(self, session: Session, actor: Actor, row: ApplicationRow) -> ApplicationView:
        item = self._book.items[row.item]
        moves = [m for m in MOVES if self._open(m, item, row, actor)]
        scope = self._door.scope(actor, ENTITY, row.item)
        return self._shown.view(row, scope, entries_of(session, row.id), moves)

    def _open(self, move: Move, item: Item, row: ApplicationRow, actor: Actor) -> bool:
        return refused(move, item, standing(row), actor, self._door.may(actor, MOVES[move].permission)) is None


def standing(row: ApplicationRow) -> Standing:
    """Where a row stands, as the rules need it."""
    return Standing(row.state, row.check, row.department, row.decided_by, row.ended_at, row.appeals)  # type: ignore[arg-type]


def entries_of(session: Session, application: str) -> Sequence[ApplicationEntryRow]:
    """The timeline of an application, oldest first."""
    query = select(ApplicationEntryRow).where(ApplicationEntryRow.application == application)
    return session.scalars(query.order_by(ApplicationEntryRow.seq)).all()


def _row(row: ApplicationRow) -> Mapping[str, Any]:
    return {"department": row.department, "area": row.area}


def _conditions(wanted: ApplicationFilter) -> builtins.list[ColumnElement[bool]]:
    exact = wanted.model_dump(exclude={"q"}, exclude_none=True)
    found = [COLUMNS[name] == value for name, value in exact.items()]
    return [*found, COLUMNS["number"].contains(wanted.q, autoescape=True)] if wanted.q else found


def _order(sort: str) -> builtins.list[ColumnElement[Any]]:
    name, down = (sort.removeprefix("-") or "applied_at"), sort.startswith("-") or not sort
    if name not in _SORTS:
        raise Invalid(f"applications cannot be sorted by '{name}'", f"known: {', '.join(_SORTS)}")
    column = COLUMNS[name]
    return [column.desc() if down else column.asc(), COLUMNS["id"].desc()]
