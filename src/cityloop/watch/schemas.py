"""What watch answers on the wire and puts into its events."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from cityloop.core.values import Frozen, Instant, Title

Level = Literal["blue", "yellow", "orange", "red"]
WarningStatus = Literal["open", "cleared"]
Outcome = Literal["true", "false", "drill"]
Change = Literal[
    "raised", "level", "cleared", "acknowledged", "muted", "unmuted", "reminder", "escalated", "labelled", "assigned"
]  # fmt: skip


class Muted(Frozen):
    """Why nobody is told of a warning: a silence, a maintenance window, or the fault of something it depends on."""

    kind: Literal["silence", "maintenance", "dependency"]
    id: str
    """The mute, or the rule whose open warning explains this one."""
    reason: Title
    until: Instant | None = None


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
    """Who owns the response: by the rule, until it is assigned to another."""
    assignee: str | None = None
    """The account of the person who takes care of it."""
    assignee_name: Title | None = None
    assigned_at: Instant | None = None
    assigned_by: str | None = None
    matter: str | None
    """Key of the catalogue entry under which the response opens a case."""
    series: str | None
    case: str | None
    case_number: str | None
    muted: Muted | None = None
    outcome: Outcome | None = None
    outcome_at: Instant | None = None
    outcome_by: str | None = None
    outcome_note: str | None = None


class LevelChange(Frozen):
    """A step in a warning's life."""

    at: Instant
    what: Change
    level: Level | None
    value: float | None
    reason: Title
    actor: str | None = None


class ModelEvidence(Frozen):
    """What a model had to say: what it foretold, or what it holds for usual; values in the property's unit."""

    kind: Literal["forecast", "usual"]
    version: str
    """The trained version, ``forecast.AirQualityStation.pm2_5/3``."""
    at: Instant
    """The instant that is spoken of: in the future of ``origin`` for a forecast."""
    origin: Instant
    """The newest record it rests on."""
    value: float
    """The forecast, or the usual level."""
    low: float | None
    high: float | None
    """The interval of the forecast, where there is one, or one usual spread around the level."""
    server: Literal["model", "persistence", "seasonal"] | None = None
    """Who gave the forecast: the trained model, the newest value, the value one season earlier."""
    error: float | None = None
    """Mean absolute error of who serves, on data that it had not seen."""
    naive_error: float | None = None
    wished: float | None = None
    """Share of truths that the interval shall hold."""
    reached: float | None = None
    """Share that it did hold on data it had not seen."""


class Evidence(Frozen):
    """Why the warning spoke."""

    aggregate: str
    window_from: Instant
    window_to: Instant
    thresholds: dict[Level, float]
    direction: Literal["above", "below", "either"] = "above"
    margin: float = 0.0
    """How far back beyond its threshold a level is left."""
    hold_seconds: int
    points: list[tuple[Instant, float, str]]
    """``[observed_at, value, record id]`` inside the window at the moment it was raised."""
    trace: list[Title]
    model: ModelEvidence | None = None
    """What the rule's model had to say at that moment."""


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
    department: str
    respond: str
    open_warnings: int
    open_levels: dict[Level, int]
    """Of the open ones, how many stand at each level."""
    fired_total: int
    last_error: str | None
    no_data: Title | None = None
    """Why it can judge nothing now: there is no model for it."""


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
    muted: bool | None = None
    outcome: Outcome | None = None
    acknowledged: bool | None = None
    department: str | None = None
    entity_type: str | None = None
    assignee: str | None = None


class SimilarWarning(Frozen):
    """An earlier warning of the same rule."""

    warning: WarningView
    why: Literal["entity", "area"]
    """It was about the same thing, or about another one in the same area."""
    seconds: float | None
    """How long it lasted; empty while it is open."""


class SimilarWarnings(Frozen):
    """Earlier warnings of the same rule and thing or area, the newest first, and how they ended.

    The counts are over all of them, at most the newest 500; ``items`` are the first of these.
    """

    items: list[SimilarWarning]
    total: int
    true: int
    false: int
    drill: int
    cases: int
    median_seconds: float | None


class NewOutcome(Frozen):
    """What a warning turned out to be, said by somebody who knows."""

    outcome: Outcome
    note: str = Field(default="", max_length=500)


class NewAssignment(Frozen):
    """A warning is given to a department, to a person, or to a person in a department."""

    department: str | None = Field(default=None, max_length=60)
    person: str | None = Field(default=None, max_length=60)
    """An account; left out, the department decides itself."""
    note: str = Field(default="", max_length=500)


class NewMute(Frozen):
    """A wish for quiet: of a rule, an entity, an area with all below it, or what meets all of those given."""

    kind: Literal["silence", "maintenance"] = "silence"
    rule: str | None = Field(default=None, max_length=60)
    entity: str | None = Field(default=None, max_length=120)
    area: str | None = Field(default=None, max_length=60)
    start: Instant | None = None
    end: Instant
    reason: str = Field(min_length=3, max_length=500)


class MuteView(Frozen):
    """A silence or maintenance window."""

    id: str
    kind: Literal["silence", "maintenance"]
    rule: str | None
    entity: str | None
    area: str | None
    start: Instant
    end: Instant
    reason: str
    by: str
    at: Instant
    ended_at: Instant | None
    ended_by: str | None
    active: bool
    warnings: int
    """Open warnings that are quiet because of it."""


class CapReceipt(Frozen):
    """What became of a CAP message; ``known`` was taken before."""

    identifier: str
    warning: str | None
    acted: Literal["raised", "updated", "cleared", "noted", "known"]


class RuleHealth(Frozen):
    """How well a rule serves: how often it spoke, whether it was right, what it cost."""

    rule: str
    title: Title
    department: str
    fired: int
    a_week: float
    true: int
    false: int
    drill: int
    unlabelled: int
    false_share: float | None
    """Of the labelled ones without drills; empty where nobody said."""
    acknowledged: int
    cases: int
    last_fired: Instant | None
    silent: bool
    """Never spoke in the period."""
    muted: int
    last_error: str | None
