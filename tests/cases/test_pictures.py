"""The process picture shows the workflow itself and the way a case took."""

from __future__ import annotations

import pytest

from cityloop.cases.callers import CallerWish, spellings
from cityloop.core.errors import AccessDenied, NotFound
from tests.cases.support import ACCEPTOR, COLLECTOR, DISPATCHER, LEADER, TRANSPORT, Room, by_hand
from tests.cases.test_special import HEAD


def test_states_and_ways_are_those_of_the_workflow(room: Room) -> None:
    shown = room.desk.pictures.of(ACCEPTOR, room.report().id)
    assert [state.id for state in shown.states] == [state.id for state in by_hand().states]
    assert {(way.origin, way.to) for way in shown.ways if way.ahead} >= {
        ("reported", "to_file"),
        ("reported", "merged"),
    }
    assert all(way.origin != way.to for way in shown.ways)
    filing = next(way for way in shown.ways if (way.origin, way.to) == ("reported", "declined"))
    assert [title.zh for title in filing.moves] == ["不予受理"]


def test_the_way_taken_is_counted_also_when_it_is_gone_twice(room: Room) -> None:
    case = room.report()
    room.walk(case, (ACCEPTOR, "accept"), (LEADER, "return_report", "事项不清"), (ACCEPTOR, "accept"))
    shown = room.desk.pictures.of(ACCEPTOR, case.id)
    taken = {(way.origin, way.to): way.taken for way in shown.ways if way.taken}
    assert taken == {("reported", "to_file"): 2, ("to_file", "reported"): 1}
    assert shown.state == "to_file"
    assert {state.id: state.visits for state in shown.states if state.visits} == {"reported": 2, "to_file": 2}


def test_a_way_from_any_state_is_drawn_once_it_was_taken(room: Room) -> None:
    case = room.report()
    room.walk(case, (HEAD, "force_ask", "长期无法办结"), (LEADER, "force_close", "同意"))
    ways = room.desk.pictures.of(ACCEPTOR, case.id).ways
    drawn = [(way.origin, way.taken) for way in ways if way.to == "force_closed"]
    assert drawn == [("reported", 1)]


def test_a_picture_is_shown_to_whoever_sees_the_case(room: Room) -> None:
    with pytest.raises(NotFound):
        room.desk.pictures.of(TRANSPORT, room.report().id)


def test_a_caller_who_calls_again_is_known_by_number_however_it_is_typed(room: Room) -> None:
    first = room.report(reporter_phone="13800001111")
    room.later(hours=1)
    second = room.report(reporter_phone="138-0000-1111", title="又有垃圾堆放")
    room.report(reporter_phone="13900002222", title="别人的事")
    found = room.desk.callers.earlier(ACCEPTOR, CallerWish(phone="138-0000-1111"))
    assert [case.id for case in found] == [second.id, first.id]


def test_who_may_not_read_numbers_may_not_ask_by_them(room: Room) -> None:
    room.report(reporter_phone="13800001111")
    for actor in (COLLECTOR, DISPATCHER):
        with pytest.raises(AccessDenied):
            room.desk.callers.earlier(actor, CallerWish(phone="13800001111"))


def test_spellings_leave_out_signs_and_the_country() -> None:
    assert spellings("+86 138 0000 1111") == sorted({"+86 138 0000 1111", "8613800001111", "13800001111"})
    assert spellings("0755-8888 1234") == sorted({"0755-8888 1234", "075588881234"})
