"""A refusal as the problem a caller gets: which guard, why, and which posts could."""

from __future__ import annotations

from collections.abc import Sequence

from cityloop.access.policy import Policy
from cityloop.cases.ask import Ask, Reason
from cityloop.cases.refusal import Refusal
from cityloop.cases.workflow import MoveDef
from cityloop.core.errors import AccessDenied, Conflict, Fault, Invalid, Problem


def able(policy: Policy, move: MoveDef) -> list[str]:
    """The posts that hold the permission of a move."""
    return [name for name, post in policy.posts.items() if move.needs in post.may]


def refused(ask: Ask, refusal: Refusal, policy: Policy, language: str) -> Problem:
    """State and guard: 409; permission: 403; what was filled in: 422, with the fields."""
    posts = able(policy, ask.move)
    told = "；".join(item.title.zh for item in refusal.reasons) if language == "zh" else _english(refusal.reasons)
    more = {
        "refusal": refusal.kind,
        "move": ask.move.id,
        "state": ask.case.state,
        "reasons": [item.title.model_dump() for item in refusal.reasons],
        "able": posts,
    }
    head = f"{ask.case.number} ({ask.case.state}): {ask.move.id}: {told}"
    if refusal.kind == "permission":
        return AccessDenied(head, f"posts that hold '{ask.move.needs}': {', '.join(posts) or 'none'}", more=more)
    if refusal.kind == "input":
        faults = [Fault(_where(item), item.title.zh if language == "zh" else item.title.en) for item in refusal.reasons]
        return Invalid(head, "fill in what is missing and send the move again", faults, more)
    return Conflict(head, _mend(ask, refusal), more=more)


def _mend(ask: Ask, refusal: Refusal) -> str:
    if refusal.kind == "guard":
        return "clear what the guard names, or leave the move to somebody it does not bind"
    moves = ", ".join(move.id for move in ask.workflow.moves_from.get(ask.case.state, ()))
    return f"moves that leave '{ask.case.state}': {moves or 'none, the state is final'}"


def _where(item: Reason) -> str:
    if item.field is None:
        return "move"
    return item.field if item.field == "opinion" else f"fields.{item.field}"


def _english(reasons: Sequence[Reason]) -> str:
    return "; ".join(item.title.en for item in reasons)
