"""What the steward's room says on the wire about changes of the standard."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from cityloop.core.values import Frozen, Instant, Title
from cityloop.steward.submission import TextFile

DependantKind = Literal[
    "dataset", "feed", "source", "rule", "metric", "dimension", "tile", "inspection", "grant", "quarantine"
]


class PlanRequest(Frozen):
    """A set to be planned; ``trial``: how many recent records of each feed are tried, 0 for none."""

    files: list[TextFile] = Field(min_length=1, max_length=50)
    trial: int = Field(default=200, ge=0, le=1000)


class ApplyRequest(Frozen):
    """A set to be applied, why, and the hash of the plan that was looked at."""

    files: list[TextFile] = Field(min_length=1, max_length=50)
    reason: str = Field(min_length=1, max_length=500)
    hash: str = Field(max_length=64)


class RestoreRequest(Frozen):
    """Why a former version is brought back."""

    reason: str = Field(min_length=1, max_length=500)


class ChangeView(Frozen):
    """One difference, key by key. ``id`` is the path of the part."""

    kind: str
    id: str
    title: Title
    what: Literal["added", "removed", "changed"]
    keys: list[str]
    before: Any
    after: Any
    breaking: bool
    reason: Title


class Dependant(Frozen):
    """Something that rests on a changed part (``on`` is the change's id); ``breaks``: it would not work any more."""

    kind: DependantKind
    id: str
    title: Title
    on: str
    breaks: bool
    why: Title
    count: int | None = None
    link: str | None = None


class TrialExample(Frozen):
    """One record whose verdict changes, with the reasons on both sides; none means accepted."""

    source: Literal["accepted", "quarantined"]
    id: str
    before: list[str]
    after: list[str]


class FeedTrial(Frozen):
    """What the change does to the newest records of one feed."""

    feed: str
    title: Title
    tried_accepted: int
    now_refused: int
    tried_quarantined: int
    now_accepted: int
    examples: list[TrialExample]
    note: Title | None


class Plan(Frozen):
    """Everything to know before applying. ``hash`` stands for the set and for what it was planned against."""

    hash: str
    base: int
    applicable: bool
    changes: list[ChangeView]
    dependants: list[Dependant]
    trial: list[FeedTrial]
    faults: list[str] = []


class VersionLine(Frozen):
    """One applied version; 0 are the packs alone. ``restored``: it brought that version back."""

    number: int
    by: str
    by_name: Title
    at: Instant | None
    reason: str
    restored: int | None
    changes: int
    breaking: int
    current: bool


class VersionView(VersionLine):
    """A version with what was sent, what it changed, and all that stands beyond the packs in it."""

    diff: list[ChangeView]
    files: list[TextFile]
    overlay: list[TextFile]
