"""The moves that leave a case's present state, each with whether this actor may make it now, and if not, why."""

from __future__ import annotations

from collections.abc import Callable

from cityloop.cases.ask import Ask
from cityloop.cases.guards import STANDING
from cityloop.cases.moves import both_languages, standing
from cityloop.cases.schemas import FieldAsked, MoveOffer
from cityloop.cases.workflow import SAME, FieldDef, MoveDef
from cityloop.core.values import Title

AskFor = Callable[[MoveDef], Ask]
May = Callable[[str], bool]
Able = Callable[[MoveDef], list[Title]]


def offers(moves: tuple[MoveDef, ...], ask_for: AskFor, may: May, able: Able) -> list[MoveOffer]:
    """One offer for each move; those that decide a request are left out while none of their kind is open."""
    found = []
    for move in moves:
        ask = ask_for(move)
        if (move.decides is None or ask.case.request == move.decides) and not _elsewhere(ask):
            found.append(_offer(ask, may, able))
    return found


_STAGES = frozenset(["appeal_is", "force_asked_is", "deferred_is", "supervised_is", "request_open", "callback_then"])
"""Guards that say where a case stands; a move of another place is not shown at all."""


def _elsewhere(ask: Ask) -> bool:
    return any(STANDING[guard.name](ask, guard.value) for guard in ask.move.guards if guard.name in _STAGES)


def _offer(ask: Ask, may: May, able: Able) -> MoveOffer:
    move = ask.move
    refusal = standing(ask, may)
    reasons = both_languages(refusal.reasons) if refusal else []
    if refusal and refusal.kind == "permission":
        reasons = [_who(able(move))]
    return MoveOffer(
        move=move.id,
        title=move.title,
        to=ask.case.state if move.to == SAME else move.to,
        allowed=refusal is None,
        reasons=reasons,
        reason_needed=move.reason_needed,
        fields=[_field(ask, item) for item in move.fields],
        key=move.key,
    )


def _who(posts: list[Title]) -> Title:
    zh, en = "、".join(p.zh for p in posts) or "无", ", ".join(p.en for p in posts) or "no post"
    return Title(zh=f"需要岗位：{zh}", en=f"for the post: {en}")


def _field(ask: Ask, item: FieldDef) -> FieldAsked:
    """Departments come as choices, the one of the responsibility table first; then the field may stay empty."""
    choices = [(choice.id, choice.title) for choice in item.choices]
    match = ask.facts.match
    required = item.required
    if item.kind == "department":
        bodies = [body for body in ask.facts.departments.values() if body.kind != "centre"]
        bodies.sort(key=lambda body: match is None or body.id != match.department)
        choices = [(body.id, body.title) for body in bodies]
        required = match is None
    return FieldAsked(name=item.name, title=item.title, kind=item.kind, required=required, choices=choices)
