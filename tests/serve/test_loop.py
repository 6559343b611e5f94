"""The loop, end to end, in a real process: series arrive, become warnings, become cases, are worked and counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.running import RunningCity, eventually, running

pytestmark = pytest.mark.slow
SERIES = {"beijing-air", "hangzhou-metro", "edinburgh-bins", "boston-311"}


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("demo")


@pytest.fixture(scope="module")
def city(data: Path) -> Iterator[RunningCity]:
    with running(["demo", "--port", "0", "--data", str(data), "--speed", "300"]) as demo:
        yield demo


@pytest.fixture(scope="module")
def leader(city: RunningCity) -> httpx.Client:
    return city.client("lingdao")


def _items(client: httpx.Client, path: str) -> list[dict[str, Any]]:
    answer = client.get(path)
    answer.raise_for_status()
    found: list[dict[str, Any]] = answer.json()["items"]
    return found


def test_every_series_speaks(city: RunningCity, leader: httpx.Client) -> None:
    def spoken() -> bool:
        return all(_items(leader, f"/api/v1/warnings?series={series}&size=1") for series in SERIES)

    # The players rest after each request: where the machine is slow, they keep up with a slower city only.
    shift_leader = city.client("zhiban")
    for speed in (300, 150, 75, 30):
        shift_leader.patch("/api/v1/clock", json={"speed": speed}).raise_for_status()
        with suppress(AssertionError):
            eventually(spoken, "a warning from each series", 60)
            return
    eventually(spoken, "a warning from each series")


def test_warnings_and_citizens_open_cases_that_are_dispatched_with_a_reason(leader: httpx.Client) -> None:
    def dispatched() -> bool:
        cases = _items(leader, "/api/v1/cases?size=500")
        channels = Counter(case["channel"] for case in cases if case["department"])
        return channels["warning"] > 0 and channels["citizen"] + channels["hotline"] > 0

    eventually(dispatched, "dispatched cases of warnings and citizens")
    case = next(case for case in _items(leader, "/api/v1/cases?size=500") if case["department"])
    detail = leader.get(f"/api/v1/cases/{case['id']}").json()
    assert detail["dispatch_reason"]["zh"]
    assert next(entry["move"] for entry in detail["timeline"]) == "submit"


def test_drill_players_close_cases_and_the_board_counts_them(leader: httpx.Client) -> None:
    eventually(lambda: _items(leader, "/api/v1/cases?state=closed&size=5"), "a closed case")

    def counted() -> bool:
        answer = leader.post("/api/v1/query", json={"metrics": ["cases_opened", "cases_closed", "warnings_raised"]})
        answer.raise_for_status()
        return all(value for value in answer.json()["rows"][0])

    eventually(counted, "metrics over the lake")


def test_a_figure_leads_to_its_case_its_warning_and_its_raw_record(leader: httpx.Client) -> None:
    def linked() -> list[dict[str, Any]]:
        return [w for w in _items(leader, "/api/v1/warnings?series=beijing-air&size=100") if w["case"]]

    warning = eventually(linked, "an air warning with a case")[0]
    case = leader.get(f"/api/v1/cases/{warning['case']}").json()
    first = leader.get(f"/api/v1/warnings/{case['warning']}").json()  # a later one of the same entity joins its case
    assert (first["case"], first["entity"]) == (warning["case"], warning["entity"])
    evidence = leader.get(f"/api/v1/warnings/{warning['id']}").json()["evidence"]
    _at, value, record = evidence["points"][-1]
    row = leader.get(f"/api/v1/records/{record}").json()
    assert row["entity"] == warning["entity"]
    assert value == pytest.approx(row[warning["property"]])


def test_the_live_stream_tells_of_changes(city: RunningCity, leader: httpx.Client) -> None:
    with leader.stream("GET", "/api/v1/stream", timeout=60) as stream:
        assert stream.headers["content-type"].startswith("text/event-stream")
        names = set()
        for line in stream.iter_lines():
            if line.startswith("event: "):
                names.add(line[7:])
            if {"clock", "feeds", "case"} <= names:
                break
    assert {"clock", "feeds", "case"} <= names


def test_a_department_sees_only_its_own_work(city: RunningCity, leader: httpx.Client) -> None:
    people = leader.get("/api/v1/demo/posts").json()
    account = next(p["account"] for p in people if p["posts"] == ["department"] and p["department"] == "sanitation")
    own = city.client(account)
    assert {case["department"] for case in _items(own, "/api/v1/cases?size=500")} <= {"sanitation"}
    foreign = [c["id"] for c in _items(leader, "/api/v1/cases?size=500") if c["department"] not in (None, "sanitation")]
    assert own.get(f"/api/v1/cases/{foreign[0]}").status_code == 404


def test_health_and_metrics_answer(city: RunningCity) -> None:
    client = city.client()
    assert client.get("/healthz").json()["status"] == "ok"
    assert "cityloop_observations_accepted_total" in client.get("/metrics").text


def test_a_data_folder_in_use_is_refused_to_a_second_city(city: RunningCity, data: Path) -> None:
    with pytest.raises(AssertionError, match="in use"):
        RunningCity(["demo", "--port", "0", "--data", str(data)])
