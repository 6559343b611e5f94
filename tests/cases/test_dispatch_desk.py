"""Dispatch by the table: co-handlers, equals, what people choose instead, and a table that changes by plan."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI

from cityloop.access.actor import Actor
from cityloop.access.routes import actor_of
from cityloop.cases.dispatch_routes import router
from cityloop.cases.dispatch_schemas import (
    NewResponsibility,
    ResponsibilityPlan,
    ResponsibilityView,
    ResponsibilityWish,
)
from cityloop.cases.schemas import CaseDetail
from cityloop.cases.service import CaseDesk
from cityloop.core.errors import AccessDenied, Conflict, ContentError, Invalid, NotFound, Problem
from cityloop.serve.app import _problem
from tests.cases.support import (
    ACCEPTOR,
    DISPATCHER,
    LEADER,
    LITTER,
    ROAD,
    SANITATION,
    SWEEPER,
    TO_DISPATCH,
    Room,
    by_hand,
    demo_workflow,
    litter,
    open_room,
)
from tests.cases.test_loop import audited
from tests.cases.test_wire import Client

FUTIAN = "440304"
ROADS = {
    "id": "roads",
    "title": "道路",
    "matters": [ROAD],
    "department": "transport",
    "co_handlers": [
        {"department": "water", "demand": "关阀"},
        {"department": "urban", "after": ["water"], "required": False},
    ],
}
LITTERED = {"id": "litter", "title": "垃圾", "matters": [LITTER], "candidates": ["sanitation", "urban"]}
REST = {"id": "rest", "title": "兜底", "department": "urban"}
TABLE: dict[str, Any] = {"version": "t", "learn_after": 2, "handlers": {"urban": 4}, "rows": [ROADS, LITTERED, REST]}


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Room]:
    """A room where people dispatch, under a small table of its own."""
    found = open_room(tmp_path, by_hand(), table=TABLE)
    yield found
    found.database.close()


def dispatched(room: Room, matter: str = ROAD, opinion: str = "", **fields: Any) -> CaseDetail:
    case = room.report(matter=matter)
    room.walk(case, *TO_DISPATCH)
    return room.move(DISPATCHER, case, "dispatch", opinion, **fields)


def planned(room: Room, **wish: Any) -> ResponsibilityPlan:
    return room.desk.dispatch.plan(LEADER, ResponsibilityWish.model_validate(wish))


def applied(room: Room, reason: str = "班务会决定", **wish: Any) -> ResponsibilityView:
    plan = planned(room, **wish)
    wanted = {**wish, "plan": plan.plan, "base": plan.base, "reason": reason}
    return room.desk.dispatch.apply(LEADER, NewResponsibility.model_validate(wanted))


def having(*rows: Any) -> dict[str, Any]:
    return {**TABLE, "version": "t2", "rows": list(rows)}


def test_co_handlers_of_the_row_become_parts(town: Room) -> None:
    case = dispatched(town)
    assert (case.department, case.parts_open) == ("transport", 1)
    assert [(part.department, part.state) for part in case.tasks] == [("water", "to_handle"), ("urban", "waiting")]
    assert case.timeline[-1].facts["row"] == "roads"


def test_a_dispatcher_may_send_it_without_or_with_other_parts(town: Room) -> None:
    assert dispatched(town, parts=[]).tasks == []
    assert [part.department for part in dispatched(town, parts=[{"department": "police"}]).tasks] == ["police"]
    assert dispatched(town, department="urban").tasks == []


def test_the_system_opens_the_parts_too(tmp_path: Path) -> None:
    town = open_room(tmp_path, demo_workflow(), table=TABLE)
    case = town.report(matter=ROAD)
    assert (case.state, [part.department for part in case.tasks]) == ("to_handle", ["water", "urban"])
    town.database.close()


def test_equals_are_told_apart_by_load_and_then_by_past_speed(town: Room) -> None:
    assert dispatched(town, LITTER).department == "sanitation"
    second = dispatched(town, LITTER)
    assert second.department == "urban" and second.dispatch_reason is not None
    assert (
        "责任表第 2 行（litter）：垃圾；2 个同等部门中预计最快：城市管理和综合执法局 人均在办 0.0 件"
        in second.dispatch_reason.zh
    )
    first = town.listed(ACCEPTOR, department="sanitation").items[0].id
    town.walk(first, (SANITATION, "assign", "", {"handler": "sweeper.su"}))
    town.later(minutes=30)
    town.walk(first, (SWEEPER, "submit_result", "", {"result": "已清理"}), (SANITATION, "confirm"),
              (ACCEPTOR, "accept_without_visit"), (LEADER, "close"))  # fmt: skip
    third = dispatched(town, LITTER)
    assert third.department == "sanitation" and third.dispatch_reason is not None
    assert "环境卫生管理中心 人均在办 0.0 件，同类处置中位数 0.5 小时" in third.dispatch_reason.zh
    loads = {load.department: load for load in town.desk.dispatch.loads(LEADER, LITTER)}
    assert (loads["sanitation"].open_cases, loads["sanitation"].handled, loads["sanitation"].median_seconds) == (
        1,
        1,
        1800,
    )
    assert (loads["urban"].open_cases, loads["urban"].handlers, loads["urban"].open_each) == (1, 4, 0.25)


def test_choosing_another_of_the_equals_is_no_override(town: Room) -> None:
    case = dispatched(town, LITTER, department="urban")
    assert case.dispatch_reason is not None
    assert "由dispatcher.deng选择" in case.dispatch_reason.zh and "第 2 行" in case.dispatch_reason.zh
    dispatched(town, LITTER, department="urban")
    assert town.desk.dispatch.proposals.list(LEADER) == []


def test_equal_overrides_become_a_proposal_and_nothing_more(town: Room) -> None:
    first = dispatched(town, department="police")
    assert first.timeline[-1].facts["overridden_row"] == "roads"
    dispatched(town, department="urban")
    assert town.desk.dispatch.proposals.list(DISPATCHER) == []
    second = dispatched(town, department="police")
    [proposal] = town.desk.dispatch.proposals.list(DISPATCHER)
    assert (proposal.row, proposal.matter, proposal.district, proposal.department) == ("roads", ROAD, FUTIAN, "police")
    assert proposal.count == 2 and proposal.cases == [first.number, second.number]
    assert "派遣员 2 次如此改派" in proposal.why.zh
    assert dispatched(town).department == "transport"


def test_a_proposal_comes_into_force_by_plan_and_is_gone_back_from(town: Room) -> None:
    for _ in range(2):
        dispatched(town, department="police")
    [proposal] = town.desk.dispatch.proposals.list(LEADER)
    plan = planned(town, proposal=proposal.id)
    assert (plan.cases, plan.elsewhere, plan.agreed_before, plan.agreed_after) == (2, 2, 0, 2)
    learned = plan.table.rows[0]
    assert (learned.department, learned.matters, learned.areas) == ("police", (ROAD,), (FUTIAN,))
    assert [helper.department for helper in learned.co_handlers] == ["water", "urban"]
    assert [(row.row, row.change, row.before, row.after) for row in plan.rows] == [
        (learned.id, "added", 0, 2),
        ("roads", "same", 2, 0),
    ]
    view = applied(town, proposal=proposal.id)
    assert view.version == 2 and [row.id for row in view.table.rows] == [learned.id, "roads", "litter", "rest"]
    assert town.desk.dispatch.proposals.list(LEADER) == []
    case = dispatched(town)
    assert case.department == "police" and [part.department for part in case.tasks] == ["water", "urban"]
    assert applied(town, revert_to=1).version == 3
    assert dispatched(town).department == "transport"
    assert [event.data["version"] for event in town.events("cityloop.dispatch.changed")] == [2, 3]


def test_the_last_choice_of_a_case_counts(town: Room) -> None:
    for _ in range(2):
        case = dispatched(town, department="police")
        police = Actor(id="p", name=case.state_title, posts=("department",), department="police")
        town.walk(case, (police, "return_ask", "不归我们管"), (DISPATCHER, "return_approve", "同意"))
        town.move(DISPATCHER, case, "dispatch", department="transport")
    assert town.desk.dispatch.proposals.list(LEADER) == []


def test_a_changed_table_is_explained_by_past_cases_and_writes_nothing(town: Room) -> None:
    case = dispatched(town)
    dispatched(town, LITTER)
    plan = planned(town, table=having({**ROADS, "department": "police"}, LITTERED, REST))
    assert (plan.base, plan.cases, plan.elsewhere, plan.unmatched_after) == (1, 2, 1, 0)
    assert [(shown.number, shown.before, shown.after, shown.actual) for shown in plan.shown] == [
        (case.number, ["transport"], ["police"], "transport")
    ]
    changed = {change.department: (change.before, change.after) for change in plan.departments}
    assert changed == {"urban": (1, 1), "transport": (1, 0), "police": (0, 1), "sanitation": (1, 1)}
    assert town.desk.dispatch.view(ACCEPTOR).version == 1 and dispatched(town).department == "transport"


def test_the_change_outlives_a_restart_until_the_file_changes(town: Room, tmp_path: Path) -> None:
    applied(town, table=having(REST))
    again = open_room(tmp_path, by_hand(), table=TABLE)
    assert dispatched(again).department == "urban" and again.desk.dispatch.view(ACCEPTOR).version == 2
    edited = open_room(tmp_path, by_hand(), table={**TABLE, "version": "edited"})
    assert dispatched(edited).department == "transport"
    assert [row.origin for row in edited.desk.dispatch.view(ACCEPTOR).versions] == ["content", "changed", "content"]
    for room in (again, edited):
        room.database.close()


def test_a_version_that_the_city_has_outgrown_is_named_at_the_start(town: Room) -> None:
    applied(town, table=having({**REST, "areas": [FUTIAN]}))
    known = town.desk.dispatch._file.known
    known.areas.remove(FUTIAN)  # type: ignore[attr-defined]
    with pytest.raises(ContentError, match="version 2 of the table of responsibility fits no longer"):
        town.desk.dispatch.open(town.clock.now())


def test_refusals_say_what_is_wrong(town: Room) -> None:
    with pytest.raises(AccessDenied, match=r"dispatch\.change"):
        town.desk.dispatch.plan(DISPATCHER, ResponsibilityWish(revert_to=1))
    with pytest.raises(AccessDenied, match=r"dispatch\.read"):
        town.desk.dispatch.proposals.list(ACCEPTOR)
    with pytest.raises(Invalid, match="say one thing"):
        planned(town)
    with pytest.raises(Invalid, match="changes nothing"):
        planned(town, revert_to=1)
    with pytest.raises(NotFound, match="no version 9"):
        planned(town, revert_to=9)
    with pytest.raises(NotFound, match="no proposal 'lesson_x'"):
        planned(town, proposal="lesson_x")
    with pytest.raises(Invalid) as refused:
        planned(town, table=having({**REST, "department": "centre"}, {**REST, "matters": ["x"]}))
    assert [fault.where for fault in refused.value.faults] == [
        "table.rows.0.department", "table.rows.1.id", "table.rows.1.matters.0",
    ]  # fmt: skip


def test_a_plan_holds_for_its_own_change_on_its_own_ground(town: Room) -> None:
    plan = planned(town, table=having(REST))
    wanted = {"plan": plan.plan, "base": plan.base, "reason": "通知"}
    with pytest.raises(Invalid, match="does not belong"):
        town.desk.dispatch.apply(LEADER, NewResponsibility.model_validate({**wanted, "table": having(ROADS, REST)}))
    applied(town, table=having(ROADS, REST))
    with pytest.raises(Conflict, match="version 2 of the table is in force"):
        town.desk.dispatch.apply(LEADER, NewResponsibility.model_validate({**wanted, "table": having(REST)}))


def test_the_owner_of_the_thing_leads(tmp_path: Path) -> None:
    owned = {"id": "owned", "title": "权属", "owners": ["港铁"], "department": "transport"}
    town = open_room(tmp_path, by_hand(), table=having(owned, REST), owners={"s01": "港铁"})
    dispatcher = town.desk._mover._dispatcher
    with town.database.transaction() as tx:
        case = town.desk.report_in(tx, ACCEPTOR, litter(), town.clock.now())[0]
    with town.database.reading() as session:
        named = dispatcher.match(session, case.having(entity="s01"), town.clock.now())
        plain = dispatcher.match(session, case.having(entity="s02"), town.clock.now())
    assert named is not None and plain is not None and (named.row, plain.row) == ("owned", "rest")
    town.database.close()


def test_over_the_wire(town: Room) -> None:
    app = FastAPI()
    app.state.services = {CaseDesk: town.desk}
    app.include_router(router)
    app.add_exception_handler(Problem, _problem)
    app.dependency_overrides[actor_of] = lambda: LEADER
    asker = Client(app)
    told = asker.get("dispatch/table").json()
    assert told["version"] == 1 and told["table"]["rows"][0]["co_handlers"][0]["department"] == "water"
    plan = asker.post("dispatch/plan", json={"table": having(REST)}).json()
    wanted = {"table": having(REST), "plan": plan["plan"], "base": plan["base"], "reason": "简化"}
    answer = asker.post("dispatch/versions", json=wanted)
    assert answer.status_code == 201 and answer.json()["versions"][0]["reason"] == "简化"
    assert asker.get("dispatch/proposals").json() == []
    assert len(asker.get("dispatch/loads").json()) == 9
    assert asker.get("dispatch/loads", params={"matter": "nonsense"}).status_code == 404


def test_a_proposal_is_put_aside_with_a_reason_for_as_long_as_the_table_stands(town: Room) -> None:
    for _ in range(2):
        dispatched(town, department="police")
    [proposal] = town.desk.dispatch.proposals.list(LEADER)
    with pytest.raises(AccessDenied):
        town.desk.dispatch.proposals.put_aside(DISPATCHER, proposal.id, "不合适")
    [aside] = town.desk.dispatch.proposals.put_aside(LEADER, proposal.id, "警方只在夜间接手")
    assert aside.aside is not None and (aside.aside.by, aside.aside.reason) == (LEADER.id, "警方只在夜间接手")
    with pytest.raises(Conflict, match="警方只在夜间接手"):
        town.desk.dispatch.proposals.put_aside(LEADER, proposal.id, "再说一次")
    with pytest.raises(NotFound, match="no proposal 'lesson_x'"):
        town.desk.dispatch.proposals.put_aside(LEADER, "lesson_x", "没有")
    [event] = town.events("cityloop.dispatch.aside")
    assert (event.subject, event.data["department"], event.data["count"]) == (proposal.id, "police", 2)
    assert [detail["reason"] for _, detail in audited(town, "dispatch.aside")] == ["警方只在夜间接手"]
    assert planned(town, proposal=proposal.id).table.rows[0].department == "police", "it can still be accepted"
    applied(town, table=having(ROADS, REST))
    for _ in range(2):
        dispatched(town, department="police")
    [again] = town.desk.dispatch.proposals.list(LEADER)
    assert again.id == proposal.id and again.aside is None
