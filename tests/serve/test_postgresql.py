"""The public's door, evaluation, dispatch, calendars and data quality over a real PostgreSQL, as over SQLite."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import httpx
import psycopg
import pytest

from cityloop.core.clock import ManualClock
from cityloop.core.outbox import Relay
from cityloop.serve.open311.content import load_open311
from cityloop.serve.open311.sender import POLL, Sender
from cityloop.serve.open311.sent import SentFilter
from tests.cases.support import FIRST
from tests.parts import Store
from tests.steward.conftest import Client, Town

HERE = {"lon": "114.055", "lat": "22.535"}
V2 = "/open311/v2"
QUERIES = ("mine=true&open=true&sort=due_at", "open=true&sort=-risk", "text=垃圾", "light=green", "sort=number")


@pytest.fixture(scope="module")
def city(postgres: Store, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    with psycopg.connect(postgres.url.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute("CREATE DATABASE public_door")
    found = Town(tmp_path_factory.mktemp("postgresql"), database=postgres.url.removesuffix("city") + "public_door")
    yield found
    assert found.house.audit.verify() is None
    found.close()


def done(answer: Any, status: int = 200) -> Any:
    assert answer.status_code == status, answer.text
    return answer.json()


def walk(city: Town, number: str, *steps: tuple[str, str, dict[str, Any]]) -> None:
    """Moves by account, on the case as it stands."""
    for account, move, fields in steps:
        who = city.client(account)
        version = done(who.get(f"/api/v1/cases/{number}"))["version"]
        wish = {"move": move, "version": version, "opinion": "同意", "fields": fields}
        done(who.post(f"/api/v1/cases/{number}/moves", json=wish))


HANDLED: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("sanitation", "assign", {}),
    ("sanitation-handler", "submit_result", {"result": "已清理"}),
    ("sanitation", "confirm", {}),
    ("shouli", "accept_without_visit", {}),
    ("zhiban", "close", {}),
)


@pytest.fixture(scope="module")
def rated(city: Town) -> str:
    """A citizen's report that was handled, closed and rated; its number."""
    stranger = Client(city.app, "")
    told = {"matter": "gb47678:matter:06010", "description": "路边有一堆垃圾", **HERE}
    receipt = done(stranger.post("/api/v1/public/cases", files={k: (None, v) for k, v in told.items()}), 201)
    number, code = receipt["number"], receipt["code"]
    walk(city, number, *HANDLED)
    seen = done(stranger.get(f"/api/v1/public/cases/{number}?code={code}"))
    assert seen["can_rate"]
    done(stranger.post(f"/api/v1/public/cases/{number}/rating", json={"code": code, "rating": 5, "words": "很快"}))
    return str(number)


def test_a_citizen_reports_follows_and_rates(city: Town, rated: str) -> None:
    assert done(city.client("shouli").get(f"/api/v1/cases/{rated}"))["rating"] == 5
    assert Client(city.app, "").get(f"/api/v1/public/cases/{rated}?code=wrong").status_code == 404


def test_other_systems_report_by_open311(city: Town) -> None:
    stranger = Client(city.app, "")
    city.house.accounts.put(
        city.house.accounts.get("sensors").model_copy(update={"id": "partner", "posts": ("intake",)})
    )
    key = city.house.accounts.open_session("partner", "token")
    told = {"api_key": key, "service_code": "06013", "lat": "22.54", "long": "114.06", "description": "路面破损"}
    [token] = done(stranger.post(f"{V2}/requests.json", data=told), 201)
    number = (
        token.get("service_request_id")
        or done(stranger.get(f"{V2}/tokens/{token['token']}.json"))[0]["service_request_id"]
    )
    [found] = done(stranger.get(f"{V2}/requests/{number}.json"))
    assert found["status"] == "open" and found["service_code"] == "06013"


def test_queues_and_searches_are_answered(city: Town, rated: str) -> None:
    for account in ("shouli", "zhiban", "paiqian", "sanitation", "sanitation-handler", "jiandu", "lingdao"):
        who = city.client(account)
        for query in (
            "mine=true&open=true&sort=due_at",
            "open=true&sort=-risk",
            "text=垃圾",
            "light=green",
            "sort=number",
        ):
            page = done(who.get(f"/api/v1/cases?{query}"))
            assert page["total"] == len(page["items"])


def test_a_scoreboard_is_counted_and_published(city: Town, rated: str) -> None:
    city.house.relay.drain()
    head = city.client("lingdao")
    indicators = done(head.get("/api/v1/indicators"))["indicators"]
    assert "satisfaction_rate" in [found["id"] for found in indicators]
    board = done(head.get("/api/v1/schemes/handling/scoreboard?at=2026-03-09"))
    sanitation = next(row for row in board["rows"] if row["id"] == "sanitation")
    assert sanitation["items"][0]["numerator"] == 1
    cases = done(head.get("/api/v1/schemes/handling/cases?item=handle_rate&side=numerator&at=2026-03-09"))
    assert [case["number"] for case in cases["items"]] == [rated]
    city.clock.advance(timedelta(days=30))
    done(
        head.post(
            "/api/v1/schemes/handling/publish", json={"object": "department", "period": "month", "at": "2026-03-09"}
        ),
        201,
    )
    assert done(head.get("/api/v1/schemes/handling/scoreboard?at=2026-03-09"))["published"]


def test_the_table_of_responsibility_and_the_calendar_change_by_plan(city: Town, rated: str) -> None:
    leader = city.client("zhiban")
    table = done(leader.get("/api/v1/dispatch/table"))["table"]
    table["rows"][0]["title"]["zh"] += "（修订）"
    plan = done(leader.post("/api/v1/dispatch/plan", json={"table": table}))
    wish = {"plan": plan["plan"], "base": plan["base"], "table": table, "reason": "修订"}
    assert done(leader.post("/api/v1/dispatch/versions", json=wish), 201)["version"] == plan["base"] + 1
    change = {"days": [{"date": "2026-06-30", "kind": "holiday", "name": "本地"}]}
    plan = done(leader.post("/api/v1/calendars/plan", json={"change": change}))
    wish = {"plan": plan["plan"], "base": plan["base"], "change": change, "reason": "通知"}
    assert done(leader.post("/api/v1/calendars/versions", json=wish), 201)["version"] == plan["base"] + 1


def test_limits_change_by_plan_and_are_in_force_after_a_restart(city: Town) -> None:
    def limit() -> Any:
        [line] = done(city.client("zhiban").get("/api/v1/limits?text=06010"))["items"]
        return line["limit"]

    leader, before = city.client("zhiban"), limit()
    for change in ({"change": {"matters": {"gb47678:matter:06010": "1紧急工作时"}}}, {"revert_to": 1}):
        plan = done(leader.post("/api/v1/limits/plan", json=change))
        wish = {**change, "plan": plan["plan"], "base": plan["base"], "reason": "市政府令"}
        view = done(leader.post("/api/v1/limits/versions", json=wish), 201)
        assert view["version"] == plan["base"] + 1 == view["versions"][0]["version"]
        table = done(leader.get("/api/v1/dispatch/table"))["table"]
        city.restart()
        leader = city.client("zhiban")
        assert limit() == ("1紧急工作时" if "change" in change else before)
        assert done(leader.get("/api/v1/dispatch/table"))["table"] == table


def test_a_case_goes_to_the_system_of_a_department_and_its_news_come_back(
    city: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        told = {"service_request_id": "T-1", "status": "open", "status_notes": "已派人"}
        return httpx.Response(201 if request.method == "POST" else 200, json=[told])

    house, file = city.house, load_open311(city.house.city)
    monkeypatch.setenv("TEST_OPEN311_KEY", "key")
    assert file is not None
    one = {
        "id": "sweepers",
        "title": {"zh": "环卫系统", "en": "Sweepers' system"},
        "department": "sanitation",
        "url": "http://sweepers/open311/v2",
        "api_key": "env:TEST_OPEN311_KEY",
        "services": {"gb47678:matter:06010": "06010"},
    }
    wall = ManualClock(city.clock.now())
    sender = Sender(
        type(file).model_validate({**file.model_dump(), "send": [one]}),
        database=house.database,
        desk=house.desk,
        city=house.city,
        door=house.door,
        audit=house.audit,
        clock=wall,
        transport=httpx.MockTransport(answer),
    )
    relay = Relay(house.database, house.outbox)
    relay.consume("open311-test", sender.take, ["cityloop.case.moved"])
    told = {"title": "路边有垃圾", "matter": "gb47678:matter:06010", "position": {"lon": 114.055, "lat": 22.535}}
    case = done(city.client("shouli").post("/api/v1/cases", json=told), 201)
    relay.drain()
    sender.step()
    wall.advance(POLL)
    sender.step()
    [sent] = sender.sent.list(house.accounts.get("paiqian"), SentFilter(case=case["id"]), FIRST).items
    assert (sent.state, sent.remote_number, sent.status, sent.notes) == ("sent", "T-1", "open", "已派人")
    assert house.desk.verify_timeline(case["id"]) is None
    sender.stop()


def test_timers_views_and_measurements_run(city: Town) -> None:
    now = city.clock.now()
    city.house.desk.tick(now)
    city.house.watch.tick(now)
    city.house.quality.tick(now)
    city.house.relay.drain()
    assert city.house.relay.errors == {}
    views = {"views": [{"place": "desk", "name": "夜班", "query": {"light": "red"}}]}
    who = city.client("shouli")
    done(who.ask("PUT", "/api/v1/me/views", json=views))
    assert done(who.get("/api/v1/me/views")) == views
