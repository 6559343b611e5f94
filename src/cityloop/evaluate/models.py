"""Tables: one row for each step of each case, every version of a scheme, and what was published."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from cityloop.core.database import Table


class StepRow(Table):
    """One run of one step of one case, as the timeline tells it. Derived: :mod:`cityloop.evaluate.facts` makes it."""

    __tablename__ = "evaluate_step"
    __table_args__ = (
        Index("ix_step_ended", "step", "ended_at"),
        Index("ix_step_began", "step", "began_at"),
        Index("ix_step_due", "step", "due_at"),
    )
    case: Mapped[str] = mapped_column(String(40), primary_key=True)
    step: Mapped[str] = mapped_column(String(40), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    """1 for the first time that the case came to this step, 2 for the second, …"""
    actor: Mapped[str | None] = mapped_column(String(60))
    post: Mapped[str | None] = mapped_column(String(60))
    department: Mapped[str | None] = mapped_column(String(60))
    """The lead department that had the case at this step."""
    area: Mapped[str | None] = mapped_column(String(60))
    district: Mapped[str | None] = mapped_column(String(60))
    matter: Mapped[str] = mapped_column(String(80))
    channel: Mapped[str] = mapped_column(String(20))
    series: Mapped[str | None] = mapped_column(String(40))
    began_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    due_at: Mapped[datetime | None]
    limit_seconds: Mapped[int | None]
    used_seconds: Mapped[int | None]
    elapsed_seconds: Mapped[int | None]
    late: Mapped[bool | None]
    outcome: Mapped[str | None] = mapped_column(String(40))
    """The move that ended the step; for the whole case the state it ended in."""
    rating: Mapped[int | None]
    """1 to 5, where the step is the reporter's rating."""
    rework: Mapped[int]
    returned: Mapped[int]
    extended: Mapped[int]
    suspended: Mapped[int]
    supervised: Mapped[int]
    filed: Mapped[bool]
    deferred: Mapped[bool]
    voided: Mapped[bool]
    forced: Mapped[bool]
    appealed: Mapped[bool]
    exempt: Mapped[bool]


class StepStateRow(Table):
    """By which declaration the steps were made: another one means that they are made anew."""

    __tablename__ = "evaluate_state"
    key: Mapped[str] = mapped_column(String(20), primary_key=True)
    digest: Mapped[str] = mapped_column(String(64))


class SchemeRow(Table):
    """One version of a scheme with all formulas it used; never changed."""

    __tablename__ = "evaluate_scheme"
    scheme: Mapped[str] = mapped_column(String(60), primary_key=True)
    version: Mapped[str] = mapped_column(String(20), primary_key=True)
    seq: Mapped[int]
    """Order in which versions came into force."""
    document: Mapped[dict[str, Any]]
    digest: Mapped[str] = mapped_column(String(64))
    origin: Mapped[str] = mapped_column(String(10))
    created_at: Mapped[datetime]
    created_by: Mapped[str] = mapped_column(String(60))
    reason: Mapped[str] = mapped_column(Text)


class PublishedRow(Table):
    """A published result, frozen with the version that made it."""

    __tablename__ = "evaluate_published"
    __table_args__ = (UniqueConstraint("scheme", "object", "level", "period", "first", name="uq_published"),)
    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    scheme: Mapped[str] = mapped_column(String(60))
    object: Mapped[str] = mapped_column(String(20))
    level: Mapped[str] = mapped_column(String(20))
    period: Mapped[str] = mapped_column(String(10))
    first: Mapped[str] = mapped_column(String(10))
    version: Mapped[str] = mapped_column(String(20))
    at: Mapped[datetime]
    by: Mapped[str] = mapped_column(String(60))
    document: Mapped[dict[str, Any]]
