"""Every fault of the quality files has its place, and a door that is shut says so."""

from __future__ import annotations

import asyncio
import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import BaseModel

from cityloop.access.routes import COOKIE
from cityloop.city.service import City
from cityloop.core.clock import SystemClock
from cityloop.core.errors import ContentError, NotFound
from cityloop.quality.content import FeedTerms, Handling, Plan, QualityFile, Sample, load_quality
from cityloop.quality.scheme import Scheme, Weighted
from cityloop.serve.app import create_app
from cityloop.serve.clockkeeper import ClockRow
from cityloop.serve.inspect import lines, run_inspection
from cityloop.standard.feeds import load_feeds
from cityloop.standard.mapping import FeedMapping
from cityloop.standard.service import Standard
from tests.quality.inspected import ALL, HOUR, ROOT, STEWARD, Inspected, department, write_city

FAULTS = [
    ("quality.yaml", "minimum_sample: 20", "minimum_sample: 0", "quality.yaml:1 minimum_sample"),
    ("quality.yaml", "minimum_sample: 20", "minimum_samples: 20", "unknown key"),
    ("quality.yaml", "matter:10911", "matter:19999", "unknown matter 'governance:matter:19999'"),
    ("quality.yaml", "feeds: {}", 'feeds: {nothing: {hours: "06:00-24:00"}}', "no feed 'nothing'"),
    ("quality.yaml", "feeds: {}", "feeds: {air-hourly: {hours: all day}}", "is not a slot"),
    ("inspections.yaml", "limit: 1工作日", "limit: 尽快", "write a figure and a unit"),
    ("inspections.yaml", "owner: steward", "owner: nobody", "no post 'nobody'"),
    ("inspections.yaml", "[river-levels", "[river-level", "no feed 'river-level'"),
    ("inspections.yaml", "period: 48h", "period: sometimes", "is not a duration"),
]
OWN = """minimum_sample: 20
dimensions:
  completeness: {weight: 30, least: 0.9}
  validity: {weight: 25, least: 0.98}
  timeliness: {weight: 20, least: 0.9}
  consistency: {weight: 15, least: 0.99}
  uniqueness: {weight: 10, least: 0.99}
feeds: {}
matters: {completeness: "governance:matter:10911"}
"""


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_city(tmp_path_factory.mktemp("content"))


@pytest.fixture(scope="module")
def loaded(written: Path) -> tuple[City, tuple[FeedMapping, ...]]:
    city = City.load(written, SystemClock())
    standard = Standard.load(city.packs)
    return city, load_feeds(city.packs, standard, city.departments)


@pytest.mark.parametrize(("file", "old", "new", "told"), FAULTS)
def test_every_fault_has_file_line_key_and_a_mend(
    loaded: tuple[City, tuple[FeedMapping, ...]], tmp_path: Path, file: str, old: str, new: str, told: str
) -> None:
    city, text = copy.copy(loaded[0]), OWN
    if file == "inspections.yaml":
        text = (city.folder / file).read_text(encoding="utf-8")
    assert old in text
    (tmp_path / file).write_text(text.replace(old, new, 1), encoding="utf-8")
    city.folder = tmp_path
    with pytest.raises(ContentError) as caught:
        load_quality(city, loaded[1])
    faults = [str(fault) for fault in caught.value.faults]
    assert len(faults) == 1, faults
    assert told in faults[0]
    assert f"{file}:" in faults[0]


@pytest.mark.parametrize("model", [Scheme, QualityFile, Weighted, Handling, FeedTerms, Plan, Sample])
def test_every_key_of_the_quality_files_is_documented(model: type[BaseModel]) -> None:
    page = (ROOT / "docs" / "quality.md").read_text(encoding="utf-8")
    assert [name for name in model.model_fields if f"`{name}`" not in page] == []


@pytest.fixture(scope="module")
def town(written: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Inspected]:
    inspected = Inspected(tmp_path_factory.mktemp("routes"), written)
    inspected.hours(6)
    inspected.work()
    yield inspected
    inspected.close()


class Web:
    """Asks the application without a socket."""

    def __init__(self, town: Inspected) -> None:
        self._app = create_app(town.house.services)

    def get(self, path: str, headers: dict[str, str] | None = None) -> httpx.Response:
        return asyncio.run(self._ask("GET", path, headers))

    def post(self, path: str, json: Any = None, headers: dict[str, str] | None = None) -> httpx.Response:
        return asyncio.run(self._ask("POST", path, headers, json))

    async def _ask(self, method: str, path: str, headers: dict[str, str] | None, json: Any = None) -> httpx.Response:
        transport = httpx.ASGITransport(app=self._app)
        async with httpx.AsyncClient(transport=transport, base_url="http://city") as client:
            return await client.request(method, path, headers=headers, json=json)


@pytest.fixture(scope="module")
def web(town: Inspected) -> Web:
    for actor in (STEWARD, department("water"), department("water", "handler")):
        town.house.accounts.put(actor)
    return Web(town)


def signed_in(town: Inspected, account: str) -> dict[str, str]:
    return {"Cookie": f"{COOKIE}={town.house.accounts.open_session(account)}"}


def test_the_board_answers_in_pages_and_files(web: Web, town: Inspected) -> None:
    steward = signed_in(town, STEWARD.id)
    board = web.get("/api/v1/quality/scores?by=department&size=2&sort=-score", headers=steward).json()
    assert {"items", "total", "page", "size", "from", "to"} == set(board)
    assert (len(board["items"]), board["size"]) == (2, 2)
    scheme = web.get("/api/v1/quality/scheme", headers=steward).json()
    assert scheme["bands"][0] == {"grade": "A", "from": 95.0}
    file = web.get("/api/v1/quality/scores/export?by=feed&format=csv", headers=steward)
    assert "river-levels" in file.text
    strip = web.get("/api/v1/quality/feeds/river-levels/hours", headers=steward).json()
    assert (strip["grain_seconds"], len(strip["cells"])) == (3600.0, 48)


def test_who_may_read_and_who_may_run(web: Web, town: Inspected) -> None:
    inspection = town.only()
    own, handler = signed_in(town, "water-department"), signed_in(town, "water-handler")
    assert web.get("/api/v1/quality/scores").status_code == 401
    assert web.get("/api/v1/quality/scores", headers=handler).status_code == 403
    listed = web.get("/api/v1/inspections/export", headers=signed_in(town, STEWARD.id)).text.splitlines()
    assert [line.split(",")[0] for line in listed[1:]] == [inspection]
    rows = web.get("/api/v1/quality/scores", headers=own).json()["items"]
    assert {row["id"] for row in rows} == {"river-levels", "water-levels", "pump-states", "sign-states"}
    assert web.get("/api/v1/quality/feeds/road-counts/hours", headers=own).status_code == 404
    assert web.post(f"/api/v1/inspections/{inspection}/start", headers=own).status_code == 403
    assert web.get(f"/api/v1/inspections/{inspection}", headers=own).json()["moves"] == []


def test_an_inspection_is_planned_stopped_and_resumed_by_hand(web: Web, town: Inspected) -> None:
    steward = signed_in(town, STEWARD.id)
    body = {"title": "抽查", "feeds": ["river-levels"], "limit": "尽快", "owner": "nobody"}
    refused = web.post("/api/v1/inspections", json=body, headers=steward)
    assert refused.status_code == 422
    assert {fault["where"] for fault in refused.json()["faults"]} == {"limit", "owner"}
    made = web.post("/api/v1/inspections", json={**body, "limit": "2工作日", "owner": "steward"}, headers=steward)
    assert made.status_code == 201
    where = made.headers["Location"]
    assert made.json()["moves"] == ["start"]
    assert web.post(f"{where}/close", headers=steward).status_code == 409
    assert web.post(f"{where}/start", headers=steward).json()["state"] == "sampling"
    assert web.post(f"{where}/stop", headers=steward).json()["halted"]
    town.work()
    assert web.get(where, headers=steward).json()["done"] == 0
    web.post(f"{where}/resume", headers=steward)
    town.work()
    after = web.get(where, headers=steward).json()
    assert (after["done"], after["total"]) == (8, 8)
    assert [line["what"]["en"] for line in after["log"]][:4] == ["Planned", "Examining", "Stopped", "Resumed"]
    assert web.get(f"{where}/findings", headers=steward).json()["total"] == after["findings"]
    assert web.get(f"{where}/report?format=html", headers=steward).headers["content-type"].startswith("text/html")


def test_a_breach_closes_when_the_feed_recovers(town: Inspected) -> None:
    town.clock.advance(4 * HOUR)
    town.work()
    stale = town.quality.breaches(STEWARD, ALL, True, "road-counts").items
    assert "freshness" in {breach.check for breach in stale}
    town.broken.clear()
    town.hours(2)
    town.work()
    assert "freshness" not in {b.check for b in town.quality.breaches(STEWARD, ALL, True, "road-counts").items}
    kinds = [event.type for event in town.house.outbox.after(0, 10_000) if event.subject == "road-counts"]
    assert kinds.count("cityloop.quality.recovered") == 1


def test_the_command_line_runs_a_planned_inspection(written: Path, tmp_path: Path) -> None:
    left = Inspected(tmp_path, written)
    left.hours(12)
    left.work()
    with left.house.database.transaction() as tx:
        tx.session.merge(ClockRow(id="paced", now=left.clock.now(), speed=60))
    left.close()
    detail, findings = run_inspection(written, tmp_path / "data", "five")
    assert detail.state == "repair"
    assert {(finding.feed, finding.check) for finding in findings} == {
        ("noise-levels", "completeness"),
        ("noise-levels", "validity"),
        ("river-levels", "freshness"),
    }
    assert len(lines(detail, findings, zh=True)) == 1 + 5 + 3
    with pytest.raises(NotFound, match="0 planned"):
        run_inspection(written, tmp_path / "data", "unheard-of")
