"""Tables: commands, what happened to each, and devices that were out of contact."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Boolean, Index, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from cityloop.command.schemas import CommandState
from cityloop.core.database import Table


class CommandRow(Table):
    """One order from its verdict to its effect. The unique key allows it once, whatever is sent again."""

    __tablename__ = "command"
    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    key: Mapped[str] = mapped_column("order_key", String(120), unique=True)
    entity: Mapped[str] = mapped_column(String(120))
    entity_type: Mapped[str] = mapped_column(String(60))
    command: Mapped[str] = mapped_column(String(60))
    parameters: Mapped[dict[str, Any]]
    state: Mapped[CommandState] = mapped_column(String(12))
    level: Mapped[int | None] = mapped_column(Integer)
    run: Mapped[str | None] = mapped_column(String(60), index=True)
    department: Mapped[str] = mapped_column(String(60))
    area: Mapped[str | None] = mapped_column(String(40))
    reason: Mapped[str] = mapped_column(String(1000))
    verdict: Mapped[dict[str, Any]]
    reasons: Mapped[list[Any]]
    exercise: Mapped[bool] = mapped_column(Boolean)
    before: Mapped[dict[str, Any]]
    """The entity's values when it was sent for the first time, or ordered as long as it was not."""
    tries: Mapped[int] = mapped_column(Integer)
    ordered_by: Mapped[str] = mapped_column(String(60))
    ordered_at: Mapped[datetime]
    confirmed_by: Mapped[str | None] = mapped_column(String(60))
    expires_at: Mapped[datetime]
    """Until when it may be sent; of a proposal until when it may be confirmed."""
    asked_until: Mapped[datetime | None]
    """Until when whoever ordered it wants it sent at all."""
    sent_at: Mapped[datetime | None]
    """When it was sent for the first time; what was observed before that is no effect of it."""
    acknowledged_at: Mapped[datetime | None]
    seen_at: Mapped[datetime | None]
    """Since when the data have shown the effect without a break."""
    ended_at: Mapped[datetime | None]
    next_at: Mapped[datetime | None]
    """When it must be looked at again without anything having happened."""
    undo_of: Mapped[str | None] = mapped_column(String(40))
    undone_by: Mapped[str | None] = mapped_column(String(40))
    __table_args__ = (
        Index("command_due", "state", "next_at"),
        Index("command_of_entity", "entity_type", "entity", "ordered_at"),
        Index("command_newest", "ordered_at"),
    )


class CommandActRow(Table):
    """One thing that happened to a command."""

    __tablename__ = "command_act"
    seq: Mapped[int] = mapped_column(BigInteger().with_variant(Integer, "sqlite"), primary_key=True)
    command: Mapped[str] = mapped_column(String(40), index=True)
    at: Mapped[datetime]
    by: Mapped[str] = mapped_column(String(60))
    act: Mapped[str] = mapped_column(String(20))
    said: Mapped[dict[str, Any] | None]
    detail: Mapped[dict[str, Any]]


class ContactRow(Table):
    """One loss of contact. ``open_key`` is set while it lasts: one for each device."""

    __tablename__ = "command_contact"
    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    entity: Mapped[str] = mapped_column(String(120))
    entity_type: Mapped[str] = mapped_column(String(60))
    department: Mapped[str] = mapped_column(String(60))
    area: Mapped[str | None] = mapped_column(String(40))
    last_seen: Mapped[datetime]
    lost_at: Mapped[datetime] = mapped_column(index=True)
    heard_at: Mapped[datetime | None]
    safe: Mapped[bool | None] = mapped_column(Boolean)
    open_key: Mapped[str | None] = mapped_column(String(190), unique=True)
