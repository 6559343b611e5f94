"""Tables: the warning, its history, where every rule stands with every entity, and how far the lake was watched."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, Index, Integer, String, text
from sqlalchemy.orm import Mapped, mapped_column

from cityloop.core.database import Table

CAP_RULE = "cap"
"""Stands in the place of the rule of a warning that others sent."""


class WarningRow(Table):
    """One warning. The partial index allows one open warning for each rule and entity, whatever the code does."""

    __tablename__ = "warning"
    __table_args__ = (
        Index(
            "warning_one_open",
            "rule",
            "entity",
            unique=True,
            sqlite_where=text("status = 'open'"),
            postgresql_where=text("status = 'open'"),
        ),
    )
    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    rule: Mapped[str] = mapped_column(String(60), index=True)
    rule_version: Mapped[str] = mapped_column(String(20))
    title: Mapped[dict[str, Any]]
    message: Mapped[dict[str, Any]]
    entity: Mapped[str] = mapped_column(String(120), index=True)
    entity_type: Mapped[str] = mapped_column(String(60))
    entity_title: Mapped[dict[str, Any]]
    property: Mapped[str] = mapped_column(String(60))
    unit: Mapped[str] = mapped_column(String(30))
    level: Mapped[str] = mapped_column(String(10))
    rank: Mapped[int]
    """Position of ``level`` from blue 1 to red 4, for sorting."""
    peak: Mapped[str] = mapped_column(String(10))
    status: Mapped[str] = mapped_column(String(10), index=True)
    value: Mapped[float]
    threshold: Mapped[float]
    raised_at: Mapped[datetime] = mapped_column(index=True)
    updated_at: Mapped[datetime]
    cleared_at: Mapped[datetime | None]
    acknowledged_at: Mapped[datetime | None]
    acknowledged_by: Mapped[str | None] = mapped_column(String(60))
    area: Mapped[str | None] = mapped_column(String(60), index=True)
    district: Mapped[str | None] = mapped_column(String(60))
    lon: Mapped[float | None]
    lat: Mapped[float | None]
    department: Mapped[str | None] = mapped_column(String(60), index=True)
    assignee: Mapped[str | None] = mapped_column(String(60), index=True)
    assignee_name: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    assigned_at: Mapped[datetime | None]
    assigned_by: Mapped[str | None] = mapped_column(String(60))
    matter: Mapped[str | None] = mapped_column(String(120))
    series: Mapped[str | None] = mapped_column(String(60))
    case: Mapped[str | None] = mapped_column("case_id", String(40))
    case_number: Mapped[str | None] = mapped_column(String(40))
    evidence: Mapped[dict[str, Any]]
    muted: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    """Why nobody is told of it now (``schemas.Muted``); empty: it speaks."""
    heard_at: Mapped[datetime | None]
    """When a muted warning began to speak; empty: when it was raised."""
    reminded: Mapped[int | None]
    """How often it was said again."""
    reminded_at: Mapped[datetime | None]
    escalated: Mapped[int | None]
    """How many steps of escalation are behind it."""
    floor: Mapped[str | None] = mapped_column(String(10))
    """The level below which an escalation lets it fall no more."""
    outcome: Mapped[str | None] = mapped_column(String(10), index=True)
    """What it turned out to be: true, false, drill."""
    outcome_at: Mapped[datetime | None]
    outcome_by: Mapped[str | None] = mapped_column(String(60))
    outcome_note: Mapped[str | None] = mapped_column(String(500))


class MuteRow(Table):
    """A silence or a maintenance window: who asked for it, of what, until when, and why. Ended early, never deleted."""

    __tablename__ = "warning_mute"
    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    kind: Mapped[str] = mapped_column(String(12))
    rule: Mapped[str | None] = mapped_column(String(60))
    entity: Mapped[str | None] = mapped_column(String(120))
    area: Mapped[str | None] = mapped_column(String(60))
    start: Mapped[datetime]
    end: Mapped[datetime] = mapped_column(index=True)
    reason: Mapped[str] = mapped_column(String(500))
    by: Mapped[str] = mapped_column("made_by", String(60))
    at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    ended_by: Mapped[str | None] = mapped_column(String(60))


class CapMessageRow(Table):
    """A CAP message that was taken, so that it counts once and later ones can refer to it."""

    __tablename__ = "cap_message"
    sender: Mapped[str] = mapped_column(String(120), primary_key=True)
    identifier: Mapped[str] = mapped_column(String(120), primary_key=True)
    sent: Mapped[datetime]
    expires: Mapped[datetime | None]
    warning: Mapped[str | None] = mapped_column(String(40))


class RuleVersionRow(Table):
    """A version of a rule that was applied over the packs; without a document the rule was withdrawn."""

    __tablename__ = "rule_version"
    rule: Mapped[str] = mapped_column(String(60), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    document: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    pack_digest: Mapped[str] = mapped_column(String(80))
    """Of the pack's rule over which it was applied: when the pack changes, the pack counts again."""
    origin: Mapped[str] = mapped_column(String(12))
    at: Mapped[datetime]
    by: Mapped[str] = mapped_column("made_by", String(60))
    reason: Mapped[str] = mapped_column(String(500))


class BacktestRow(Table):
    """A backtest that somebody asked for, with its report and the warnings that the rule would have raised."""

    __tablename__ = "rule_backtest"
    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    at: Mapped[datetime] = mapped_column(index=True)
    state: Mapped[str] = mapped_column(String(10))
    view: Mapped[dict[str, Any]]
    """As it is answered (``rule_schemas.BacktestView``)."""
    declaration: Mapped[dict[str, Any]]
    """The rule that was tried, as in ``rules.yaml``."""
    episodes: Mapped[list[Any] | None] = mapped_column(JSON(none_as_null=True))
    """``[entity, raised, ended or null, peak]`` of each warning, instants in seconds since 1970."""


class WarningChangeRow(Table):
    """One step in a warning's life; only ever added."""

    __tablename__ = "warning_change"
    seq: Mapped[int] = mapped_column(BigInteger().with_variant(Integer, "sqlite"), primary_key=True)
    warning: Mapped[str] = mapped_column(String(40), index=True)
    at: Mapped[datetime]
    what: Mapped[str] = mapped_column(String(12))
    level: Mapped[str | None] = mapped_column(String(10))
    value: Mapped[float | None]
    reason: Mapped[dict[str, Any]]
    actor: Mapped[str | None] = mapped_column(String(60))


class RuleStateRow(Table):
    """Where a rule stands with an entity: the level of its open warning, a running hold, and until when it was judged.

    Written in the transaction of the warning, so that a restart goes on from what the warnings say.
    """

    __tablename__ = "rule_state"
    rule: Mapped[str] = mapped_column(String(60), primary_key=True)
    entity: Mapped[str] = mapped_column(String(120), primary_key=True)
    level: Mapped[str | None] = mapped_column(String(10))
    stage: Mapped[str] = mapped_column(String(10))
    left_seconds: Mapped[float]
    """What the running hold still lacked at ``judged_at``; 0 when none runs."""
    judged_at: Mapped[datetime]
    memo: Mapped[dict[str, Any] | None]
    """What a joint rule needs beside it: since when each of its thresholds is reached or left."""


class WatchCursorRow(Table):
    """Version of the lake table up to which an entity type was watched. Behind it nothing has changed a warning."""

    __tablename__ = "watch_cursor"
    entity_type: Mapped[str] = mapped_column(String(60), primary_key=True)
    version: Mapped[int] = mapped_column(BigInteger)
    received_at: Mapped[datetime | None]
    """Newest arrival among the watched rows: tells old rows from new should the lake's log no longer reach back."""
