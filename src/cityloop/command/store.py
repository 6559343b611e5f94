"""Commands in the database: found, written, and told of; every change carries its act, its event and its audit line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, or_, select, text
from sqlalchemy.orm import Session

from cityloop.access.audit import Audit
from cityloop.command.models import CommandActRow, CommandRow
from cityloop.command.phrases import PHRASES
from cityloop.command.schemas import UNDER_WAY, CommandState, Order, VerdictReason
from cityloop.core.database import Database, Transaction
from cityloop.core.errors import NotFound
from cityloop.core.outbox import Outbox
from cityloop.core.values import Title

EVENTS: Mapping[CommandState, str] = {
    "proposed": "cityloop.command.proposed",
    "ordered": "cityloop.command.ordered",
    "sent": "cityloop.command.sent",
    "acknowledged": "cityloop.command.acknowledged",
    "done": "cityloop.command.done",
    "refused": "cityloop.command.refused",
    "expired": "cityloop.command.expired",
    "failed": "cityloop.command.failed",
    "unknown": "cityloop.command.unknown",
    "undone": "cityloop.command.undone",
}
ENDED: frozenset[CommandState] = frozenset({"done", "refused", "expired", "failed", "undone"})
LATE = timedelta(hours=24)
"""So long after its last deadline a command whose outcome is unknown is still held against the data."""
_TURN = 7240115


class Store:
    """Writes within the transaction it is given."""

    def __init__(self, database: Database, outbox: Outbox, audit: Audit) -> None:
        self.database = database
        self._outbox = outbox
        self._audit = audit

    def turn(self, tx: Transaction) -> None:
        """One order at a time: two that lock each other out must not both pass. On SQLite writers take turns anyway."""
        if self.database.dialect == "postgresql":
            tx.session.execute(text(f"SELECT pg_advisory_xact_lock({_TURN})"))

    def get(self, tx: Transaction, command: str) -> CommandRow:
        """A command for changing; raises :class:`NotFound`."""
        tx.flush()
        row = tx.session.get(CommandRow, command, with_for_update=self.database.dialect == "postgresql")
        if row is None:
            raise unknown(command)
        return row

    def by_key(self, tx: Transaction, key: str) -> CommandRow | None:
        """The command of an idempotency key."""
        tx.flush()
        return tx.session.scalars(select(CommandRow).where(CommandRow.key == key)).first()

    def put(self, tx: Transaction, row: CommandRow, by: str, said: Title | None = None) -> None:
        """Keep a new command and tell of it."""
        tx.session.add(row)
        self._told(tx, row, row.ordered_at, by, row.state, said, {})

    def move(
        self,
        tx: Transaction,
        row: CommandRow,
        state: CommandState,
        now: datetime,
        by: str,
        said: Title | None = None,
        detail: Mapping[str, Any] | None = None,
    ) -> None:
        """Put a command into another state and tell of it."""
        row.state = state
        row.ended_at = now if state in ENDED else None
        if row.ended_at:
            row.next_at = None
        self._told(tx, row, now, by, state, said, detail or {})

    def note(
        self, tx: Transaction, row: CommandRow, now: datetime, by: str, act: str, said: Title | None = None
    ) -> None:
        """Add a line to a command's history without changing its state."""
        tx.session.add(CommandActRow(command=row.id, at=now, by=by, act=act, said=_plain(said), detail={}))

    def _told(
        self,
        tx: Transaction,
        row: CommandRow,
        now: datetime,
        by: str,
        act: CommandState,
        said: Title | None,
        detail: Mapping[str, Any],
    ) -> None:
        kept = CommandActRow(command=row.id, at=now, by=by, act=act, said=_plain(said), detail=dict(detail))
        tx.session.add(kept)
        self._outbox.record(tx, EVENTS[act], row.id, now, {"command": told(row)})
        what = {"entity": row.entity, "command": row.command, "parameters": row.parameters, "key": row.key}
        result = "refused" if act == "refused" else "done"
        self._audit.record(tx, now, by, f"command.{act}", row.id, {**what, "reasons": row.reasons}, result)

    def due(self, now: datetime, limit: int = 200) -> list[CommandRow]:
        """Commands at which something must be done now, the oldest first."""
        with self.database.reading() as session:
            query = select(CommandRow).where(CommandRow.next_at <= now).order_by(CommandRow.next_at).limit(limit)
            return list(session.scalars(query))

    def awaited(self, entity_types: Sequence[str], now: datetime) -> list[CommandRow]:
        """Commands to entities of these types whose effect may show now, and those whose effect shows and must last."""
        states = ("sent", "acknowledged", "unknown")
        recent = CommandRow.sent_at > now - LATE
        concerned = or_(CommandRow.entity_type.in_(entity_types), CommandRow.seen_at.is_not(None))
        where = (CommandRow.state.in_(states), concerned, recent)
        with self.database.reading() as session:
            return list(session.scalars(select(CommandRow).where(*where)))


def pending(session: Session, entity_type: str, entity: str) -> tuple[str, ...]:
    """Names of the commands that are under way to an entity or wait for a second person."""
    where: tuple[ColumnElement[bool], ...] = (
        CommandRow.entity_type == entity_type,
        CommandRow.entity == entity,
        CommandRow.state.in_((*UNDER_WAY, "unknown")),
    )
    return tuple(session.scalars(select(CommandRow.command).where(*where)))


def past(session: Session, entity_type: str, entity: str, command: str, since: datetime) -> tuple[datetime, ...]:
    """When a command was ordered of an entity; refused orders do not count."""
    where = (
        CommandRow.entity_type == entity_type,
        CommandRow.entity == entity,
        CommandRow.command == command,
        CommandRow.ordered_at > since,
        CommandRow.state != "refused",
        CommandRow.exercise.is_(False),
    )
    return tuple(session.scalars(select(CommandRow.ordered_at).where(*where)))


def told(row: CommandRow) -> dict[str, Any]:
    """A command as events tell of it."""
    names = (
        "id", "key", "entity", "entity_type", "command", "parameters", "state", "level", "run", "department", "area",
        "reason", "reasons", "exercise", "tries", "ordered_by", "confirmed_by", "undo_of", "undone_by",
    )  # fmt: skip
    times = ("ordered_at", "expires_at", "sent_at", "acknowledged_at", "ended_at")
    found = {name: getattr(row, name) for name in names}
    return found | {name: at.isoformat() if (at := getattr(row, name)) else None for name in times}


def order_of(row: CommandRow) -> Order:
    """The order that a command was made of."""
    names = ("entity", "entity_type", "command", "parameters", "reason", "key", "level", "run", "exercise")
    return Order(**{name: getattr(row, name) for name in names}, expires=row.asked_until)


def reason(check: str, said: Title) -> dict[str, Any]:
    """Something that stands against a command, as it is kept."""
    return VerdictReason(check=check, fits=False, said=said).model_dump()


def unknown(command: str) -> NotFound:
    """The refusal for a command that is not there, or not in sight."""
    return PHRASES.problem(NotFound, "unknown_command", id=command)


def _plain(said: Title | None) -> dict[str, Any] | None:
    return said.model_dump() if said else None
