"""What crosses the wire about rules that are being written: drafts, their faults, what they say of the last hours."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from cityloop.core.values import Frozen, Instant, Title
from cityloop.watch.rule_schemas import KeyChange
from cityloop.watch.schemas import Level


class RuleDraft(Frozen):
    """A rule that is being written: as a ``draft`` (JSON), or as ``text`` (YAML); one of the two."""

    draft: dict[str, Any] | None = None
    text: str | None = Field(default=None, max_length=40_000)


class DraftFault(Frozen):
    """What is wrong at one key; ``line`` counts from 1 in the text."""

    key: str
    what: str
    mend: str
    line: int


class DraftCheck(Frozen):
    """The same rule in both forms, and every fault."""

    draft: dict[str, Any] | None
    """Empty where the text is no mapping at all."""
    text: str
    faults: list[DraftFault]
    new: bool
    """No rule of that id is in force."""
    changes: list[KeyChange]
    """Against the rule in force; empty while there are faults."""


class NewPreview(RuleDraft):
    """What a draft would have said of the last ``hours``."""

    hours: int = Field(default=24, ge=1, le=72)


class PreviewEpisode(Frozen):
    """One warning as it would have been."""

    entity: str
    title: Title
    raised_at: Instant
    ended_at: Instant | None
    peak: Level


class RulePreview(Frozen):
    """What a draft would have said; the newest episodes first, at most 200."""

    start: Instant
    end: Instant
    records: int
    late: int
    warnings: int
    open_at_end: int
    levels: dict[Level, int]
    episodes: list[PreviewEpisode]
    errors: dict[str, int]
    caution: Title | None
    """Why it could judge nothing: there is no model for it."""
