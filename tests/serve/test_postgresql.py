"""The public's door, evaluation, dispatch, calendars and data quality over a real PostgreSQL, as over SQLite."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import psycopg
import pytest

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
