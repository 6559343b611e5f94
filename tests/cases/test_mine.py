"""What waits for somebody is what that somebody can carry on: never a colleague's work, never a mere request."""

from __future__ import annotations

import pytest

from cityloop.access.actor import Actor
from tests.cases.support import (
    ACCEPTOR,
    COLLECTOR,
    DISPATCHER,
    FIRST,
    LEADER,
    SANITATION,
    SWEEPER,
    TO_DISPATCH,
    TO_HANDLE,
    TO_INSPECT,
    TRANSPORT,
    Room,
    person,
)
from tests.cases.test_joint import PLUMBER, WATER, act, joint

COLLEAGUE = person("sweeper.sun", "handler", department="sanitation")
FITTER = person("fitter", "handler", department="water")
EVERYBODY = (ACCEPTOR, LEADER, DISPATCHER, SANITATION, SWEEPER, COLLEAGUE, TRANSPORT, COLLECTOR)


@pytest.fixture
def queue(room: Room) -> Room:
    """Cases in every place that a queue knows."""
    for steps in (
        (),
        TO_DISPATCH,
        TO_HANDLE,
        (*TO_HANDLE, (SANITATION, "assign", "", {"handler": SWEEPER.id})),
        (*TO_HANDLE, (SANITATION, "assign")),
        (*TO_HANDLE, (SANITATION, "extend_ask", "雨大")),
        TO_INSPECT,
        (*TO_INSPECT, (ACCEPTOR, "inspect_send")),
    ):
        case = room.report()
        if steps:
            room.walk(case, *steps)
    return room


def carries_on(room: Room, actor: Actor, case: str) -> bool:
    """Whether a move is on offer that is neither beside the work nor a request to somebody else."""
    moves = room.desk.book.current.move_by_id
    offered = [moves[offer.move] for offer in room.desk.get(actor, case).moves if offer.allowed]
    return any(not move.aside and not move.asks for move in offered)


@pytest.mark.parametrize("actor", EVERYBODY, ids=lambda actor: actor.id)
def test_mine_is_what_i_can_carry_on(queue: Room, actor: Actor) -> None:
    able = {case.id for case in queue.listed(actor).items if carries_on(queue, actor, case.id)}
    mine = queue.listed(actor, mine=True)
    assert {case.id for case in mine.items} == able and mine.total == len(able)


def test_a_colleagues_case_is_not_mine_although_i_could_ask_for_more_time(room: Room) -> None:
    case = room.report()
    room.walk(case, *TO_HANDLE)
    assert room.listed(SWEEPER, mine=True).total == 0
    room.walk(case, (SANITATION, "assign", "", {"handler": SWEEPER.id}))
    assert [room.listed(who, mine=True).total for who in (SWEEPER, COLLEAGUE, SANITATION)] == [1, 0, 0]
    asked = next(offer for offer in room.desk.get(COLLEAGUE, case.id).moves if offer.move == "extend_ask")
    assert asked.allowed


def test_a_part_is_mine_while_i_can_move_it(room: Room) -> None:
    def mine() -> list[int]:
        return [room.desk.tasks.list(who, FIRST, True, None, None, None).total for who in (WATER, PLUMBER, FITTER)]

    [part] = joint(room, {"department": "water", "demand": "关阀"}).tasks
    assert mine() == [1, 0, 0]
    act(room, WATER, part, "part_sign")
    assert mine() == [1, 1, 1]
    act(room, PLUMBER, part, "part_submit", result="阀门已关")
    assert mine() == [1, 0, 0]
