"""What sources answer on the wire."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from cityloop.collect.sources.declarations import AnyWire
from cityloop.collect.sources.runner import State
from cityloop.core.values import Frozen, Instant, Title


class ScheduleView(Frozen):
    """When a source runs: all the time, every so many seconds, or daily at a time of the city's day."""

    kind: Literal["stream", "every", "daily"]
    seconds: int | None = None
    at: str | None = None


class SourceView(Frozen):
    """A source and its health line, as of now."""

    id: str
    title: Title
    feed: str
    feed_title: Title
    entity_type: str
    department: str
    wire: AnyWire
    address: str
    """Where the data come from; never holds a secret."""
    schedule: ScheduleView
    state: State
    paused_by: str | None
    paused_at: Instant | None
    pause_reason: str
    last_run_at: Instant | None
    next_run_at: Instant | None
    """City time of the next run; ``None`` for a stream and while paused."""
    last_record_at: Instant | None
    lag_seconds: float | None
    """City seconds between the newest observation of the feed and now."""
    waiting: int | None
    """Messages or files that wait at the other side, where the wire can tell."""
    rate_per_minute: int
    """Rows accepted within the last real minute."""
    accepted: int
    quarantined: int
    duplicate: int
    last_error: str | None
    last_error_at: Instant | None
    failures: int
    """Failed attempts in a row; 0 while all is well."""
    retry_at: Instant | None
    """Real time of the next attempt after a failure."""


class PauseRequest(Frozen):
    """Why a source is paused."""

    reason: str = Field(default="", max_length=500)


class RefusalView(Frozen):
    """Why a sampled record would be refused; ``index`` is its position in ``raw``."""

    index: int
    column: str
    rule: str
    reason: str
    said: Title


class DryRunView(Frozen):
    """The first records of a source before and after the mapping; nothing was written or acknowledged."""

    source: str
    feed: str
    taken_at: Instant
    columns: list[str]
    raw: list[dict[str, Any]]
    mapped: list[dict[str, Any]]
    """Good rows: ``index`` in ``raw``, ``entity``, ``observed_at``, position and area where there are, properties."""
    refusals: list[RefusalView]
    flags: list[RefusalView]
    """What would be kept, and marked as doubtful."""
    notes: list[Title]


class SourceFilter(Frozen):
    """Which sources are wanted."""

    wire: AnyWire | None = None
    state: State | None = None
    feed: str | None = None
    department: str | None = None
    text: str | None = None
