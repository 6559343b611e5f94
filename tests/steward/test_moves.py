"""The whole square of states and moves of a grant: what is not in the table is refused, with a reason."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import product
from typing import get_args

import pytest

from cityloop.access.actor import Actor
from cityloop.core.values import Title
from cityloop.steward.moves import MOVES, Standing, refused, state_at
from cityloop.steward.schemas import GrantState, Move

NAME = Title(zh="人", en="Person")
OWNER = Actor(id="owner", name=NAME, department="sanitation")
ASKER = Actor(id="asker", name=NAME, department="transport")
OPEN = {("asked", "approve"), ("asked", "refuse"), ("approved", "revoke"), ("asked", "withdraw")}


def standing(state: GrantState) -> Standing:
    return Standing(state, "sanitation", "transport", "asker")


@pytest.mark.parametrize(("state", "move"), list(product(get_args(GrantState), get_args(Move))))
def test_only_the_moves_of_the_table_are_open(state: GrantState, move: Move) -> None:
    actor = OWNER if MOVES[move].side == "owner" else ASKER
    found = refused(move, standing(state), actor, may=True)
    assert (found is None) == ((state, move) in OPEN)
    assert found is None or (found.conflict and state in found.detail)


@pytest.mark.parametrize("move", get_args(Move))
def test_a_move_is_for_one_side_a_person_and_who_may(move: Move) -> None:
    state = MOVES[move].source
    mine, other = (OWNER, ASKER) if MOVES[move].side == "owner" else (ASKER, OWNER)
    machine = mine.model_copy(update={"kind": "machine"})
    for actor, may in ((other, True), (mine, False), (machine, True)):
        found = refused(move, standing(state), actor, may)
        assert found is not None
        assert not found.conflict


@pytest.mark.parametrize("move", ["approve", "refuse", "revoke"])
def test_nobody_decides_on_what_he_asked_for_even_after_a_transfer(move: Move) -> None:
    transferred = ASKER.model_copy(update={"department": "sanitation"})
    assert refused(move, standing(MOVES[move].source), transferred, may=True) is not None


def test_a_term_ends_what_was_asked_or_approved_and_nothing_else() -> None:
    now = datetime(2026, 3, 9, tzinfo=UTC)
    ended = {state: state_at(state, now, now) for state in get_args(GrantState)}
    assert {state for state, after in ended.items() if after == "expired"} == {"asked", "approved", "expired"}
    assert all(state_at(state, now + timedelta(seconds=1), now) == state for state in get_args(GrantState))
