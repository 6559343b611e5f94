"""What quality answers on the wire, and puts into its events."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from cityloop.core.values import Frozen, Instant, Page, Title
from cityloop.quality.content import Period, Sample, Schedule, Span
from cityloop.quality.scheme import Check, Dimension

By = Literal["department", "feed", "entity_type"]
State = Literal["planned", "sampling", "findings", "cases", "repair", "recheck", "report", "closed"]
FindingState = Literal["open", "repaired", "passed", "failed"]
Verdict = Literal["good", "finding", "too_few", "not_declared"]
Move = Literal["start", "stop", "resume", "recheck", "close"]


class DimensionInfo(Frozen):
    """A dimension of the scheme."""

    id: Dimension
    title: Title
    meaning: Title
    weight: float
    least: float


class BandInfo(Frozen):
    """Scores from ``from`` on get this grade."""

    grade: str
    start: float = Field(alias="from", serialization_alias="from")


class SchemeView(Frozen):
    """How scores come about."""

    dimensions: list[DimensionInfo]
    bands: list[BandInfo]
    minimum_sample: int


class PartView(Frozen):
    """One dimension of a score. ``score`` is 0 to 100; ``enough`` false: too few cases, it does not count."""

    id: Dimension
    score: float | None
    numerator: int
    denominator: int
    weight: float
    least: float
    enough: bool
    below: bool


class ScoreRow(Frozen):
    """A line of the scoreboard; ``score`` is empty where nothing was measured on enough cases."""

    id: str
    title: Title
    department: str | None
    score: float | None
    grade: str | None
    feeds: list[str]
    breaches: int
    fresh: bool | None
    dimensions: list[PartView]


class ScorePage(Page[ScoreRow]):
    """The scoreboard of a period."""

    start: Instant = Field(alias="from", serialization_alias="from")
    end: Instant = Field(alias="to", serialization_alias="to")


class HourCell(Frozen):
    """One stretch of a feed. Shares are empty where their denominator is 0."""

    at: Instant
    expected: int
    received: int
    accepted: int
    quarantined: int
    duplicate: int
    late: int
    inconsistent: int
    completeness: float | None
    validity: float | None
    timeliness: float | None
    consistency: float | None
    uniqueness: float | None


class HoursView(Frozen):
    """A feed hour by hour, for a heat strip."""

    feed: str
    title: Title
    department: str
    entity_type: str
    grain_seconds: float
    expected_every_seconds: float | None
    fresh_seconds: float
    hours: str | None
    fresh: bool
    newest: Instant | None
    age_seconds: float | None
    """Age of the newest record in hours of operation."""
    cells: list[HourCell]


class Example(Frozen):
    """One thing that is wrong, or several alike (``count``), and the way to it."""

    kind: Literal["gap", "record", "quarantine", "count"]
    entity: str | None = None
    entity_title: Title | None = None
    at: Instant
    until: Instant | None = None
    column: str | None = None
    rule: str | None = None
    value: str | None = None
    reason: Title
    record: str | None = None
    quarantine: str | None = None
    count: int = 1


class BreachView(Frozen):
    """A feed that is stale or incomplete, now or for a while."""

    id: str
    feed: str
    title: Title
    department: str
    check: Literal["freshness", "completeness"]
    value: float | None
    """Minutes since the newest record, or the share of the last hour."""
    least: float
    opened_at: Instant
    closed_at: Instant | None
    detail: Title


class InspectionDraft(Frozen):
    """A wished inspection. Without ``feeds`` or ``checks``: all of them. ``schedule`` other than once repeats it."""

    title: Title
    feeds: tuple[str, ...] = ()
    checks: tuple[Check, ...] = ()
    period: Period = "7d"
    schedule: Schedule = "once"
    sample: Sample = Sample()
    limit: str = Field(max_length=100)
    recheck_after: Span = "24h"
    attempts: int = Field(default=2, ge=1, le=5)
    owner: str | None = None
    """Post that runs it; by default the asker's first."""
    planned_for: Instant | None = None


class InspectionLine(Frozen):
    """An inspection as a row of a list. Counts of findings are those within the asker's sight."""

    id: str
    plan: str
    title: Title
    state: State
    state_title: Title
    halted: bool
    planned_for: Instant
    started_at: Instant | None
    closed_at: Instant | None
    start: Instant | None = Field(alias="from", serialization_alias="from")
    end: Instant | None = Field(alias="to", serialization_alias="to")
    feeds: list[str]
    checks: list[Check]
    owner: str
    limit: str
    schedule: Schedule
    done: int
    total: int
    findings: int
    open: int
    passed: int
    failed: int
    score: float | None
    grade: str | None
    made_by: str
    moves: list[Move]


INSPECTION_HEADINGS = {
    "id": ("编号", "Id"),
    "title": ("名称", "Title"),
    "state_title": ("状态", "State"),
    "planned_for": ("计划时间", "Planned for"),
    "started_at": ("开始", "Started"),
    "closed_at": ("结束", "Closed"),
    "feeds": ("数据接入", "Feeds"),
    "limit": ("整改时限", "Limit for repair"),
    "done": ("已查项", "Checks done"),
    "total": ("应查项", "Checks in all"),
    "findings": ("问题", "Findings"),
    "open": ("待整改", "To repair"),
    "passed": ("通过", "Passed"),
    "failed": ("未通过", "Failed"),
    "score": ("得分", "Score"),
    "grade": ("等级", "Grade"),
}
"""What an export shows of an :class:`InspectionLine`."""


class DepartmentResult(Frozen):
    """How one department came out of an inspection, beside the inspection before."""

    id: str
    title: Title
    score: float | None
    grade: str | None
    previous_score: float | None
    change: float | None
    findings: int
    open: int
    passed: int
    failed: int
    overdue: int
    dimensions: list[PartView]


class TaskView(Frozen):
    """One check of one feed."""

    feed: str
    title: Title
    department: str
    check: Check
    check_title: Title
    state: Literal["waiting", "done"]
    numerator: int
    denominator: int
    share: float | None
    least: float | None
    verdict: Verdict | None


class LogLine(Frozen):
    """Something that happened to an inspection."""

    at: Instant
    by: str
    what: Title


class InspectionDetail(InspectionLine):
    """An inspection with all that its page shows, within the asker's sight."""

    sample: Sample
    recheck_after: str
    previous: str | None
    departments: list[DepartmentResult]
    tasks: list[TaskView]
    log: list[LogLine]


class Recheck(Frozen):
    """One look at new data after the department said that it is done."""

    at: Instant
    start: Instant = Field(alias="from", serialization_alias="from")
    end: Instant = Field(alias="to", serialization_alias="to")
    numerator: int
    denominator: int
    share: float | None
    verdict: Literal["passed", "failed"]
    reason: Title
    case_number: str | None
    act: Literal["closed", "rework", "new_case", "none"]
    """What became of the case: closed by the recheck, sent back for rework, a new one opened, or left as it was."""


class Finding(Frozen):
    """What was found in one feed under one check, and what has become of it."""

    id: str
    inspection: str
    feed: str
    feed_title: Title
    department: str
    department_title: Title
    check: Check
    check_title: Title
    state: FindingState
    numerator: int
    denominator: int
    share: float | None
    least: float
    reason: Title
    examples: list[Example]
    case: str | None
    case_number: str | None
    case_state: str | None
    due_at: Instant | None
    light: Literal["green", "red", "none"]
    overdue: bool
    attempts: int
    rechecks: list[Recheck]
