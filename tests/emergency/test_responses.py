"""An emergency from its opening to the report: level, calls, tasks, resources, log, hand-over, end."""

from __future__ import annotations

import io
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from openpyxl import load_workbook

from cityloop.core.errors import AccessDenied, Conflict, Invalid, NotFound
from cityloop.core.web import Paging
from cityloop.emergency.models import LogRow
from cityloop.emergency.schemas import (
    Acknowledgement,
    AssignmentMove,
    AssignmentWish,
    HandOverOffer,
    LevelWish,
    LogNote,
    ResourcePlace,
    ResponseEnd,
    ResponseView,
    TaskMove,
    TaskWish,
)
from tests.cases.support import MONDAY
from tests.emergency.support import (
    ANALYST,
    CHIEF,
    EMERGENCY,
    HEAD,
    HOUSING,
    POLICE,
    WATER,
    EmergencyRoom,
    open_emergency_room,
)

ALL = Paging(page=1, size=50, sort="")


@pytest.fixture
def room(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmergencyRoom]:
    found = open_emergency_room(tmp_path_factory.mktemp("emergency"))
    yield found
    found.database.close()


def _roles(view: ResponseView) -> dict[str, str]:
    return {contact.role: contact.state for contact in view.contacts}


def _task(view: ResponseView, words: str) -> Any:
    return next(task for task in view.tasks if words in task.title.zh)


def test_opening_calls_the_first_role_and_gives_the_tasks_of_the_level(room: EmergencyRoom) -> None:
    opened = room.open()
    assert opened.number.startswith("YJ20260309") and opened.holder == "zhiban" and opened.area
    assert _roles(opened) == {"duty": "calling"}
    assert [(task.title.zh, task.department, task.due_at) for task in opened.tasks] == [
        ("巡查易涝点", "water", MONDAY + timedelta(hours=2))
    ]
    assert [event.data["account"] for event in room.events("cityloop.response.called")] == ["emergency"]
    with pytest.raises(Conflict):
        room.open(title="又一次")
    assert room.open(kind="hazmat", title="另一类").state == "open"
    with pytest.raises(NotFound):
        room.open(kind="meteor")


def test_who_does_not_answer_is_passed_over_and_the_tree_goes_on(room: EmergencyRoom) -> None:
    opened = room.open()
    assert room.later(minutes=2) == 0
    assert room.later(minutes=1) == 1
    seen = room.seen(opened)
    assert seen.contacts[0].turn == 1, "the second person of the role"
    room.desk.acknowledge(PEOPLE_2, opened.id, seen.contacts[0].id, Acknowledgement())
    seen = room.seen(opened)
    assert _roles(seen) == {"duty": "reached", "water-duty": "calling", "police-duty": "calling"}
    assert seen.contacts[0].reached_by == "杨帆"
    assert room.later(minutes=10) == 2, "nobody of either role answers"
    assert _roles(room.seen(opened)) == {"duty": "reached", "water-duty": "missed", "police-duty": "missed"}
    late = room.desk.acknowledge(CHIEF, opened.id, seen.contacts[1].id, Acknowledgement(name="何永清", note="回电"))
    assert _roles(late)["water-duty"] == "reached", "who calls back has answered"
    with pytest.raises(Conflict):
        room.desk.acknowledge(CHIEF, opened.id, seen.contacts[1].id, Acknowledgement())
    with pytest.raises(AccessDenied):
        room.desk.acknowledge(WATER, opened.id, seen.contacts[2].id, Acknowledgement())


def test_a_stop_of_the_program_loses_no_call(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("stopped")
    before = open_emergency_room(folder)
    opened = before.open()
    before.database.close()
    after = open_emergency_room(folder)
    after.clock.advance(timedelta(minutes=7))
    after.desk.tick(after.clock.now())
    seen = after.seen(opened)
    assert seen.contacts[0].turn == 2, "who would have been called by then"
    assert seen.contacts[0].next_at == MONDAY + timedelta(minutes=9)
    assert [line.kind for line in seen.log][:3] == ["called", "passed-over", "passed-over"]
    after.database.close()


def test_a_graver_level_gives_more_tasks_and_calls_more_roles(room: EmergencyRoom) -> None:
    opened = room.open()
    room.desk.acknowledge(EMERGENCY, opened.id, opened.contacts[0].id, Acknowledgement())
    risen = room.desk.level(CHIEF, opened.id, LevelWish(level="III", reason="积水超过三十厘米"))
    assert {"架设移动泵车", "封闭积水路段"} <= {task.title.zh for task in risen.tasks} and len(risen.tasks) == 3
    water = next(contact for contact in risen.contacts if contact.role == "water-duty")
    answered = room.desk.acknowledge(WATER, opened.id, water.id, Acknowledgement())
    assert _roles(answered)["pump-crew"] == "calling"
    with pytest.raises(Conflict):
        room.desk.level(CHIEF, opened.id, LevelWish(level="III", reason="再次"))
    down = room.desk.level(EMERGENCY, opened.id, LevelWish(level="IV", reason="雨势减弱"))
    assert down.level == "IV" and len(down.tasks) == 3, "what was given stays given"
    with pytest.raises(AccessDenied):
        room.desk.level(WATER, opened.id, LevelWish(level="II", reason="越权"))


def test_tasks_are_taken_done_and_late_ones_are_told_of(room: EmergencyRoom) -> None:
    opened = room.open(level="III")
    patrol, road = _task(opened, "巡查"), _task(opened, "封闭")
    taken = room.desk.move_task(WATER, opened.id, patrol.id, TaskMove(move="take"))
    assert (_task(taken, "巡查").state, _task(taken, "巡查").taken_by) == ("taken", "water")
    with pytest.raises(AccessDenied):
        room.desk.move_task(WATER, opened.id, road.id, TaskMove(move="take"))
    room.later(minutes=31)
    assert _task(room.seen(opened), "封闭").late and not _task(room.seen(opened), "巡查").late
    told = [(event.data["what"], event.data["department"]) for event in room.events("cityloop.response.reminder")]
    assert ("task", "police") in told
    done = room.desk.move_task(POLICE, opened.id, road.id, TaskMove(move="done", words="已封闭两条路"))
    assert _task(done, "封闭").result == "已封闭两条路"
    with pytest.raises(Conflict):
        room.desk.move_task(POLICE, opened.id, road.id, TaskMove(move="done"))
    with pytest.raises(Invalid):
        room.desk.move_task(CHIEF, opened.id, patrol.id, TaskMove(move="drop"))
    added = room.desk.add_task(CHIEF, opened.id, TaskWish(title="送沙袋", department="housing", limit="2小时（连续）"))
    assert _task(added, "送沙袋").department == "housing"
    with pytest.raises(Invalid):
        room.desk.add_task(CHIEF, opened.id, TaskWish(title="去月球", department="moon", limit="2小时"))
    with pytest.raises(Invalid):
        room.desk.add_task(CHIEF, opened.id, TaskWish(title="尽快", department="water", limit="及时"))


def test_the_nearest_resource_comes_first_and_is_not_sent_twice(room: EmergencyRoom) -> None:
    opened = room.open()
    assert [one.id for one in opened.resources][:2] == ["pump-truck-futian", "patrol-cars"]
    assert opened.resources[0].metres is not None and opened.resources[0].metres < 1000
    sent = room.desk.assign(CHIEF, opened.id, AssignmentWish(resource="pump-truck-futian", count=2))
    assert next(one for one in sent.resources if one.id == "pump-truck-futian").free == 0
    other = room.open(kind="hazmat", title="另一事件")
    with pytest.raises(Conflict):
        room.desk.assign(CHIEF, other.id, AssignmentWish(resource="pump-truck-futian"))
    with pytest.raises(NotFound):
        room.desk.assign(CHIEF, other.id, AssignmentWish(resource="spaceship"))
    held = sent.assignments[0].id
    arrived = room.desk.move_assignment(WATER, opened.id, held, AssignmentMove(move="arrive"))
    assert (arrived.assignments[0].arrived_at and arrived.resources[-1].metres == 0) or any(
        one.metres == 0 for one in arrived.resources
    )
    with pytest.raises(AccessDenied):
        room.desk.move_assignment(HOUSING_SEES, opened.id, held, AssignmentMove(move="release"))
    freed = room.desk.move_assignment(WATER, opened.id, held, AssignmentMove(move="release"))
    assert next(one for one in freed.resources if one.id == "pump-truck-futian").free == 2
    room.desk.place(CHIEF, opened.id, "sandbags", ResourcePlace(lon=114.0, lat=22.5, out=True))
    with pytest.raises(Conflict):
        room.desk.assign(CHIEF, opened.id, AssignmentWish(resource="sandbags", count=5))


def test_departments_see_what_they_have_a_part_in(room: EmergencyRoom) -> None:
    opened = room.open()
    assert room.seen(opened, WATER).id == opened.id
    assert room.seen(opened, EMERGENCY).may_command and not room.seen(opened, WATER).may_command
    with pytest.raises(NotFound):
        room.seen(opened, HOUSING)
    room.desk.add_task(CHIEF, opened.id, TaskWish(title="排查工地", department="housing", limit="2小时（连续）"))
    assert room.desk.list(HOUSING, "open", ALL).total == 1
    with pytest.raises(AccessDenied):
        room.desk.list(ANALYST, None, ALL)
    with pytest.raises(AccessDenied):
        room.open(WATER, kind="hazmat")
    assert room.open(EMERGENCY, kind="hazmat", title="牵头部门启动").holder == "emergency"


def test_a_shift_hands_over_in_writing_and_the_next_accepts(room: EmergencyRoom) -> None:
    opened = room.open()
    offer = HandOverOffer(to="lingdao", words="两处积水未退，泵车在途")
    with pytest.raises(Conflict):
        room.desk.offer(HEAD, opened.id, HandOverOffer(to="zhiban", words="不是当班人"))
    with pytest.raises(AccessDenied):
        room.desk.offer(CHIEF, opened.id, HandOverOffer(to="water", words="无指挥权的人"))
    with pytest.raises(NotFound):
        room.desk.offer(CHIEF, opened.id, HandOverOffer(to="ghost", words="没有这个人"))
    room.desk.offer(CHIEF, opened.id, offer)
    with pytest.raises(Conflict):
        room.desk.accept(CHIEF, opened.id)
    assert room.seen(opened, HEAD).may_accept and room.seen(opened).holder == "zhiban"
    assert room.desk.accept(HEAD, opened.id).holder == "lingdao"
    words = [line.words for line in room.seen(opened).log if line.kind == "offered"]
    assert words == ["两处积水未退，泵车在途"]


def test_the_end_wants_finished_tasks_and_releases_everything(room: EmergencyRoom) -> None:
    opened = room.open()
    room.desk.assign(CHIEF, opened.id, AssignmentWish(resource="sandbags", count=300))
    with pytest.raises(Conflict):
        room.desk.end(CHIEF, opened.id, ResponseEnd(reason="积水已退"))
    room.desk.move_task(CHIEF, opened.id, opened.tasks[0].id, TaskMove(move="drop", words="已无必要"))
    ended = room.desk.end(CHIEF, opened.id, ResponseEnd(reason="积水已退"))
    assert ended.state == "ended" and all(one.released_at for one in ended.assignments)
    assert room.later(minutes=30) == 0, "nobody is called any more"
    with pytest.raises(Conflict):
        room.desk.note(CHIEF, opened.id, LogNote(words="太迟"))
    assert room.open(title="再次启动").id != opened.id


def test_the_report_tells_the_timeline_in_every_form(room: EmergencyRoom) -> None:
    opened = room.open(level="III")
    room.clock.advance(timedelta(minutes=4))
    room.desk.acknowledge(EMERGENCY, opened.id, opened.contacts[0].id, Acknowledgement())
    room.desk.note(WATER, opened.id, LogNote(words="=1+1 水位 <30 厘米"))
    page = bytes(room.papers.report(CHIEF, opened.id, "html", "zh").body).decode()
    assert "应急响应复盘报告" in page and "启动III级响应" in page and "水位 &lt;30 厘米" in page
    assert "<tr><td>到首次应答（分钟）</td><td>4.0</td></tr>" in page
    book = load_workbook(io.BytesIO(bytes(room.papers.report(CHIEF, opened.id, "xlsx", "en").body)))
    assert len(book.worksheets) == 5
    assert "'=1+1 水位 <30 厘米" in [cell.value for row in book.worksheets[4] for cell in row]
    with pytest.raises(NotFound):
        room.papers.report(HOUSING, opened.id, "html", "zh")


def test_contacts_are_printed_for_when_nothing_works(room: EmergencyRoom) -> None:
    page = bytes(room.papers.contacts(CHIEF, "rainstorm", "html", "zh").body).decode()
    assert "许国平" in page and "000-0001" in page and "抽排队" in page
    with pytest.raises(NotFound):
        room.papers.contacts(CHIEF, "meteor", "html", "zh")
    with pytest.raises(AccessDenied):
        room.papers.contacts(ANALYST, "rainstorm", "html", "zh")


def test_the_log_is_only_added_to_and_everything_is_audited(room: EmergencyRoom) -> None:
    opened = room.open()
    room.desk.note(WATER, opened.id, LogNote(words="到场"))
    with room.database.reading() as session:
        lines = session.query(LogRow).filter(LogRow.response == opened.id).count()
    assert lines == len(room.seen(opened).log) and room.audit.verify() is None
    moved = [event.data["move"] for event in room.events("cityloop.response.moved")]
    assert moved == ["open", "task", "called", "note", "note"]


def test_a_warning_opens_a_response_and_a_run_does_too(room: EmergencyRoom) -> None:
    warning = {"id": "war_1", "rule": "air.pm2_5_episode", "level": "orange", "area": None, "district": "440304"}
    room.tell("cityloop.warning.raised", {"warning": warning})
    assert room.desk.list(CHIEF, "open", ALL).total == 0, "orange opens nothing"
    for _ in range(2):
        room.tell("cityloop.warning.level", {"warning": {**warning, "level": "red"}})
    opened = room.desk.list(CHIEF, "open", ALL)
    assert [(one.kind, one.level) for one in opened.items] == [("air-pollution", "III")]
    assert room.seen(opened.items[0].id).cause == {"kind": "warning", "id": "war_1"}
    room.tell("cityloop.run.started", {"run": {"id": "run_1", "plan": "waterlogging", "area": "440305"}})
    assert {one.kind for one in room.desk.list(CHIEF, "open", ALL).items} == {"air-pollution", "rainstorm"}


PEOPLE_2 = EMERGENCY.model_copy(update={"id": "emergency-handler", "posts": ("handler",)})
HOUSING_SEES = HOUSING.model_copy(update={"posts": ("department", "supervisor")})
