"""What is asked, and answered, about a change."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, model_validator

from cityloop.analyse.charts import Chart
from cityloop.analyse.schemas import Filter
from cityloop.core.values import Frozen, Instant, Title


class Period(Frozen):
    """From ``start`` (inclusive) to ``end`` (exclusive)."""

    start: Instant
    end: Instant

    @model_validator(mode="after")
    def _in_order(self) -> Period:
        if self.start >= self.end:
            raise ValueError("the period is empty: 'end' lies after 'start'")
        return self


class ExplainRequest(Frozen):
    """Why did ``metric`` change in ``period``? Without ``dimensions`` all of the metric are tried."""

    metric: str
    period: Period
    against: Literal["previous", "year"] | Period = "previous"
    dimensions: list[str] = Field(default=[], max_length=8)
    filters: list[Filter] = Field(default=[], max_length=20)
    limit: int = Field(default=5, ge=1, le=50)
    """Most parts of each dimension that are named."""


class ChangePart(Frozen):
    """One part and what it did to the change: ``mix + rate = total``, in the unit of the metric."""

    value: str | None
    title: Title
    now: float | None
    before: float | None
    weight_now: float | None
    weight_before: float | None
    mix: float
    rate: float
    total: float


class SplitView(Frozen):
    """The change, split by one dimension. ``focus`` is 1 where one part alone explains it, 0 where all moved alike."""

    dimension: str
    title: Title
    focus: float
    parts: list[ChangePart]
    rest: float
    """What all parts that are not named did together."""


class Behind(Frozen):
    """The things behind the part that moved most: cases, warnings or observed entities."""

    kind: Literal["case", "warning", "entity"]
    ids: list[str]
    more: bool
    dimension: str | None = None
    value: str | None = None


class ExplainResult(Frozen):
    """The change and its explanation. Without ``splits`` it could not be taken apart; ``words`` say why."""

    metric: str
    title: Title
    unit: str
    format: str
    period: Period
    against: Period
    now: float | None
    before: float | None
    change: float | None
    change_rate: float | None
    splits: list[SplitView]
    behind: Behind | None
    words: Title
    chart: Chart
    rows: list[list[Any]]
    """What the chart draws: part, mix, rate, total."""
    freshness: Instant | None
    scope: list[str]
