"""Over HTTP: charts, files, explanations and SQL, for who may have them."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from openpyxl import load_workbook

from cityloop.access.audit import Audit
from cityloop.analyse.explaining import Explainer
from cityloop.analyse.routes import router
from cityloop.analyse.service import Analyst
from cityloop.analyse.sql import SqlDesk
from cityloop.core.database import Database
from tests.analyse.conftest import LEADER, Book
from tests.analyse.test_query import actor
from tests.wire import Asks

ASKED: dict[str, Any] = {"metrics": ["cases_opened"], "dimensions": ["district"]}


@pytest.fixture
def services(analyst: Analyst, book: Book, tmp_path: Path) -> dict[type[Any], Any]:
    database = Database(f"sqlite:///{tmp_path / 'x.db'}")
    database.create()
    sql = SqlDesk(lake=book.lake, door=analyst.door, database=database, audit=Audit(database))
    return {Analyst: analyst, Explainer: Explainer(analyst), SqlDesk: sql}


@pytest.fixture
def client(services: dict[type[Any], Any]) -> Asks:
    return Asks(LEADER, services, router)


def test_an_answer_comes_with_its_chart_and_the_wished_one(client: Asks) -> None:
    drawn = client.post("/api/v1/query/chart", json={"query": ASKED}).json()
    assert (drawn["chart"]["kind"], len(drawn["result"]["rows"])) == ("bar", 2)
    wished = client.post("/api/v1/query/chart", json={"query": ASKED, "wish": "map"}).json()
    assert wished["chart"]["kind"] == "map"


def test_an_answer_is_taken_away_as_a_file(client: Asks) -> None:
    def file(form: str) -> bytes:
        found: bytes = client.post(f"/api/v1/query/export?format={form}", json=ASKED).content
        return found

    assert file("csv").decode("utf-8-sig").splitlines()[0] == "区,上报数"
    assert "福田区" in file("csv").decode("utf-8-sig")
    sheet = load_workbook(io.BytesIO(file("xlsx"))).active
    assert next([cell.value for cell in row] for row in sheet.iter_rows()) == ["区", "上报数"]
    assert pq.read_table(io.BytesIO(file("parquet"))).to_pydict() == {
        "district": ["440304", "440305"],
        "cases_opened": [2, 2],
    }


def test_a_change_is_explained_over_http(client: Asks) -> None:
    period = {"start": "2026-03-10T00:00:00+08:00", "end": "2026-03-11T00:00:00+08:00"}
    found = client.post("/api/v1/explain", json={"metric": "cases_opened", "period": period}).json()
    assert (found["now"], found["before"]) == (1, 3)
    assert found["words"]["zh"].startswith("上报数从 3 降到 1")
    refused = client.post(
        "/api/v1/explain", json={"metric": "x", "period": {"start": period["end"], "end": period["end"]}}
    )
    assert refused.status_code == 422


def test_sql_is_for_those_who_may_and_says_why_not(client: Asks, services: dict[type[Any], Any]) -> None:
    text = {"sql": "select channel, count(*) as n from CaseEvent group by 1 order by 1"}
    assert client.post("/api/v1/sql", json=text).json()["rows"] == [["citizen", 2], ["hotline", 12]]
    assert client.post("/api/v1/sql/export?format=csv", json=text).text.splitlines()[1] == "citizen,2"
    assert {table["id"] for table in client.get("/api/v1/sql/tables").json()} == {"CaseEvent", "WarningEvent"}
    refused = Asks(actor("visitor"), services, router).post("/api/v1/sql", json=text)
    assert (refused.status_code, "data.sql" in refused.text) == (403, True)
