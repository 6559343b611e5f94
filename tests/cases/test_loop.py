"""A case from report to close: by people, and by the system where the city lets it."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from cityloop.access.models import AuditRow
from cityloop.cases.schemas import CaseFilter, MoveRequest
from cityloop.core.errors import AccessDenied, Conflict, Invalid, NotFound
from tests.cases.support import (
    ACCEPTOR,
    ANALYST,
    COLLECTOR,
    DISPATCHER,
    FIRST,
    LEADER,
    LITTER,
    MACHINE,
    NOBODY,
    SANITATION,
    SWEEPER,
    TO_CLOSED,
    TO_DISPATCH,
    TO_HANDLE,
    TRANSPORT,
    Room,
    litter,
)


def test_a_case_goes_from_report_to_close(room: Room) -> None:
    case = room.report()
    assert (case.state, case.number, case.district, case.stage) == ("reported", "2026030900001", "440304", 1)
    room.later(minutes=5)
    closed = room.walk(case, *TO_CLOSED)
    assert (closed.state, closed.on_time, closed.department) == ("closed", True, "sanitation")
    assert closed.closed_at == room.clock.now()
    assert [entry.move for entry in closed.timeline] == [
        *["submit", "accept", "file", "dispatch", "assign", "submit_result", "confirm"],
        *["accept_without_visit", "close"],
    ]
    assert closed.timeline[1].used_seconds == 300
    assert closed.timeline[3].receiver == "sanitation"
    assert closed.timeline[5].facts["result"] == "已清理"
    assert closed.dispatch_reason is not None and "refuse" in closed.dispatch_reason.zh
    assert room.desk.verify_timeline(case.id) is None
    assert room.audit.verify() is None


def test_the_system_accepts_files_and_dispatches_with_its_reasons(busy_room: Room) -> None:
    case = busy_room.report(channel="citizen")
    assert (case.state, case.department) == ("to_handle", "sanitation")
    automatic = [entry for entry in case.timeline if entry.actor == "system"]
    assert [entry.move for entry in automatic] == ["accept", "file", "dispatch"]
    assert automatic[0].opinion == "信息完整且附近无相同案件，自动受理"
    assert automatic[2].facts["automation"] == "dispatch-by-table"
    assert case.deadline is not None and case.deadline.due_at is not None and case.light == "green"
    assert case.dispatch_reason is not None and "responsibility table (refuse)" in case.dispatch_reason.en


def test_a_like_report_nearby_waits_for_a_person(busy_room: Room) -> None:
    first = busy_room.report(channel="citizen")
    busy_room.later(minutes=10)
    second = busy_room.report(channel="citizen")
    assert second.state == "reported"
    assert [other.number for other in second.nearby] == [first.number]
    accepted = busy_room.move(ACCEPTOR, second, "accept")
    shown = next(entry for entry in accepted.timeline if entry.move == "accept")
    assert shown.facts["nearby"] == [first.number]
    assert accepted.state == "to_handle"


def test_each_move_tells_the_outbox_once_with_the_case_as_it_then_stands(room: Room) -> None:
    case = room.report()
    room.later(minutes=3)
    room.walk(case, *TO_CLOSED)
    events = room.events()
    assert [event.data["move"] for event in events][:2] == ["submit", "accept"]
    assert [event.data["case"]["version"] for event in events] == list(range(1, 10))
    assert events[0].data["from_state"] is None and events[1].data["from_state"] == "reported"
    assert events[-1].data["elapsed_seconds"] == 180 and events[-1].data["used_seconds"] == 0
    assert events[-1].data["case"]["closed_at"] is not None


def test_a_known_outside_number_answers_with_the_case_there_is(room: Room) -> None:
    first, created = room.desk.report(ACCEPTOR, litter(external_number="B-1"))
    again, second = room.desk.report(ACCEPTOR, litter(external_number="B-1", title="再次上报"))
    assert (created, second) == (True, False)
    assert again.id == first.id and again.title == first.title
    other, third = room.desk.report(ACCEPTOR, litter(external_number="B-1", channel="citizen"))
    assert third and other.id != first.id


def test_two_dispatchers_at_once_and_the_second_is_told_who_was_first(room: Room) -> None:
    case = room.report()
    seen = room.walk(case, *TO_DISPATCH)
    room.desk.move(DISPATCHER, case.id, MoveRequest(move="dispatch", version=seen.version))
    with pytest.raises(Conflict, match=r"changed by dispatcher\.deng at 2026-03-09 09:00:00 \(dispatch\)") as caught:
        room.desk.move(DISPATCHER, case.id, MoveRequest(move="return_to_filing", version=seen.version, opinion="x"))
    assert caught.value.more["version"] == seen.version + 1


def test_a_point_outside_the_city_is_refused_with_the_nearest_area_and_metres(room: Room) -> None:
    with pytest.raises(Invalid) as caught:
        room.report(position={"lon": 113.3, "lat": 23.1})
    [fault] = caught.value.faults
    assert fault.where == "position" and " m from " in fault.what
    assert caught.value.more["metres"] > 10_000


def test_unknown_matter_series_and_component_are_named(room: Room) -> None:
    with pytest.raises(Invalid) as caught:
        room.report(matter="gb47678:matter:06099", series="nowhere")
    assert [fault.where for fault in caught.value.faults] == ["matter", "series"]
    assert "gb47678:matter:0609" in caught.value.faults[0].mend or "near:" in caught.value.faults[0].mend
    with pytest.raises(Invalid, match="is a component"):
        room.report(matter="gb47678:component:01001")


def test_a_move_that_does_not_leave_the_state_is_refused_with_those_that_do(room: Room) -> None:
    case = room.report()
    with pytest.raises(Conflict) as caught:
        room.move(LEADER, case, "close")
    assert "待受理" in caught.value.detail and "reported" in caught.value.detail
    assert "accept, decline_accept, merge" in caught.value.mend


def test_a_missing_permission_is_refused_with_the_posts_that_hold_it_and_leaves_an_audit_line(room: Room) -> None:
    case = room.report()
    with pytest.raises(AccessDenied) as caught:
        room.move(DISPATCHER, case, "accept")
    assert caught.value.more["able"] == ["acceptor", "shift_leader"]
    assert "case.accept" in caught.value.detail
    assert room.audit.verify() is None


def test_offers_say_what_may_be_done_and_why_not(room: Room) -> None:
    case = room.report()
    by_id = {offer.move: offer for offer in room.desk.get(ACCEPTOR, case.id).moves}
    assert by_id["accept"].allowed and by_id["accept"].key == "a"
    assert not by_id["supervise"].allowed and "督查员" in by_id["supervise"].reasons[0].zh
    room.walk(case, *TO_DISPATCH)
    dispatch = next(offer for offer in room.desk.get(DISPATCHER, case.id).moves if offer.move == "dispatch")
    assert dispatch.fields[0].choices[0][0] == "sanitation" and not dispatch.fields[0].required
    assert "centre" not in [choice for choice, _ in dispatch.fields[0].choices]


def test_a_department_sees_only_its_own_cases(room: Room) -> None:
    litter_case, road_case = room.report(), room.report(matter="gb47678:matter:06013", title="路面坑洞")
    room.walk(litter_case, *TO_HANDLE)
    room.walk(road_case, *TO_HANDLE)
    assert [case.id for case in room.listed(SANITATION).items] == [litter_case.id]
    assert room.listed(TRANSPORT).total == 1 and room.listed(ACCEPTOR).total == 2
    with pytest.raises(NotFound):
        room.desk.get(TRANSPORT, litter_case.id)
    with pytest.raises(NotFound):
        room.desk.move(TRANSPORT, litter_case.id, MoveRequest(move="assign", version=4))


def test_who_has_no_sight_of_cases_is_refused_everywhere(room: Room) -> None:
    case = room.report()
    for act in (
        lambda: room.listed(NOBODY),
        lambda: room.desk.get(NOBODY, case.id),
        lambda: room.desk.geojson(NOBODY, CaseFilter()),
        lambda: room.desk.export(NOBODY, CaseFilter(), "csv"),
        lambda: room.desk.move(NOBODY, case.id, MoveRequest(move="accept", version=1)),
        lambda: room.desk.report(NOBODY, litter()),
    ):
        with pytest.raises(AccessDenied):
            act()


def test_a_machine_that_may_only_report_gets_the_bare_case_back_twice(busy_room: Room) -> None:
    told = litter(external_number="12345-7", reporter_name="王小明", reporter_phone="13812345678")
    first, created = busy_room.desk.report(MACHINE, told)
    again, repeated = busy_room.desk.report(MACHINE, told)
    assert created and not repeated and again.id == first.id
    assert first.reporter_phone is None and first.timeline == [] and first.moves == []
    with pytest.raises(Conflict):
        busy_room.desk.report(MACHINE.model_copy(update={"id": "stranger"}), told)


def test_the_reporter_is_masked_by_post_and_clear_reading_leaves_an_audit_line(room: Room) -> None:
    case = room.report(reporter_name="欧阳小明", reporter_phone="13812345678")
    seen = room.desk.get(DISPATCHER, case.id)
    assert (seen.reporter_name, seen.reporter_phone) == ("欧阳**", "138****5678")
    assert room.desk.get(ANALYST, case.id).reporter_phone == "***"
    assert room.desk.get(ACCEPTOR, case.id).reporter_phone == "13812345678"
    assert audited(room, "case.read") == [(ACCEPTOR.id, {"unmasked": ["reporter_name", "reporter_phone"]})]


def test_a_collector_sees_the_cases_of_his_areas(room: Room) -> None:
    here = room.report()
    room.report(position={"lon": 113.9, "lat": 22.56})
    assert [case.id for case in room.listed(COLLECTOR).items] == [here.id]


def test_the_sweeper_finds_his_work_by_mine(room: Room) -> None:
    case = room.report()
    assert room.listed(SWEEPER, mine=True).total == 0 and room.listed(ACCEPTOR, mine=True).total == 1
    room.walk(case, *TO_HANDLE, (SANITATION, "assign", "", {"handler": SWEEPER.id}))
    assert [item.id for item in room.listed(SWEEPER, mine=True).items] == [case.id]
    assert room.listed(ACCEPTOR, mine=True).total == 0


def test_numbers_count_by_day_and_never_repeat(room: Room) -> None:
    first = [room.report(position={"lon": 114.055, "lat": 22.535 + n / 100}).number for n in range(3)]
    room.later(days=1)
    assert first == ["2026030900001", "2026030900002", "2026030900003"]
    assert room.report().number == "2026031000001"


def test_the_desk_knows_its_states(room: Room) -> None:
    states = {state.id: state for state in room.desk.states()}
    assert states["closed"].final and not states["handling"].final and len(states) == 21


def test_matters_can_be_corrected_at_acceptance_and_the_old_one_stays_on_file(room: Room) -> None:
    case = room.report(matter="gb47678:matter:06011")
    with pytest.raises(Invalid):
        room.move(ACCEPTOR, case, "accept", matter="gb47678:matter:99999")
    accepted = room.move(ACCEPTOR, case, "accept", matter=LITTER)
    assert accepted.matter == LITTER
    assert accepted.timeline[-1].facts["matter"] == {"before": "gb47678:matter:06011", "after": LITTER}
    assert room.desk.list(ACCEPTOR, CaseFilter(matter=(LITTER,)), FIRST).total == 1


def audited(room: Room, act: str) -> list[tuple[str, dict[str, object]]]:
    with room.database.reading() as session:
        rows = session.scalars(select(AuditRow).where(AuditRow.act == act).order_by(AuditRow.seq))
        return [(row.actor, row.detail) for row in rows]
