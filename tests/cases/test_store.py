"""What lasts: the hash chain, numbers and outside numbers under pressure, many moves in one transaction."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import TypeVar

import pytest
from openpyxl import load_workbook
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError

from cityloop.access.actor import SYSTEM
from cityloop.cases.intake import Brought
from cityloop.cases.schemas import CaseFilter, MoveRequest
from cityloop.cases.store import CaseStore
from cityloop.cases.views import Views
from cityloop.core.web import Paging
from tests.cases.support import (
    ACCEPTOR,
    DUST,
    MONDAY,
    ROAD,
    SANITATION,
    TO_CLOSED,
    TO_HANDLE,
    Room,
    by_hand,
    litter,
    open_room,
)
from tests.parts import Store

T = TypeVar("T")


def together(count: int, act: Callable[[], T]) -> list[T]:
    """What ``act`` gives in so many threads at once."""
    with ThreadPoolExecutor(count) as pool:
        return [future.result() for future in [pool.submit(act) for _ in range(count)]]


def test_the_timeline_cannot_be_changed_and_a_forced_change_is_found(room: Room) -> None:
    case = room.report()
    room.walk(case, *TO_CLOSED)
    for act in ("UPDATE case_timeline SET opinion = 'x'", "DELETE FROM case_timeline"):
        with pytest.raises(DatabaseError, match="append-only"), room.database.transaction() as tx:
            tx.session.execute(text(act))
    with room.database.transaction() as tx:
        tx.session.execute(text("DROP TRIGGER case_timeline_no_update"))
        tx.session.execute(text("UPDATE case_timeline SET opinion = 'forged' WHERE seq = 4"))
    assert room.desk.verify_timeline(case.id) == 4


def test_a_timeline_cut_off_at_the_end_is_found(room: Room) -> None:
    case = room.report()
    room.walk(case, *TO_HANDLE)
    with room.database.transaction() as tx:
        tx.session.execute(text("DROP TRIGGER case_timeline_no_delete"))
        tx.session.execute(text("DELETE FROM case_timeline WHERE seq = 4"))
    assert room.desk.verify_timeline(case.id) == 4


def test_ten_threads_with_one_outside_number_make_one_case(room: Room) -> None:
    found = together(10, lambda: room.desk.report(ACCEPTOR, litter(external_number="once")))
    assert len({detail.id for detail, _ in found}) == 1
    assert sorted(created for _, created in found) == [False] * 9 + [True]


def test_an_error_in_a_transaction_leaves_nothing_half_written(room: Room) -> None:
    with pytest.raises(RuntimeError), room.database.transaction() as tx:
        case, _ = room.desk.report_in(tx, ACCEPTOR, litter(), room.clock.now())
        room.desk.move_in(tx, ACCEPTOR, case.id, MoveRequest(move="accept", version=1), room.clock.now())
        raise RuntimeError("the power fails")
    assert room.listed(ACCEPTOR).total == 0 and room.events() == []
    assert room.report().number == "2026030900001"


def test_records_bring_area_target_and_department_and_are_replayed_in_one_transaction(tmp_path: Path) -> None:
    room = open_room(tmp_path, by_hand())
    target = MONDAY + timedelta(days=2)
    with room.database.transaction() as tx:
        for number in range(30):
            brought = Brought(area="440304", target_at=target, department="water")
            report = litter(external_number=f"R-{number}", series="boston-311", position={"lon": 1, "lat": 1})
            case, created = room.desk.report_in(tx, SYSTEM, report, MONDAY, brought)
            assert created
            for move, fields in (
                ("accept", {}),
                ("file", {}),
                ("dispatch", {"department": "water"}),
                ("assign", {}),
                ("submit_result", {"result": "done"}),
            ):
                request = MoveRequest(move=move, version=case.version, fields=fields)
                case = room.desk.move_in(tx, SYSTEM, case.id, request, MONDAY)
            done = target + timedelta(seconds=number % 2)
            case = room.desk.move_in(tx, SYSTEM, case.id, MoveRequest(move="confirm", version=case.version), done)
            again, created = room.desk.report_in(tx, SYSTEM, report, MONDAY, brought)
            assert again.id == case.id and not created
    cases = room.desk.list(ACCEPTOR, CaseFilter(), Paging(page=1, size=50, sort="number")).items
    assert [case.on_time for case in cases] == [True, False] * 15
    assert {case.due_at for case in cases} == {target} and {case.department for case in cases} == {"water"}
    assert all(room.desk.verify_timeline(case.id) is None for case in cases)
    assert room.audit.verify() is None
    room.database.close()


def test_an_absolute_target_cannot_be_extended(room: Room) -> None:
    with room.database.transaction() as tx:
        brought = Brought(target_at=MONDAY + timedelta(days=2))
        case, _ = room.desk.report_in(tx, ACCEPTOR, litter(), MONDAY, brought)
    held = room.walk(case.id, *TO_HANDLE)
    offer = next(o for o in room.desk.get(SANITATION, held.id).moves if o.move == "extend_ask")
    assert not offer.allowed and offer.reasons[0].zh == "记录自带的办结时点不能延期"


def test_the_event_of_a_move_holds_exactly_the_case_view(room: Room) -> None:
    case = room.report(series="boston-311", external_number="x")
    room.walk(case, *TO_CLOSED)
    mover = room.desk._mover
    views: Views = mover._views
    with room.database.transaction() as tx:
        stored = CaseStore.of(tx).find(case.id)
    assert stored is not None
    view = views.view(stored, room.clock.now())
    assert type(view).model_validate(view.model_dump()) == view
    assert views.document(stored, room.clock.now()) == view.model_dump(mode="json")
    assert room.events()[-1].data["case"] == view.model_dump(mode="json")


def test_cases_are_listed_by_class_of_matter(room: Room) -> None:
    rubbish, pothole, cloud = room.report(), room.report(matter=ROAD), room.report(matter=DUST)
    paged = Paging(page=1, size=50, sort="number")

    def found(*matter: str) -> set[str]:
        return {case.id for case in room.desk.list(ACCEPTOR, CaseFilter(matter=matter), paged).items}

    assert found("gb47678:matter:06*") == {rubbish.id, pothole.id}
    assert found(ROAD, "gb47678:matter:08*") == {pothole.id, cloud.id}
    assert found("gb30428:matter:06*") == set()


def test_exports_hold_the_list_and_disarm_formulas(room: Room) -> None:
    room.report(title="=HYPERLINK(1)")
    room.report(title="路边垃圾", matter=DUST)
    body = room.desk.export(ACCEPTOR, CaseFilter(matter=(DUST,)), "csv").body
    rows = list(csv.DictReader(io.StringIO(bytes(body).decode("utf-8-sig"))))
    assert [row["标题"] for row in rows] == ["路边垃圾"] and rows[0]["上报时间"] == "2026-03-09T09:00:00+08:00"
    sheet = load_workbook(io.BytesIO(bytes(room.desk.export(ACCEPTOR, CaseFilter(), "xlsx").body))).active
    assert sheet is not None
    assert sorted(str(row[1]) for row in sheet.iter_rows(min_row=2, values_only=True)) == ["'=HYPERLINK(1)", "路边垃圾"]


def test_map_points_are_longitude_first(room: Room) -> None:
    case = room.report()
    [feature] = room.desk.geojson(ACCEPTOR, CaseFilter())["features"]
    assert feature["geometry"]["coordinates"] == [114.055, 22.535]
    assert feature["properties"]["id"] == case.id and feature["properties"]["light"] == "none"


def test_the_loop_runs_on_postgresql(tmp_path: Path, postgres: Store) -> None:
    room = open_room(tmp_path, by_hand(), url=postgres.url.replace("+psycopg", ""))
    case = room.report()
    closed = room.walk(case, *TO_CLOSED)
    assert closed.state == "closed" and room.desk.verify_timeline(case.id) is None
    found = together(10, lambda: room.desk.report(ACCEPTOR, litter(external_number=f"once-{case.id}")))
    assert len({detail.id for detail, _ in found}) == 1 and sum(created for _, created in found) == 1
    assert len(together(10, lambda: room.report().number)) == 10
    assert room.audit.verify() is None
    with pytest.raises(DatabaseError, match="append-only"), room.database.transaction() as tx:
        tx.session.execute(text("DELETE FROM case_timeline"))
    room.database.close()
