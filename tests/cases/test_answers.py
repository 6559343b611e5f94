"""Warnings become work: opened once, joined while it runs, followed to the end, whatever crashes in between."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, func, select

from cityloop.access.models import AuditRow
from cityloop.cases.models import CaseRow, CaseWarningRow
from cityloop.core.database import Transaction
from cityloop.core.outbox import Event
from cityloop.watch.schemas import WarningView
from tests.cases.support import ACCEPTOR, DUST, MONDAY, TO_CLOSED, Room, changed_workflow, demo_workflow, open_room


def warning(identity: str = "wrn_1", **values: Any) -> dict[str, Any]:
    """A dust warning of one station, as watch tells it."""
    told: dict[str, Any] = {
        "id": identity,
        "rule": "pm25-high",
        "rule_version": "1",
        "title": {"zh": "PM2.5 偏高", "en": "PM2.5 high"},
        "message": {"zh": "PM2.5 180 µg/m³，超过 150", "en": "PM2.5 180 µg/m³, above 150"},
        "entity": "1011A",
        "entity_type": "AirQualityStation",
        "entity_title": {"zh": "官园站", "en": "Guanyuan"},
        "property": "pm2_5",
        "unit": "µg/m3",
        "level": "yellow",
        "peak": "yellow",
        "status": "open",
        "value": 180.0,
        "threshold": 150.0,
        "raised_at": MONDAY,
        "updated_at": MONDAY,
        "cleared_at": None,
        "acknowledged_at": None,
        "acknowledged_by": None,
        "area": "440304",
        "district": "440304",
        "lon": 114.055,
        "lat": 22.535,
        "department": "environment",
        "matter": DUST,
        "series": "beijing-air",
        "case": None,
        "case_number": None,
    }
    return WarningView.model_validate({**told, **values}).model_dump(mode="json")


def tell(room: Room, what: str, view: dict[str, Any]) -> None:
    """Let watch's outbox say something, and let the relay carry it to the desk."""
    with room.database.transaction() as tx:
        data = {"warning": view, "evidence": {"records": [], "trace": []}}
        room.outbox.record(tx, f"cityloop.warning.{what}", view["id"], room.clock.now(), data)
    room.relay.drain()


def cases(room: Room) -> list[Any]:
    return room.listed(ACCEPTOR).items


def test_a_warning_opens_a_case_that_is_dispatched_at_once_with_its_reason(busy_room: Room) -> None:
    tell(busy_room, "raised", warning())
    [view] = cases(busy_room)
    case = busy_room.desk.get(ACCEPTOR, view.id)
    assert (case.channel, case.warning, case.series) == ("warning", "wrn_1", "beijing-air")
    assert (case.state, case.department, case.title) == (
        "to_handle",
        "environment",
        "官园站：PM2.5 180 µg/m³，超过 150",
    )
    assert case.dispatch_reason is not None and "dust-warning" in case.dispatch_reason.zh
    assert [entry.actor for entry in case.timeline] == ["system"] * 4
    assert case.timeline[0].facts["warning"] == "wrn_1"
    assert busy_room.events()[0].data["linked_warning"] == "wrn_1"


def test_orange_and_red_warnings_are_urgent_and_rising_makes_a_case_urgent(busy_room: Room) -> None:
    tell(busy_room, "raised", warning("wrn_o", entity="1012A", level="orange"))
    tell(busy_room, "raised", warning("wrn_y"))
    flags = {case.warning: case.flags for case in cases(busy_room)}
    assert flags == {"wrn_o": ["urgent"], "wrn_y": []}
    tell(busy_room, "level", warning("wrn_y", level="red", value=320.0))
    case = busy_room.desk.get(ACCEPTOR, next(c.id for c in cases(busy_room) if c.warning == "wrn_y"))
    assert "urgent" in case.flags and case.timeline[-1].opinion == "预警等级变为红色"
    assert case.timeline[-1].facts["value"] == 320.0


def test_a_warning_without_a_matter_opens_no_case(busy_room: Room) -> None:
    tell(busy_room, "raised", warning(matter=None))
    assert cases(busy_room) == []


def test_a_second_warning_of_the_same_place_and_matter_joins_the_open_case(busy_room: Room) -> None:
    tell(busy_room, "raised", warning())
    tell(busy_room, "cleared", warning(status="cleared", cleared_at=MONDAY))
    busy_room.later(hours=1)
    tell(busy_room, "raised", warning("wrn_2", rule="pm25-day"))
    [view] = cases(busy_room)
    case = busy_room.desk.get(ACCEPTOR, view.id)
    assert [entry.opinion for entry in case.timeline[-2:]] == ["预警已解除", "预警并入：PM2.5 180 µg/m³，超过 150"]
    assert case.warning == "wrn_1" and case.timeline[-1].facts["warning"] == "wrn_2"
    assert busy_room.events()[-1].data["linked_warning"] == "wrn_2"
    tell(busy_room, "cleared", warning("wrn_2", status="cleared"))
    assert busy_room.desk.get(ACCEPTOR, view.id).timeline[-1].facts["of_warning"] == "wrn_2"


def test_after_closing_the_next_warning_opens_a_new_case_and_a_late_clearing_changes_nothing(room: Room) -> None:
    tell(room, "raised", warning(matter="gb47678:matter:06010"))
    [first] = cases(room)
    room.walk(first.id, *TO_CLOSED)
    tell(room, "cleared", warning(matter="gb47678:matter:06010", status="cleared"))
    assert room.desk.get(ACCEPTOR, first.id).timeline[-1].move == "close"
    tell(room, "raised", warning("wrn_2", matter="gb47678:matter:06010"))
    assert len(cases(room)) == 2


def test_events_told_again_change_nothing(busy_room: Room) -> None:
    for what in ("raised", "level", "cleared"):
        tell(busy_room, what, warning(level="red" if what == "level" else "yellow"))
    [view] = cases(busy_room)
    before = busy_room.desk.get(ACCEPTOR, view.id)
    events = [e for e in busy_room.outbox.after(0, 1000) if e.type.startswith("cityloop.warning.")]
    for _ in range(2):
        with busy_room.database.transaction() as tx:
            busy_room.desk.answer_warnings(tx, events)
    assert busy_room.desk.get(ACCEPTOR, view.id).timeline == before.timeline


def test_a_crash_between_two_events_neither_loses_nor_doubles_a_case(tmp_path: Path) -> None:
    room = open_room(tmp_path)
    with room.database.transaction() as tx:
        for number in range(6):
            view = warning(f"wrn_{number}", entity=f"station-{number}")
            data = {"warning": view, "evidence": {}}
            room.outbox.record(tx, "cityloop.warning.raised", view["id"], room.clock.now(), data)
    original = room.desk.answer_warnings
    hits: list[int] = []

    def dies_half_way(tx: Transaction, events: list[Event]) -> None:
        original(tx, events[:3])
        if not hits:
            hits.append(1)
            raise RuntimeError("the power fails")
        original(tx, events[3:])

    room.relay.consume("cases", dies_half_way, ("cityloop.warning.raised",))  # type: ignore[arg-type]
    with pytest.raises(RuntimeError):
        room.relay.drain()
    assert cases(room) == []
    room.database.close()
    again = open_room(tmp_path)
    again.relay.drain()
    assert sorted(case.warning for case in cases(again)) == [f"wrn_{n}" for n in range(6)]
    assert len({case.number for case in cases(again)}) == 6
    assert again.audit.verify() is None
    again.database.close()


def test_a_warning_that_cannot_become_a_case_is_on_record_and_holds_nobody_up(busy_room: Room) -> None:
    tell(busy_room, "raised", warning("wrn_bad", matter="gb47678:matter:99999"))
    tell(busy_room, "raised", warning("wrn_nowhere", entity="x", lon=None, lat=None, area=None))
    tell(busy_room, "raised", warning("wrn_good", entity="y"))
    assert [case.warning for case in cases(busy_room)] == ["wrn_good"]
    with busy_room.database.reading() as session:
        refused = session.scalars(select(AuditRow.object).where(AuditRow.result == "refused")).all()
        assert list(refused) == ["wrn_bad", "wrn_nowhere"]
        assert session.scalar(select(func.count()).select_from(CaseWarningRow)) == 1


def test_a_warning_of_an_area_without_a_point_stands_in_its_centre(busy_room: Room) -> None:
    tell(busy_room, "raised", warning(lon=None, lat=None))
    [case] = cases(busy_room)
    centre = busy_room.city.areas.get("440304").centre
    assert centre is not None and (case.lon, case.lat) == (centre.lon, centre.lat)


def test_automation_waits_when_the_city_says_so(tmp_path: Path) -> None:
    rules = [rule.model_dump() for rule in demo_workflow().automation]
    rules[0]["when"]["after_seconds"] = 600
    room = open_room(tmp_path, changed_workflow(version="waits", automation=rules))
    tell(room, "raised", warning())
    assert [case.state for case in cases(room)] == ["reported"]
    assert room.desk.dispatch_due(room.later(seconds=599)) == 0
    assert room.desk.dispatch_due(room.later(seconds=1)) == 3
    assert room.desk.dispatch_due(room.clock.now() + timedelta(hours=1)) == 0
    assert [case.state for case in cases(room)] == ["to_handle"]
    with room.database.reading() as session:
        assert session.scalar(select(CaseRow.by_hand)) is False
    room.database.close()


def test_what_waits_for_a_person_is_not_read_at_every_tick(busy_room: Room) -> None:
    busy_room.report(channel="leader")
    asked: list[str] = []
    event.listen(busy_room.database.engine, "before_cursor_execute", lambda _c, _k, said, *_: asked.append(said))
    for seconds, looks in ((0, 1), (30, 0), (29, 0), (1, 1)):
        asked.clear()
        busy_room.desk.tick(busy_room.later(seconds=seconds))
        assert sum("by_hand IS 0" in said for said in asked) == looks, seconds


def test_a_warning_that_is_given_a_matter_later_opens_its_case_then_but_not_while_it_is_muted(busy_room: Room) -> None:
    tell(busy_room, "raised", warning(matter=None))
    muted = {"kind": "silence", "id": "mut_1", "reason": {"zh": "检修", "en": "repairs"}, "until": None}
    tell(busy_room, "level", warning(level="orange", muted=muted))
    assert cases(busy_room) == []
    tell(busy_room, "level", warning(level="orange"))
    tell(busy_room, "level", warning(level="red"))
    assert [view.warning for view in cases(busy_room)] == ["wrn_1"]
