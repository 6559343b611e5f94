"""Reminders: at 80 %, at 100 %, then to the supervising post; once each, and over restarts."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

from tests.cases.support import (
    ACCEPTOR,
    DISPATCHER,
    ROAD,
    SUPERVISOR,
    TO_HANDLE,
    TRANSPORT,
    Room,
    by_hand,
    open_room,
)


def told(room: Room) -> list[tuple[str, list[str]]]:
    return [(event.data["step"], event.data["posts"]) for event in room.events("cityloop.case.reminder")]


def held(room: Room) -> Any:
    case = room.report(matter=ROAD)
    found = room.walk(case, *TO_HANDLE)
    assert found.due_at is not None
    return found


def test_the_department_then_the_dispatcher_then_the_supervisor_hear_of_it_once(room: Room) -> None:
    case = held(room)
    assert room.desk.tick(room.clock.now()) == 0
    room.clock.set(case.due_at)
    for _ in range(2):
        room.desk.tick(room.clock.now())
    assert told(room) == [("near", ["department", "handler"])]
    room.clock.set(case.due_at + timedelta(seconds=1))
    room.desk.tick(room.clock.now())
    room.desk.tick(room.later(minutes=119))
    assert [step for step, _ in told(room)] == ["near", "due"]
    for _ in range(2):
        room.desk.tick(room.later(minutes=1))
    assert told(room)[2:] == [("escalated", ["supervisor"])]
    now = room.desk.get(ACCEPTOR, case.id)
    assert "escalated" in now.flags and now.version == case.version
    assert room.events("cityloop.case.reminder")[-1].data["case"]["id"] == case.id


def test_a_restart_repeats_and_forgets_none(tmp_path: Path) -> None:
    first = open_room(tmp_path, by_hand())
    case = held(first)
    first.clock.set(case.due_at)
    first.desk.tick(case.due_at)
    first.database.close()
    second = open_room(tmp_path, by_hand(), start=case.due_at + timedelta(days=3))
    for _ in range(2):
        second.desk.tick(second.clock.now())
    assert [step for step, _ in told(second)] == ["near", "escalated"], "what was slept through falls away"
    second.database.close()


def test_an_extension_reminds_anew_and_a_standing_clock_of_nothing(room: Room) -> None:
    case = held(room)
    room.clock.set(case.due_at - timedelta(minutes=1))
    room.desk.tick(room.clock.now())
    room.walk(case, (TRANSPORT, "extend_ask", "人手不足"), (DISPATCHER, "extend_grant", "同意"))
    later = room.desk.get(ACCEPTOR, case.id)
    assert later.due_at is not None and room.desk.tick(case.due_at + timedelta(minutes=1)) == 0
    room.clock.set(later.due_at)
    room.desk.tick(room.clock.now())
    assert [step for step, _ in told(room)] == ["near", "near"]
    other = held(room)
    room.walk(other, (TRANSPORT, "return_ask", "不归我们"), (DISPATCHER, "return_approve", "可以"))
    room.desk.tick(room.later(hours=200))
    assert other.id not in {e.subject for e in room.events("cityloop.case.reminder")}


def test_an_unanswered_demand_is_brought_to_mind_once(room: Room) -> None:
    case = held(room)
    reply_by = (room.clock.now() + timedelta(minutes=10)).isoformat()
    room.move(SUPERVISOR, case, "supervise", "请答复", reply_by=reply_by)
    for _ in range(3):
        room.desk.tick(room.later(minutes=6))
    assert told(room) == [("reply", ["supervisor"])]
