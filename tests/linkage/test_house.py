"""A plan in the real house: it decides, opens a case, publishes, tells, orders a pump, asks a metric, and is undone."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cityloop.access.actor import Actor
from cityloop.core.clock import ManualClock
from cityloop.core.settings import Settings
from cityloop.core.values import Title
from cityloop.linkage.plan_schemas import NewPlanVersion
from cityloop.linkage.schemas import NewRun, RunDetail
from cityloop.serve.house import House
from cityloop.watch.cap import read
from tests.linkage.sketch import end, flows, plan, service, start, user
from tests.linkage.support import CITY, DISTRICT

MONDAY = datetime(2026, 3, 9, 1, 0, tzinfo=UTC)
LITTER = "gb47678:matter:06010"
LEAD = Actor(id="zhiban", name=Title(zh="值班长", en="Lead"), posts=("shift_leader",), department="centre")
WATER = Actor(id="water", name=Title(zh="水务局", en="Water"), posts=("department",), department="water")
NAMES = ("level", "file", "publish", "tell", "count", "clear", "order")
DRAWN = plan(
    start(),
    service("level", "decide", table="response-level", result="answer", level="=warned", kind="water", hour="=8"),
    service("file", "case.open", matter=LITTER, description="积水点垃圾堵塞", department="urban"),
    service("publish", "cap", level="orange", headline="道路积水", text="请绕行"),
    service("tell", "notify", department="water", title="请到场", text="=answer.decision"),
    service("count", "metric", metric="cases_opened", hours="24"),
    service("clear", "wait_warning_clear", rule="road-flooded"),
    user("confirm", limit="2小时"),
    service("order", "command", entity="nowhere", entity_type="Pump", command="start"),
    end(),
    flows("start > level", "level > file", "file > publish", "publish > tell", "tell > count", "count > clear"),
    flows("clear > confirm", "confirm > order", "order > end"),
    lanes={"水务": ("department:water", [*NAMES, "confirm", "start", "end"])},
)


class City:
    """The demo city without its replay, and one plan in force."""

    def __init__(self, folder: Path) -> None:
        self.clock = ManualClock(MONDAY)
        self.house = House(Settings(city=CITY, data=folder, sync=False), self.clock)
        wish = NewPlanVersion(xml=DRAWN, base=0, reason="演练用预案")
        self.house.joined.library.apply(LEAD, "sample", wish)
        self.runs, self.tasks = self.house.joined.linkage.runs, self.house.joined.linkage.tasks

    def go(self, **span: float) -> None:
        self.clock.advance(timedelta(**span))
        for _ in range(2):
            self.house.joined.linkage.tick(self.clock.now())
            self.house.relay.drain()

    def started(self) -> RunDetail:
        facts = {"warned": "orange"}
        run = self.runs.start(LEAD, NewRun(plan="sample", area=DISTRICT, reason="暴雨", facts=facts)).run.id
        self.go()
        return self.runs.get(LEAD, run)


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[City]:
    found = City(tmp_path_factory.mktemp("house"))
    yield found
    found.house.joined.stop()
    found.house.close()


def test_a_plan_acts_through_every_room_and_is_undone(city: City) -> None:
    run = city.started()
    states = {effect.element: (effect.state, effect.reason) for effect in run.effects}
    assert {element for element, (state, _) in states.items() if state == "done"} == set(NAMES) - {"order"}, states
    assert run.facts["answer"]["rules"]
    assert "value" in run.facts["count"]
    case = city.house.desk.get(LEAD, run.facts["file"]["case"])
    assert case.channel == "department"
    events = city.house.outbox.after(0, 10_000)
    (told,) = [event for event in events if event.type == "cityloop.plan.notice"]
    assert told.data["notice"]["department"] == "water"
    (published,) = [event for event in events if event.type == "cityloop.cap.published"]
    assert read(published.data["cap"]["message"].encode()).level == "orange"

    undone = {one.title.zh: one.undone for one in city.runs.undo(LEAD, run.run.id, "误报")}
    assert undone == {"tell": True, "publish": True, "file": True}
    cancel = [event for event in city.house.outbox.after(0, 10_000) if event.type == "cityloop.cap.published"][-1]
    assert read(cancel.data["cap"]["message"].encode()).kind == "Cancel"
    assert "已撤销" in city.house.desk.get(LEAD, case.id).timeline[-1].opinion
    city.runs.end(LEAD, run.run.id, "误报")


def test_an_order_that_may_not_be_given_fails_its_step_with_the_reason(city: City) -> None:
    run = city.started()
    (task,) = [one for one in run.tasks if one.state == "open"]
    city.tasks.complete(WATER, task.id, {})
    city.go()
    failed = city.runs.get(LEAD, run.run.id)
    (order,) = [effect for effect in failed.effects if effect.element == "order"]
    assert (failed.run.state, order.state) == ("failed", "failed")
    assert order.reason is not None
    city.runs.end(LEAD, run.run.id, "设备不存在")
