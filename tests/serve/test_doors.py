"""Bad input at every door gets a clear answer, and nobody gets in without a name."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from fastapi.routing import APIRoute

from cityloop.serve.app import ROUTERS
from tests.running import RunningCity, running

pytestmark = pytest.mark.slow
OPEN = {
    "/api/v1/session",
    "/api/v1/session/password",
    "/api/v1/demo/posts",
    "/api/v1/demo/session",
    "/api/v1/city",
    "/api/v1/clock",
    "/api/v1/public/addresses",
    "/api/v1/public/places",
    "/api/v1/public/outline.geojson",
    "/api/v1/public/cases",
    "/api/v1/public/cases/{number}",
    "/api/v1/public/cases/{number}/rating",
    "/api/v1/public/items",
    "/api/v1/public/applications",
    "/api/v1/public/applications/{number}",
    "/api/v1/public/applications/{number}/appeal",
    "/healthz",
    "/metrics",
}
AIR = "/api/v1/feeds/air-hourly/records"
GOOD = {"station": "1011A", "time": "2026-03-09T06:31:00+08:00", "PM2.5": 35}


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningCity]:
    with running(["demo", "--port", "0", "--data", str(tmp_path_factory.mktemp("doors")), "--speed", "1"]) as demo:
        yield demo


@pytest.fixture(scope="module")
def steward(city: RunningCity) -> httpx.Client:
    return city.client("shuju")


@pytest.fixture(scope="module")
def acceptor(city: RunningCity) -> httpx.Client:
    return city.client("shouli")


def _routes() -> list[tuple[str, str]]:
    found = [r for router in ROUTERS for r in router.routes if isinstance(r, APIRoute) and r.path.startswith("/api/")]
    return sorted((method, route.path) for route in found for method in route.methods or ())


@pytest.mark.parametrize(("method", "path"), [pair for pair in _routes() if pair[1] not in OPEN])
def test_nobody_gets_in_without_a_name(city: RunningCity, method: str, path: str) -> None:
    answer = city.client().request(method, path.replace("{", "").replace("}", ""), json={})
    assert answer.status_code == 401, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["code"] == "sign-in-needed"


def _push(client: httpx.Client, body: Any, kind: str = "application/json", feed: str = "air-hourly") -> httpx.Response:
    content = body if isinstance(body, (bytes, str)) else json.dumps(body)
    return client.post(f"/api/v1/feeds/{feed}/records", content=content, headers={"content-type": kind})


def test_good_records_are_kept_and_bad_ones_lie_whole_in_quarantine(steward: httpx.Client) -> None:
    bad = [
        {**GOOD, "time": "2026-03-09T06:32:00+08:00", "PM2.5": -5},
        {**GOOD, "time": "2099-01-01T00:00:00+08:00"},
        {**GOOD, "station": "nowhere"},
        {**GOOD, "time": "2026-03-09T06:33:00+08:00", "PM2.5": "much"},
    ]
    answer = _push(steward, [GOOD, *bad])
    assert answer.status_code == 200, answer.text
    receipt = answer.json()
    assert (receipt["received"], receipt["accepted"], receipt["quarantined"]) == (5, 1, 4)
    assert [item["index"] for item in receipt["rejections"]] == [1, 2, 3, 4]
    assert all(item["reason"] for item in receipt["rejections"])
    kept = steward.get("/api/v1/quarantine?feed=air-hourly").json()["items"]
    assert any(json.loads(item["raw"])["station"] == "nowhere" for item in kept)
    assert _push(steward, [GOOD]).json()["duplicate"] == 1


@pytest.mark.parametrize(
    ("body", "status", "word"),
    [
        (b'[{"station": "1011A", ', 422, "JSON"),
        (b'{"station": "1011A"}', 422, "array"),
        (b"", 422, "empty"),
        (b"[]", 200, ""),
    ],
)
def test_a_broken_body_is_answered_with_what_is_wrong(
    steward: httpx.Client, body: bytes, status: int, word: str
) -> None:
    answer = _push(steward, body)
    assert answer.status_code == status, answer.text
    assert word in answer.text


def test_a_broken_line_of_ndjson_does_not_cost_the_others(steward: httpx.Client) -> None:
    line = json.dumps({**GOOD, "time": "2026-03-09T06:20:00+08:00"})
    receipt = _push(steward, f"{line}\n{{broken\n", "application/x-ndjson").json()
    assert (receipt["accepted"], receipt["quarantined"]) == (1, 1)


def test_an_unknown_feed_names_the_known_ones(steward: httpx.Client) -> None:
    answer = _push(steward, [GOOD], feed="air-hurly")
    assert answer.status_code == 404
    assert "air-hourly" in answer.text


def test_an_oversized_body_is_refused(steward: httpx.Client) -> None:
    assert _push(steward, b"[" + b" " * (17 * 1024 * 1024) + b"]").status_code == 413


def test_pushing_needs_the_permission(acceptor: httpx.Client) -> None:
    answer = _push(acceptor, [GOOD])
    assert answer.status_code == 403
    assert "feed.push" in answer.json()["detail"]


def _report(**changes: Any) -> dict[str, Any]:
    position = {"lon": 114.058, "lat": 22.543}
    return {
        "title": "路边垃圾",
        "matter": "gb47678:matter:06010",
        "position": position,
        "channel": "hotline",
        **changes,
    }


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"matter": "gb47678:matter:99999"}, "99999"),
        ({"position": {"lon": 116.4, "lat": 39.9}}, "metres"),
        ({"position": {"lon": 999, "lat": 0}}, "position"),
        ({"title": ""}, "title"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_a_bad_report_says_which_field_and_why(acceptor: httpx.Client, changes: dict[str, Any], word: str) -> None:
    answer = acceptor.post("/api/v1/cases", json=_report(**changes))
    assert answer.status_code in (404, 422), answer.text
    assert word in answer.text


def test_a_move_not_on_offer_is_refused_with_the_state_and_who_could(acceptor: httpx.Client) -> None:
    case = acceptor.post("/api/v1/cases", json=_report(description="<script>alert(1)</script>")).json()
    body = {"move": "close", "version": case["version"]}
    answer = acceptor.post(f"/api/v1/cases/{case['id']}/moves", json=body)
    assert answer.status_code in (403, 409), answer.text
    assert case["state"] in answer.text or "shift_leader" in answer.text
    stale = acceptor.post(f"/api/v1/cases/{case['id']}/moves", json={**body, "move": "note", "version": 0})
    assert stale.status_code == 409


def test_a_repeated_report_is_the_same_case(acceptor: httpx.Client) -> None:
    first = acceptor.post("/api/v1/cases", json=_report(external_number="12345-1"))
    again = acceptor.post("/api/v1/cases", json=_report(external_number="12345-1"))
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json()["id"] == again.json()["id"]


@pytest.mark.parametrize(
    "body",
    [
        {"metrics": ["cases_opend"]},
        {"metrics": ["cases_opened"], "dimensions": ["colour"]},
        {"metrics": []},
        {"metrics": ["cases_opened"], "limit": 10**9},
    ],
)
def test_a_question_that_cannot_be_answered_says_why(acceptor: httpx.Client, body: dict[str, Any]) -> None:
    answer = acceptor.post("/api/v1/query", json=body)
    assert answer.status_code == 422, answer.text


def test_a_value_is_never_sql(acceptor: httpx.Client) -> None:
    wish = {"dimension": "department", "values": ["x' OR 1=1; DROP TABLE CaseEvent; --"]}
    answer = acceptor.post("/api/v1/query", json={"metrics": ["cases_closed"], "filters": [wish]})
    assert answer.status_code == 200, answer.text
    assert answer.json()["rows"] in ([], [[0]])


def test_an_unknown_address_of_the_interface_is_a_problem_not_a_page(city: RunningCity) -> None:
    answer = city.client().get("/api/v1/nothing")
    assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")


def test_a_file_outside_the_client_is_never_served(city: RunningCity) -> None:
    answer = city.client().get("/..%2f..%2fapp.py")
    assert "create_app" not in answer.text
