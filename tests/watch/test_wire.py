"""Rules, mutes, labels, health, CAP and backtests over HTTP: rights, refusals with their places, what is kept."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from cityloop.access.actor import Actor
from cityloop.core.values import Title
from cityloop.watch.routes import router as watch_router
from cityloop.watch.rule_routes import router as rule_router
from cityloop.watch.rulebook import declared
from cityloop.watch.service import Watch
from tests.watch.house import BOSS, House
from tests.watch.naive import at, rule_of
from tests.watch.test_cap import STATION, alert
from tests.wire import Asks

RULE = rule_of(window=10)
HANDLER = Actor(id="h", name=Title(zh="员", en="H"), posts=("handler",), department="urban")


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A warning that was raised, and one that has cleared."""
    one = House(tmp_path_factory.mktemp("wire"), [RULE])
    one.see(("a", 0, 12), ("b", 0, 25))
    one.see(("b", 10, 1))
    yield one
    one.watch.backtests.close()
    one.database.close()


def asks(house: House, actor: Actor) -> Asks:
    return Asks(actor, {Watch: house.watch}, watch_router, rule_router)


@pytest.fixture(scope="module")
def boss(house: House) -> Asks:
    return asks(house, BOSS)


@pytest.fixture(scope="module")
def handler(house: House) -> Asks:
    return asks(house, HANDLER)


def test_rules_are_listed_told_and_judged_by_what_they_did(boss: Asks, handler: Asks) -> None:
    (rule,) = boss.get("/api/v1/rules").json()
    assert (rule["id"], rule["open_warnings"], rule["fired_total"], rule["no_data"]) == ("test.rule", 1, 2, None)
    entry = boss.get("/api/v1/rules/test.rule").json()
    assert (entry["origin"], entry["versions"], entry["declaration"]["window"]) == ("pack", [], 10)
    assert boss.get("/api/v1/rules/none").status_code == 404
    (health,) = boss.get("/api/v1/rules/health", params={"days": 30}).json()
    assert (health["fired"], health["silent"]) == (2, False)
    assert boss.get("/api/v1/rules/health", params={"days": 0}).status_code == 422
    assert handler.get("/api/v1/rules").status_code == 403


def test_a_warning_is_labelled_and_assigned_by_who_may(boss: Asks, handler: Asks, house: House) -> None:
    path = f"/api/v1/warnings/{house.warnings(status='open')[0].id}"
    labelled = boss.post(f"{path}/outcome", json={"outcome": "true", "note": "属实"})
    assert (labelled.status_code, labelled.json()["outcome"]) == (200, "true")
    assert boss.post(f"{path}/outcome", json={"outcome": "maybe"}).status_code == 422
    assert handler.post(f"{path}/outcome", json={"outcome": "false"}).status_code == 403
    given = boss.post(f"{path}/assign", json={"department": "urban"}).json()
    assert (given["department"], given["history"][-1]["what"]) == ("urban", "assigned")
    assert boss.post(f"{path}/assign", json={}).json()["faults"][0]["where"] == "department"


def test_quiet_is_asked_for_listed_and_ended(boss: Asks, handler: Asks, house: House) -> None:
    until = (house.clock.now() + timedelta(hours=1)).isoformat()
    wish = {"rule": "test.rule", "entity": "c", "end": until, "reason": "设备检修", "kind": "maintenance"}
    made = boss.post("/api/v1/mutes", json=wish)
    assert (made.status_code, made.json()["active"]) == (201, True)
    assert [mute["id"] for mute in boss.get("/api/v1/mutes").json()] == [made.json()["id"]]
    ended = boss.post(f"/api/v1/mutes/{made.json()['id']}/end").json()
    assert (ended["active"], ended["ended_by"]) == (False, "boss")
    assert boss.post(f"/api/v1/mutes/{made.json()['id']}/end").status_code == 409
    assert (boss.get("/api/v1/mutes").json(), len(boss.get("/api/v1/mutes", params={"every": True}).json())) == ([], 1)
    refused = boss.post("/api/v1/mutes", json={**wish, "rule": "none"})
    assert (refused.status_code, refused.json()["faults"][0]["where"]) == (422, "rule")
    assert boss.post("/api/v1/mutes/none/end").status_code == 404
    assert handler.post("/api/v1/mutes", json=wish).status_code == 403


def test_a_cap_message_comes_in_and_goes_out(boss: Asks, house: House) -> None:
    station = asks(house, STATION)
    taken = station.post("/api/v1/cap", content=alert("wire1"))
    assert (taken.status_code, taken.json()["acted"]) == (202, "raised")
    sent = boss.get(f"/api/v1/warnings/{taken.json()['warning']}/cap", params={"number": 0})
    assert sent.headers["content-type"].startswith("application/cap+xml")
    assert "暴雨" in sent.text
    assert station.post("/api/v1/cap", content=b"<alert/>").status_code == 422
    assert boss.post("/api/v1/cap", content=alert("wire2")).status_code == 403


def test_a_rule_is_planned_applied_and_brought_back(boss: Asks, handler: Asks) -> None:
    draft = {**declared(RULE), "version": "2", "levels": {"blue": 100}}
    plan = boss.post("/api/v1/rules/plan", json={"draft": draft}).json()
    assert [change["key"] for change in plan["changes"]] == ["version", "levels"]
    wish = {"draft": draft, "plan": plan["plan"], "base": plan["base"], "reason": "试行一周"}
    assert handler.post("/api/v1/rules/versions", json=wish).status_code == 403
    applied = boss.post("/api/v1/rules/versions", json=wish)
    assert (applied.status_code, applied.json()["origin"]) == (201, "changed")
    assert boss.post("/api/v1/rules/versions", json=wish).status_code == 422
    stale = {**wish, "draft": {**draft, "version": "3"}}
    assert boss.post("/api/v1/rules/versions", json=stale).status_code == 409
    broken = boss.post("/api/v1/rules/plan", json={"draft": {**draft, "bucket": 3}})
    assert [fault["where"] for fault in broken.json()["faults"]] == ["draft.window"]
    back = boss.post("/api/v1/rules/plan", json={"rule": "test.rule", "revert_to": 0}).json()
    wish = {"rule": "test.rule", "revert_to": 0, "plan": back["plan"], "base": back["base"], "reason": "恢复原样"}
    assert boss.post("/api/v1/rules/versions", json=wish).status_code == 201


def backtest(boss: Asks, house: House, **wish: Any) -> str:
    """The id of a backtest that is done."""
    asked = boss.post("/api/v1/rules/backtests", json={"start": at(0).isoformat(), "end": at(100).isoformat(), **wish})
    assert asked.status_code == 202, asked.text
    house.watch.backtests.join()
    return str(asked.json()["id"])


def test_backtests_outlive_a_restart_and_two_are_compared(boss: Asks, handler: Asks, house: House) -> None:
    first = backtest(boss, house, rule="test.rule")
    second = backtest(boss, house, draft={**declared(RULE), "levels": {"blue": 20.0}})
    other = backtest(boss, house, rule="test.rule", start=at(200).isoformat(), end=at(300).isoformat())
    done = boss.get(f"/api/v1/rules/backtests/{first}").json()
    assert (done["state"], done["report"]["warnings"]) == ("done", 2)
    both = boss.get("/api/v1/rules/backtests/compare", params={"first": first, "second": second}).json()
    assert (both["both"], both["only_first"], both["only_second"]) == (1, 1, 0)
    assert [change["key"] for change in both["changes"]] == ["levels"]
    apart = boss.get("/api/v1/rules/backtests/compare", params={"first": first, "second": other})
    assert apart.status_code == 422
    assert boss.get("/api/v1/rules/backtests/compare", params={"first": first, "second": "none"}).status_code == 404
    assert boss.post(f"/api/v1/rules/backtests/{first}/stop").json()["state"] == "done"
    assert boss.post("/api/v1/rules/backtests", json={}).status_code == 422
    assert handler.get("/api/v1/rules/backtests").status_code == 403
    restarted = House(house.folder, [RULE])
    again = asks(restarted, BOSS)
    assert [job["id"] for job in again.get("/api/v1/rules/backtests").json()] == [other, second, first]
    assert again.get(f"/api/v1/rules/backtests/{first}").json() == done
    restarted.database.close()


def test_a_backtest_that_the_end_of_the_program_broke_off_says_so(tmp_path: Path) -> None:
    one = House(tmp_path, [RULE])
    one.see(("a", 0, 12))
    one.watch.backtests._rehearser = None  # type: ignore[assignment]
    one.watch.backtests._settle = lambda *_, **__: None  # type: ignore[method-assign]
    asked = asks(one, BOSS).post("/api/v1/rules/backtests", json={"rule": "test.rule"}).json()["id"]
    again = House(tmp_path, [RULE])
    view = asks(again, BOSS).get(f"/api/v1/rules/backtests/{asked}").json()
    assert (view["state"], view["problem"]) == ("failed", "the program stopped before it was done")
    for house in (one, again):
        house.watch.backtests.close()
        house.database.close()
