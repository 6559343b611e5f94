"""Tables: grants between departments, how they are used, and the applied versions of the standard."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from cityloop.core.database import Table


class GrantRow(Table):
    """One wish of a department to see data of another, with everything that was decided on it."""

    __tablename__ = "data_grant"
    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    dataset: Mapped[str] = mapped_column(String(60), index=True)
    owner: Mapped[str] = mapped_column(String(60), index=True)
    department: Mapped[str] = mapped_column(String(60), index=True)
    fields: Mapped[list[str]]
    areas: Mapped[list[str]]
    purpose: Mapped[str] = mapped_column(Text)
    until: Mapped[datetime]
    state: Mapped[str] = mapped_column(String(12), index=True)
    asked_by: Mapped[str] = mapped_column(String(60))
    asked_at: Mapped[datetime] = mapped_column(index=True)
    decided_by: Mapped[str | None] = mapped_column(String(60))
    decided_at: Mapped[datetime | None]
    reason: Mapped[str | None] = mapped_column(Text)
    ended_by: Mapped[str | None] = mapped_column(String(60))
    ended_at: Mapped[datetime | None]
    end_reason: Mapped[str | None] = mapped_column(Text)
    version: Mapped[int]


class GrantUseRow(Table):
    """How often an account read by a grant."""

    __tablename__ = "data_grant_use"
    grant: Mapped[str] = mapped_column("grant_id", String(40), primary_key=True)
    account: Mapped[str] = mapped_column(String(60), primary_key=True)
    reads: Mapped[int] = mapped_column(Integer)
    last_read_at: Mapped[datetime]


class StandardVersionRow(Table):
    """One applied version of the standard: what was submitted, what changed, and all that stands beyond the packs."""

    __tablename__ = "standard_version"
    number: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    by: Mapped[str] = mapped_column("by_account", String(60))
    at: Mapped[datetime]
    reason: Mapped[str] = mapped_column(Text)
    restored: Mapped[int | None]
    files: Mapped[list[Any]]
    diff: Mapped[list[Any]]
    overlay: Mapped[dict[str, Any]]
