"""What limits and their change tell the wire."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from cityloop.cases.schemas import MovedCase
from cityloop.city.content import ConditionLine
from cityloop.city.deadlines import LimitSource
from cityloop.city.limit_change import LimitsChange
from cityloop.core.values import Frozen, Instant, Title


class LimitLine(Frozen):
    """A matter of the catalogue with its limit, what the limit is written for, and its filing and closing rules."""

    matter: str
    code: str
    title: Title
    standard: str
    class_code: str
    class_title: Title
    limit: str | None
    source: LimitSource
    read_as: Title | None
    """What the limit text says, in words; ``None`` where there is none."""
    conditions: list[ConditionLine]


class LimitFilter(Frozen):
    """How the list of limits is narrowed; ``text`` is looked for in code, name, class and limit."""

    text: str = ""
    standard: str | None = None
    class_code: str | None = None
    source: LimitSource | None = None


class LimitsVersion(Frozen):
    """When which limits came into force, why, and how many open cases that moved."""

    version: int
    origin: Literal["content", "changed"]
    at: Instant
    by: str
    reason: str
    cases: int


class LimitsView(Frozen):
    """The limits in force, apart from the matters: where they come from, what holds for everything else."""

    version: int
    origin: Title | None
    fallback: str | None
    versions: list[LimitsVersion]
    """The newest first."""


class LimitsWish(Frozen):
    """Either a change on top of what is in force, or the version to go back to."""

    change: LimitsChange | None = None
    revert_to: int | None = Field(default=None, ge=1)
    open_cases: bool = False
    """Also move cases that were filed under the old limit; else they keep it, and only new ones get the other."""


class NewLimits(LimitsWish):
    """A change that was explained and is now wanted."""

    plan: str = Field(max_length=64)
    base: int
    reason: str = Field(min_length=2, max_length=400)


class MatterLimit(Frozen):
    """A matter whose limit or whose lines change."""

    matter: str
    title: Title
    before: str | None
    after: str | None
    lines_before: int
    lines_after: int


class LimitsEffect(Frozen):
    """What a change would do; nothing is written. ``plan`` ties the application to this explanation."""

    plan: str
    base: int
    matters: int
    """Matters that change; ``changes`` are the first 500 of them."""
    changes: list[MatterLimit]
    unfiled: int
    """Open cases of these matters that are not filed yet: they get the new limit when they are."""
    open_cases: int
    """Open cases that were filed with a matter whose limit changes."""
    cases: int
    """Those of them whose limit is the old one, in the whole city; they move where that is wished."""
    earlier: int
    later: int
    overdue_now: int
    """Cases that would become overdue."""
    shown: list[MovedCase]
    """The first 200 within the asker's sight, the earliest due first."""
