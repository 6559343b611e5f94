"""Tables: responses, whom they call, what is done, what is sent, and the log that is never changed."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Boolean, Float, Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from cityloop.core.database import Table


class ResponseRow(Table):
    """One emergency being handled."""

    __tablename__ = "emergency_response"
    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    number: Mapped[str] = mapped_column(String(40), unique=True)
    kind: Mapped[str] = mapped_column(String(40), index=True)
    title: Mapped[str] = mapped_column(String(120))
    department: Mapped[str] = mapped_column(String(60))
    area: Mapped[str | None] = mapped_column(String(60))
    lon: Mapped[float | None] = mapped_column(Float)
    lat: Mapped[float | None] = mapped_column(Float)
    level: Mapped[str] = mapped_column(String(4))
    state: Mapped[str] = mapped_column(String(8), index=True)
    cause: Mapped[dict[str, Any]]
    """``kind`` (person, warning, run) and ``id``."""
    cause_key: Mapped[str | None] = mapped_column(String(80), index=True)
    holder: Mapped[str] = mapped_column(String(60))
    """Who is on duty for it."""
    offered_by: Mapped[str | None] = mapped_column(String(60))
    offered_to: Mapped[str | None] = mapped_column(String(60))
    offered_at: Mapped[datetime | None]
    opened_at: Mapped[datetime] = mapped_column(index=True)
    ended_at: Mapped[datetime | None]
    version: Mapped[int] = mapped_column(Integer)


class ContactRow(Table):
    """A role that a response calls, and the one of its people whose turn it is."""

    __tablename__ = "emergency_contact"
    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    response: Mapped[str] = mapped_column(String(40), index=True)
    role: Mapped[str] = mapped_column(String(40))
    title: Mapped[dict[str, Any]]
    state: Mapped[str] = mapped_column(String(8))
    """``calling``, ``reached`` or ``missed``."""
    people: Mapped[list[Any]]
    turn: Mapped[int] = mapped_column(Integer)
    wait_minutes: Mapped[float] = mapped_column(Float)
    called_at: Mapped[datetime]
    next_at: Mapped[datetime | None] = mapped_column(index=True)
    """When the next one is called; a timer of the database, which outlives a restart."""
    reached_at: Mapped[datetime | None]
    reached_by: Mapped[str | None] = mapped_column(String(80))


class EmergencyTaskRow(Table):
    """Something that a department has to do, until when."""

    __tablename__ = "emergency_task"
    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    response: Mapped[str] = mapped_column(String(40), index=True)
    declared: Mapped[str | None] = mapped_column(String(40))
    title: Mapped[dict[str, Any]]
    department: Mapped[str] = mapped_column(String(60))
    state: Mapped[str] = mapped_column(String(8))
    """``open``, ``taken``, ``done`` or ``dropped``."""
    opened_at: Mapped[datetime]
    due_at: Mapped[datetime | None]
    remind_at: Mapped[datetime | None] = mapped_column(index=True)
    late: Mapped[bool] = mapped_column(Boolean)
    taken_by: Mapped[str | None] = mapped_column(String(60))
    done_at: Mapped[datetime | None]
    result: Mapped[str] = mapped_column(Text)


class ResourceRow(Table):
    """Where a resource is now."""

    __tablename__ = "emergency_resource"
    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    lon: Mapped[float] = mapped_column(Float)
    lat: Mapped[float] = mapped_column(Float)
    out: Mapped[bool] = mapped_column(Boolean)
    at: Mapped[datetime]


class AssignmentRow(Table):
    """So much of a resource at work for a response, until it is released."""

    __tablename__ = "emergency_assignment"
    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    response: Mapped[str] = mapped_column(String(40), index=True)
    resource: Mapped[str] = mapped_column(String(40), index=True)
    count: Mapped[int] = mapped_column(Integer)
    assigned_at: Mapped[datetime]
    arrived_at: Mapped[datetime | None]
    released_at: Mapped[datetime | None]


class LogRow(Table):
    """One line of the situation log; append only. ``kind`` says what happened, ``facts`` with what."""

    __tablename__ = "emergency_log"
    seq: Mapped[int] = mapped_column(BigInteger().with_variant(Integer, "sqlite"), primary_key=True)
    response: Mapped[str] = mapped_column(String(40), index=True)
    at: Mapped[datetime]
    actor: Mapped[str] = mapped_column(String(60))
    kind: Mapped[str] = mapped_column(String(12))
    said: Mapped[dict[str, Any]]
    """The line in Chinese and English."""
    words: Mapped[str] = mapped_column(Text)
    """What somebody wrote, as it is."""
