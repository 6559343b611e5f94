"""What evaluate takes and answers on the wire."""

from __future__ import annotations

from datetime import date
from typing import Any, Literal

from pydantic import Field

from cityloop.city.schemas import AreaLevel
from cityloop.core.values import Frozen, Instant, Title
from cityloop.evaluate.declarations import CountDef, ExemptionDef, IndicatorDef, ItemDef, ObjectKind, SchemeDocument
from cityloop.evaluate.periods import PeriodKind

Number = int | float
Side = Literal["numerator", "denominator"]


class Wanted(Frozen):
    """Which board: object, period, version. Empty values take what the scheme and the city's day suggest."""

    object: ObjectKind | None = None
    level: AreaLevel = "district"
    period: PeriodKind = "month"
    at: date | None = None
    version: str | None = None
    live: bool = False


class StepView(Frozen):
    """A step of the flow."""

    id: str
    title: Title


class IndicatorView(IndicatorDef):
    """An indicator in force, with the counts it is made of and where it was declared."""

    counts: list[str]
    origin: str


class IndicatorList(Frozen):
    """Indicators in force, and what they are made of."""

    indicators: list[IndicatorView]
    counts: list[CountDef]
    exemptions: list[ExemptionDef]
    steps: list[StepView]


class SchemeVersionView(Frozen):
    """One version of a scheme."""

    version: str
    origin: Literal["content", "changed"]
    created_at: Instant
    created_by: str
    reason: str


class EvaluationSchemeView(Frozen):
    """A scheme in force and all its versions, the newest first."""

    id: str
    title: Title
    objects: list[ObjectKind]
    version: str
    versions: list[SchemeVersionView]
    document: SchemeDocument


class PeriodView(Frozen):
    """A period: instants (the end excluded) and days (both included)."""

    kind: PeriodKind
    start: Instant
    end: Instant
    first: date
    last: date
    title: Title


class ScoreColumnView(Frozen):
    """One item of a scheme as a column of the board."""

    id: str
    title: Title
    indicator: str
    indicator_version: str
    unit: str
    better: Literal["higher", "lower"]
    points: Number
    bonus: bool
    decimals: int
    clause: str
    numerator: str
    denominator: str | None


class GradeView(Frozen):
    """A grade with its colour."""

    id: str
    title: Title
    colour: str
    least: Number


class ItemView(Frozen):
    """One figure: as exemptions decide, as it happened, and what it adds to the score."""

    id: str
    value: Number | None
    shown: str
    numerator: Number | None
    denominator: Number | None
    raw_value: Number | None
    raw_shown: str
    raw_numerator: Number | None
    raw_denominator: Number | None
    enough: bool
    before_value: Number | None
    points: Number
    score: Number | None
    how: str


class Before(Frozen):
    """The same object in the period before."""

    score: Number | None
    rank: int | None


class Row(Frozen):
    """One object of the board; ``rank_change`` above 0 means that it moved up."""

    id: str
    title: Title
    rank: int | None
    shared: bool
    score: Number | None
    grade: GradeView | None
    ranked: bool
    why_unranked: Title | None
    before: Before | None
    score_change: Number | None
    rank_change: int | None
    items: list[ItemView]


class PublishedView(Frozen):
    """When and by whom a result was published, and with which version."""

    id: str
    at: Instant
    by: str
    version: str


class Board(Frozen):
    """A scoreboard of one period."""

    scheme: str
    title: Title
    version: str
    object: ObjectKind
    level: AreaLevel | None
    period: PeriodView
    previous: PeriodView
    as_of: Instant
    published: PublishedView | None
    complete: bool
    minimum_sample: int
    maximum: Number
    columns: list[ScoreColumnView]
    grades: list[GradeView]
    rows: list[Row]
    total: Row
    count: int
    page: int
    size: int
    scope: str
    partial: bool
    """The figures hold only what the asker may see, because it does not follow the objects of the board."""


class FigureCase(Frozen):
    """A case behind a figure, with the step that was counted (the last, when there were several)."""

    id: str
    number: str
    title: str
    state: str
    matter: str
    department: str | None
    department_title: Title | None
    area: str | None
    area_title: Title | None
    opened_at: Instant
    closed_at: Instant | None
    on_time: bool | None
    counts: list[str]
    times: int
    """How many steps of the case were counted."""
    began_at: Instant
    ended_at: Instant | None
    due_at: Instant | None
    late: bool | None
    exemptions: list[str]


class SchemeChange(Frozen):
    """What differs from the version it is based on."""

    points: dict[str, float] = Field(default_factory=dict)
    items: list[ItemDef] | None = None
    minimum_sample: int | None = Field(default=None, ge=0)
    undefined: Literal["rescale", "leave_out"] | None = None
    tie: list[str] | None = None
    grades: list[dict[str, Any]] | None = None
    total: float | None = Field(default=None, gt=0)
    indicators: list[IndicatorDef] = Field(default_factory=list)


class WhatIf(Frozen):
    """A changed scheme over past periods."""

    change: SchemeChange
    base: str | None = None
    object: ObjectKind | None = None
    level: AreaLevel = "district"
    period: PeriodKind = "month"
    first: date = Field(alias="from")
    last: date = Field(alias="to")


class Standing(Frozen):
    """Score, rank and grade under one version."""

    score: Number | None
    rank: int | None
    grade: str | None


class WhyMoved(Frozen):
    """An addend that differs."""

    item: str
    title: Title
    before: Number | None
    after: Number | None
    points_before: Number | None
    points_after: Number | None


class MovedRow(Frozen):
    """An object before and after; ``none``: it has no rank in one of the two."""

    id: str
    title: Title
    before: Standing
    after: Standing
    moved: Literal["up", "down", "same", "none"]
    why: list[WhyMoved]


class MovedPeriod(Frozen):
    """One past period under both versions."""

    period: PeriodView
    published: str | None
    rows: list[MovedRow]


class WhatIfView(Frozen):
    """What a change would have done. Nothing is written; ``plan`` is what applying it asks for."""

    plan: str
    base: str
    document: SchemeDocument
    summary: dict[str, int]
    periods: list[MovedPeriod]


class NewVersion(Frozen):
    """A change that was explained by a what-if, to be put into force."""

    plan: str
    base: str
    version: str = Field(min_length=1, max_length=20, pattern=r"^[\w.-]+$")
    change: SchemeChange
    reason: str = Field(min_length=2, max_length=500)


class Publish(Frozen):
    """Which result is to be frozen."""

    object: ObjectKind | None = None
    level: AreaLevel = "district"
    period: PeriodKind = "month"
    at: date
