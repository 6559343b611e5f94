"""What crosses the wire: items, applications for officers, applications for whoever holds number and code, rates."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from cityloop.approve.declarations import ItemField
from cityloop.approve.judging import State
from cityloop.approve.moves import Check, Move
from cityloop.core.values import Frozen, Instant, Title
from cityloop.core.words import Words

Channel = Literal["citizen", "desk"]


class ApprovalItem(Frozen):
    """An item as anybody may read it: what it is, its form, and what is compared with registers."""

    id: str
    title: Title
    description: Title
    answer_within: Title | None
    department: str
    department_title: Title
    fields: list[ItemField]
    evidence: list[Title]
    limit: str
    appeal_days: int
    sample: bool
    """Whether it is decided on registers of invented people."""


class ApplicationWish(Frozen):
    """An application: the item and the values of its form, by field."""

    item: str = Field(max_length=40)
    values: dict[str, Any] = Field(max_length=60)


class ApplicationResult(Frozen):
    """A further result, such as an amount with its unit."""

    id: str
    title: Title
    value: str | int | float | bool
    unit: str | None


class ApplicationReceipt(Frozen):
    """Number and secret code, told only this once, with the answer where a machine gave it."""

    number: str
    code: str
    state: State
    state_title: Title
    instant: bool
    reasons: list[Title]
    results: list[ApplicationResult]
    expected_at: Instant | None


class ApplicationStep(Frozen):
    """One thing that happened, as the applicant is told."""

    title: Title
    at: Instant
    reason: str


class PublicApplication(Frozen):
    """How an application stands, for whoever has its code; nothing that a register says."""

    number: str
    item: str
    item_title: Title
    department_title: Title
    state: State
    state_title: Title
    instant: bool
    reasons: list[Title]
    results: list[ApplicationResult]
    applied_at: Instant
    answered_at: Instant | None
    expected_at: Instant | None
    steps: list[ApplicationStep]
    can_appeal: bool


class Appeal(Frozen):
    """Why the applicant thinks that the answer is wrong."""

    code: str = Field(max_length=40)
    words: Words = Field(min_length=2, max_length=1000)


class ApplicationLine(Frozen):
    """An application in a list."""

    id: str
    number: str
    item: str
    item_title: Title
    department: str
    area: str | None
    state: State
    instant: bool
    proposal: str | None
    check: Check
    applied_at: Instant
    answered_at: Instant | None
    due_at: Instant | None
    check_due_at: Instant | None
    late: bool
    appeals: int


class ApplicationValue(Frozen):
    """One field of an application; ``value`` is covered where the asker may not see it."""

    id: str
    title: Title
    value: Any
    shown: Title | None
    """The title of a choice or area."""
    filled: bool
    differs: bool


class ApplicationColumn(Frozen):
    """One column that was read from a register; ``field`` is the field of the form that it was compared with."""

    id: str
    title: Title
    value: Any
    field: str | None
    same: bool | None


class ApplicationEvidence(Frozen):
    """What one register said when the application came in."""

    id: str
    title: Title
    register_title: Title
    department: str
    purpose: Title
    status: str
    why: Title | None
    sample: bool
    values: list[ApplicationColumn]


class ApplicationFact(Frozen):
    """One input of the decision table."""

    id: str
    title: Title
    value: Any


class ApplicationDoubt(Frozen):
    """Why no machine answered."""

    code: str
    title: Title
    about: str


class ApplicationEntry(Frozen):
    """One line of the timeline."""

    at: Instant
    actor: str
    actor_name: Title
    move: str
    title: Title
    from_state: str
    state: State
    reason: str


class ApplicationView(ApplicationLine):
    """An application with everything that was decided on it."""

    post: str
    channel: Channel
    form: list[ApplicationValue]
    evidence: list[ApplicationEvidence]
    facts: list[ApplicationFact]
    doubts: list[ApplicationDoubt]
    decision: str | None
    table: str
    table_version: str | None
    rules: list[str]
    reasons: list[Title]
    results: list[ApplicationResult]
    decided_by: str | None
    decided_by_name: Title | None
    checked_by: str | None
    checked_at: Instant | None
    timeline: list[ApplicationEntry]
    moves: list[Move]
    version: int


class ApplicationMove(Frozen):
    """One move of an officer, from the version that he saw."""

    move: Move
    reason: Words = Field(default="", max_length=1000)
    version: int | None = None


class ApplicationFilter(Frozen):
    """Which applications are wanted."""

    item: str | None = None
    state: State | None = None
    check: Check | None = None
    late: bool | None = None
    instant: bool | None = None
    q: str | None = None


class Reproduced(Frozen):
    """Facts and answer worked out once more from what was kept: the same, or what differs."""

    same: bool
    facts_same: bool
    answer_same: bool | None
    """``None`` where no machine answered, or its table is no longer kept."""
    differences: list[str]


class ItemRates(Frozen):
    """What became of the applications of an item within a period. Shares are of ``applied``, 0 to 1."""

    item: str
    item_title: Title
    applied: int
    instant: int
    handed: int
    granted: int
    refused: int
    revoked: int
    appealed: int
    overturned: int
    """Granted on appeal."""
    checked: int
    check_failed: int
    late: int
    instant_share: float | None
    handed_share: float | None
    check_failed_share: float | None
    median_seconds: float | None
    """Half of all answers took no longer, from the application on."""
