"""Tables: items as they were declared, applications with what decided them, and their timeline."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Boolean, Index, Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from cityloop.core.database import Table


class ItemVersionRow(Table):
    """An item as it stood in its file when an application came in, by the digest of its declaration."""

    __tablename__ = "item_version"
    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    item: Mapped[str] = mapped_column(String(40), index=True)
    declared: Mapped[dict[str, Any]]
    first_at: Mapped[datetime]


class ApplicationRow(Table):
    """One application: the form, what registers said, the facts, the decision, and where it stands."""

    __tablename__ = "application"
    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    number: Mapped[str] = mapped_column(String(40), unique=True)
    item: Mapped[str] = mapped_column(String(40), index=True)
    digest: Mapped[str] = mapped_column(String(64))
    department: Mapped[str] = mapped_column(String(60), index=True)
    post: Mapped[str] = mapped_column(String(60))
    area: Mapped[str | None] = mapped_column(String(60))
    channel: Mapped[str] = mapped_column(String(12))
    form: Mapped[dict[str, Any]]
    filled: Mapped[list[str]]
    """Fields that a register filled."""
    evidence: Mapped[dict[str, Any]]
    """By evidence: ``status``, ``row``, ``why``; exactly what the decision rests on."""
    facts: Mapped[dict[str, Any]]
    doubts: Mapped[list[Any]]
    """Why no machine answered: ``code``, ``title``, ``about``."""
    decision: Mapped[str | None] = mapped_column(String(60))
    table_version: Mapped[str | None] = mapped_column(String(80))
    rules: Mapped[list[str]]
    proposal: Mapped[str | None] = mapped_column(String(12))
    reasons: Mapped[list[Any]]
    results: Mapped[dict[str, Any]]
    state: Mapped[str] = mapped_column(String(12), index=True)
    instant: Mapped[bool] = mapped_column(Boolean)
    once_key: Mapped[str | None] = mapped_column(String(64), index=True)
    code_hash: Mapped[str] = mapped_column(String(64))
    applied_by: Mapped[str] = mapped_column(String(60))
    applied_at: Mapped[datetime] = mapped_column(index=True)
    answered_at: Mapped[datetime | None]
    decided_by: Mapped[str | None] = mapped_column(String(60))
    due_at: Mapped[datetime | None]
    remind_at: Mapped[datetime | None] = mapped_column(index=True)
    reminded: Mapped[str] = mapped_column(String(8))
    late: Mapped[bool] = mapped_column(Boolean)
    check: Mapped[str] = mapped_column("check_state", String(8), index=True)
    """``none``, ``due``, ``passed`` or ``failed``."""
    check_due_at: Mapped[datetime | None]
    checked_by: Mapped[str | None] = mapped_column(String(60))
    checked_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    """When it was refused or revoked: the time for an appeal counts from here."""
    appeals: Mapped[int] = mapped_column(Integer)
    version: Mapped[int] = mapped_column(Integer)
    __table_args__ = (Index("application_by_item", "item", "applied_at"),)


class ApplicationEntryRow(Table):
    """One thing that happened to an application; append only."""

    __tablename__ = "application_entry"
    seq: Mapped[int] = mapped_column(BigInteger().with_variant(Integer, "sqlite"), primary_key=True)
    application: Mapped[str] = mapped_column(String(40), index=True)
    at: Mapped[datetime]
    actor: Mapped[str] = mapped_column(String(60))
    move: Mapped[str] = mapped_column(String(12))
    from_state: Mapped[str] = mapped_column(String(12))
    state: Mapped[str] = mapped_column(String(12))
    reason: Mapped[str] = mapped_column(Text)
