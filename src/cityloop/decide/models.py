"""Tables: every version of every decision table, and every decision that was made."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from cityloop.core.database import Table


class DecisionTableRow(Table):
    """One version of one table with its whole text; never changed."""

    __tablename__ = "decision_table"
    table: Mapped[str] = mapped_column(String(80), primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    xml: Mapped[str] = mapped_column(Text)
    digest: Mapped[str] = mapped_column(String(64))
    file_digest: Mapped[str] = mapped_column(String(64))
    """Of the pack's file when this version came into force: another one means that the file is the next version."""
    origin: Mapped[str] = mapped_column(String(10))
    at: Mapped[datetime]
    by: Mapped[str] = mapped_column(String(60))
    reason: Mapped[str] = mapped_column(Text)


class DecisionRow(Table):
    """One decision: what went in, what came out, and by which rules."""

    __tablename__ = "decision"
    __table_args__ = (Index("ix_decision_table_at", "table", "at"), Index("ix_decision_subject", "subject"))
    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    table: Mapped[str] = mapped_column(String(80))
    version: Mapped[int]
    at: Mapped[datetime]
    subject: Mapped[str] = mapped_column(String(120))
    """What was decided about: the id of a case, a run, an application."""
    actor: Mapped[str] = mapped_column(String(60))
    outcome: Mapped[str] = mapped_column(String(10))
    inputs: Mapped[dict[str, Any]]
    digest: Mapped[str] = mapped_column(String(64))
    """Of the inputs: equal ones have the same."""
    outputs: Mapped[Any] = mapped_column(JSON)
    rules: Mapped[list[str]]
    reasons: Mapped[list[Any]]
    hits: Mapped[list[Any]]
