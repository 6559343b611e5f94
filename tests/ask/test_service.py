"""Questions over a real lake: the answer, the reading, what is asked back, and a language model that may help."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import pytest

from cityloop.access.actor import Actor
from cityloop.access.audit import Audit
from cityloop.access.door import Door, Protected
from cityloop.access.service import Accounts
from cityloop.analyse.content import load_model
from cityloop.analyse.service import Analyst
from cityloop.ask.helper import Endpoint
from cityloop.ask.schemas import AskAnswer, AskContext, AskEdit, AskRequest
from cityloop.ask.service import AskDesk
from cityloop.city.service import City
from cityloop.core.clock import ManualClock
from cityloop.core.database import Database
from cityloop.core.settings import Settings
from cityloop.core.values import Title
from cityloop.lake.service import Lake
from cityloop.serve.app import create_app
from tests.analyse.conftest import LEADER, PACKS, POLICY, START, write_book
from tests.ask.parts import CITY, RULES, known

COLLECTOR = Actor(id="c", name=Title(zh="监督员", en="Collector"), posts=("collector",), areas=("440304",))
NOBODY = Actor(id="n", name=Title(zh="无", en="Nobody"), posts=("masked",))


class Model(BaseHTTPRequestHandler):
    """A language model that answers what the test put into ``says``."""

    says: Any = ""
    heard: list[Any] = []

    def do_POST(self) -> None:
        length = int(self.headers["Content-Length"])
        Model.heard.append(json.loads(self.rfile.read(length)))
        body = json.dumps({"choices": [{"message": {"content": Model.says}}]}).encode()
        self.send_response(200)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    lake = Lake(tmp_path_factory.mktemp("ask") / "lake", sync=False)
    write_book(lake)
    city = City.load(CITY, ManualClock(START + timedelta(days=2)))
    door = Door(POLICY)
    door.register(Protected(entity="case", department="department", area="area", owners=("handler",)))
    door.register(Protected(entity="warning", department="department", area="area"))
    door.register(Protected(entity="observation", area="area"))
    model = load_model(PACKS)
    analyst = Analyst(lake=lake, model=model, door=door, city=city, clock=city.clock, rules=RULES)
    yield {"model": model, "analyst": analyst, "door": door, "city": city, "known": known, "rules": lambda: RULES}
    lake.close()


@pytest.fixture(scope="module")
def desk(parts: dict[str, Any]) -> AskDesk:
    return AskDesk(**parts)


@pytest.fixture(scope="module")
def helped(parts: dict[str, Any]) -> Iterator[AskDesk]:
    """A desk that may ask a language model on the loopback."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Model)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    settings = Settings(ask_model_url=f"http://127.0.0.1:{server.server_port}/v1", ask_model_name="m")
    yield AskDesk(**parts, helper=Endpoint(settings))
    server.shutdown()
    thread.join()
    server.server_close()


def ask(desk: AskDesk, question: str, who: Actor = LEADER, **context: Any) -> AskAnswer:
    return desk.ask(who, AskRequest(question=question, context=AskContext(**context)))


def test_a_question_is_answered_with_its_reading_its_figures_and_a_chart(desk: AskDesk) -> None:
    answer = ask(desk, "3月9日各区的上报数")
    assert answer.outcome == "answered"
    assert answer.rows is not None
    assert dict(answer.rows.rows) == {"440304": 2, "440305": 1}
    assert answer.reading is not None
    assert answer.reading.title.zh == "2026 年 3 月 9 日的上报数，按区"
    assert answer.reading.title.en == "Cases opened, by district, 9 March 2026"
    assert [chip.kind for chip in answer.reading.chips] == ["period", "metric", "dimension"]
    assert answer.chart is not None
    assert answer.chart.kind in ("bar", "map")


def test_a_follow_up_changes_what_it_names(desk: AskDesk) -> None:
    first = ask(desk, "3月9日上报数")
    second = ask(desk, "那南山区呢", query=first.query)
    assert second.rows is not None
    assert second.rows.rows == [[1]]


def test_a_changed_query_is_answered_and_read_out_again(desk: AskDesk) -> None:
    first = ask(desk, "3月9日各区的上报数")
    assert first.query is not None
    answer = desk.edit(LEADER, AskEdit(query=first.query.model_copy(update={"dimensions": []})))
    assert answer.rows is not None
    assert answer.rows.rows == [[3]]
    assert answer.reading is not None
    assert "按区" not in answer.reading.title.zh


def test_a_word_that_is_not_known_is_named_and_nothing_is_worked_out(desk: AskDesk) -> None:
    answer = ask(desk, "3月9日火锅店上报数")
    assert (answer.outcome, answer.unknown, answer.rows) == ("asked_back", ["火锅店"], None)
    assert [choice.reading.title.zh for choice in answer.choices] == ["2026 年 3 月 9 日的上报数"]


def test_a_slip_is_read_and_shown(desk: AskDesk) -> None:
    answer = ask(desk, "福田曲3月9日上报数")
    assert answer.outcome == "answered"
    assert [(item.said, item.title.zh) for item in answer.corrected] == [("福田曲", "福田区")]


def test_at_most_three_readings_are_offered(desk: AskDesk) -> None:
    answer = ask(desk, "昨天的案件数")
    assert answer.outcome == "asked_back"
    assert 2 <= len(answer.choices) <= 3


def test_the_same_question_gives_each_asker_what_the_own_scope_holds(desk: AskDesk) -> None:
    whole, own = (ask(desk, "3月9日上报数", who).rows for who in (LEADER, COLLECTOR))
    assert whole is not None
    assert own is not None
    assert (whole.rows, own.rows) == ([[3]], [[2]])


def test_a_value_outside_the_scope_is_nowhere_in_the_answer(desk: AskDesk) -> None:
    answer = ask(desk, "3月9日南山曲上报数", COLLECTOR)
    assert answer.outcome == "asked_back"
    said = answer.model_dump_json()
    assert "南山区" not in said
    assert "440305" not in said
    edited = ask(desk, "3月9日南山区上报数").query
    assert edited is not None
    shown = desk.edit(COLLECTOR, AskEdit(query=edited))
    assert "南山" not in shown.model_dump_json()
    assert shown.rows is not None
    assert shown.rows.rows == [[0]]


def test_a_metric_out_of_sight_is_refused_with_the_reason(desk: AskDesk) -> None:
    answer = ask(desk, "昨天预警数", NOBODY)
    assert (answer.outcome, answer.because[0].code, answer.rows) == ("refused", "not_seen", None)


def test_markup_in_a_question_is_only_text(desk: AskDesk) -> None:
    answer = ask(desk, "昨天'; drop table CaseEvent; --<script>alert(1)</script>上报数")
    assert answer.outcome in ("asked_back", "refused")
    assert answer.rows is None


def answered(helped: AskDesk, says: Any, question: str = "研判3月9日群众诉求体量") -> AskAnswer:
    Model.says = says if isinstance(says, str) else json.dumps(says)
    return ask(helped, question)


def test_a_language_model_fills_in_a_query_that_is_checked_like_any_other(helped: AskDesk) -> None:
    query = {"metrics": ["cases_opened"], "filters": [{"dimension": "district", "values": ["南山区"]}]}
    answer = answered(helped, query)
    assert (answer.outcome, answer.by_model) == ("answered", True)
    assert answer.rows is not None
    assert answer.rows.rows == [[2]]
    told = json.dumps(Model.heard[-1], ensure_ascii=False)
    assert "南山" not in told


@pytest.mark.parametrize(
    "says",
    [
        "select * from CaseEvent",
        {"metrics": ["made_up"]},
        {"metrics": []},
        {"metrics": ["cases_opened"], "sql": "select 1"},
        {"metrics": ["cases_opened"], "filters": [{"dimension": "district", "values": ["440305"]}]},
        {"metrics": ["cases_opened"], "filters": [{"dimension": "district", "op": "starts_with", "values": ["4"]}]},
        ["cases_opened"],
    ],
)
def test_what_a_language_model_makes_up_is_not_answered(helped: AskDesk, says: Any) -> None:
    answer = answered(helped, says)
    assert (answer.outcome, answer.by_model, answer.rows) == ("refused", False, None)
    assert answer.because[-1].code == "ask-model"


def test_a_language_model_is_not_asked_what_is_refused_or_clear(helped: AskDesk) -> None:
    Model.heard.clear()
    answered(helped, {}, "明天会有多少上报")
    answered(helped, {}, "3月9日上报数")
    assert Model.heard == []


def test_over_http_a_question_of_ten_thousand_signs_is_refused(database: Database, desk: AskDesk) -> None:
    accounts = Accounts(database, Audit(database), 12)
    accounts.put(LEADER)
    app = create_app({AskDesk: desk, Accounts: accounts, Settings: Settings()})
    headers = {"authorization": f"Bearer {accounts.open_session(LEADER.id)}"}

    async def post(question: str) -> httpx.Response:
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(app), base_url="http://city", headers=headers
        ) as web:
            return await web.post("/api/v1/ask", json={"question": question})

    assert asyncio.run(post("上报数" * 3334)).status_code == 422
    answer = asyncio.run(post("3月9日上报数")).json()
    assert (answer["outcome"], answer["rows"]["rows"]) == ("answered", [[3]])


def test_a_name_said_over_and_over_is_one(desk: AskDesk) -> None:
    answer = ask(desk, "上报数和" * 125)
    assert answer.outcome == "answered"
