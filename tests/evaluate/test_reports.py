"""Reports: one page to print, a workbook, a PDF file that carries its signs; in both languages, over HTTP."""

from __future__ import annotations

import asyncio
import io
import re
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from openpyxl import load_workbook

from cityloop.access.actor import Actor
from cityloop.core import render
from cityloop.core.errors import Conflict
from cityloop.core.paper import Paper, Table
from cityloop.evaluate.routes import router
from cityloop.evaluate.service import Evaluator
from tests.cases.support import SANITATION, TO_CLOSED
from tests.evaluate.support import HEAD, NOON, Town, open_town
from tests.wire import app_as

NASTY = '<script>alert("1")</script>'
FONT = next((Path(name) for name in render.FONTS if Path(name).is_file()), None)
needs_font = pytest.mark.skipif(FONT is None, reason="no font with Chinese signs on this machine")


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    found = open_town(tmp_path_factory.mktemp("report"))
    found.room.walk(found.room.report(title=NASTY), *TO_CLOSED)
    found.relay.drain()
    yield found
    found.room.database.close()


class Client:
    """Asks the routes in this process as one actor."""

    def __init__(self, town: Town, actor: Actor) -> None:
        self._app = app_as(actor, {Evaluator: town.evaluator}, router)

    def get(self, url: str) -> httpx.Response:
        return asyncio.run(self._ask("GET", url, None))

    def post(self, url: str, json: Any) -> httpx.Response:
        return asyncio.run(self._ask("POST", url, json))

    async def _ask(self, method: str, url: str, json: Any) -> httpx.Response:
        transport = httpx.ASGITransport(app=self._app)
        async with httpx.AsyncClient(transport=transport, base_url="http://city") as client:
            return await client.request(method, url, json=json)


def client(town: Town, actor: Actor = HEAD) -> Client:
    return Client(town, actor)


def report(town: Town, form: str, language: str = "zh", actor: Actor = HEAD) -> Any:
    url = f"/api/v1/schemes/handling/report?format={form}&language={language}&at=2026-03-15"
    return client(town, actor).get(url)


@pytest.mark.parametrize(("language", "said"), [("zh", "得分明细"), ("en", "Every addend")])
def test_the_page_stands_alone_and_is_in_the_wanted_language(town: Town, language: str, said: str) -> None:
    found = report(town, "html", language)
    text = found.text
    assert found.headers["content-type"].startswith("text/html")
    assert "default-src 'none'" in found.headers["content-security-policy"]
    assert said in text
    assert ("得分明细" in text) == (language == "zh")
    assert not re.search(r"(?:src|href)=", text)
    assert "30 × 100.00%" in text
    assert "GB/T 30428.4-2016" in text


def test_a_department_gets_only_its_own_row(town: Town) -> None:
    text = report(town, "html", actor=SANITATION).text
    assert "环境卫生管理中心" in text
    assert "交通运输局" not in text


def test_the_workbook_has_a_sheet_for_every_table(town: Town) -> None:
    found = report(town, "xlsx")
    book = load_workbook(io.BytesIO(found.content))
    assert [name[2:] for name in book.sheetnames][:3] == ["排名", "指标", "得分明细"]
    rows = list(book.worksheets[0].iter_rows(values_only=True))
    assert any("环境卫生管理中心" in row for row in rows)
    assert found.headers["content-disposition"].endswith('handling-department-2026-03-01.xlsx"')


@needs_font
@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_pdf_carries_the_signs_it_uses(town: Town, language: str) -> None:
    found = report(town, "pdf", language).content
    assert found.startswith(b"%PDF-")
    assert b"/FontFile" in found
    assert b"/ToUnicode" in found
    maps = b"".join(_inflated(found))
    assert all(f"{ord(sign):04X}".encode() in maps for sign in ("处置" if language == "zh" else "Hd"))


def test_without_a_font_a_pdf_is_refused_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(Conflict) as caught:
        render.pdf(Paper("zh", "标题", [], []), tmp_path / "none.ttf", NOON)
    assert "CITYLOOP_REPORT_FONT" in caught.value.mend


def test_texts_of_reporters_neither_run_nor_calculate() -> None:
    paper = Paper("en", NASTY, [NASTY], [Table(NASTY, [NASTY], [[NASTY], ["=1+1"], ["+5"], ["-2.5"], [None]], NASTY)])
    assert b"<script" not in render.html(paper)
    sheet = load_workbook(io.BytesIO(render.xlsx(paper))).worksheets[0]
    values = [row[0] for row in sheet.iter_rows(values_only=True)]
    assert "'=1+1" in values
    assert {"+5", "-2.5"} <= set(values)


def test_the_routes_speak_json(town: Town) -> None:
    http = client(town)
    indicators = http.get("/api/v1/indicators").json()
    assert {"rework_rate", "close_rate"} <= {found["id"] for found in indicators["indicators"]}
    assert http.get("/api/v1/schemes").json()[0]["id"] == "handling"
    board = http.get("/api/v1/schemes/handling/scoreboard?at=2026-03-15&size=1").json()
    assert (board["count"], len(board["rows"]), board["period"]["last"]) == (9, 1, "2026-03-31")
    cases = http.get("/api/v1/schemes/handling/cases?item=handle_rate&row=sanitation&at=2026-03-15").json()
    assert (cases["total"], cases["items"][0]["title"]) == (1, NASTY)
    change = {"points": {"handle_rate": 20, "rework_rate": 20}}
    wish = {"change": change, "from": "2026-03-01", "to": "2026-03-31"}
    explained = http.post("/api/v1/schemes/handling/what-if", json=wish).json()
    assert explained["periods"][0]["period"]["first"] == "2026-03-01"
    applied = {"plan": explained["plan"], "base": "1", "version": "2", "change": change, "reason": "试行"}
    assert http.post("/api/v1/schemes/handling/versions", json=applied).status_code == 201
    assert http.post("/api/v1/schemes/handling/publish", json={"at": "2026-03-01"}).status_code == 409
    refused = client(town, SANITATION).post("/api/v1/schemes/handling/what-if", json=wish)
    assert (refused.status_code, refused.json()["code"]) == (403, "access-denied")
    for path in ("scoreboard/export", "cases/export?item=handle_rate"):
        mark = "&" if "?" in path else "?"
        found = http.get(f"/api/v1/schemes/handling/{path}{mark}format=csv&at=2026-03-15")
        assert found.status_code == 200


def _inflated(blob: bytes) -> Iterator[bytes]:
    for found in re.finditer(rb"stream\r?\n(.*?)\r?\nendstream", blob, re.DOTALL):
        try:
            yield zlib.decompress(found[1])
        except zlib.error:
            yield found[1]
