"""Tables: breaches of feeds, inspections, their tasks and their findings."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Boolean, Float, Index, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from cityloop.core.database import Table
from cityloop.quality.schemas import FindingState, State, Verdict
from cityloop.quality.scheme import Check


class BreachRow(Table):
    """A feed that is stale or incomplete. ``open_key`` is set while it is open: one for each feed and check."""

    __tablename__ = "quality_breach"
    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    feed: Mapped[str] = mapped_column(String(60), index=True)
    department: Mapped[str] = mapped_column(String(60), index=True)
    check: Mapped[Check] = mapped_column("what", String(20))
    value: Mapped[float | None] = mapped_column(Float)
    least: Mapped[float] = mapped_column(Float)
    opened_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]
    open_key: Mapped[str | None] = mapped_column(String(90), unique=True)
    detail: Mapped[dict[str, Any]]


class InspectionRow(Table):
    """One inspection from its plan to its close. ``plan`` is shared by all inspections of one plan."""

    __tablename__ = "inspection"
    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    plan: Mapped[str] = mapped_column(String(60), index=True)
    definition: Mapped[dict[str, Any]]
    state: Mapped[State] = mapped_column(String(20), index=True)
    halted: Mapped[bool] = mapped_column(Boolean)
    automatic: Mapped[bool] = mapped_column(Boolean)
    """Starts by itself once its day has come."""
    planned_for: Mapped[datetime]
    started_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]
    first: Mapped[datetime | None]
    last: Mapped[datetime | None]
    """The period that is looked at, ``last`` not included; fixed when it starts."""
    made_by: Mapped[str] = mapped_column(String(60))
    log: Mapped[list[Any]]


class TaskRow(Table):
    """One check of one feed in an inspection."""

    __tablename__ = "inspection_task"
    inspection: Mapped[str] = mapped_column(String(40), primary_key=True)
    number: Mapped[int] = mapped_column(Integer, primary_key=True)
    feed: Mapped[str] = mapped_column(String(60))
    department: Mapped[str] = mapped_column(String(60))
    check: Mapped[Check] = mapped_column("what", String(20))
    done: Mapped[bool] = mapped_column(Boolean)
    numerator: Mapped[int]
    denominator: Mapped[int]
    least: Mapped[float | None] = mapped_column(Float)
    verdict: Mapped[Verdict | None] = mapped_column(String(20))
    reason: Mapped[dict[str, Any] | None]
    examples: Mapped[list[Any]]


class FindingRow(Table):
    """What an inspection found in one feed under one check, and what has become of it."""

    __tablename__ = "inspection_finding"
    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    inspection: Mapped[str] = mapped_column(String(40))
    feed: Mapped[str] = mapped_column(String(60))
    department: Mapped[str] = mapped_column(String(60))
    check: Mapped[Check] = mapped_column("what", String(20))
    state: Mapped[FindingState] = mapped_column(String(20))
    numerator: Mapped[int]
    denominator: Mapped[int]
    least: Mapped[float] = mapped_column(Float)
    reason: Mapped[dict[str, Any]]
    examples: Mapped[list[Any]]
    case: Mapped[str | None] = mapped_column("case_id", String(40), index=True)
    case_number: Mapped[str | None] = mapped_column(String(60))
    case_state: Mapped[str | None] = mapped_column(String(40))
    due_at: Mapped[datetime | None]
    repaired_at: Mapped[datetime | None]
    """When the department declared its work done; new data count from here."""
    recheck_at: Mapped[datetime | None]
    attempts: Mapped[int]
    rechecks: Mapped[list[Any]]
    __table_args__ = (Index("finding_once", "inspection", "feed", "what", unique=True),)
