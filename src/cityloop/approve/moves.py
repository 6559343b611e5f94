"""The life of an application as a table: which move leads from which state, and whose it is. No other move exists."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from cityloop.access.actor import Actor
from cityloop.approve.declarations import Item
from cityloop.approve.judging import State
from cityloop.approve.phrases import MOVES as WORDS
from cityloop.approve.phrases import PHRASES, STATES
from cityloop.core.errors import AccessDenied, Conflict, Problem

Move = Literal["grant", "refuse", "revoke", "check_pass", "check_fail"]
Check = Literal["none", "due", "passed", "failed"]


@dataclass(frozen=True)
class Rule:
    """One move of an officer: from these states into which (``None``: it stays), and by which permission."""

    sources: tuple[State, ...]
    target: State | None
    permission: str


MOVES: dict[Move, Rule] = {
    "grant": Rule(("handed", "appealed"), "granted", "application.decide"),
    "refuse": Rule(("handed", "appealed"), "refused", "application.decide"),
    "revoke": Rule(("granted",), "revoked", "application.revoke"),
    "check_pass": Rule(("granted",), None, "application.check"),
    "check_fail": Rule(("granted",), None, "application.check"),
}
REASONED = frozenset(["refuse", "revoke", "check_fail"])
"""Moves that the applicant is told the reason of."""


@dataclass(frozen=True)
class Standing:
    """Where an application stands, as the rules need it."""

    state: State
    check: Check
    department: str
    decided_by: str | None
    ended_at: datetime | None
    appeals: int


def refused(move: Move, item: Item, now: Standing, actor: Actor, may: bool) -> Problem | None:
    """Why ``actor`` cannot make ``move``, ``None`` when it is open. ``may``: holds the move's permission."""
    rule = MOVES[move]
    if not may or actor.kind != "person":
        return PHRASES.problem(AccessDenied, "no-right", (), actor=actor.id, permission=rule.permission)
    if actor.department != now.department:
        return PHRASES.problem(AccessDenied, "other-department", (), department=now.department)
    if now.state not in rule.sources or (move.startswith("check_") and now.check != "due"):
        return PHRASES.problem(Conflict, "no-move", (), state=STATES[now.state], move=WORDS[move])
    if move == "revoke" and not item.revocable:
        return PHRASES.problem(Conflict, "irrevocable")
    if (now.state == "appealed" or move.startswith("check_")) and actor.id == now.decided_by:
        return PHRASES.problem(AccessDenied, "own")
    return None


def appeal_refused(item: Item, standing: Standing, now: datetime) -> Problem | None:
    """Why the applicant cannot appeal now; ``None`` when he can."""
    if standing.state not in ("refused", "revoked") or standing.ended_at is None:
        return PHRASES.problem(Conflict, "no-move", (), state=STATES[standing.state], move=WORDS["appeal"])
    if standing.appeals:
        return PHRASES.problem(Conflict, "appealed")
    if now > standing.ended_at + timedelta(days=item.appeal.days):
        return PHRASES.problem(Conflict, "appeal-over")
    return None
