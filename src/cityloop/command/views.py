"""Commands as people see them, within the asker's scope."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, UnaryExpression, func, or_, select
from sqlalchemy.orm import Session

from cityloop.access.actor import Actor
from cityloop.access.door import Door
from cityloop.access.predicates import where
from cityloop.command.declarations import Command
from cityloop.command.models import CommandActRow, CommandRow, ContactRow
from cityloop.command.schemas import (
    OPEN,
    Action,
    ActView,
    CommandDetail,
    CommandFilter,
    CommandKind,
    CommandView,
    ContactView,
    Verdict,
    VerdictReason,
)
from cityloop.command.store import told, unknown
from cityloop.command.surroundings import CONFIRM, ENTITY, ORDER, Observed, Surroundings
from cityloop.core.database import Database
from cityloop.core.errors import Invalid
from cityloop.core.values import Page, Title
from cityloop.core.web import Paging

_COLUMNS = {name: CommandRow.__table__.c[name] for name in ("department", "area", "ordered_by")}
_CONTACT = ContactRow.__table__.c
_CONTACT_COLUMNS = {"department": _CONTACT.department, "area": _CONTACT.area, "ordered_by": _CONTACT.id}
_ORDERS = {
    "ordered_at": CommandRow.ordered_at,
    "ended_at": CommandRow.ended_at,
    "state": CommandRow.state,
    "entity": CommandRow.entity,
    "command": CommandRow.command,
    "level": CommandRow.level,
}


class Views:
    """The reading side."""

    def __init__(self, database: Database, around: Surroundings, observed: Observed, door: Door) -> None:
        self._database, self._around, self._observed, self._door = database, around, observed, door

    def page(self, actor: Actor, wanted: CommandFilter, paged: Paging) -> Page[CommandView]:
        """Commands in the actor's sight."""
        conditions = [where(self._door.scope(actor, ENTITY).all_rows, _COLUMNS), *_conditions(wanted)]
        with self._database.reading() as session:
            total = session.scalar(select(func.count()).select_from(CommandRow).where(*conditions)) or 0
            query = select(CommandRow).where(*conditions).order_by(*_order(paged.sort or "-ordered_at"))
            rows = session.scalars(query.offset(paged.offset).limit(paged.size))
            items = [self.view(row, actor) for row in rows]
        return Page(items=items, total=total, page=paged.page, size=paged.size)

    def detail(self, actor: Actor, command: str) -> CommandDetail:
        """One command with its history; raises :class:`NotFound`."""
        with self._database.reading() as session:
            row = session.get(CommandRow, command)
            if row is None:
                raise unknown(command)
            self.must_see(actor, row)
            view, declared = self.view(row, actor), self._declared(row)
            acts = _acts(session, command)
        at, state = self._observed.latest(row.entity_type, row.entity)
        plain = Title(zh=row.command, en=row.command)
        return CommandDetail(
            command=view,
            verdict=Verdict.model_validate(row.verdict),
            before=row.before,
            now=dict(state),
            observed_at=at,
            effect=declared.effect.title if declared else plain,
            undo=declared.undo.command if declared and declared.undo else None,
            acts=acts,
        )

    def must_see(self, actor: Actor, row: CommandRow) -> None:
        """Raise :class:`NotFound` for a command out of sight: the same answer as for one that is not there."""
        shown = {name: getattr(row, name) for name in _COLUMNS}
        if not self._door.scope(actor, ENTITY).lets(shown):
            raise unknown(row.id)

    def view(self, row: CommandRow, actor: Actor) -> CommandView:
        """A command with its titles and what the actor may do with it."""
        declared = self._declared(row)
        card = self._observed.describe(row.entity_type, row.entity)
        times = ("ordered_at", "expires_at", "sent_at", "acknowledged_at", "ended_at")
        known = {**told(row), **{name: getattr(row, name) for name in times}}
        known["reasons"] = tuple(VerdictReason.model_validate(item) for item in row.reasons)
        return CommandView(
            **known,
            entity_title=card.title if card else Title(zh=row.entity, en=row.entity),
            title=declared.title if declared else Title(zh=row.command, en=row.command),
            may=self._may(row, actor, declared),
        )

    def contacts(self, actor: Actor, paged: Paging, open: bool | None) -> Page[ContactView]:
        """Losses of contact in the actor's sight, the newest first."""
        conditions: list[ColumnElement[bool]] = [where(self._door.scope(actor, ENTITY).all_rows, _CONTACT_COLUMNS)]
        if open is not None:
            conditions.append(ContactRow.open_key.is_not(None) if open else ContactRow.open_key.is_(None))
        with self._database.reading() as session:
            total = session.scalar(select(func.count()).select_from(ContactRow).where(*conditions)) or 0
            query = select(ContactRow).where(*conditions).order_by(ContactRow.lost_at.desc(), ContactRow.id)
            rows = list(session.scalars(query.offset(paged.offset).limit(paged.size)))
        return Page(items=[self._contact(row) for row in rows], total=total, page=paged.page, size=paged.size)

    def kinds(self, actor: Actor, entity_type: str | None) -> tuple[CommandKind, ...]:
        """Every command of every type, or of one."""
        permitted = self._door.may(actor, ORDER)
        return tuple(
            CommandKind(
                entity_type=device.entity_type,
                department=device.department,
                wire=device.wire,
                command=command,
                may_order=permitted and any(not set(g.posts).isdisjoint(actor.posts) for g in command.authority),
            )
            for device in self._around.devices.values()
            if entity_type in (None, device.entity_type)
            for command in device.commands
        )

    def _contact(self, row: ContactRow) -> ContactView:
        device = self._around.devices.get(row.entity_type)
        card = self._observed.describe(row.entity_type, row.entity)
        plain = Title(zh=row.entity, en=row.entity)
        names = ("id", "entity", "entity_type", "department", "area", "last_seen", "lost_at", "heard_at", "safe")
        return ContactView(
            **{name: getattr(row, name) for name in names},
            entity_title=card.title if card else plain,
            expected=device.contact.title if device and device.contact else plain,
        )

    def _may(self, row: CommandRow, actor: Actor, declared: Command | None) -> tuple[Action, ...]:
        found: list[Action] = []
        confirms = self._door.may(actor, CONFIRM)
        if row.state == "proposed":
            other = actor.id != row.ordered_by and confirms
            second = other and not set(row.verdict["confirmers"]).isdisjoint(actor.posts)
            found += ["confirm"] if second else []
            found += ["refuse"] if second or actor.id == row.ordered_by else []
        if row.state == "unknown" and confirms:
            found.append("settle")
        waiting = row.state in ("proposed", "ordered") and row.sent_at is None
        back = declared is not None and declared.undo is not None and row.undone_by is None and not row.exercise
        if self._door.may(actor, ORDER) and (waiting or (back and row.state in _UNDOABLE)):
            found.append("undo")
        return tuple(found)

    def _declared(self, row: CommandRow) -> Command | None:
        device = self._around.devices.get(row.entity_type)
        return device.command(row.command) if device else None


_UNDOABLE = ("sent", "acknowledged", "done", "unknown")


def _acts(session: Session, command: str) -> tuple[ActView, ...]:
    rows = session.scalars(select(CommandActRow).where(CommandActRow.command == command).order_by(CommandActRow.seq))
    return tuple(
        ActView(at=row.at, by=row.by, act=row.act, said=Title(**row.said) if row.said else None, detail=row.detail)
        for row in rows
    )


def _conditions(wanted: CommandFilter) -> list[ColumnElement[bool]]:
    names = ("state", "entity", "entity_type", "command", "department", "run")
    found = [getattr(CommandRow, name) == value for name in names if (value := getattr(wanted, name)) is not None]
    if wanted.by is not None:
        found.append(CommandRow.ordered_by == wanted.by)
    if wanted.open is not None:
        found.append(CommandRow.state.in_(OPEN) if wanted.open else CommandRow.state.not_in(OPEN))
    if wanted.q:
        texts = (CommandRow.id, CommandRow.entity, CommandRow.command, CommandRow.reason)
        found.append(or_(*[column.contains(wanted.q, autoescape=True) for column in texts]))
    return found


def _order(sort: str) -> list[UnaryExpression[Any]]:
    name = sort.removeprefix("-")
    if name not in _ORDERS:
        raise Invalid(f"cannot sort by '{name}'", f"sort by one of {', '.join(_ORDERS)}")
    column = _ORDERS[name]
    return [column.desc(), CommandRow.id.desc()] if sort.startswith("-") else [column.asc(), CommandRow.id.asc()]
