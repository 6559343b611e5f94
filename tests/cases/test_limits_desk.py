"""Limits change by plan, explanation and version; filed cases keep theirs unless they are meant to move."""

from __future__ import annotations

from typing import Any

import pytest

from cityloop.cases.limits_schemas import LimitFilter, LimitsEffect, LimitsView, LimitsWish, NewLimits
from cityloop.core.errors import AccessDenied, Conflict, ContentError, Invalid, NotFound
from cityloop.core.web import Paging
from tests.cases.support import (
    ACCEPTOR,
    DISPATCHER,
    FIRST,
    LEADER,
    LITTER,
    ROAD,
    SANITATION,
    TO_CLOSED,
    TO_HANDLE,
    TO_INSPECT,
    Room,
    by_hand,
    open_room,
)
from tests.cases.test_loop import audited

LINES = [{"filing": "成堆垃圾", "limit": "1紧急工作时", "closing": "清除"}]


def change(limit: str | None = "1紧急工作时", **more: Any) -> dict[str, Any]:
    return {"matters": {LITTER: limit}, **more}


def planned(room: Room, **wish: Any) -> LimitsEffect:
    return room.desk.limits.plan(LEADER, LimitsWish.model_validate(wish))


def applied(room: Room, reason: str = "市政府令", **wish: Any) -> LimitsView:
    plan = planned(room, **wish)
    wanted = {**wish, "plan": plan.plan, "base": plan.base, "reason": reason}
    return room.desk.limits.apply(LEADER, NewLimits.model_validate(wanted))


def test_the_list_tells_limit_source_and_reading(room: Room) -> None:
    applied(room, change=change(conditions={LITTER: LINES}))
    [line] = room.desk.limits.list(LimitFilter(text="06010"), FIRST).items
    assert (line.matter, line.limit, line.source) == (LITTER, "1紧急工作时", "matter")
    assert line.conditions[0].closing == "清除"
    assert line.read_as is not None and line.read_as.zh == "连续 1 小时"
    by_class = room.desk.limits.list(LimitFilter(source="class", standard="gb47678"), FIRST)
    assert by_class.total > 50 and {line.source for line in by_class.items} == {"class"}
    backwards = room.desk.limits.list(LimitFilter(standard="gb47678"), Paging(page=1, size=1, sort="-code"))
    assert backwards.items[0].code > "10000" and backwards.total > by_class.total
    with pytest.raises(Invalid, match="cannot be sorted by 'x'"):
        room.desk.limits.list(LimitFilter(), Paging(page=1, size=1, sort="x"))


def test_a_plan_tells_matters_and_cases_and_writes_nothing(room: Room) -> None:
    filed, unfiled = room.report(), room.report()
    room.walk(filed, *TO_HANDLE)
    room.walk(room.report(), *TO_CLOSED)
    plan = planned(room, change=change("1紧急工作时"))
    assert [(one.matter, one.before, one.after) for one in plan.changes] == [(LITTER, filed_limit(room), "1紧急工作时")]
    assert (plan.unfiled, plan.open_cases, plan.cases, plan.earlier, plan.later) == (1, 1, 1, 1, 0)
    [shown] = plan.shown
    assert shown.id == filed.id and shown.after is not None and shown.before is not None and shown.after < shown.before
    assert room.desk.limits.view().version == 1 and room.desk.get(ACCEPTOR, unfiled.id).version == unfiled.version


def filed_limit(room: Room) -> str | None:
    return room.city.limit_for(LITTER)


def test_filed_cases_keep_their_limit_and_new_ones_get_the_other(room: Room) -> None:
    old = room.report()
    before = room.walk(old, *TO_HANDLE)
    view = applied(room, change=change())
    assert (view.version, view.versions[0].cases, view.versions[0].reason) == (2, 0, "市政府令")
    assert room.desk.get(ACCEPTOR, old.id).due_at == before.due_at
    fresh = room.walk(room.report(), *TO_HANDLE)
    assert fresh.deadline is not None and fresh.deadline.limit_text == "1紧急工作时"
    assert [detail["reason"] for _, detail in audited(room, "limits.change")][-1] == "市政府令"
    [event] = room.events("cityloop.limits.changed")
    assert (event.data["version"], event.data["cases"]) == (2, 0)


def test_where_it_is_wished_open_cases_move_with_a_line_of_their_own(room: Room) -> None:
    moved, own, inspected = room.report(), room.report(), room.report()
    before = room.walk(moved, *TO_HANDLE)
    accept, (leader, file), dispatch = TO_HANDLE
    kept = room.walk(own, accept, (leader, file, "", {"limit": "9紧急工作时"}), dispatch)
    done = room.walk(inspected, *TO_INSPECT)
    view = applied(room, change=change(), open_cases=True)
    assert view.versions[0].cases == 1
    after = room.desk.get(ACCEPTOR, moved.id)
    assert after.deadline is not None and before.due_at is not None and after.due_at is not None
    assert after.deadline.limit_text == "1紧急工作时" and after.due_at < before.due_at
    line = after.timeline[-1]
    assert (line.move, line.opinion, line.facts["limits_version"]) == ("limit_changed", "市政府令", 2)
    assert line.facts["due_at"]["before"] == before.due_at.isoformat()
    assert room.desk.get(ACCEPTOR, own.id).due_at == kept.due_at, "a limit of its own stays"
    assert room.desk.get(ACCEPTOR, inspected.id).due_at == done.due_at, "handled is handled"
    assert room.desk.verify_timeline(moved.id) is None and room.audit.verify() is None
    back = applied(room, revert_to=1, open_cases=True)
    assert back.version == 3 and room.desk.get(ACCEPTOR, moved.id).due_at == before.due_at


def test_pauses_and_extensions_stay_when_the_limit_changes(room: Room) -> None:
    case = room.report()
    room.walk(case, *TO_HANDLE, (SANITATION, "extend_ask", "雨"), (DISPATCHER, "extend_grant", "同意"))
    before = room.desk.get(ACCEPTOR, case.id)
    applied(room, change=change("10紧急工作时"), open_cases=True)
    after = room.desk.get(ACCEPTOR, case.id)
    assert after.due_at is not None and after.extensions == before.extensions == 1
    assert (after.due_at - room.clock.now()).total_seconds() == 2 * 10 * 3600


def test_the_change_outlives_a_restart_until_the_file_changes(room: Room) -> None:
    applied(room, change=change())
    again = open_room(room.data, by_hand())
    assert again.city.limit_for(LITTER) == "1紧急工作时" and again.desk.limits.view().version == 2
    file = again.desk.limits._file
    again.desk.limits._file = file.model_copy(update={"fallback": "9天"})
    again.desk.limits.open(again.clock.now())
    assert [row.origin for row in again.desk.limits.view().versions] == ["content", "changed", "content"]
    assert again.city.limits.file is not None and again.city.limits.file.fallback == "9天"
    again.database.close()


def test_a_version_that_the_city_has_outgrown_is_named_at_the_start(room: Room) -> None:
    applied(room, change=change())
    with room.database.transaction() as tx:
        tx.session.connection().exec_driver_sql(
            "UPDATE case_limits SET document = replace(document, '1紧急工作时', '及时') WHERE version = 2"
        )
    with pytest.raises(ContentError, match="version 2 of the limits fits no longer") as refused:
        room.desk.limits.open(room.clock.now())
    assert f"matters.{LITTER}" in [fault.where for fault in refused.value.faults]


def test_a_matter_without_a_limit_of_its_own_has_its_class_again(room: Room) -> None:
    applied(room, change=change(conditions={LITTER: LINES}))
    applied(room, change={"matters": {LITTER: None}, "conditions": {LITTER: []}})
    [line] = room.desk.limits.list(LimitFilter(text="06010"), FIRST).items
    assert (line.source, line.limit, line.conditions) == ("class", "2天", [])


def test_the_export_is_a_sheet_that_changes_nothing_when_it_is_read_back(room: Room) -> None:
    from cityloop.serve.limits import plan_limits

    lines = [*LINES, {"filing": "零星", "limit": "2小时", "closing": "清除"}]
    applied(room, change=change("2小时", conditions={LITTER: lines}))
    wanted = LimitFilter(standard="gb47678")
    for form in ("csv", "xlsx"):
        body = bytes(room.desk.limits.export(LEADER, wanted, form).body)
        plan = plan_limits(room.city, f"limits.{form}", body)
        assert plan.changes == [] and plan.faults == [] and plan.same > 100, form
    assert len(audited(room, "limits.export")) == 2


def test_refusals_say_what_is_wrong(room: Room) -> None:
    with pytest.raises(AccessDenied, match=r"limits\.change"):
        room.desk.limits.plan(DISPATCHER, LimitsWish(revert_to=1))
    with pytest.raises(Invalid, match="say one thing"):
        planned(room)
    with pytest.raises(Invalid, match="changes nothing"):
        planned(room, revert_to=1)
    with pytest.raises(NotFound, match="no version 9"):
        planned(room, revert_to=9)
    with pytest.raises(Invalid) as refused:
        planned(room, change={"matters": {LITTER: "及时处理", "x": "1天"}, "classes": {"gb47678:matter:99": "1天"}})
    assert [fault.where for fault in refused.value.faults] == [
        "change.matters.x", "change.classes.gb47678:matter:99", f"change.matters.{LITTER}",
    ]  # fmt: skip
    plan = planned(room, change=change())
    wish = {"change": change(), "plan": plan.plan, "base": plan.base, "reason": "试一试"}
    with pytest.raises(Invalid, match="does not belong"):
        room.desk.limits.apply(LEADER, NewLimits.model_validate({**wish, "open_cases": True}))
    applied(room, change={"matters": {ROAD: "9天"}})
    with pytest.raises(Conflict, match="version 2 of the limits is in force"):
        room.desk.limits.apply(LEADER, NewLimits.model_validate(wish))
