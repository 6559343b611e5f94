"""The standard over HTTP: browse it, suggest and try mappings; everyone who is signed in, and nobody else."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from cityloop.access.actor import Actor
from cityloop.access.audit import Audit
from cityloop.access.door import Door
from cityloop.access.service import Accounts
from cityloop.city.service import City
from cityloop.core.clock import ManualClock
from cityloop.core.database import Database
from cityloop.core.settings import Settings
from cityloop.core.values import Title
from cityloop.serve.app import create_app
from cityloop.standard.desk import StandardDesk
from cityloop.standard.feeds import load_feeds
from cityloop.standard.service import Standard
from cityloop.standard.world import World
from tests.standard.test_suggest import KNOWN, environment_csv

ROOT = Path(__file__).parents[2]
NOW = datetime(2026, 3, 10, tzinfo=UTC)


class Client:
    """Asks the application in this process, as a signed-in analyst unless told otherwise."""

    def __init__(self, database: Database) -> None:
        city = City.load(ROOT / "cities" / "demo", ManualClock(NOW))
        standard = Standard.load(city.packs)
        door = Door(city.policy)
        desk = StandardDesk(
            standard, load_feeds(city.packs, standard), door=door, clock=city.clock, zone="Asia/Shanghai",
            departments=list(city.departments), known=lambda name: KNOWN if name == "AirQualityStation" else {},
            world=World(locate=city.areas.locate_many),
        )  # fmt: skip
        accounts = Accounts(database, Audit(database), 12)
        services = {City: city, Accounts: accounts, Door: door, Settings: Settings(), StandardDesk: desk}
        self._app = create_app(services)
        accounts.put(Actor(id="fenxi", name=Title(zh="析", en="A"), posts=("analyst",), department="environment"))
        accounts.put(Actor(id="nobody", name=Title(zh="无", en="N"), posts=()))
        self._tokens = {name: accounts.open_session(name) for name in ("fenxi", "nobody")} | {"": ""}

    def ask(self, method: str, path: str, who: str = "fenxi", **request: Any) -> httpx.Response:
        async def go() -> httpx.Response:
            transport = httpx.ASGITransport(app=self._app)
            headers = {"authorization": f"Bearer {self._tokens[who]}"}
            async with httpx.AsyncClient(transport=transport, base_url="http://city", headers=headers) as client:
                return await client.request(method, f"/api/v1/standard{path}", **request)

        return asyncio.run(go())

    def get(self, path: str) -> Any:
        answer = self.ask("GET", path)
        assert answer.status_code == 200, answer.text
        return answer.json()


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    database = Database(f"sqlite:///{tmp_path_factory.mktemp('standard') / 'city.db'}")
    database.create()
    yield Client(database)
    database.close()


def test_the_standard_can_be_browsed(client: Client) -> None:
    overview = client.get("")
    assert overview["entity_types"] >= 3
    assert len(overview["version"]) == 12
    air = next(row for row in client.get("/types") if row["id"] == "AirQualityStation")
    assert "air-hourly" in air["feeds"]
    detail = client.get("/types/AirQualityStation")
    ozone = next(row for row in detail["properties"] if row["id"] == "o3")
    assert (ozone["symbol"], ozone["dimension"]) == ("µg/m³", "mass concentration")
    assert any(row["code"] == "[degF]" for row in client.get("/units"))
    assert client.get("/feeds/air-hourly")["yaml"].startswith("feeds:")


def test_code_lists_show_what_is_in_force_on_a_day(client: Client) -> None:
    lists = client.get("/code-lists")
    for row in lists:
        detail = client.get(f"/code-lists/{row['id']}?at=2026-08-01")
        assert len(detail["codes"]) == row["codes"]
        seen: set[str] = set()
        for code in detail["codes"]:
            assert code["parent"] is None or code["parent"] in seen
            seen.add(code["code"])


@pytest.mark.parametrize(
    ("path", "head", "line"),
    [
        ("/types/export?text=空气", "标识,名称,版本,参照模型,属性,关系,数据接入", "AirQualityStation,空气质量监测站"),
        ("/code-lists/export?text=matters", "标识,名称,代码数,被谁使用,来源", "gb47678-matters"),
        ("/units/export?text=degF", "UCUM 代码,符号,量纲", "[degF]"),
        ("/code-lists/gb47678-matters/export?at=2026-08-01", "代码,名称,上级", "06,市容环境类"),
    ],
)
def test_a_list_of_the_standard_is_exported_as_it_is_narrowed(client: Client, path: str, head: str, line: str) -> None:
    answer = client.ask("GET", path)
    lines = answer.content.decode("utf-8-sig").splitlines()
    assert lines[0].startswith(head)
    assert lines[1].startswith(line)
    assert "text" not in path or len(lines) == 2
    book = client.ask("GET", f"{path}&format=xlsx")
    assert book.content[:2] == b"PK"


def test_what_does_not_exist_is_told_with_what_does(client: Client) -> None:
    answer = client.ask("GET", "/types/AirQuality")
    assert answer.status_code == 404
    assert "AirQualityStation" in answer.json()["mend"]


def test_only_those_who_may_read_are_answered(client: Client) -> None:
    assert client.ask("GET", "", who="").status_code == 401
    assert client.ask("GET", "/types", who="nobody").status_code == 403
    assert client.ask("GET", "/types/export", who="nobody").status_code == 403
    assert client.ask("POST", "/try-mapping", who="nobody", json={"feed": {}, "rows": [{}]}).status_code in (403, 422)


def test_a_file_gets_a_mapping_and_the_mapping_is_tried_with_the_same_file(client: Client) -> None:
    example = environment_csv()
    files = {"file": (example.name, example.body)}
    answer = client.ask("POST", "/suggest-mapping", data={"entity_type": "AirQualityStation"}, files=files)
    assert answer.status_code == 200, answer.text
    found = answer.json()
    assert {f["target"]: f["column"] for f in found["fields"] if f["column"]} == example.expected
    assert "encoding gb18030" in [note["en"] for note in found["notes"]]
    assert found["declaration"]["department"] == "environment"
    tried = client.ask("POST", "/try-mapping", data={"feed": found["yaml"]}, files=files)
    assert tried.status_code == 200, tried.text
    trial = tried.json()
    assert (trial["received"], trial["accepted"], trial["refused"]) == (9, 9, 0)
    assert trial["rows"][0]["entity"] == "1001A"
    assert trial["raw"][0]["place"] == "line 2"


def test_rows_are_tried_as_they_are_and_refusals_are_told_by_record(client: Client) -> None:
    feed = client.get("/feeds/air-hourly")["declaration"]
    rows = [{"station": "1001A", "time": "2026-03-09T08:00:00Z", "PM2.5": 35}, {"station": "zz", "PM2.5": "x"}]
    trial = client.ask("POST", "/try-mapping", json={"feed": feed, "rows": rows}).json()
    assert trial["rows"][0]["values"]["pm2_5"] == 35.0
    assert [(r["place"], r["rule"]) for r in trial["refusals"]] == [
        ("record 2", "entity"), ("record 2", "required"), ("record 2", "number"),
    ]  # fmt: skip
    found = client.ask("POST", "/suggest-mapping", json={"entity_type": "AirQualityStation", "rows": rows}).json()
    assert {f["target"] for f in found["fields"] if f["column"]} >= {"entity", "pm2_5"}


@pytest.mark.parametrize(
    ("request_", "where"),
    [
        ({"json": {"rows": [{"a": 1}]}}, "'feed' is missing"),
        ({"json": {"feed": {"id": "x"}, "rows": [{"a": 1}]}}, "entity_type"),
        ({"json": {"feed": "id: [", "rows": [{"a": 1}]}}, "not valid YAML"),
        ({"json": {"feed": {}, "rows": []}}, "neither a file nor rows"),
        ({"content": b"nonsense", "headers": {"content-type": "application/json"}}, "neither a form nor JSON"),
        ({"json": {"feed": {}, "rows": [{"a": 1}], "options": {"sheets": 1}}}, "options.sheets"),
    ],
)
def test_what_is_wrong_with_a_request_is_told(client: Client, request_: dict[str, Any], where: str) -> None:
    answer = client.ask("POST", "/try-mapping", **request_)
    assert answer.status_code == 422
    assert where in json.dumps(answer.json(), ensure_ascii=False)
