"""What ``evaluation.yaml`` may say: steps, marks, exemptions, counts, indicators and schemes, as frozen values."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from cityloop.core.values import Frozen, Title

ObjectKind = Literal["department", "area", "post", "person"]
MarkName = Literal[
    "rework", "returned", "extended", "suspended", "supervised",
    "filed", "deferred", "voided", "forced", "appealed", "exempt",
]  # fmt: skip
COUNTERS = ("rework", "returned", "extended", "suspended", "supervised")
"""Marks that are counted on the step they belong to."""
FLAGS = ("filed", "deferred", "voided", "forced", "appealed", "exempt")
"""Marks that hold for the whole case."""
Moment = Literal["began", "ended", "due", "standing"]
"""The instant by which a period selects a step; ``standing``: it has begun and is not over when the period ends."""
_ID = r"^[^\W\d]\w*$"


class StepDef(Frozen):
    """A step of the flow: a clock of the workflow, a pair of moves, one move, or the whole case."""

    id: str = Field(pattern=_ID)
    title: Title
    clock: str | None = None
    begins: tuple[str, ...] = ()
    ends: tuple[str, ...] = ()
    """Without ``ends`` a step that begins is over at once."""
    whole: bool = False
    by: tuple[str, ...] = ()
    """Moves whose actor did the work; by default it is the one who ended the step."""

    @model_validator(mode="after")
    def _one_kind(self) -> StepDef:
        if sum([self.clock is not None, bool(self.begins), self.whole]) != 1:
            raise ValueError("a step has exactly one of: clock, begins, whole")
        return self


class MarkDef(Frozen):
    """Something that moves note: on the last run of some steps, or (a flag) on every step of the case.

    Moves are named themselves or by an effect that the workflow gives them.
    """

    mark: MarkName
    moves: tuple[str, ...] = ()
    effects: tuple[str, ...] = ()
    undo: tuple[str, ...] = ()
    steps: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _steps_of_a_counter(self) -> MarkDef:
        if not self.moves and not self.effects:
            raise ValueError("a mark names moves or effects")
        if (self.mark in COUNTERS) != bool(self.steps):
            raise ValueError(f"{', '.join(COUNTERS)} name their steps; {', '.join(FLAGS)} hold for the whole case")
        if self.undo and self.mark in COUNTERS:
            raise ValueError("what is counted is not undone")
        return self


class ExemptionDef(Frozen):
    """Cases that are counted otherwise than they happened. The fact stays; both figures are shown."""

    id: str = Field(pattern=_ID)
    title: Title
    where: str
    effect: Literal["leave_out", "on_time", "late"]


class CountDef(Frozen):
    """A counting fact: how many runs of a step fulfil a condition, at which of their instants."""

    id: str = Field(pattern=_ID)
    title: Title
    step: str
    at: tuple[Moment, ...] = Field(min_length=1)
    where: str = "true"
    sum: str | None = None
    """Add this up instead of counting 1."""
    weights: dict[str, dict[str, float]] = Field(default_factory=dict)
    """Column → value → weight; other values weigh 1."""
    exemptions: tuple[str, ...] = ()

    @field_validator("at", mode="before")
    @classmethod
    def _one_or_many(cls, value: Any) -> Any:
        return [value] if isinstance(value, str) else value


class IndicatorDef(Frozen):
    """A formula over counts, in one version. Its value is numerator over denominator, as an exact fraction."""

    id: str = Field(pattern=_ID)
    version: str = Field(default="1", min_length=1, max_length=20)
    title: Title
    description: Title | None = None
    numerator: str
    denominator: str | None = None
    unit: str = "%"
    better: Literal["higher", "lower"] = "higher"
    minimum_sample: int | None = Field(default=None, ge=0)
    """Smallest denominator that is ranked; by default the scheme's."""
    decimals: int = Field(default=2, ge=0, le=6)
    clause: str = ""
    """Where the formula comes from: standard and clause, city, or practice."""

    @property
    def key(self) -> str:
        """How a scheme pins this version."""
        return f"{self.id}@{self.version}"


class ThresholdDef(Frozen):
    """Full points from ``full_at`` (a share), else some points less for each percentage point below."""

    full_at: float
    per_point: float = Field(default=1, ge=0)
    whole: bool = False
    """Only full percentage points count."""


class BandDef(Frozen):
    """A score for values that equal, lie below, or reach up to a bound; without a bound it is for the rest."""

    equal: float | None = None
    below: float | None = None
    upto: float | None = None
    score: float

    @model_validator(mode="after")
    def _at_most_one(self) -> BandDef:
        if sum(bound is not None for bound in (self.equal, self.below, self.upto)) > 1:
            raise ValueError("a band has at most one of: equal, below, upto")
        return self


class DeductDef(Frozen):
    """Points off for what exceeds ``free``: ``each`` for one, or for every full ``step`` of them."""

    each: float = Field(ge=0)
    free: float = 0
    step: float | None = Field(default=None, gt=0)
    cap: float | None = Field(default=None, ge=0)


class ItemDef(Frozen):
    """One line of a scheme: an indicator and how its value becomes points."""

    id: str = ""
    title: Title | None = None
    indicator: str
    points: float = Field(default=0, ge=0)
    score: Literal["rate", "inverse"] | None = None
    formula: str | None = None
    threshold: ThresholdDef | None = None
    bands: tuple[BandDef, ...] = ()
    deduct: DeductDef | None = None
    floor: float | None = None
    cap: float | None = None
    bonus: bool = False
    """Comes on top of the total."""

    @model_validator(mode="before")
    @classmethod
    def _named(cls, value: Any) -> Any:
        if isinstance(value, dict) and not value.get("id") and isinstance(value.get("indicator"), str):
            return {**value, "id": value["indicator"].split("@")[0]}
        return value

    @model_validator(mode="after")
    def _one_way(self) -> ItemDef:
        ways = (self.score, self.formula, self.threshold, self.bands or None, self.deduct)
        if sum(way is not None for way in ways) > 1:
            raise ValueError("an item has at most one of: score, formula, threshold, bands, deduct")
        return self


class GradeDef(Frozen):
    """A grade from a score upwards, and its colour."""

    id: str = Field(pattern=_ID)
    title: Title
    least: float
    colour: str = Field(pattern=r"^(#[0-9a-fA-F]{6}|[a-z]{3,20})$")


class SchemeDef(Frozen):
    """Indicators weighed into one score, with what decides about ranks and grades."""

    id: str = Field(pattern=r"^[a-z][a-z0-9_-]*$")
    version: str = Field(default="1", min_length=1, max_length=20)
    title: Title
    objects: tuple[ObjectKind, ...] = Field(min_length=1)
    total: float = Field(default=100, gt=0)
    items: tuple[ItemDef, ...] = Field(min_length=1)
    minimum_sample: int = Field(default=1, ge=0)
    undefined: Literal["rescale", "leave_out"] = "rescale"
    """An item without a value: the rest is scaled to the total, or its points are lost."""
    tie: tuple[str, ...] = ()
    """Counts that decide between equal scores, more is better; what is equal then shares its rank."""
    grades: tuple[GradeDef, ...] = ()
    listed: tuple[str, ...] = ()
    """Counts whose cases every report lists, such as forced closings."""


class Evaluation(Frozen):
    """One ``evaluation.yaml``."""

    steps: tuple[StepDef, ...] = ()
    marks: tuple[MarkDef, ...] = ()
    exemptions: tuple[ExemptionDef, ...] = ()
    counts: tuple[CountDef, ...] = ()
    indicators: tuple[IndicatorDef, ...] = ()
    schemes: tuple[SchemeDef, ...] = ()
    attributes: dict[ObjectKind, dict[str, dict[str, float]]] = Field(default_factory=dict)
    """Object → id → name → number, for formulas: population, area, quota."""


class SchemeDocument(Frozen):
    """A scheme with everything that its figures depend on: stored, so that a version never changes."""

    scheme: SchemeDef
    indicators: dict[str, IndicatorDef]
    """By the name that the items use."""
    counts: dict[str, CountDef]
    exemptions: dict[str, ExemptionDef]
