"""Table: every message to every address, from the event that caused it to its arrival."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from cityloop.core.database import Table


class NoticeRow(Table):
    """One event told to one address by one way: the unique index allows it once, whatever the code does."""

    __tablename__ = "notice"
    __table_args__ = (
        Index("notice_once", "event", "channel", "address", unique=True),
        Index("notice_due", "state", "next_at"),
        Index("notice_tried", "channel", "address", "tried_at"),
    )
    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    event: Mapped[str] = mapped_column(String(40))
    kind: Mapped[str] = mapped_column(String(80))
    subject: Mapped[str] = mapped_column(String(120))
    notice: Mapped[str] = mapped_column(String(40))
    channel: Mapped[str] = mapped_column(String(10))
    address: Mapped[str] = mapped_column(String(200))
    language: Mapped[str] = mapped_column(String(2))
    title: Mapped[str] = mapped_column(String(200))
    body: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(String(10))
    """``waiting``, ``sending``, ``sent``, ``refused``, ``doubtful`` (may have arrived) or ``expired``."""
    message: Mapped[str | None] = mapped_column(String(40), index=True)
    """The message that carries it, alone or with others."""
    attempts: Mapped[int]
    made_at: Mapped[datetime]
    next_at: Mapped[datetime]
    tried_at: Mapped[datetime | None]
    error: Mapped[str | None] = mapped_column(Text)
