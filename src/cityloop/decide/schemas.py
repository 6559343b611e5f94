"""What decisions tell the wire and other rooms."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from cityloop.core.values import Frozen, Instant, Title

DecisionOutcome = Literal["matched", "none", "error"]


class Answer(Frozen):
    """A decision that was made. ``rules`` are the ids that matched in the table asked for, in order."""

    id: str
    table: str
    version: int
    inputs: dict[str, Any]
    outputs: dict[str, Any] | list[Any]
    rules: tuple[str, ...]
    outcome: DecisionOutcome
    reasons: list[Title]


class TableHit(Frozen):
    """The rules that matched in one table on the way to the answer."""

    table: str
    rules: list[str]
    default: bool


class TableTrial(Frozen):
    """An answer that is not kept. ``hits`` are those of every table on the way."""

    inputs: dict[str, Any]
    outputs: dict[str, Any] | list[Any]
    rules: list[str]
    outcome: DecisionOutcome
    reasons: list[Title]
    hits: list[TableHit]


class TableInput(Frozen):
    """What a table must be given. ``values`` are those of an enumeration; ``allowed`` is the test as written."""

    name: str
    title: Title
    type: str
    values: list[Any]
    allowed: str


class TableFinding(Frozen):
    """Something about a table: an error keeps it from coming into force."""

    code: str
    weight: Literal["error", "warning", "note"]
    decision: str
    rules: list[str]
    example: dict[str, Any]
    said: Title
    remedy: Title


class FileFault(Frozen):
    """One thing that is wrong with a file, at its place."""

    where: str
    code: str
    said: Title
    remedy: Title


class TableCheck(Frozen):
    """What a check found; ``sound`` when nothing keeps the table from coming into force."""

    sound: bool
    table: str | None
    faults: list[FileFault]
    findings: list[TableFinding]
    inputs: list[TableInput]


class TableVersion(Frozen):
    """When which text came into force, and why."""

    version: int
    origin: Literal["content", "changed"]
    at: Instant
    by: str
    reason: str


class DecisionTableLine(Frozen):
    """A table in the list. ``counts`` are its stored decisions by outcome."""

    id: str
    title: Title
    pack: str
    version: int
    changed_at: Instant
    rules: int
    policy: str
    counts: dict[str, int]
    warnings: int


class DecisionTableView(Frozen):
    """A table in force with its text."""

    id: str
    title: Title
    pack: str
    version: int
    xml: str
    inputs: list[TableInput]
    findings: list[TableFinding]
    versions: list[TableVersion]


class TableVersionView(TableVersion):
    """An old version with its text."""

    xml: str


class TrialWish(Frozen):
    """Inputs by name, and a text that is to be tried instead of the one in force."""

    inputs: dict[str, Any] = Field(max_length=200)
    xml: str | None = Field(default=None, max_length=1_000_000)


class TableText(Frozen):
    """The text of a file."""

    xml: str = Field(max_length=1_000_000)


class ChangeWish(TableText):
    """A text to be explained by the decisions of the last ``days``."""

    days: int = Field(default=90, ge=1, le=3660)


class NewTable(TableText):
    """A change that was explained and is now wanted; ``base`` is the version that it was made from."""

    base: int
    reason: str = Field(min_length=2, max_length=400)


class RuleCount(Frozen):
    """How many of the past decisions a rule would have made. ``before`` counts those that it made."""

    rule: str
    before: int
    after: int


class OtherAnswer(Frozen):
    """A past decision that would come out differently."""

    id: str
    at: Instant
    subject: str
    inputs: dict[str, Any]
    before: dict[str, Any] | list[Any]
    after: dict[str, Any] | list[Any]
    outcome_before: DecisionOutcome
    outcome_after: DecisionOutcome
    rules_before: list[str]
    rules_after: list[str]


class ChangeExplained(Frozen):
    """What a changed table would have decided; nothing is written."""

    base: int
    check: TableCheck
    decisions: int
    different: int
    errors_before: int
    errors_after: int
    unmatched_before: int
    unmatched_after: int
    rules: list[RuleCount]
    shown: list[OtherAnswer]
    """The newest 100 within the asker's sight."""


class DecisionFilter(Frozen):
    """Which decisions of the log are wanted."""

    table: str | None = None
    outcome: DecisionOutcome | None = None
    subject: str | None = None
    rule: str | None = None
    actor: str | None = None
    start: Instant | None = None
    end: Instant | None = None


class DecisionLine(Frozen):
    """One decision of the log."""

    id: str
    at: Instant
    table: str
    title: Title
    version: int
    subject: str
    actor: str
    outcome: DecisionOutcome
    outputs: dict[str, Any] | list[Any] | None
    rules: list[str]


class DecisionView(DecisionLine):
    """One decision with all that it rests on; what the asker's post covers is null."""

    inputs: dict[str, Any] | None
    reasons: list[Title]
    hits: list[TableHit]
    digest: str
