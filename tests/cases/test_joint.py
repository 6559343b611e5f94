"""Joint handling: one lead, several co-handlers, each with a part that nobody else's department reads."""

from __future__ import annotations

from typing import Any

import pytest

from cityloop.access.actor import Actor
from cityloop.cases.parts import circle
from cityloop.cases.schemas import MoveRequest, TaskDetail, TaskView
from cityloop.core.errors import AccessDenied, Conflict, Invalid, NotFound
from tests.cases.support import (
    ACCEPTOR,
    COLLECTOR,
    DISPATCHER,
    FIRST,
    LEADER,
    ROAD,
    SANITATION,
    SWEEPER,
    TO_DISPATCH,
    TRANSPORT,
    Room,
    person,
)

WATER = person("water", "department", department="water")
PLUMBER = person("water.hand", "handler", department="water")


def joint(room: Room, *parts: dict[str, Any]) -> Any:
    case = room.report(matter=ROAD)
    room.walk(case, *TO_DISPATCH)
    return room.move(DISPATCHER, case, "dispatch", parts=list(parts))


def part(room: Room, case: Any, department: str) -> TaskView:
    return next(t for t in room.desk.get(ACCEPTOR, case.id).tasks if t.department == department)


def act(room: Room, actor: Actor, task: TaskView, move: str, opinion: str = "", **fields: Any) -> TaskDetail:
    version = part(room, room.desk.get(ACCEPTOR, task.case), task.department).version
    wish = MoveRequest(move=move, version=version, opinion=opinion, fields=fields)
    return room.desk.tasks.move(actor, task.id, wish)


def to_review(room: Room, case: Any) -> Any:
    return room.walk(
        case,
        (TRANSPORT, "assign"),
        (person("hand", "handler", department="transport"), "submit_result", "", {"result": "好"}),
    )


def test_the_case_waits_for_its_required_parts(room: Room) -> None:
    case = joint(room, {"department": "water", "demand": "关阀"}, {"department": "sanitation", "required": False})
    assert (case.parts_open, [t.department for t in case.tasks]) == (1, ["water", "sanitation"])
    to_review(room, case)
    with pytest.raises(Conflict, match="还有 1 个必办的协办任务未完成"):
        room.move(TRANSPORT, case, "confirm")
    water = part(room, case, "water")
    act(room, WATER, water, "part_sign")
    act(room, PLUMBER, water, "part_submit", result="阀门已关")
    assert act(room, WATER, water, "part_send_back", "照片不清").state == "handling"
    act(room, PLUMBER, water, "part_submit", result="阀门已关，见照片")
    done = act(room, WATER, water, "part_confirm")
    assert (done.state, done.on_time, done.light) == ("done", True, "green") and not done.open
    assert room.move(TRANSPORT, case, "confirm").state == "to_inspect"
    room.walk(case, (ACCEPTOR, "accept_without_visit"), (LEADER, "close"))
    assert part(room, case, "sanitation").state == "ended"
    assert room.desk.verify_timeline(case.id) is None and room.audit.verify() is None


def test_each_department_reads_its_own_part_only(room: Room) -> None:
    case = joint(room, {"department": "water", "demand": "关阀"}, {"department": "sanitation", "demand": "清扫"})
    water = part(room, case, "water")
    act(room, WATER, water, "part_sign")
    act(room, PLUMBER, water, "part_submit", "机密意见", result="机密结果")
    [own] = room.desk.tasks.list(SANITATION, FIRST, False, None, None, None).items
    assert own.department == "sanitation" and own.demand == "清扫"
    with pytest.raises(NotFound):
        room.desk.tasks.get(SANITATION, water.id)
    with pytest.raises(NotFound):
        act(room, SANITATION, water, "part_confirm")
    lead = room.desk.get(TRANSPORT, case.id)
    shown = next(t for t in lead.tasks if t.department == "water")
    assert (shown.seen, shown.state, shown.demand, shown.result) == (False, "to_review", None, None)
    assert "机密" not in lead.model_dump_json() and "关阀" not in lead.model_dump_json()
    assert "机密" not in str([event.data for event in room.events()])
    with pytest.raises(NotFound):
        room.desk.get(WATER, case.id)
    with pytest.raises(AccessDenied):
        room.desk.tasks.get(COLLECTOR, water.id)
    detail = room.desk.tasks.get(WATER, water.id)
    assert detail.brief.number == case.number and [e.move for e in detail.entries][-1] == "part_submit"
    assert detail.entries[-1].opinion == "机密意见"


def test_a_part_may_wait_for_another_and_then_its_own_clock_begins(room: Room) -> None:
    case = joint(
        room,
        {"department": "water", "limit": "2工作时"},
        {"department": "sanitation", "after": ["water"], "limit": "1工作时"},
    )
    assert (part(room, case, "sanitation").state, part(room, case, "sanitation").due_at) == ("waiting", None)
    water = part(room, case, "water")
    assert water.due_at is not None and water.due_at != case.due_at
    room.later(hours=3)
    act(room, WATER, water, "part_sign")
    act(room, PLUMBER, water, "part_submit", result="好")
    assert act(room, WATER, water, "part_confirm").on_time is False
    follows = part(room, case, "sanitation")
    assert follows.state == "to_handle" and follows.due_at is not None and follows.light == "green"
    with pytest.raises(Invalid, match="请填写理由"):
        act(room, DISPATCHER, follows, "part_waive")
    assert act(room, DISPATCHER, follows, "part_waive", "雨后自净").state == "waived"
    assert room.desk.get(ACCEPTOR, case.id).parts_open == 0


WRONG = [
    ([{"department": "water"}, {"department": "water"}], "已有未完成的协办任务"),
    ([{"department": "transport"}], "是主办部门，不能再协办"),
    ([{"department": "moon"}], "没有部门"),
    ([{"department": "centre"}], "中心只协调不处置"),
    ([{"department": "water", "after": ["police"]}], "等待的部门没有协办任务：police"),
    ([{"department": "water", "limit": "尽快"}], "协办时限无法识别"),
    ([{"department": "water", "colour": "red"}], "协办任务 0.colour"),
    (
        [{"department": "water", "after": ["sanitation"]}, {"department": "sanitation", "after": ["water"]}],
        "互相等待：water → sanitation → water",
    ),
]


@pytest.mark.parametrize(("parts", "told"), WRONG)
def test_circular_doubled_and_unknown_parts_are_refused_and_nothing_is_written(
    room: Room, parts: list[dict[str, Any]], told: str
) -> None:
    with pytest.raises(Invalid, match=told):
        joint(room, *parts)
    [case] = room.listed(ACCEPTOR).items
    assert case.state == "to_dispatch" and room.desk.get(ACCEPTOR, case.id).tasks == []


def test_parts_are_added_later_once_for_each_department(room: Room) -> None:
    case = joint(room)
    room.move(DISPATCHER, case, "add_part", parts=[{"department": "water"}])
    with pytest.raises(Invalid, match="已有未完成的协办任务"):
        room.move(DISPATCHER, case, "add_part", parts=[{"department": "water"}])
    room.walk(case, (TRANSPORT, "return_ask", "不归我们"), (DISPATCHER, "return_approve", "可以"))
    with pytest.raises(Invalid, match="已是协办部门，不能同时主办"):
        room.move(DISPATCHER, case, "dispatch", "改派", department="water")


def test_parts_rest_and_go_on_with_their_case(room: Room) -> None:
    case = joint(room, {"department": "water"})
    until = "2026-05-01"
    room.walk(case, (TRANSPORT, "suspend_ask", "等", {"until": until}), (DISPATCHER, "suspend_grant", "同意"))
    assert part(room, case, "water").light == "paused"
    with pytest.raises(Conflict, match="案件当前状态下不能办理"):
        act(room, WATER, part(room, case, "water"), "part_sign")
    room.move(DISPATCHER, case, "resume", "条件具备")
    assert part(room, case, "water").light == "green"


def test_a_part_belongs_to_its_handler_and_an_old_version_is_refused(room: Room) -> None:
    case = joint(room, {"department": "sanitation"})
    task = part(room, case, "sanitation")
    with pytest.raises(Invalid, match="不属于协办部门"):
        act(room, SANITATION, task, "part_sign", handler="nobody")
    act(room, SANITATION, task, "part_sign", handler=SWEEPER.id)
    with pytest.raises(Conflict, match=r"已指派给 sweeper\.su"):
        act(room, SWEEPER.model_copy(update={"id": "other"}), task, "part_submit", result="好")
    with pytest.raises(Conflict, match="changed meanwhile"):
        room.desk.tasks.move(SWEEPER, task.id, MoveRequest(move="part_submit", version=task.version))
    with pytest.raises(AccessDenied):
        act(room, SWEEPER, task, "part_waive", "不想办")
    seen = room.desk.get(TRANSPORT, case.id)
    act(room, SWEEPER, task, "part_submit", result="好")
    room.desk.move(TRANSPORT, case.id, MoveRequest(move="assign", version=seen.version))


def test_rings_are_found_however_long() -> None:
    assert circle({"a": ("b",), "b": ("c",), "c": ()}) == []
    assert circle({"a": ("b",), "b": ("c",), "c": ("a",)}) == ["a", "b", "c", "a"]
    assert circle({"x": ("a",), "a": ("a",)}) == ["a", "a"]
