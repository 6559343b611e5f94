"""What watch answers on the wire and puts into its events."""

from __future__ import annotations

from typing import Literal

from cityloop.core.values import Frozen, Instant, Title

Level = Literal["blue", "yellow", "orange", "red"]
WarningStatus = Literal["open", "cleared"]


class WarningView(Frozen):
    """One warning. There is at most one open warning for each rule and entity."""

    id: str
    rule: str
    rule_version: str
    title: Title
    message: Title
    entity: str
    entity_type: str
    entity_title: Title
    property: str
    unit: str
    level: Level
    peak: Level
    status: WarningStatus
    value: float
    threshold: float
    raised_at: Instant
    updated_at: Instant
    cleared_at: Instant | None
    acknowledged_at: Instant | None
    acknowledged_by: str | None
    area: str | None
    district: str | None
    lon: float | None
    lat: float | None
    department: str | None
    """Who owns the response, by the rule."""
    matter: str | None
    """Key of the catalogue entry under which the response opens a case."""
    series: str | None
    case: str | None
    case_number: str | None


class LevelChange(Frozen):
    """A step in a warning's life."""

    at: Instant
    what: Literal["raised", "level", "cleared", "acknowledged"]
    level: Level | None
    value: float | None
    reason: Title
    actor: str | None = None


class Evidence(Frozen):
    """Why the warning spoke."""

    aggregate: str
    window_from: Instant
    window_to: Instant
    thresholds: dict[Level, float]
    hold_seconds: int
    points: list[tuple[Instant, float, str]]
    """``[observed_at, value, record id]`` inside the window at the moment it was raised."""
    trace: list[Title]


class WarningDetail(WarningView):
    """A warning with its evidence and history."""

    evidence: Evidence
    history: list[LevelChange]


class RuleView(Frozen):
    """A rule as declared."""

    id: str
    version: str
    title: Title
    entity_type: str
    property: str
    aggregate: str
    window_seconds: int
    hold_seconds: int
    thresholds: dict[Level, float]
    open_warnings: int
    fired_total: int
    last_error: str | None


class WarningFilter(Frozen):
    """Which warnings are wanted."""

    status: WarningStatus | None = None
    level: tuple[Level, ...] = ()
    rule: str | None = None
    entity: str | None = None
    series: str | None = None
    area: str | None = None
    start: Instant | None = None
    end: Instant | None = None
