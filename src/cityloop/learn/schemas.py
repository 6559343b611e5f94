"""What models take and answer on the wire."""

from __future__ import annotations

from pydantic import Field

from cityloop.core.values import Frozen, Title


class Text(Frozen):
    """A report's words, before it has a matter."""

    title: str = Field(min_length=2, max_length=120)
    description: str = Field(default="", max_length=4000)


class Untrained(Frozen):
    """A model that could not be trained, and why."""

    name: str
    reason: str


class RiskReason(Frozen):
    """What a feature of a case adds to the log-odds of running late; below 0 it speaks for being on time."""

    feature: str
    title: Title
    value: Title
    weight: float


class RiskView(Frozen):
    """The chance of missing the limit with its weightiest reasons; no reasons while there is no estimate."""

    model: str | None
    risk: float | None
    reasons: list[RiskReason]
    note: Title
