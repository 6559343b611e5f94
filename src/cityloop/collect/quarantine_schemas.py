"""What quarantine takes and answers on the wire."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, model_validator

from cityloop.collect.schemas import Rejection
from cityloop.core.values import Frozen, Instant, Title

QuarantineState = Literal["open", "corrected", "settled", "discarded"]
"""``open``: refused; ``corrected``: waits to be tried again; ``settled``: in the lake; ``discarded``: given up."""
STATES: tuple[QuarantineState, ...] = ("open", "corrected", "settled", "discarded")
ReplayState = Literal["running", "done", "stopped", "failed"]
Scalar = str | int | float | bool | None


class Selection(Frozen):
    """Which records: all that fit every part that is given. ``end`` is not part of the period of arrival."""

    ids: tuple[str, ...] = Field(default=(), max_length=10_000)
    feed: str | None = None
    rule: str | None = None
    department: str | None = None
    state: tuple[QuarantineState, ...] = ()
    start: Instant | None = None
    end: Instant | None = None
    text: str | None = Field(default=None, max_length=60)


class ReplayOrder(Frozen):
    """Which records to try again; at least one part is given."""

    ids: tuple[str, ...] = Field(default=(), max_length=10_000)
    feed: str | None = None
    rule: str | None = None
    department: str | None = None
    start: Instant | None = None
    end: Instant | None = None

    @model_validator(mode="after")
    def _something(self) -> ReplayOrder:
        if not self.model_dump(exclude_defaults=True):
            raise ValueError("name ids, a feed, a rule, a department or a period")
        return self

    def selection(self) -> Selection:
        """The records that can be tried again."""
        return Selection(**self.model_dump(), state=("open", "corrected"))


class CorrectionOrder(Frozen):
    """A correction: fields that differ from what was sent, and why. With ``replay`` the record is tried at once."""

    fields: dict[str, Scalar] = Field(min_length=1, max_length=200)
    why: str = Field(min_length=1, max_length=500)
    replay: bool = False


class DiscardOrder(Frozen):
    """Why a record is given up."""

    why: str = Field(min_length=1, max_length=500)


class Correction(Frozen):
    """The newest correction; it is laid over what was sent."""

    fields: dict[str, Scalar]
    by: str
    at: Instant
    why: str


class QuarantineView(Frozen):
    """A bad record, whole, with the reasons of the latest attempt."""

    id: str
    feed: str
    department: str
    batch: str
    index: int
    received_at: Instant
    raw: str
    rules: list[str]
    reasons: list[Rejection]
    state: QuarantineState
    record: str | None
    replay: str | None
    """The replay that holds the record just now."""
    correction: Correction | None


class QuarantineAct(Frozen):
    """One thing that happened to the record; ``refused`` tells the first reasons once there are later ones."""

    act: Literal["refused", "corrected", "discarded", "failed", "settled"]
    at: Instant
    by: str
    why: str | None = None
    fields: dict[str, Scalar] = {}
    replay: str | None = None
    record: str | None = None
    reasons: list[Rejection] = []


class QuarantineDetail(QuarantineView):
    """A bad record with all that can be done to it and all that was done."""

    fields: list[str]
    """Fields that the feed reads."""
    sent: dict[str, Any] | None
    """What was sent, field by field; ``null`` when it is no JSON object."""
    present: dict[str, Any]
    """The same with the correction laid over it."""
    history: list[QuarantineAct]


class Counts(Frozen):
    """Records by what became of them."""

    total: int = 0
    open: int = 0
    corrected: int = 0
    settled: int = 0
    discarded: int = 0


class RuleCounts(Counts):
    """Records that broke one rule."""

    rule: str


class FeedCounts(Counts):
    """Records of one feed; one with two reasons counts under each of its rules."""

    feed: str
    title: Title
    department: str
    rules: list[RuleCounts]


class QuarantineSummary(Frozen):
    """Counts by feed and rule."""

    total: int
    by_state: dict[QuarantineState, int]
    feeds: list[FeedCounts]


class ReplayView(Frozen):
    """A replay and how far it has come. ``duplicate`` (part of ``settled``) were in the lake by another record."""

    id: str
    state: ReplayState
    by: str
    started_at: Instant
    ended_at: Instant | None
    selection: dict[str, Any]
    total: int
    done: int
    settled: int
    failed: int
    duplicate: int
    error: str | None
