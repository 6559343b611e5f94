"""Approvals: who may answer, and what the answers come to; pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from cityloop.core.values import Title
from cityloop.linkage.phrases import PHRASES

Verdict = Literal["open", "approved", "rejected"]
Answer = Mapping[str, Any]
"""One given answer: ``by``, ``name``, ``answer``, ``note``, ``at``."""


def why_not(actor: str, requested_by: str | None, answers: Sequence[Answer]) -> Title | None:
    """Why somebody may not answer, ``None`` when he may: nobody answers twice, or what he asked for himself."""
    if actor == requested_by:
        return PHRASES.what("own-request")
    if any(answer["by"] == actor for answer in answers):
        return PHRASES.what("answered-already")
    return None


def verdict(levels: int, answers: Sequence[Answer]) -> Verdict:
    """One refusal refuses; every level needs another person's approval."""
    if any(answer["answer"] == "reject" for answer in answers):
        return "rejected"
    return "approved" if len({answer["by"] for answer in answers}) >= levels else "open"
