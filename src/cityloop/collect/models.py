"""Tables: entities that feeds created, records in quarantine, tallies of feeds, and what sources remember."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Index, Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from cityloop.core.database import Table


class EntityRow(Table):
    """An entity that a feed created; those that the city declares stand in ``entities/<EntityType>.csv``."""

    __tablename__ = "entity"
    entity_type: Mapped[str] = mapped_column(String(60), primary_key=True)
    id: Mapped[str] = mapped_column(String(120), primary_key=True)
    title: Mapped[str] = mapped_column(String(200))
    lon: Mapped[float | None]
    lat: Mapped[float | None]
    feed: Mapped[str] = mapped_column(String(60))
    created_at: Mapped[datetime]


class QuarantineRow(Table):
    """One record that broke the standard, whole, with every reason."""

    __tablename__ = "quarantine"
    id: Mapped[str] = mapped_column(String(120), primary_key=True)
    feed: Mapped[str] = mapped_column(String(60))
    department: Mapped[str] = mapped_column(String(60), index=True)
    batch: Mapped[str] = mapped_column(String(60))
    position: Mapped[int] = mapped_column(BigInteger)
    received_at: Mapped[datetime] = mapped_column(index=True)
    raw: Mapped[str] = mapped_column(Text)
    reasons: Mapped[list[Any]]
    """Of the latest attempt."""
    rules: Mapped[str] = mapped_column(String(400), server_default="")
    """The broken rules between commas, with one at each end: ``,range,unit,``."""
    state: Mapped[str] = mapped_column(String(12), server_default="open")
    record: Mapped[str | None] = mapped_column(String(120))
    """Record of the lake that this one became, or that was there before it."""
    correction: Mapped[dict[str, Any] | None]
    """``fields``, ``by``, ``at`` and ``why`` of the newest correction."""
    replay: Mapped[str | None] = mapped_column(String(40), index=True)
    """The replay that will try it again; nobody else may change it until then."""
    attempts: Mapped[int] = mapped_column(Integer, server_default="0")
    """Replays at which it was refused again."""
    __table_args__ = (
        Index("quarantine_by_feed", "feed", "received_at"),
        Index("quarantine_by_batch", "batch", "position"),
    )


class QuarantineActRow(Table):
    """One thing that happened to a record in quarantine."""

    __tablename__ = "quarantine_act"
    seq: Mapped[int] = mapped_column(BigInteger().with_variant(Integer, "sqlite"), primary_key=True)
    quarantine: Mapped[str] = mapped_column(String(120), index=True)
    act: Mapped[str] = mapped_column(String(12))
    at: Mapped[datetime]
    by: Mapped[str] = mapped_column(String(60))
    data: Mapped[dict[str, Any]]


class QuarantineReplayRow(Table):
    """One replay of records in quarantine, with how far it has come."""

    __tablename__ = "quarantine_replay"
    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    state: Mapped[str] = mapped_column(String(12), index=True)
    by: Mapped[str] = mapped_column(String(60))
    started_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    selection: Mapped[dict[str, Any]]
    total: Mapped[int]
    done: Mapped[int]
    settled: Mapped[int]
    failed: Mapped[int]
    duplicate: Mapped[int]
    error: Mapped[str | None] = mapped_column(Text)


class FeedHourRow(Table):
    """Duplicates of one feed in one hour of arrival (UTC): neither lake nor quarantine knows of them."""

    __tablename__ = "feed_hour"
    feed: Mapped[str] = mapped_column(String(60), primary_key=True)
    hour: Mapped[datetime] = mapped_column(primary_key=True)
    duplicate: Mapped[int]


class FeedTallyRow(Table):
    """What cannot be counted again from lake and quarantine: duplicates, and when the newest row arrived."""

    __tablename__ = "feed_tally"
    feed: Mapped[str] = mapped_column(String(60), primary_key=True)
    duplicate: Mapped[int]
    last_received_at: Mapped[datetime | None]


class SourceRow(Table):
    """How far a source has come, what it brought, and whether somebody paused it."""

    __tablename__ = "source"
    id: Mapped[str] = mapped_column(String(60), primary_key=True)
    position: Mapped[dict[str, Any]]
    accepted: Mapped[int] = mapped_column(BigInteger)
    quarantined: Mapped[int] = mapped_column(BigInteger)
    duplicate: Mapped[int] = mapped_column(BigInteger)
    last_record_at: Mapped[datetime | None]
    last_run_at: Mapped[datetime | None]
    last_error: Mapped[str | None] = mapped_column(Text)
    last_error_at: Mapped[datetime | None]
    paused_by: Mapped[str | None] = mapped_column(String(120))
    paused_at: Mapped[datetime | None]
    pause_reason: Mapped[str] = mapped_column(String(500))


class SourceFileRow(Table):
    """One file that a folder brought, by its content: how far it was read, and what became of its rows."""

    __tablename__ = "source_file"
    source: Mapped[str] = mapped_column(String(60), primary_key=True)
    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    name: Mapped[str] = mapped_column(String(255))
    rows: Mapped[int]
    """Rows that are durable, from the first on."""
    accepted: Mapped[int]
    quarantined: Mapped[int]
    duplicate: Mapped[int]
    began_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    problem: Mapped[str | None] = mapped_column(Text)
    """Why the file as a whole could not be read."""
