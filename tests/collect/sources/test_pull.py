"""HTTP pull from a real server: paging of three kinds, secrets, what is new, and answers that are no data."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from cityloop.core.web import Paging
from tests.collect.small_town import NOON, STEWARD
from tests.collect.sources.conftest import WiredMaker
from tests.collect.sources.wired import Wired, environment, wait

FIRST = Paging(page=1, size=500, sort="")
Query = dict[str, str]
Answer = tuple[int, dict[str, str], Any]


@dataclass
class Interface:
    """A department's interface; ``answer`` decides by the query, ``asked`` keeps what was asked."""

    answer: Callable[[Query], Answer] = lambda query: (200, {}, [])
    asked: list[Query] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    url: str = ""


@pytest.fixture
def interface() -> Iterator[Interface]:
    made = Interface()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            query = {name: values[-1] for name, values in parse_qs(urlsplit(self.path).query).items()}
            made.asked.append(query)
            made.headers.append(dict(self.headers))
            status, headers, body = made.answer(query)
            data = body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode()
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    made.url = f"http://127.0.0.1:{server.server_port}/air"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield made
    server.shutdown()
    thread.join()
    server.server_close()


def record(n: int, **fields: Any) -> dict[str, Any]:
    return {"station": "1001A", "time": (NOON - timedelta(seconds=1 + n)).isoformat(), "PM2.5": n % 300, **fields}


def source(interface: Interface, **connection: Any) -> dict[str, Any]:
    return {"wire": "pull", "schedule": {"every": "1d"}, "connection": {"url": interface.url, **connection}}


def ended(wired: Wired) -> None:
    wait(lambda: wired.view().last_run_at is not None and wired.view().state == "waiting", lambda: str(wired.view()))


def again(wired: Wired) -> None:
    last = wired.view().last_run_at
    wired.clock.advance(timedelta(seconds=1))
    wired.sources.run(STEWARD, "air")
    wait(lambda: (v := wired.view()).last_run_at != last and v.state != "running", "a run ends")


def test_pages_by_number_end_with_a_short_one(wire_up: WiredMaker, interface: Interface) -> None:
    def answer(query: Query) -> Answer:
        start = (int(query["page"]) - 1) * 10
        return 200, {}, {"code": 0, "data": {"list": [record(n) for n in range(start, min(start + 10, 25))]}}

    interface.answer = answer
    paging = {"kind": "page", "parameter": "page", "size_parameter": "size", "size": 10}
    wired = wire_up(source(interface, records="data.list", paging=paging, query={"type": "air"}))
    wired.settle(25)
    ended(wired)
    assert interface.asked == [{"type": "air", "size": "10", "page": str(n)} for n in (1, 2, 3)]
    assert len(wired.rows()) == 25


def test_pages_by_cursor_end_without_one(wire_up: WiredMaker, interface: Interface) -> None:
    following = {"": "b", "b": "c", "c": None}

    def answer(query: Query) -> Answer:
        at = query.get("after", "")
        return 200, {}, {"items": [record(ord(at or "a"))], "meta": {"next": following[at]}}

    interface.answer = answer
    paging = {"kind": "cursor", "parameter": "after", "field": "meta.next"}
    wired = wire_up(source(interface, records="items", paging=paging))
    wired.settle(3)
    ended(wired)
    assert [query.get("after") for query in interface.asked] == [None, "b", "c"]


def test_pages_by_link_stay_at_the_same_server(wire_up: WiredMaker, interface: Interface) -> None:
    def answer(query: Query) -> Answer:
        n = int(query.get("p", 1))
        link = f"<{interface.url}?p={n + 1}>" if n < 3 else "<http://evil.invalid/air>"
        return 200, {"Link": f'{link}; rel="next"'}, [record(n)]

    interface.answer = answer
    wired = wire_up(source(interface, paging={"kind": "link"}, auth={"value": environment("TEST_TOKEN", "t")}))
    wait(lambda: wired.view().state == "failing", "the stranger is refused")
    assert "another server, evil.invalid" in (wired.view().last_error or "")
    assert len(wired.rows()) == 3


def test_the_secret_goes_into_the_header_and_nowhere_else(wire_up: WiredMaker, interface: Interface) -> None:
    interface.answer = lambda query: (401, {}, {"error": "no"})
    auth = {"header": "X-Key", "prefix": "K ", "value": environment("TEST_TOKEN", "t0p-secret")}
    wired = wire_up(source(interface, auth=auth))
    wait(lambda: wired.view().state == "failing", "the refusal is told")
    assert interface.headers[0]["X-Key"] == "K t0p-secret"
    view = wired.view()
    assert "answers 401" in (view.last_error or "") and "t0p-secret" not in view.model_dump_json()


def test_only_what_is_new_is_asked_for(wire_up: WiredMaker, interface: Interface) -> None:
    stock = [record(n, updated=f"2026-03-09 0{n}:00:00") for n in range(1, 5)]
    interface.answer = lambda query: (200, {}, [r for r in stock if r["updated"] >= query["since"]])
    since = {"parameter": "since", "field": "updated", "start": "2026-03-09 02:00:00"}
    wired = wire_up(source(interface, since=since))
    wired.settle(3)
    ended(wired)
    stock.append(record(7, updated="2026-03-09 07:00:00"))
    again(wired)
    wired.restart()
    again(wired)
    assert [query["since"] for query in interface.asked[:2]] == ["2026-03-09 02:00:00", "2026-03-09 04:00:00"]
    assert interface.asked[-1]["since"] == "2026-03-09 07:00:00"
    assert len(wired.rows()) == 4


def test_nested_and_exact_values_of_gbk_answers_are_read(wire_up: WiredMaker, interface: Interface) -> None:
    body = '[{"station": "1001A", "time": "@", "PM2.5": 1.10, "wd": "N", "说明": "正常"}, {"station": "未知"}]'
    body = body.replace("@", NOON.isoformat())
    interface.answer = lambda query: (200, {}, body.encode("gb18030"))
    wired = wire_up(source(interface))
    wired.settle(1, quarantined=1)
    assert [row["pm2_5"] for row in wired.rows()] == [1.1]
    assert "未知" in wired.town.collector.quarantine(STEWARD, FIRST, None).items[0].raw
    again(wired)
    assert wired.town.collector.quarantine(STEWARD, FIRST, None).total == 1


@pytest.mark.parametrize(
    ("body", "what"),
    [
        (b"<html>", "answers no JSON"),
        ({"data": {}}, "has no array at 'list'; it has data"),
        ([1], "has no array at 'list'"),
    ],
)
def test_an_answer_that_is_no_data_is_told(wire_up: WiredMaker, interface: Interface, body: Any, what: str) -> None:
    interface.answer = lambda query: (200, {}, body)
    wired = wire_up(source(interface, records="list"))
    wait(lambda: wired.view().state == "failing", "the error is told")
    assert what in (wired.view().last_error or "")


def test_pages_that_are_all_alike_end_the_run(wire_up: WiredMaker, interface: Interface) -> None:
    interface.answer = lambda query: (200, {}, [record(1)])
    wired = wire_up(source(interface, paging={"kind": "page", "parameter": "page"}))
    wait(lambda: wired.view().state == "failing", "the error is told")
    assert "every page alike" in (wired.view().last_error or "")


def test_a_dry_run_shows_the_first_page(wire_up: WiredMaker, interface: Interface) -> None:
    interface.answer = lambda query: (200, {}, [record(1), record(2, **{"PM2.5": -9}), [1]])
    wired = wire_up(source(interface), started=False)
    trial = wired.sources.dry_run(STEWARD, "air")
    assert [row["pm2_5"] for row in trial.mapped] == [1.0]
    assert [(r.index, r.rule) for r in trial.refusals] == [(1, "range"), (2, "malformed")]
    assert wired.rows() == []
