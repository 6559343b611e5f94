"""What crosses the wire about rules as such: backtests, plans, versions."""

from __future__ import annotations

from datetime import date
from typing import Any, Literal

from pydantic import Field

from cityloop.core.values import Frozen, Instant, Title
from cityloop.watch.schemas import Level


class DayCount(Frozen):
    """Warnings raised on one day of the city, by the highest level that each reached."""

    day: date
    levels: dict[Level, int]


class EntityCount(Frozen):
    """Warnings of one entity."""

    entity: str
    warnings: int


class Overlap(Frozen):
    """Another rule, and how many of this rule's warnings were open together with one of its own."""

    rule: str
    title: Title
    warnings: int
    both: int


class EventScore(Frozen):
    """The rule beside what is known to have happened: labelled warnings, and events that were given."""

    events: int
    caught: int
    recall: float | None
    median_lead_seconds: float | None
    """Of the caught ones, from the warning to the event; negative: after it began."""
    false_known: int
    """Known false alarms."""
    false_again: int
    """Of those, how many the rule would raise again."""


class VersionChange(Frozen):
    """The version in force on the same history."""

    warnings: int
    a_week: float
    levels: dict[Level, int]
    only_before: int
    only_after: int
    both: int


class RuleReport(Frozen):
    """What a rule would have said."""

    rule: str
    version: str
    start: Instant
    end: Instant
    records: int
    seconds: float
    times_real: float | None
    warnings: int
    a_week: float
    open_at_end: int
    levels: dict[Level, int]
    days: list[DayCount]
    median_seconds: float | None
    p90_seconds: float | None
    entities: list[EntityCount]
    cases: dict[str, int]
    """Cases that it would have cost, by department."""
    overlaps: list[Overlap]
    events: EventScore | None
    before: VersionChange | None
    late: int
    errors: dict[str, int]
    cautions: list[Title] = []
    """Why the figures may flatter, or say nothing."""


class TriedThreshold(Frozen):
    """A lowest threshold, and how many warnings a week it gives."""

    threshold: float
    a_week: float


class NewBacktest(Frozen):
    """A wish to see what a rule would have said: one in force by ``rule``, or a ``draft`` as in ``rules.yaml``."""

    rule: str | None = Field(default=None, max_length=60)
    draft: dict[str, Any] | None = None
    start: Instant | None = None
    end: Instant | None = None
    a_week: float | None = Field(default=None, ge=0, le=100_000)
    """Wished warnings a week: thresholds are tried for it."""


class BacktestView(Frozen):
    """A backtest, at work or done."""

    id: str
    rule: str
    by: str
    at: Instant
    state: Literal["waiting", "running", "done", "stopped", "failed"]
    done: float
    """Share of the work, 0 to 1."""
    report: RuleReport | None = None
    proposal: list[TriedThreshold] | None = None
    """Thresholds that were tried for a wished number of warnings a week, the best first."""
    problem: str | None = None


class KeyChange(Frozen):
    """One key of a rule that differs; empty where it is not written."""

    key: str
    before: Any = None
    after: Any = None


class BacktestComparison(Frozen):
    """Two backtests of one rule, or of two rules, over the time that both looked at."""

    first: BacktestView
    second: BacktestView
    changes: list[KeyChange]
    """Keys in which the two rules differ."""
    start: Instant
    end: Instant
    both: int
    """Warnings of the second that were open together with one of the first at the same thing."""
    only_first: int
    only_second: int


class RuleWish(Frozen):
    """A change of one rule: its new declaration, an earlier version, or its end."""

    draft: dict[str, Any] | None = None
    rule: str | None = Field(default=None, max_length=60)
    revert_to: int | None = None
    withdraw: bool = False


class RulePlan(Frozen):
    """What a change would do. Nothing is written."""

    plan: str
    base: int
    rule: str
    action: Literal["added", "changed", "withdrawn"]
    changes: list[KeyChange]
    open_warnings: int
    """Open warnings of the rule: a withdrawal clears them, a change judges them anew."""
    used_by: list[str]
    """Rules that rest on it."""
    explanation: Title


class NewRuleVersion(RuleWish):
    """The change, with the plan that explained it."""

    plan: str
    base: int
    reason: str = Field(min_length=3, max_length=500)


class RuleVersionView(Frozen):
    """One version of a rule."""

    number: int
    version: str
    origin: Literal["changed", "withdrawn"]
    at: Instant
    by: str
    reason: str
    in_force: bool
    declaration: dict[str, Any] | None
    """As it was applied; empty where the rule was withdrawn."""


class RuleBookEntry(Frozen):
    """A rule as declared, and every version that was applied, the newest first."""

    rule: str
    declaration: dict[str, Any] | None
    """As in ``rules.yaml``; empty once it is withdrawn."""
    pack: dict[str, Any] | None
    """What the pack says, over which versions are applied; empty where no pack has the rule."""
    origin: Literal["pack", "changed", "withdrawn"]
    versions: list[RuleVersionView]
