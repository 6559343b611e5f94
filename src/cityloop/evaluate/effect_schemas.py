"""What is asked and answered about the effect of an action."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field, model_validator

from cityloop.core.values import Frozen, Instant, Title
from cityloop.evaluate.effects import Verdict


class EffectAsked(Frozen):
    """Which figure, of which units, in whose area, from when to when."""

    metric: str = Field(max_length=60)
    by: str = Field(max_length=60)
    """The dimension that tells units apart: ``station``, ``district``, ``department`` …"""
    area: str | None = Field(default=None, max_length=40)
    """Units inside of it were acted upon, the others are the control."""
    treated: tuple[str, ...] = Field(default=(), max_length=500)
    """The units acted upon, by name, instead of an area."""
    start: Instant
    end: Instant
    before_days: int = Field(default=14, ge=2, le=60)

    @model_validator(mode="after")
    def _sound(self) -> EffectAsked:
        if self.end <= self.start:
            raise ValueError("the action must end after it began")
        if not self.area and not self.treated:
            raise ValueError("say whom the action touched: an area, or units")
        return self


class EffectPoint(Frozen):
    """One hour: what was measured in the treated units, and what was to be expected without the action."""

    at: Instant
    measured: float | None
    without: float | None


class MeasuredEffect(Frozen):
    """An estimate with everything that it rests on."""

    metric: str
    title: Title
    unit: str
    higher_is_better: bool | None
    verdict: Verdict
    effect: float | None
    low: float | None
    high: float | None
    confidence: float
    observed: float | None
    expected: float | None
    start: Instant
    end: Instant
    before: Instant
    spans: int
    """Spans without an action, as long as the action, from which the uncertainty was measured."""
    share: float
    treated: list[str]
    control: list[str]
    cautions: list[Title]
    points: list[EffectPoint]


class RunSpan(Frozen):
    """What a run tells of itself: where and when it acted, and the figure that its plan wants to change."""

    area: str | None
    start: datetime
    end: datetime | None
    metric: str | None
    by: str | None
