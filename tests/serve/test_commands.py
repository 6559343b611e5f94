"""Commands over HTTP in the demo city, with its posts, its policy and its simulated devices."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from cityloop.command.routes import router
from cityloop.core.clock import ManualClock
from cityloop.core.settings import Settings
from cityloop.serve.house import House
from tests.wire import Asks

DEMO = Path(__file__).parents[2] / "cities" / "demo"
START = datetime.fromisoformat("2026-03-09T06:30:00+08:00")
SIGN = {"entity_type": "MessageSign", "entity": "V1", "command": "show", "parameters": {"text": "前方积水 请绕行"}}
CLOSE = {"entity_type": "RoadBarrier", "entity": "B1", "command": "close"}


class Demo:
    """The house of the demo, stepped by hand; ``ask(account)`` asks as one of its people."""

    def __init__(self, data: Path) -> None:
        self.clock = ManualClock(START)
        self._asks: dict[str, Asks] = {}
        self.house = House(Settings(city=DEMO, data=data, demo=True, sync=False, linger_ms=1), self.clock)
        self.house.collector.start()
        self.house.commander.start()
        self.wait(timedelta(seconds=5))

    def wait(self, span: timedelta) -> None:
        until = self.clock.now() + span
        while self.clock.now() < until:
            self.clock.advance(timedelta(seconds=5))
            assert self.house.field is not None
            self.house.field.step(self.clock.now())
            self.house.commander.tick(self.clock.now())

    def ask(self, account: str) -> Asks:
        if account not in self._asks:
            self._asks[account] = Asks(self.house.accounts.get(account), self.house.services, router)
        return self._asks[account]

    def order(self, account: str, order: dict[str, Any], key: str, **more: Any) -> Any:
        body = {**order, "reason": "积水处置", "key": key, **more}
        return self.ask(account).post("/api/v1/commands", json=body)


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    made = Demo(tmp_path_factory.mktemp("commands"))
    yield made
    made.house.commander.stop()
    made.house.collector.stop()
    made.house.close()


def test_an_order_is_rehearsed_given_followed_and_undone(demo: Demo) -> None:
    rehearsed = demo.order("water", SIGN, "s0", dry_run=True)
    assert rehearsed.status_code == 200 and rehearsed.json()["verdict"]["allowed"]
    assert rehearsed.json()["state"]["text"] == "安全行车"
    given = demo.order("water", SIGN, "s1")
    assert given.status_code == 201 and given.headers["location"].endswith(given.json()["id"])
    assert demo.order("water", SIGN, "s1").json()["id"] == given.json()["id"]
    demo.wait(timedelta(seconds=30))
    found = demo.ask("water").get(f"/api/v1/commands/{given.json()['id']}").json()
    assert (found["command"]["state"], found["now"]["text"]) == ("done", "前方积水 请绕行")
    back = demo.ask("water").post(f"/api/v1/commands/{given.json()['id']}/undo", json={"reason": "水退"}).json()
    demo.wait(timedelta(seconds=30))
    assert back["parameters"] == {"text": "安全行车"}
    listed = demo.ask("water").get("/api/v1/commands", params={"entity": "V1"}).json()
    assert [item["state"] for item in listed["items"]] == ["done", "undone"]


def test_refusals_say_why_in_both_languages(demo: Demo) -> None:
    stop = {"entity_type": "Pump", "entity": "P2", "command": "stop"}
    refused = demo.order("water", stop, "p1")
    assert refused.status_code == 409
    assert {"0.15" in refused.json()["reasons"][0]["said"][one] for one in ("zh", "en")} == {True}
    assert demo.order("police", stop, "p2").status_code == 403
    assert demo.order("shouli", stop, "p3").status_code == 403
    assert demo.order("water", {**stop, "command": "explode"}, "p4").status_code == 422
    assert demo.order("water", {**stop, "parameters": {"speed": 9}}, "p5").status_code == 409
    safety = {"entity_type": "EmissionSource", "entity": "E3", "command": "shut_off"}
    assert "safety process" in str(demo.order("environment", safety, "e1").json()["reasons"])


def test_two_people_close_a_road(demo: Demo) -> None:
    given = demo.order("police", CLOSE, "b1").json()
    path = f"/api/v1/commands/{given['id']}"
    assert given["state"] == "proposed"
    assert demo.ask("police").post(f"{path}/confirm", json={"reason": "自己"}).status_code == 403
    assert demo.ask("water").get(path).status_code == 404
    assert demo.ask("zhiban").get("/api/v1/commands", params={"open": True}).json()["total"] == 1
    assert demo.ask("zhiban").post(f"{path}/confirm", json={"reason": "现场核实"}).json()["state"] == "ordered"
    demo.wait(timedelta(seconds=30))
    assert demo.ask("zhiban").get(path).json()["command"]["state"] == "done"


def test_a_lying_signal_ends_as_unknown_and_is_settled(demo: Demo) -> None:
    wanted = {"entity_type": "TrafficSignal", "entity": "T4", "command": "set_plan", "parameters": {"plan": "night"}}
    given = demo.order("police", wanted, "t4").json()
    demo.wait(timedelta(minutes=12))
    path = f"/api/v1/commands/{given['id']}"
    assert demo.ask("police").get(path).json()["command"]["state"] == "unknown"
    settled = demo.ask("police").post(f"{path}/settle", json={"reason": "现场未变", "outcome": "failed"})
    assert settled.json()["state"] == "failed"


@pytest.mark.parametrize(
    "account", ["police", "water", "environment", "transport", "sanitation", "urban", "zhiban", "lingdao"]
)
def test_everybody_with_devices_is_told_what_may_be_ordered(demo: Demo, account: str) -> None:
    kinds = demo.ask(account).get("/api/v1/command-kinds").json()
    assert len(kinds) == 18 and any(kind["may_order"] for kind in kinds)
    assert demo.ask(account).get("/api/v1/command-contacts").json()["total"] == 0


def test_what_cannot_be_asked_is_refused_plainly(demo: Demo) -> None:
    ask = demo.ask("zhiban")
    bad: list[Callable[[], Any]] = [
        lambda: ask.get("/api/v1/commands", params={"sort": "reason"}),
        lambda: ask.get("/api/v1/commands", params={"state": "odd"}),
        lambda: ask.post("/api/v1/commands", json={**SIGN, "key": "x"}),
        lambda: ask.post("/api/v1/commands", json={**SIGN, "key": "x", "reason": "r", "level": 9}),
    ]
    assert {one().status_code for one in bad} == {422}
    assert ask.get("/api/v1/commands/cmd_none").status_code == 404
    assert demo.house.audit.verify() is None
