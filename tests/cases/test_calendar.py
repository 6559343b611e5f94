"""A calendar that changes: explained first, then every open case is recounted with a line of its own."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from cityloop.cases.calendar_schemas import CalendarPlan, CalendarsView, CalendarWish, NewCalendar
from cityloop.cases.schemas import CaseDetail
from cityloop.city.almanac import CalendarChange
from cityloop.core.errors import AccessDenied, Conflict, Invalid, NotFound
from tests.cases.support import (
    ACCEPTOR,
    DISPATCHER,
    LEADER,
    ROAD,
    TO_DISPATCH,
    TRANSPORT,
    Room,
    by_hand,
    open_room,
    person,
)

EVE = datetime(2026, 12, 30, 2, 0, tzinfo=UTC)
"""Wednesday 2026-12-30 10:00 in the demo city, when nobody knows the days of 2027."""
HAND = person("hand", "handler", department="transport")
CLOSED = {"days": [{"date": "2027-01-04", "kind": "holiday", "name": "元旦"}]}
ANNOUNCED = {"days": [{"date": "2027-01-03", "kind": "makeup_workday"}], "confirmed_years": [2026, 2027]}


@pytest.fixture
def eve(tmp_path: Path) -> Iterator[Room]:
    """The end of a year; afterwards the city that all tests share has its calendars back."""
    room = open_room(tmp_path, by_hand(), start=EVE)
    yield room
    room.city.calendars.adopt(room.city.almanac.calendars())
    room.database.close()


def held(room: Room, limit: str = "3工作日", **values: Any) -> CaseDetail:
    case = room.report(matter=ROAD, **values)
    return room.walk(case, (ACCEPTOR, "accept"), (LEADER, "file", "", {"limit": limit}), (DISPATCHER, "dispatch"))


def planned(room: Room, change: Any = None, revert_to: int | None = None) -> CalendarPlan:
    wish = {"change": change} if change else {"revert_to": revert_to}
    return room.desk.calendars.plan(LEADER, CalendarWish.model_validate(wish))


def applied(
    room: Room, change: Any = None, revert_to: int | None = None, reason: str = "国务院办公厅通知"
) -> CalendarsView:
    plan = planned(room, change, revert_to)
    wish = {"change": change} if change else {"revert_to": revert_to}
    wanted = {**wish, "plan": plan.plan, "base": plan.base, "reason": reason}
    return room.desk.calendars.apply(LEADER, NewCalendar.model_validate(wanted))


def due(room: Room, case: CaseDetail) -> tuple[str, bool]:
    seen = room.desk.get(ACCEPTOR, case.id)
    assert seen.due_at is not None and seen.deadline is not None and seen.deadline.due_at == seen.due_at
    return seen.due_at.astimezone(room.city.zone).strftime("%m-%d %H:%M"), seen.deadline.provisional


def test_an_open_case_follows_the_announcement_and_the_way_back(eve: Room) -> None:
    """Vectors V58 and V59 of the domain: provisional over the new year, then recounted and logged."""
    case = held(eve)
    assert due(eve, case) == ("01-05 10:00", True)
    applied(eve, ANNOUNCED)
    assert due(eve, case) == ("01-04 10:00", False)
    view = applied(eve, CLOSED)
    assert due(eve, case) == ("01-05 10:00", False)
    assert (view.version, [row.cases for row in view.versions], view.confirmed_years) == (3, [1, 1, 0], [2026, 2027])
    entries = [entry for entry in eve.desk.get(ACCEPTOR, case.id).timeline if entry.move == "deadline_moved"]
    assert [entry.opinion for entry in entries] == ["国务院办公厅通知"] * 2
    assert entries[1].facts["due_at"] == {"before": "2027-01-04T02:00:00+00:00", "after": "2027-01-05T02:00:00+00:00"}
    assert entries[1].title.zh == "日历变更，时限重算"
    assert eve.desk.verify_timeline(case.id) is None
    applied(eve, revert_to=2, reason="误发布")
    assert due(eve, case) == ("01-04 10:00", False)
    assert [event.data["cases"] for event in eve.events("cityloop.calendar.changed")] == [1, 1, 1]
    moved = [event for event in eve.events() if event.data["move"] == "deadline_moved"]
    assert len(moved) == 3 and moved[-1].data["case"]["due_at"].startswith("2027-01-04")


def test_what_is_explained_is_not_written(eve: Room) -> None:
    case = held(eve)
    plan = planned(eve, CLOSED)
    assert (plan.open_cases, plan.cases, plan.later, plan.earlier, plan.overdue_now) == (1, 1, 1, 0, 0)
    assert [(row.number, row.before, row.provisional_after) for row in plan.shown] == [(case.number, case.due_at, True)]
    assert [(day.calendar, str(day.date), day.before, day.after) for day in plan.days] == [
        ("std", "2027-01-04", "08:00-12:00 14:00-18:00", "")
    ]
    assert due(eve, case) == ("01-05 10:00", True)
    assert eve.desk.calendars.view(ACCEPTOR).version == 1


def test_neither_continuous_clocks_nor_closed_or_paused_cases_move(eve: Room) -> None:
    never = held(eve, limit="96紧急工作时")
    closed = held(eve)
    eve.walk(
        closed,
        (TRANSPORT, "assign"),
        (HAND, "submit_result", "", {"result": "好"}),
        (TRANSPORT, "confirm"),
        (ACCEPTOR, "accept_without_visit"),
        (LEADER, "close"),
    )
    asked = eve.walk(held(eve), (TRANSPORT, "suspend_ask", "等材料", {"until": "2027-01-20"}))
    paused = eve.walk(asked, (DISPATCHER, "suspend_grant", "同意"))
    assert paused.light == "paused"
    before = [eve.desk.get(ACCEPTOR, case.id).due_at for case in (never, closed)]
    view = applied(eve, CLOSED)
    assert view.versions[0].cases == 0
    assert [eve.desk.get(ACCEPTOR, case.id).due_at for case in (never, closed)] == before


def test_a_handled_case_is_judged_by_the_calendar_it_shows(eve: Room) -> None:
    case = held(eve)
    eve.walk(
        case,
        (TRANSPORT, "assign"),
        (HAND, "submit_result", "", {"result": "好"}),
        (TRANSPORT, "confirm"),
    )
    before = eve.desk.get(ACCEPTOR, case.id)
    applied(eve, CLOSED)
    after = eve.desk.get(ACCEPTOR, case.id)
    assert after.due_at is not None and before.due_at is not None and after.due_at > before.due_at
    assert (after.state, after.light) == (before.state, before.light)


def test_parts_of_co_handlers_follow_too(eve: Room) -> None:
    case = eve.report(matter=ROAD)
    eve.walk(case, *TO_DISPATCH)
    eve.move(DISPATCHER, case, "dispatch", parts=[{"department": "water", "demand": "关阀", "limit": "3工作日"}])
    [before] = eve.desk.get(ACCEPTOR, case.id).tasks
    assert planned(eve, CLOSED).parts == 1
    applied(eve, CLOSED)
    [after] = eve.desk.get(ACCEPTOR, case.id).tasks
    assert before.due_at is not None and after.due_at is not None and after.due_at > before.due_at
    water = person("water", "department", department="water")
    assert eve.desk.tasks.get(water, after.id).entries[-1].title.zh == "日历变更，时限重算"


def test_the_change_outlives_a_restart(eve: Room, tmp_path: Path) -> None:
    case = held(eve)
    applied(eve, CLOSED)
    eve.city.calendars.adopt(eve.city.almanac.calendars())
    again = open_room(tmp_path, by_hand(), start=EVE)
    assert due(again, case) == ("01-06 10:00", True)
    assert again.desk.calendars.view(ACCEPTOR).version == 2
    again.database.close()


def test_changed_files_are_a_version_and_move_cases(eve: Room, tmp_path: Path) -> None:
    case = held(eve)
    files = eve.city.almanac
    change = CalendarChange.model_validate(CLOSED)
    again = open_room(tmp_path, by_hand(), start=EVE)
    again.city.almanac = files.having(change)
    assert again.desk.calendars.open(EVE) == 1
    assert due(again, case) == ("01-06 10:00", True)
    assert [row.origin for row in again.desk.calendars.view(ACCEPTOR).versions] == ["content", "content"]
    again.database.close()


def test_hours_of_a_calendar_can_change(eve: Room) -> None:
    case = held(eve)
    short = {"calendars": {"std": {"timetables": [{"slots": ["08:00-12:00"]}]}}}
    applied(eve, short)
    assert due(eve, case) == ("01-08 10:00", True)


def test_refusals_say_what_is_wrong(eve: Room) -> None:
    calendars = eve.desk.calendars
    with pytest.raises(AccessDenied, match=r"calendar\.change"):
        calendars.plan(DISPATCHER, CalendarWish.model_validate({"change": CLOSED}))
    with pytest.raises(Invalid, match="say one thing"):
        calendars.plan(LEADER, CalendarWish())
    with pytest.raises(Invalid, match="changes nothing"):
        planned(eve, {"days": [{"date": "2026-01-01", "kind": "holiday"}]})
    with pytest.raises(NotFound, match="no version 9"):
        planned(eve, revert_to=9)
    unknown = {"calendars": {"winter": {}}, "days": [{"date": "2027-01-01"}, {"date": "2027-01-01"}]}
    with pytest.raises(Invalid) as refused:
        planned(eve, unknown)
    assert [fault.where for fault in refused.value.faults] == ["change.calendars.winter", "change.days.1.date"]
    closed: dict[str, Any] = {"calendars": {"std": {"timetables": [{"slots": []}]}}}
    with pytest.raises(Invalid) as refused:
        planned(eve, closed)
    assert "never open" in refused.value.faults[0].what


def test_a_plan_holds_for_its_own_change_on_its_own_ground(eve: Room) -> None:
    case = held(eve)
    plan = planned(eve, CLOSED)
    wanted = {"plan": plan.plan, "base": plan.base, "reason": "通知"}
    with pytest.raises(Invalid, match="does not belong"):
        eve.desk.calendars.apply(LEADER, NewCalendar.model_validate({**wanted, "change": ANNOUNCED}))
    applied(eve, ANNOUNCED)
    with pytest.raises(Conflict, match="version 2 of the calendars is in force"):
        eve.desk.calendars.apply(LEADER, NewCalendar.model_validate({**wanted, "change": CLOSED}))
    assert eve.desk.calendars.view(ACCEPTOR).version == 2
    assert due(eve, case)[1] is False
