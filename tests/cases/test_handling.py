"""Returns, reworks, extensions and the clock: nothing already said is lost, and the clock is fair."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest

from cityloop.cases.schemas import MoveRequest
from cityloop.core.errors import Conflict, Invalid, Problem
from tests.cases.support import (
    ACCEPTOR,
    COLLECTOR,
    DISPATCHER,
    DISPATCHER_2,
    LEADER,
    MONDAY,
    ROAD,
    SANITATION,
    SWEEPER,
    TO_CLOSED,
    TO_DISPATCH,
    TO_HANDLE,
    TO_INSPECT,
    TRANSPORT,
    Room,
    changed_workflow,
    open_room,
)

AGAIN = (
    (SANITATION, "assign", "", {"handler": SWEEPER.id}),
    (SWEEPER, "submit_result", "", {"result": "又清理一次"}),
    (SANITATION, "confirm"),
)


def test_a_case_returned_twice_and_reworked_three_times_keeps_every_opinion(room: Room) -> None:
    case = room.report()
    room.walk(case, *TO_HANDLE)
    for turn in ("一", "二"):
        room.walk(
            case,
            (SANITATION, "return_ask", f"不归我们{turn}"),
            (DISPATCHER, "return_approve", f"同意{turn}"),
            (DISPATCHER, "dispatch", f"仍由你处{turn}"),
        )
    room.walk(case, *AGAIN, (ACCEPTOR, "rework_inspect", "返工一"))
    room.walk(case, *AGAIN, (ACCEPTOR, "inspect_send"), (COLLECTOR, "inspect_fail", "返工二"))
    room.walk(case, (ACCEPTOR, "inspect_not_done", "确认返工"))
    room.walk(case, *AGAIN, (ACCEPTOR, "accept_without_visit"), (LEADER, "rework_close", "返工三"))
    closed = room.walk(case, *AGAIN, (ACCEPTOR, "accept_without_visit"), (LEADER, "close"))
    said = [entry.opinion for entry in closed.timeline if entry.opinion]
    assert said == [
        *[
            "不归我们一",
            "同意一",
            "仍由你处一",
            "不归我们二",
            "同意二",
            "仍由你处二",
            "返工一",
            "返工二",
            "确认返工",
            "返工三",
        ]
    ]
    assert closed.rework == 3 and closed.state == "closed" and "rework" in closed.flags
    assert [entry.seq for entry in closed.timeline] == list(range(1, len(closed.timeline) + 1))
    assert room.desk.verify_timeline(case.id) is None


def test_the_clock_rests_while_a_returned_case_waits_and_goes_on_at_the_same_department(room: Room) -> None:
    case = room.report(matter=ROAD, title="路面坑洞")
    first = room.walk(case, *TO_HANDLE)
    assert first.deadline is not None and first.deadline.due_at is not None
    room.later(hours=1)
    waiting = room.walk(case, (TRANSPORT, "return_ask", "不归我们"), (DISPATCHER, "return_approve", "可以"))
    assert waiting.light == "paused" and waiting.due_at is None and waiting.department is None
    assert room.listed(ACCEPTOR, light="paused").total == 1
    room.later(hours=1)
    with pytest.raises(Invalid, match="再次派遣给同一部门须说明理由"):
        room.move(DISPATCHER, case, "dispatch", department="transport")
    again = room.move(DISPATCHER, case, "dispatch", "核对后仍归你们", department="transport")
    assert again.due_at == first.deadline.due_at + timedelta(hours=1)


def test_another_department_gets_a_full_new_limit(room: Room) -> None:
    case = room.report(matter=ROAD)
    room.walk(case, *TO_HANDLE)
    room.later(hours=2)
    room.walk(case, (TRANSPORT, "return_ask", "是垃圾"), (DISPATCHER, "return_approve", "可以"))
    fresh = room.move(DISPATCHER, case, "dispatch", department="urban")
    assert fresh.deadline is not None and fresh.deadline.used_seconds == 0
    assert fresh.dispatch_reason is not None and "未采用责任表第" in fresh.dispatch_reason.zh


def test_a_returned_case_is_left_to_people_by_automation(busy_room: Room) -> None:
    case = busy_room.report()
    waiting = busy_room.walk(case, (SANITATION, "return_ask", "不归我们"), (DISPATCHER, "return_approve", "可以"))
    assert waiting.state == "to_dispatch" and "returned" in waiting.flags
    assert busy_room.desk.dispatch_due(busy_room.later(hours=1)) == 0
    filed_again = busy_room.move(DISPATCHER, case, "return_to_filing", "立案有误")
    assert filed_again.state == "to_file"
    assert busy_room.move(ACCEPTOR, case, "note", "已电话核对").state == "to_file"


def test_late_is_decided_when_the_department_confirms_and_stays(room: Room) -> None:
    case = room.report()
    held = room.walk(case, *TO_HANDLE)
    assert held.due_at is not None
    room.clock.set(held.due_at + timedelta(seconds=1))
    assert room.desk.get(ACCEPTOR, case.id).light == "red" and room.listed(ACCEPTOR, light="red").total == 1
    confirmed = room.walk(case, *AGAIN)
    assert confirmed.on_time is False and confirmed.timeline[-1].facts == {}
    reworked = room.walk(case, (ACCEPTOR, "rework_inspect", "没干净"), *AGAIN)
    assert reworked.on_time is False


def test_finished_at_the_due_instant_is_on_time(room: Room) -> None:
    case = room.report()
    held = room.walk(case, *TO_HANDLE)
    assert held.due_at is not None
    room.clock.set(held.due_at)
    shown = room.desk.get(ACCEPTOR, case.id)
    assert shown.light == "yellow" and shown.deadline is not None and shown.deadline.left_seconds == 0
    assert room.walk(case, *AGAIN).on_time is True


@pytest.mark.parametrize(("rule", "used"), [("fresh", 0), ("rest", 3600)])
def test_the_city_says_whether_a_rework_gets_a_fresh_limit_or_the_rest(
    tmp_path: object, rule: str, used: int, request: pytest.FixtureRequest
) -> None:
    workflow = changed_workflow(version=rule, automation=(), rework_clock=rule)
    room = open_room(request.getfixturevalue("tmp_path"), workflow)
    case = room.report()
    room.walk(case, *TO_HANDLE)
    room.later(hours=1)
    room.walk(case, *AGAIN)
    room.later(minutes=30)
    again = room.move(ACCEPTOR, case, "rework_inspect", "没干净")
    assert again.deadline is not None and again.deadline.used_seconds == used
    assert again.light == "green" and again.department == "sanitation" and again.handler is None
    room.database.close()


def test_two_extensions_at_most_each_adds_one_original_limit(room: Room) -> None:
    case = room.report(matter=ROAD)
    held = room.walk(case, *TO_HANDLE)
    dues = [held.due_at]
    for _ in range(2):
        room.move(TRANSPORT, case, "extend_ask", "需要材料")
        dues.append(room.move(DISPATCHER, case, "extend_grant", "同意").due_at)
    assert dues[0] is not None and dues[1] is not None and dues[2] is not None
    assert dues[0] < dues[1] < dues[2]
    with pytest.raises(Conflict, match="延期已达上限 2 次"):
        room.move(TRANSPORT, case, "extend_ask", "还要")
    assert "extended" in room.desk.get(ACCEPTOR, case.id).flags


def test_an_extension_is_asked_before_the_due_instant_only(room: Room) -> None:
    case = room.report()
    held = room.walk(case, *TO_HANDLE)
    assert held.due_at is not None
    room.clock.set(held.due_at)
    with pytest.raises(Conflict, match="已超过处置截止时间"):
        room.move(SANITATION, case, "extend_ask", "来不及")


def test_a_refused_extension_is_not_counted_and_only_one_request_waits_at_a_time(room: Room) -> None:
    case = room.report()
    room.walk(case, *TO_HANDLE, (SANITATION, "extend_ask", "人手不足"))
    with pytest.raises(Conflict, match="有待审批的申请"):
        room.move(SANITATION, case, "return_ask", "不归我们")
    assert "extension_pending" in room.desk.get(ACCEPTOR, case.id).flags
    refused = room.move(DISPATCHER, case, "extend_refuse", "抓紧")
    assert refused.flags == []
    assert [entry.facts for entry in refused.timeline[-2:]] == [{}, {}]


def test_who_asked_never_decides(room: Room) -> None:
    both = SANITATION.model_copy(update={"posts": ("department", "dispatcher")})
    case = room.report()
    room.walk(case, *TO_HANDLE, (both, "extend_ask", "人手不足"))
    with pytest.raises(Conflict, match="申请人不得审批自己的申请"):
        room.move(both, case, "extend_grant", "自己批")
    with pytest.raises(Conflict, match="申请人不得审批自己的申请"):
        room.move(both, case, "extend_refuse", "自己批")
    assert room.listed(both, mine=True).total == 0


def test_the_handler_must_belong_to_the_department_and_exist(room: Room) -> None:
    case = room.report(matter=ROAD)
    room.walk(case, *TO_HANDLE)
    for name, told in ((SWEEPER.id, "不属于承办部门"), ("nobody", "没有人员")):
        with pytest.raises(Invalid, match=told) as caught:
            room.move(TRANSPORT, case, "assign", handler=name)
        assert [fault.where for fault in caught.value.faults] == ["fields.handler"]


def test_only_the_assigned_handler_submits_and_only_his_department_confirms(room: Room) -> None:
    case = room.report()
    room.walk(case, *TO_HANDLE, (SANITATION, "assign", "", {"handler": SWEEPER.id}))
    other = SWEEPER.model_copy(update={"id": "sweeper.sun"})
    with pytest.raises(Conflict, match=r"已指派给 sweeper\.su"):
        room.move(other, case, "submit_result", result="done")
    back = room.move(SWEEPER, case, "give_back", "请假")
    assert back.state == "to_handle" and back.handler is None


def test_merging_needs_an_open_case_of_the_same_matter_and_links_it(room: Room) -> None:
    first, second, road = room.report(), room.report(), room.report(matter=ROAD)
    for target, told in ((road.number, "事项不同"), (second.number, "不能并入自身"), ("nothing", "没有找到目标案件")):
        with pytest.raises(Invalid, match=told):
            room.move(ACCEPTOR, second, "merge", "重复", target=target)
    merged = room.move(ACCEPTOR, second, "merge", "重复", target=first.number)
    assert merged.state == "merged" and merged.timeline[-1].facts["target"] == first.number
    with pytest.raises(Invalid, match="已结束"):
        room.move(ACCEPTOR, first, "merge", "重复", target=second.number)


def test_wrong_fields_are_all_named_at_once(room: Room) -> None:
    case = room.report()
    with pytest.raises(Invalid) as caught:
        room.move(ACCEPTOR, case, "decline_accept", "", reason="bored", colour="red")
    assert sorted(fault.where for fault in caught.value.faults) == ["fields.colour", "fields.reason", "opinion"]
    with pytest.raises(Invalid, match="there is no move 'fly'"):
        room.move(ACCEPTOR, case, "fly")
    assert room.desk.get(ACCEPTOR, case.id).version == 1


def test_two_dispatchers_in_two_threads_and_exactly_one_succeeds(room: Room) -> None:
    case = room.report()
    seen = room.walk(case, *TO_DISPATCH)
    start, outcomes = threading.Barrier(2), []

    def race(actor: object, department: str) -> None:
        start.wait()
        request = MoveRequest(move="dispatch", version=seen.version, fields={"department": department})
        try:
            outcomes.append(room.desk.move(actor, case.id, request).department)  # type: ignore[arg-type]
        except Problem as problem:
            outcomes.append(problem.code)

    threads = [
        threading.Thread(target=race, args=(DISPATCHER, "sanitation")),
        threading.Thread(target=race, args=(DISPATCHER_2, "urban")),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert "conflict" in outcomes and len(set(outcomes) & {"sanitation", "urban"}) == 1
    last = room.desk.get(ACCEPTOR, case.id)
    assert last.version == seen.version + 1 and [e.move for e in last.timeline].count("dispatch") == 1


def test_a_verification_pauses_the_acceptance_clock_and_then_a_person_decides(busy_room: Room) -> None:
    first = busy_room.report(channel="citizen")
    case = busy_room.report(channel="citizen")
    assert first.state == "to_handle" and case.state == "reported"
    busy_room.later(minutes=4)
    busy_room.move(ACCEPTOR, case, "verify_send")
    busy_room.later(minutes=40)
    back = busy_room.move(COLLECTOR, case, "verify_answer", answer="not_true")
    assert back.state == "reported"
    late = back.timeline[-1].facts["post_late"]
    assert late == {"clock": "verification", "limit_seconds": 1800, "used_seconds": 2400}
    busy_room.later(minutes=5)
    declined = busy_room.move(ACCEPTOR, case, "decline_accept", "不属实", reason="not_there")
    assert declined.timeline[-1].used_seconds == 9 * 60 and declined.closed_at is not None


def test_inspection_passes_and_the_case_is_closed_with_its_line(room: Room) -> None:
    case = room.report()
    room.walk(case, *TO_INSPECT, (ACCEPTOR, "inspect_send"), (COLLECTOR, "inspect_done"))
    closed = room.move(LEADER, case, "close", closing_line="恢复原状")
    assert closed.timeline[-1].facts["closing_line"] == "恢复原状" and closed.light == "green"


def test_lists_filter_sort_page_and_export(room: Room) -> None:
    done = room.report(title="已经清理的垃圾", address="深南大道 1 号")
    room.walk(done, *TO_CLOSED)
    room.later(hours=3)
    open_case = room.report(channel="citizen", series="boston-311")
    assert [c.id for c in room.listed(ACCEPTOR, open=True).items] == [open_case.id]
    assert [c.id for c in room.listed(ACCEPTOR, text="深南大道").items] == [done.id]
    assert [c.id for c in room.listed(ACCEPTOR, state=("closed",), on_time=True).items] == [done.id]
    assert [c.id for c in room.listed(ACCEPTOR, series="boston-311").items] == [open_case.id]
    assert room.listed(ACCEPTOR, area="440304").total == 2 and room.listed(ACCEPTOR, area="440305").total == 0
    assert room.listed(ACCEPTOR, opened_from=MONDAY + timedelta(hours=1)).total == 1
    assert room.listed(ACCEPTOR, closed_to=MONDAY + timedelta(hours=1)).total == 1
    assert room.listed(ACCEPTOR, text="100%_").total == 0


def test_lights_in_lists_are_the_lights_of_the_cases(room: Room) -> None:
    for matter in ("gb47678:matter:06010", "gb47678:matter:06013", "gb47678:matter:09009"):
        room.walk(room.report(matter=matter), *TO_HANDLE)
    for _ in range(14):
        room.later(hours=7)
        shown = [case.light for case in room.listed(ACCEPTOR).items]
        for light in ("green", "yellow", "red", "paused", "none"):
            listed = room.listed(ACCEPTOR, light=light)
            assert listed.total == shown.count(light)
            assert all(case.light == light for case in listed.items)
    assert "red" in shown
