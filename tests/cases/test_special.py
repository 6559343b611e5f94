"""The special ways of a case: suspension, voiding, deferral, supervision, force, appeal, call-back, merging."""

from __future__ import annotations

import io
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from cityloop.access.policy import Policy
from cityloop.cases.schemas import CaseDetail
from cityloop.core.errors import AccessDenied, Conflict, Invalid
from tests.cases.support import (
    ACCEPTOR,
    COLLECTOR,
    DISPATCHER,
    DISPATCHER_2,
    LEADER,
    LITTER,
    ROAD,
    SANITATION,
    SUPERVISOR,
    SWEEPER,
    TO_CLOSED,
    TO_DISPATCH,
    TO_HANDLE,
    TO_INSPECT,
    TRANSPORT,
    Room,
    by_hand,
    changed_workflow,
    open_room,
    person,
)

HEAD = person("leader.gao", "leader")
HEAD_2 = person("leader.he", "leader")
LEADER_2 = person("leader.liu", "shift_leader")


def until(room: Room, **span: float) -> str:
    return (room.clock.now() + timedelta(**span)).isoformat()


def suspended(room: Room, **span: float) -> CaseDetail:
    case = room.report(matter=ROAD)
    room.walk(case, *TO_HANDLE)
    room.later(hours=1)
    room.move(TRANSPORT, case, "suspend_ask", "等待季节", until=until(room, **span))
    return room.move(DISPATCHER, case, "suspend_grant", "同意")


def test_a_suspension_rests_the_clock_and_ends_by_itself_at_its_date(room: Room) -> None:
    case = suspended(room, days=14)
    assert case.state == "suspended" and case.light == "paused" and case.suspended_until is not None
    with pytest.raises(Conflict, match="挂账中"):
        room.move(TRANSPORT, case, "assign")
    assert room.desk.tick(room.later(days=13)) == 0
    assert room.desk.tick(room.later(days=2)) == 1
    back = room.desk.get(ACCEPTOR, case.id)
    assert back.state == "to_handle" and back.timeline[-1].actor == "system" and "suspended_before" in back.flags
    assert back.deadline is not None and back.suspended_until is None
    with pytest.raises(Conflict, match="每案挂账不超过 1 次"):
        room.move(TRANSPORT, case, "suspend_ask", "再等", until=until(room, days=2))
    assert room.desk.tick(room.later(days=2)) == 0


def test_a_suspension_outlives_a_restart_and_the_clock_goes_on_from_its_date(tmp_path: Path) -> None:
    first = open_room(tmp_path, by_hand())
    case = suspended(first, days=7)
    used = case.deadline.used_seconds if case.deadline else None
    first.database.close()
    late = first.clock.now() + timedelta(days=30)
    second = open_room(tmp_path, by_hand(), start=late)
    assert second.desk.tick(late) == 2, "the suspension ends, and its limit has long been passed"
    back = second.desk.get(ACCEPTOR, case.id)
    assert back.deadline is not None and used is not None
    assert back.deadline.used_seconds is not None and back.deadline.used_seconds > used, "counted since the date"
    (tmp_path / "other").mkdir()
    by_date = open_room(tmp_path / "other", by_hand())
    again = suspended(by_date, days=7)
    by_date.desk.tick(by_date.later(days=7))
    assert by_date.desk.get(ACCEPTOR, again.id).due_at == back.due_at
    for room in (second, by_date):
        room.database.close()


def test_a_suspension_needs_a_date_ahead_within_a_year_and_another_person(room: Room) -> None:
    case = room.report(matter=ROAD)
    room.walk(case, *TO_HANDLE)
    for text, told in (("明年", "不是日期"), ("2026-03-01", "须在将来"), ("2027-06-01", "不得超过 365 天")):
        with pytest.raises(Invalid, match=told):
            room.move(TRANSPORT, case, "suspend_ask", "等", until=text)
    both = TRANSPORT.model_copy(update={"posts": ("department", "dispatcher")})
    room.move(both, case, "suspend_ask", "等", until="2026-05-01")
    with pytest.raises(Conflict, match="申请人不得审批"):
        room.move(both, case, "suspend_grant", "自己批")
    assert "suspension_pending" in room.desk.get(ACCEPTOR, case.id).flags
    granted = room.move(DISPATCHER, case, "suspend_grant", "同意")
    assert granted.suspended_until == datetime.fromisoformat("2026-05-01T00:00:00+08:00")
    with pytest.raises(Invalid, match="请填写理由"):
        room.move(DISPATCHER, case, "resume")
    assert room.move(DISPATCHER, case, "resume", "条件具备").state == "to_handle"


def test_a_case_is_voided_by_two_persons_and_keeps_its_number(room: Room) -> None:
    case = room.report()
    room.walk(case, *TO_DISPATCH)
    both = DISPATCHER.model_copy(update={"posts": ("dispatcher", "shift_leader")})
    room.later(minutes=3)
    room.move(both, case, "void_ask", "不该立案")
    with pytest.raises(Conflict, match="申请人不得审批"):
        room.move(both, case, "void_approve", "自己批")
    room.later(minutes=10)
    refused = room.move(LEADER, case, "void_refuse", "应当办理")
    assert refused.state == "to_dispatch"
    room.later(minutes=2)
    room.move(DISPATCHER, case, "void_ask", "重复且过期")
    voided = room.move(LEADER, case, "void_approve", "同意")
    assert voided.state == "void" and voided.number == case.number and voided.closed_at is not None
    assert voided.timeline[-2].used_seconds == 5 * 60, "the dispatch clock rested while the first request waited"


@pytest.mark.parametrize(("way", "used"), [("pause", 3600), ("run", 7200)])
def test_deferral_rests_the_clock_or_lets_it_run_as_the_city_wants(tmp_path: Path, way: str, used: int) -> None:
    room = open_room(tmp_path, changed_workflow(version=way, automation=(), deferral_clock=way))
    case = room.report(matter=ROAD)
    room.walk(case, *TO_HANDLE)
    room.later(hours=1)
    deferred = room.move(LEADER, case, "defer", "等待拆迁")
    assert deferred.deferred and "deferred" in deferred.flags and (deferred.light == "paused") is (way == "pause")
    assert room.events()[-1].data["case"]["deferred"] is True
    room.later(hours=1)
    back = room.move(LEADER, case, "undefer", "条件具备")
    assert back.deadline is not None and back.deadline.used_seconds == used and not back.deferred
    room.database.close()


def test_deferral_and_return_do_not_start_the_clock_behind_each_others_back(room: Room) -> None:
    case = room.report(matter=ROAD)
    room.walk(case, *TO_HANDLE)
    room.move(LEADER, case, "defer", "等")
    waiting = room.walk(case, (TRANSPORT, "return_ask", "不归我们"), (DISPATCHER, "return_approve", "可以"))
    assert waiting.timeline[-1].facts["left_seconds"] > 0
    assert room.move(LEADER, case, "undefer", "不等了").light == "paused", "it still waits for dispatch"
    assert room.move(DISPATCHER, case, "dispatch", "仍归你们", department="transport").light == "green"


def test_a_demand_has_its_own_clock_and_one_answer(room: Room) -> None:
    case = room.report()
    held = room.walk(case, *TO_HANDLE)
    with pytest.raises(Invalid, match="答复期限须在将来"):
        room.move(SUPERVISOR, case, "supervise", "尽快", reply_by="2026-03-01")
    asked = room.move(SUPERVISOR, case, "supervise", "请说明进展", reply_by=until(room, hours=2))
    assert asked.due_at == held.due_at and asked.reply_due_at == room.clock.now() + timedelta(hours=2)
    with pytest.raises(Conflict, match="已有待答复的督办"):
        room.move(HEAD, case, "supervise", "再催", reply_by=until(room, hours=3))
    with pytest.raises(Conflict, match="不属于该部门"):
        room.move(TRANSPORT.model_copy(update={"posts": ("department", "supervisor")}), case, "answer_supervision")
    room.later(hours=3)
    answered = room.move(SANITATION, case, "answer_supervision", reply="人手已到")
    assert answered.supervision is not None and answered.supervision.in_time is False
    assert answered.supervision.demand == "请说明进展" and answered.supervision.reply == "人手已到"
    assert answered.timeline[-1].used_seconds == 3 * 3600 and answered.reply_due_at is None


def test_closing_by_force_needs_a_second_person_and_is_never_on_time(room: Room) -> None:
    case = room.report()
    room.walk(case, *TO_INSPECT)
    assert room.desk.get(ACCEPTOR, case.id).on_time is True
    room.move(HEAD, case, "force_ask", "长期无法办结")
    with pytest.raises(Conflict, match="申请人不得审批"):
        room.move(HEAD, case, "force_close", "自己批")
    assert room.listed(HEAD_2, mine=True).total == 1 and room.listed(HEAD, mine=True).total == 0
    closed = room.move(HEAD_2, case, "force_close", "同意")
    assert closed.state == "force_closed" and closed.forced and closed.on_time is False
    assert closed.timeline[-1].facts["asked_by"] == HEAD.id
    other = room.report()
    room.move(HEAD, other, "force_ask", "无法办")
    assert room.move(LEADER, other, "force_refuse", "继续办").flags == []
    room.move(HEAD, other, "force_ask", "仍无法办")
    assert room.move(LEADER, other, "force_close", "同意").on_time is None, "no limit ever ran"


def late_closed(room: Room) -> CaseDetail:
    case = room.report()
    held = room.walk(case, *TO_HANDLE)
    assert held.due_at is not None
    room.clock.set(held.due_at + timedelta(hours=1))
    return room.walk(case, *TO_CLOSED[len(TO_HANDLE) :])


def evidence(room: Room, case: CaseDetail, actor: Any = SANITATION) -> None:
    out = io.BytesIO()
    Image.new("RGB", (8, 8)).save(out, "PNG")
    room.desk.attachments.add(actor, case.id, "proof.png", "evidence", out.getvalue())


def test_a_granted_appeal_exempts_and_the_lateness_stays(room: Room) -> None:
    case = late_closed(room)
    with pytest.raises(Conflict, match="证明材料"):
        room.move(SANITATION, case, "appeal", "道路封闭")
    evidence(room, case)
    assert "appeal_pending" in room.move(SANITATION, case, "appeal", "道路封闭").flags
    both = person("an.old", "dispatcher", "acceptor")
    room.move(both, case, "appeal_pass", "情况属实")
    with pytest.raises(Conflict, match="初审人不得复审"):
        room.move(both, case, "appeal_grant", "同意")
    granted = room.move(ACCEPTOR, case, "appeal_grant", "同意豁免")
    assert granted.exempt and granted.on_time is False and granted.state == "closed"
    assert "appeal_exempt" in granted.flags and room.events()[-1].data["case"]["exempt"] is True
    with pytest.raises(Conflict, match="只能申诉一次"):
        room.move(SANITATION, case, "appeal", "再来")


def test_an_appeal_is_refused_in_either_review_and_only_lateness_is_appealed(room: Room) -> None:
    first, second = late_closed(room), late_closed(room)
    for case in (first, second):
        evidence(room, case)
        room.move(SANITATION, case, "appeal", "道路封闭")
    assert "appeal_refused" in room.move(DISPATCHER, first, "appeal_reject", "无据").flags
    room.move(DISPATCHER, second, "appeal_pass", "请复审")
    refused = room.move(LEADER, second, "appeal_refuse", "无据")
    assert "appeal_refused" in refused.flags and not refused.exempt
    good = room.report()
    room.walk(good, *TO_CLOSED)
    evidence(room, good)
    with pytest.raises(Conflict, match="案件并未超时"):
        room.move(SANITATION, good, "appeal", "无")
    assert "appeal_pass" not in [offer.move for offer in room.desk.get(DISPATCHER, good.id).moves]


def test_an_unsatisfied_reporter_gets_a_linked_case_within_the_window(room: Room) -> None:
    case = room.report(reporter_name="王先生", reporter_phone="13800000000")
    room.walk(case, *TO_CLOSED)
    assert room.listed(LEADER, mine=True).total == 0
    room.later(days=2)
    told = room.move(LEADER, case, "callback_new", "仍有垃圾")
    assert told.state == "closed" and told.timeline[-1].move == "linked"
    fresh = room.desk.get(ACCEPTOR, str(told.timeline[-1].facts["number"]))
    assert fresh.linked_from == case.id and fresh.reporter_name == "王先生" and fresh.state == "reported"
    room.later(days=14)
    with pytest.raises(Conflict, match="15 天的回访期"):
        room.move(LEADER, case, "callback_new", "又来")


def test_or_the_case_is_opened_again_and_its_first_closing_stays_on_record(tmp_path: Path) -> None:
    flow = changed_workflow(version="cb", automation=(), callback={"days": 15, "then": "reopen"})
    room = open_room(tmp_path, flow)
    case = room.report()
    first = room.walk(case, *TO_CLOSED)
    room.later(days=1)
    again = room.move(LEADER, case, "callback_reopen", "没有清理")
    assert again.state == "to_dispatch" and again.closed_at is None and "reopened" in again.flags
    assert again.timeline[-1].facts["closed_at"] == (first.closed_at.isoformat() if first.closed_at else None)
    held = room.move(DISPATCHER, case, "dispatch")
    assert held.deadline is not None and held.deadline.used_seconds == 0
    done = room.walk(case, *TO_CLOSED[len(TO_HANDLE) :])
    assert done.state == "closed" and done.on_time is True and room.desk.verify_timeline(case.id) is None
    room.database.close()


def test_merging_keeps_both_reporters_and_covers_them_as_the_asker_may_see(room: Room) -> None:
    first = room.report(reporter_name="王先生", reporter_phone="13800000000")
    second = room.report(reporter_name="李女士", reporter_phone="13900000000", channel="citizen")
    room.move(ACCEPTOR, second, "merge", "同一处", target=first.number)
    room.walk(first, *TO_HANDLE)
    seen = room.desk.get(ACCEPTOR, first.id)
    assert seen.reporter_name == "王先生" and seen.petitioners == 1
    assert [(p.number, p.reporter_name) for p in seen.petitioners_list] == [(second.number, "李女士")]
    assert [p.reporter_name for p in room.desk.get(SANITATION, first.id).petitioners_list] == ["李**"]
    assert next(e for e in seen.timeline if e.move == "merged_in").facts["number"] == second.number


def test_an_inspection_that_fails_is_confirmed_or_repeated(room: Room) -> None:
    case = room.report()
    room.walk(case, *TO_INSPECT, (ACCEPTOR, "inspect_send"), (COLLECTOR, "inspect_fail", "还有"))
    with pytest.raises(Conflict):
        room.move(COLLECTOR, case, "inspect_done")
    assert room.move(ACCEPTOR, case, "inspect_again", "照片不清").state == "inspecting"
    room.move(COLLECTOR, case, "inspect_fail", "仍有")
    assert room.listed(ACCEPTOR, mine=True).total == 1
    reworked = room.move(ACCEPTOR, case, "inspect_not_done", "确认")
    assert reworked.state == "to_handle" and reworked.rework == 1 and reworked.flags == ["rework"]


def test_a_department_does_not_judge_its_own_work_even_with_the_post(tmp_path: Path) -> None:
    room = open_room(tmp_path, changed_workflow(version="v", automation=(), inspection={"visit_matters": [LITTER]}))
    case = room.report()
    room.walk(case, *TO_INSPECT)
    own = SANITATION.model_copy(update={"id": "sanitation.two", "posts": ("department", "acceptor", "shift_leader")})
    with pytest.raises(Conflict, match="不得核查或结案本部门"):
        room.move(own, case, "accept_without_visit")
    with pytest.raises(Conflict, match="须现场核查"):
        room.move(ACCEPTOR, case, "accept_without_visit")
    room.walk(case, (ACCEPTOR, "inspect_send"), (COLLECTOR, "inspect_done"))
    with pytest.raises(Conflict, match="不得核查或结案本部门"):
        room.move(own, case, "close")
    room.database.close()


def test_a_small_city_merges_posts_and_the_guards_still_part_the_persons(tmp_path: Path) -> None:
    room = open_room(tmp_path, by_hand())
    posts = dict(room.door.policy.posts)
    merged = ("acceptor", "shift_leader", "dispatcher")
    may = tuple(dict.fromkeys(p for name in merged for p in posts[name].may))
    clerk = posts["shift_leader"].model_copy(update={"may": may})
    room.door.policy = Policy(posts={**{k: v for k, v in posts.items() if k not in merged}, "clerk": clerk})
    one, two = person("clerk.one", "clerk"), person("clerk.two", "clerk")
    case = room.desk.report(one, _litter())[0]
    room.desk.get(one, case.id)

    def walk(*steps: tuple[Any, ...]) -> CaseDetail:
        for actor, move, *rest in steps:
            seen = room.desk.get(one, case.id)
            wish = _wish(move, seen.version, *rest)
            last = room.desk.move(actor, case.id, wish)
        return last

    walk((one, "accept"), (one, "file"), (one, "void_ask", "重复"))
    with pytest.raises(Conflict, match="申请人不得审批"):
        walk((one, "void_approve", "自己批"))
    walk((two, "void_refuse", "要办"), (one, "dispatch"), (SANITATION, "assign", "", {"handler": SWEEPER.id}))
    closed = walk(
        (SWEEPER, "submit_result", "", {"result": "好"}),
        (SANITATION, "confirm"),
        (one, "accept_without_visit"),
        (one, "close"),
    )
    assert closed.state == "closed"
    with pytest.raises(AccessDenied):
        walk((ACCEPTOR, "note", "旧岗位已无权限"))
    room.database.close()


def _litter() -> Any:
    from tests.cases.support import litter

    return litter()


def _wish(move: str, version: int, opinion: str = "", fields: Any = None) -> Any:
    from cityloop.cases.schemas import MoveRequest

    return MoveRequest(move=move, version=version, opinion=opinion, fields=fields or {})


def test_the_second_dispatcher_may_decide_what_the_first_did_not_ask(room: Room) -> None:
    case = room.report()
    room.walk(case, *TO_HANDLE, (SANITATION, "extend_ask", "人手不足"))
    assert room.move(DISPATCHER_2, case, "extend_grant", "同意").extensions == 1
    assert LEADER_2.posts == LEADER.posts
