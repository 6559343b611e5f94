"""Tokens that stand for a report until the centre has accepted it, and cases that were sent to other systems."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from cityloop.core.database import Table


class TokenRow(Table):
    """A token that was handed out instead of a number."""

    __tablename__ = "open311_token"
    token: Mapped[str] = mapped_column(String(40), primary_key=True)
    case: Mapped[str] = mapped_column(String(40))


class SentRow(Table):
    """A case on its way to the system of a department, and what that system says of it."""

    __tablename__ = "open311_sent"
    __table_args__ = (Index("ix_open311_sent_due", "state", "next_at"),)
    case: Mapped[str] = mapped_column(String(40), primary_key=True)
    recipient: Mapped[str] = mapped_column(String(60), primary_key=True)
    state: Mapped[str] = mapped_column(String(10))
    """``waiting`` to be sent, ``sending``, ``sent``, ``ended`` (closed there), ``refused`` by it, or ``doubtful``.

    Whether a doubtful one arrived is not known: a person looks before it is sent again.
    """
    attempts: Mapped[int]
    next_at: Mapped[datetime]
    token: Mapped[str | None] = mapped_column(String(120))
    number: Mapped[str | None] = mapped_column(String(120))
    status: Mapped[str | None] = mapped_column(String(20))
    notes: Mapped[str | None] = mapped_column(Text)
    error: Mapped[str | None] = mapped_column(Text)
