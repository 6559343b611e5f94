"""What starts a plan by itself, and what does not."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from cityloop.linkage.schemas import RunFilter
from cityloop.linkage.starting import claim_of, next_time, wants_warning
from cityloop.linkage.steps import Trigger
from tests.linkage.sketch import end, flows, plan, service, start, user
from tests.linkage.support import DISTRICT, FIRST, LEAD, Room, warning

SHENZHEN = ZoneInfo("Asia/Shanghai")


def waits(trigger: str, id: str = "sample") -> str:
    """A plan with a trigger that waits for a person."""
    return plan(start(), user("ask"), end(), flows("start > ask", "ask > end"), id=id, triggers=trigger)


def runs(room: Room) -> list[tuple[str, str | None]]:
    return [(run.plan, run.subject) for run in room.linkage.runs.list(LEAD, RunFilter(), FIRST).items]


@pytest.mark.parametrize(
    ("trigger", "wanted"),
    [
        (Trigger("warning"), True),
        (Trigger("warning", rule="road-flooded"), True),
        (Trigger("warning", rule="other"), False),
        (Trigger("warning", levels=("orange", "red")), True),
        (Trigger("warning", levels=("red",)), False),
        (Trigger("warning", type="Pump"), False),
        (Trigger("warning", area="440304"), True),
        (Trigger("warning", area="440305"), False),
        (Trigger("warning", when='warning.level = "orange"'), True),
        (Trigger("warning", when="warning.depth > 3"), False),
        (Trigger("case"), False),
    ],
)
def test_a_trigger_names_the_warnings_that_it_wants(trigger: Trigger, wanted: bool) -> None:
    assert wants_warning(trigger, warning()) is wanted


def test_one_run_for_a_trigger_and_an_area(room_of: Callable[..., Room]) -> None:
    room = room_of(waits('<cl:trigger kind="warning" rule="road-flooded"/>'))
    room.event("cityloop.warning.raised", "wrn_1", {"warning": warning()})
    room.event("cityloop.warning.raised", "wrn_2", {"warning": warning(id="wrn_2", entity="gauge-2")})
    assert runs(room) == [("sample", "wrn_1")]
    (run,) = room.linkage.runs.list(LEAD, RunFilter(area=DISTRICT), FIRST).items
    assert "joined" in [line.kind for line in room.run(run.id).timeline]
    assert room.run(run.id).facts["warning"]["level"] == "orange"
    elsewhere = warning(id="wrn_3", area="440305001", district="440305")
    room.event("cityloop.warning.raised", "wrn_3", {"warning": elsewhere})
    assert len(runs(room)) == 2


def test_a_plan_may_declare_a_run_for_each_entity_or_for_each_warning(room_of: Callable[..., Room]) -> None:
    each = waits('<cl:trigger kind="warning" once="entity"/>', "each")
    every = waits('<cl:trigger kind="warning" once="none"/>', "every")
    room = room_of(each, every)
    for number, entity in enumerate(("gauge-1", "gauge-1", "gauge-2")):
        told = {"warning": warning(id=f"wrn_{number}", entity=entity)}
        room.event("cityloop.warning.raised", f"wrn_{number}", told)
    started = [name for name, _ in runs(room)]
    assert (started.count("each"), started.count("every")) == (2, 3)


def test_a_muted_warning_starts_nothing(room_of: Callable[..., Room]) -> None:
    room = room_of(waits('<cl:trigger kind="warning"/>'))
    room.event("cityloop.warning.raised", "wrn_1", {"warning": warning(muted={"kind": "silence"})})
    assert runs(room) == []


def test_a_move_of_a_case_starts_a_plan_that_is_not_told_who_reported_it(room_of: Callable[..., Room]) -> None:
    room = room_of(waits('<cl:trigger kind="case" move="file" when="case.matter = &quot;m1&quot;"/>'))
    case = {
        "id": "cas_1",
        "number": "2026-1",
        "matter": "m1",
        "area": "440304001",
        "state": "filed",
        "reporter_phone": "138",
    }
    room.event("cityloop.case.moved", "cas_1", {"case": case, "move": "note"})
    assert runs(room) == []
    room.event("cityloop.case.moved", "cas_1", {"case": case, "move": "file"})
    (run,) = room.linkage.runs.list(LEAD, RunFilter(), FIRST).items
    assert run.subject == "cas_1"
    assert "reporter_phone" not in room.run(run.id).facts["case"]


def test_a_schedule_starts_a_plan_every_morning_for_a_month(room_of: Callable[..., Room]) -> None:
    drawn = plan(
        start(), service("tell", "notify"), end(), flows("start > tell", "tell > end"),
        triggers='<cl:trigger kind="schedule" at="06:30" once="none"/>',
    )  # fmt: skip
    room = room_of(drawn)
    room.linkage.starter.schedule(room.clock.now())
    for _ in range(31):
        room.tick(days=1)
    assert len(room.ledger.keys("notify")) == 31
    room.linkage.starter.schedule(room.clock.now())
    room.tick()
    assert len(room.ledger.keys("notify")) == 31


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("06:30", "2026-03-09T22:30:00+00:00"),
        ("18:00", "2026-03-09T10:00:00+00:00"),
        ("Mon 06:30", "2026-03-15T22:30:00+00:00"),
        ("Tue,Fri 06:30", "2026-03-09T22:30:00+00:00"),
    ],
)
def test_a_schedule_is_read_in_the_citys_time(text: str, wanted: str) -> None:
    monday = datetime(2026, 3, 9, 1, 0, tzinfo=UTC)
    assert next_time(text, monday, SHENZHEN) == datetime.fromisoformat(wanted)


def test_a_claim_is_of_an_area_an_entity_or_nothing() -> None:
    assert claim_of("area", "440304", "x") == "area:440304"
    assert claim_of("area", None, "x") == "area:city"
    assert claim_of("entity", "440304", "x") == "entity:x"
    assert claim_of("none", "440304", "x") is None


def test_a_step_waits_until_its_warning_has_cleared(room_of: Callable[..., Room]) -> None:
    drawn = plan(
        start(), service("hold", "wait_warning_clear"), service("tell", "notify"), end(),
        flows("start > hold", "hold > tell", "tell > end"), triggers='<cl:trigger kind="warning"/>',
    )  # fmt: skip
    room = room_of(drawn)
    room.services["wait_warning_clear"].waits = True
    room.open_warnings |= {"wrn_1"}
    room.event("cityloop.warning.raised", "wrn_1", {"warning": warning()})
    room.event("cityloop.warning.cleared", "wrn_9", {"warning": warning(id="wrn_9")})
    assert room.ledger.keys("notify") == []
    room.open_warnings.clear()
    room.event("cityloop.warning.cleared", "wrn_1", {"warning": warning()})
    assert len(room.ledger.keys("notify")) == 1
