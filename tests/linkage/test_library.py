"""Plans come from packs, are changed with a reason, and every version is kept; a dry run sends nothing."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import httpx
import pytest

from cityloop.access.actor import Actor
from cityloop.access.audit import Audit
from cityloop.access.door import Door
from cityloop.access.policy import Policy
from cityloop.access.service import Accounts
from cityloop.core.clock import ManualClock
from cityloop.core.database import Database
from cityloop.core.errors import AccessDenied, Conflict, ContentError, Invalid, NotFound
from cityloop.core.outbox import Outbox
from cityloop.core.values import Title
from cityloop.linkage.engine import Engine
from cityloop.linkage.library import Library, load_plans
from cityloop.linkage.plan_routes import router
from cityloop.linkage.plan_schemas import NewPlanVersion, PlanText, PlanTry
from cityloop.linkage.rehearse import Rehearsal
from cityloop.serve.app import create_app
from tests.linkage.drawings import DRILL, NAMES

POLICY = Policy.model_validate(
    {
        "posts": {
            "head": {"title": "head", "may": ["plan.change"], "sees": {"plan": {"rows": ["all"]}}},
            "guest": {"title": "guest"},
            "reader": {"title": "reader", "sees": {"plan": {"rows": ["all"]}}},
        }
    }
)
HEAD = Actor(id="li", name=Title(zh="李", en="Li"), posts=("head",))
READER = Actor(id="wu", name=Title(zh="吴", en="Wu"), posts=("reader",))
GUEST = Actor(id="guest", name=Title(zh="客", en="Guest"), posts=("guest",))
ENGINE = Engine(lambda _text, at: at + timedelta(hours=2))
CHANGED = DRILL.replace("PT1H", "PT30M")


@pytest.fixture
def pack(tmp_path: Path) -> Path:
    folder = tmp_path / "water" / "plans"
    folder.mkdir(parents=True)
    (folder / "flood-drill.bpmn").write_text(DRILL, encoding="utf-8")
    return tmp_path / "water"


class Room:
    def __init__(self, database: Database, pack: Path, clock: ManualClock) -> None:
        self.database, self.outbox, self.door = database, Outbox(database), Door(POLICY)
        self.audit = Audit(database)
        self.library = Library(
            database=database,
            outbox=self.outbox,
            door=self.door,
            audit=self.audit,
            clock=clock,
            packs=load_plans([pack], NAMES),
            names=NAMES,
            engine=ENGINE,
        )
        self.rehearsal = Rehearsal(self.library, ENGINE, self.door, clock, {"water": Title(zh="水务局", en="Water")})


@pytest.fixture
def room(database: Database, pack: Path, clock: ManualClock) -> Room:
    return Room(database, pack, clock)


def new(xml: str, base: int = 1, reason: str = "夜间缩短") -> NewPlanVersion:
    return NewPlanVersion(xml=xml, base=base, reason=reason)


def test_a_plan_of_a_pack_is_drawn_and_told_with_its_lanes_and_triggers(room: Room) -> None:
    (plan,) = room.library.list(READER)
    assert (plan.id, plan.version, plan.origin, plan.title.en) == ("flood-drill", 1, "water", "Flood drill")
    assert (plan.triggers, plan.departments, plan.tasks, plan.services) == (("warning", "person"), ("water",), 2, 2)
    detail = room.library.get(READER, "flood-drill")
    assert "BPMNShape" in detail.xml and detail.faults == []
    assert [(lane.department, lane.post) for lane in detail.lanes] == [(None, "shift_leader"), ("water", None)]
    assert (detail.triggers[0].levels, detail.triggers[0].once) == (("orange", "red"), "area")


def test_a_pack_with_a_faulty_plan_is_refused_with_file_line_and_element(pack: Path) -> None:
    path = pack / "plans" / "bad.bpmn"
    path.write_text(DRILL.replace('id="water"', 'id="moon"'), encoding="utf-8")
    with pytest.raises(ContentError) as refusal:
        load_plans([pack], NAMES)
    assert [fault.code for fault in refusal.value.faults] == ["unknown-department"]
    assert refusal.value.faults[0].where.startswith(f"{path}:") and "lane-water" in refusal.value.faults[0].where


def test_a_change_is_explained_applied_with_its_reason_and_kept_as_a_version(room: Room) -> None:
    told = room.library.explain(HEAD, "flood-drill", PlanText(xml=CHANGED))
    assert (told.base, told.faults, told.running) == (1, [], [])
    (change,) = told.changes
    assert (change.element, change.what) == ("pump-late", "changed")
    assert change.keys[0].after == "timeDuration PT30M"
    applied = room.library.apply(HEAD, "flood-drill", new(CHANGED))
    assert (applied.plan.version, applied.plan.plan.origin) == (2, "edited")
    assert [(v.version, v.in_force, v.reason) for v in room.library.versions(READER, "flood-drill")] == [
        (2, True, "夜间缩短"),
        (1, False, ""),
    ]
    assert "PT1H" in room.library.version("flood-drill", 1).xml
    assert "PT30M" in room.library.current("flood-drill").xml
    assert [event.type for event in room.outbox.after(0)] == ["cityloop.plan.changed"]
    assert room.audit.verify() is None


def test_who_may_not_change_plans_is_refused_and_who_sees_none_sees_none(room: Room) -> None:
    for act in (room.library.explain, room.library.apply):
        with pytest.raises(AccessDenied):
            act(READER, "flood-drill", new(CHANGED))
    with pytest.raises(AccessDenied):
        room.library.list(GUEST)
    with pytest.raises(AccessDenied):
        room.library.lint(GUEST, PlanText(xml=DRILL))
    with pytest.raises(NotFound):
        room.library.get(READER, "no-such")


def test_a_faulty_or_foreign_or_late_change_is_refused(room: Room) -> None:
    with pytest.raises(Invalid) as refusal:
        room.library.apply(HEAD, "flood-drill", new(DRILL.replace('default="no"', "")))
    assert {fault.code for fault in refusal.value.faults} >= {"no-default"}
    with pytest.raises(Invalid):
        room.library.apply(HEAD, "another", new(DRILL, base=0))
    room.library.apply(HEAD, "flood-drill", new(CHANGED))
    with pytest.raises(Conflict):
        room.library.apply(HEAD, "flood-drill", new(DRILL))


def test_an_applied_version_outlives_a_restart_until_the_packs_file_changes(
    room: Room, pack: Path, clock: ManualClock
) -> None:
    room.library.apply(HEAD, "flood-drill", new(CHANGED))
    assert Room(room.database, pack, clock).library.current("flood-drill").version == 2
    (pack / "plans" / "flood-drill.bpmn").write_text(DRILL.replace("PT1H", "PT2H"), encoding="utf-8")
    again = Room(room.database, pack, clock).library
    assert again.current("flood-drill").version == 3
    assert "PT2H" in again.current("flood-drill").xml


def test_a_new_plan_can_be_drawn(room: Room) -> None:
    xml = DRILL.replace('process id="flood-drill"', 'process id="night-drill"')
    assert room.library.explain(HEAD, "night-drill", PlanText(xml=xml)).base == 0
    room.library.apply(HEAD, "night-drill", new(xml, base=0))
    assert [plan.id for plan in room.library.list(READER)] == ["flood-drill", "night-drill"]


def told(room: Room, **wish: object) -> list[tuple[str, str]]:
    tried = room.rehearsal.play(READER, "flood-drill", PlanTry.model_validate(wish))
    assert tried.end == "ended", tried.why
    return [(step.kind, step.element) for step in tried.steps]


def test_a_dry_run_goes_the_way_that_the_answers_say(room: Room) -> None:
    assert told(room, answers={"confirm": {"depth": 2}}) == [
        ("start", "begin"),
        ("approval", "confirm"),
        ("choice", "real"),
        ("end", "false-alarm"),
    ]
    steps = told(room, answers={"confirm": {"depth": 20}})
    assert {("task", "pump"), ("service", "tell"), ("end", "over")} <= set(steps)
    assert ("service", "late-note") not in steps
    assert [event.type for event in room.outbox.after(0)] == []


def test_a_dry_run_lets_a_timer_fire_where_somebody_is_late(room: Room) -> None:
    answers = {"confirm": {"depth": 20}, "pump": {"late": True}}
    tried = room.rehearsal.play(READER, "flood-drill", PlanTry(answers=answers))
    note = next(step for step in tried.steps if step.element == "late-note")
    assert note.after_seconds == 3600
    assert note.inputs["text"] == "水深 20 厘米"
    assert tried.end == "ended"


def test_a_dry_run_says_what_it_would_ask_of_whom(room: Room) -> None:
    tried = room.rehearsal.play(READER, "flood-drill", PlanTry(xml=CHANGED))
    confirm = next(step for step in tried.steps if step.element == "confirm")
    assert confirm.asks == ["depth"]
    assert confirm.title.en == "Confirm the flooding"


def test_a_body_of_fifty_megabytes_is_refused_before_anything_reads_it(room: Room) -> None:
    accounts = SimpleNamespace(actor=lambda _token: HEAD)
    app = create_app({Library: room.library, Rehearsal: room.rehearsal, Accounts: accounts}, [router])

    async def ask() -> None:
        transport = httpx.ASGITransport(app)
        signed = {"authorization": "Bearer li"}
        async with httpx.AsyncClient(transport=transport, base_url="http://here/api/v1", headers=signed) as client:
            answer = await client.post("/plans/lint", content=b'{"xml": "' + b"a" * 50_000_000 + b'"}')
            assert answer.status_code == 413
            assert (await client.post("/plans/lint", json={"xml": DRILL})).json() == {"faults": [], "sound": True}
            assert "BPMNShape" in (await client.post("/plans/layout", json={"xml": DRILL})).json()["xml"]
            bomb = '<!DOCTYPE x [<!ENTITY a "b">]>' + DRILL
            assert (await client.post("/plans/layout", json={"xml": bomb})).status_code == 422
            assert (await client.get("/plan-services")).json()[0]["name"] == "case.open"
            assert (await client.get("/plans/flood-drill/versions/1")).json()["in_force"] is True

    asyncio.run(ask())


def test_instants_of_a_dry_run_are_those_of_its_own_clock(room: Room, clock: ManualClock) -> None:
    before: datetime = clock.now()
    room.rehearsal.play(READER, "flood-drill", PlanTry(answers={"confirm": {"depth": 20}, "pump": {"late": True}}))
    assert clock.now() == before
