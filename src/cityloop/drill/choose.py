"""What a player does with a case, without I/O: ``(plan, post, case, record) → (move, when)``.

Every chance is drawn from the case's number, so the same case always meets the same fate.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import blake2b
from statistics import NormalDist
from typing import Any

from cityloop.cases.schemas import CaseDetail, CaseView, FieldAsked, MoveOffer
from cityloop.drill.citizens import CitizenRecord
from cityloop.drill.plan import MovePlan, TurnPlan, WaitPlan

NEARBY = "$nearby"


@dataclass(frozen=True)
class Chosen:
    """A move on offer, the line of the plan that wants it, and its fields."""

    offer: MoveOffer
    wish: MovePlan
    fields: dict[str, Any]


def chance(*parts: object) -> float:
    """An even number above 0 and below 1 that depends on nothing but ``parts``."""
    digest = blake2b("|".join(str(part) for part in parts).encode(), digest_size=6).digest()
    return (int.from_bytes(digest) + 0.5) / 2**48


def ready_at(turn: TurnPlan, case: CaseView, record: CitizenRecord | None) -> datetime | None:
    """When the post gets to this case; ``None`` when the real record was never closed."""
    draw = chance(case.number, turn.state, turn.post, case.rework)
    if not turn.wait.record or (record and case.rework):
        return case.updated_at + timedelta(seconds=_between(turn.wait, draw))
    if record is None:
        return case.updated_at + timedelta(seconds=_spread(turn.wait, draw))
    return None if record.handling is None else max(case.updated_at, case.opened_at + record.handling)


def wishes(turn: TurnPlan, case: CaseView) -> tuple[MovePlan, ...]:
    """The drawn move first, then the ordinary one, in case the first is not on offer."""
    usual = next(move for move in turn.moves if move.share is None)
    draw = chance(case.number, turn.state, turn.flag, case.rework, "move")
    for move in turn.moves:
        if move.share is None or (move.most_rework is not None and case.rework > move.most_rework):
            continue
        if draw < move.share:
            return (move, usual)
        draw -= move.share
    return (usual,)


def pick(case: CaseDetail, wanted: Sequence[MovePlan], hands: Sequence[str]) -> Chosen | None:
    """The first wish that is on offer, allowed, and whose fields can be filled."""
    allowed = {offer.move: offer for offer in case.moves if offer.allowed}
    for wish in wanted:
        offer = allowed.get(wish.move)
        fields = fill(offer, wish, hands, case.nearby) if offer else None
        if offer and fields is not None:
            return Chosen(offer, wish, fields)
    return None


def fill(
    offer: MoveOffer, wish: MovePlan, hands: Sequence[str], nearby: Sequence[CaseView] = ()
) -> dict[str, Any] | None:
    """The fields of a move: what the plan says, else the first hand that may be chosen, else the first choice.

    ``$nearby`` in the plan stands for the number of the nearest like case. Returns ``None`` when a required field
    cannot be filled.
    """
    filled: dict[str, Any] = {}
    for asked in offer.fields:
        value = wish.fields.get(asked.name, _default(asked, hands))
        if value == NEARBY:
            value = nearby[0].number if nearby else None
        if value is not None:
            filled[asked.name] = value
        elif asked.required:
            return None
    return filled


def _default(asked: FieldAsked, hands: Sequence[str]) -> str | None:
    choices: Mapping[str, object] = dict(asked.choices)
    if asked.kind == "person":
        return next((hand for hand in hands if not choices or hand in choices), None)
    return next(iter(choices), None) if asked.required else None


def _between(wait: WaitPlan, draw: float) -> float:
    low, high = wait.between
    return low + (high - low) * draw


def _spread(wait: WaitPlan, draw: float) -> float:
    if wait.otherwise is None:
        return _between(wait, draw)
    return wait.otherwise.median * math.exp(wait.otherwise.sigma * NormalDist().inv_cdf(draw))
