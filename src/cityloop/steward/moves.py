"""The life of a grant as a table: which move leads from which state, and whose it is. No other move exists."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from cityloop.access.actor import Actor
from cityloop.steward.schemas import GrantState, Move

Side = Literal["owner", "asker"]


@dataclass(frozen=True)
class Rule:
    """One move: from which state into which, on whose side, by which permission."""

    source: GrantState
    target: GrantState
    side: Side
    permission: str


@dataclass(frozen=True)
class Standing:
    """Where a grant stands, as the rules need it."""

    state: GrantState
    owner: str
    department: str
    asked_by: str


@dataclass(frozen=True)
class Refusal:
    """Why a move is not open; ``conflict`` when the state is in the way, else it is a matter of rights."""

    detail: str
    mend: str
    conflict: bool = False


MOVES: dict[Move, Rule] = {
    "approve": Rule("asked", "approved", "owner", "grant.decide"),
    "refuse": Rule("asked", "refused", "owner", "grant.decide"),
    "revoke": Rule("approved", "revoked", "owner", "grant.decide"),
    "withdraw": Rule("asked", "withdrawn", "asker", "grant.request"),
}


def state_at(state: GrantState, until: datetime, now: datetime) -> GrantState:
    """The state as of ``now``: what was asked or approved ends with its term."""
    return "expired" if state in ("asked", "approved") and now >= until else state


def refused(move: Move, grant: Standing, actor: Actor, may: bool) -> Refusal | None:
    """Why ``actor`` cannot make ``move`` now, ``None`` when it is open. ``may``: holds the move's permission."""
    rule = MOVES[move]
    side = grant.owner if rule.side == "owner" else grant.department
    if not may:
        return Refusal(f"{actor.id} lacks the permission '{rule.permission}'", f"a post that holds {rule.permission}")
    if actor.kind != "person":
        return Refusal("a person answers for sharing; no machine decides on it", "sign in as a person")
    if actor.department != side:
        return Refusal(f"'{move}' is for the department '{side}'", "ask somebody there")
    if rule.side == "owner" and actor.id == grant.asked_by:
        return Refusal("nobody decides on what he asked for himself", "somebody else of the owner department decides")
    if grant.state != rule.source:
        what = f"the grant is {grant.state}; '{move}' needs it {rule.source}"
        return Refusal(what, "a new request can be made at any time", conflict=True)
    return None
