"""Cases go to the system of a department and its news come back; the other system here is a second city of ours."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from cityloop.access.actor import Actor
from cityloop.core.errors import AccessDenied, Conflict, Invalid
from cityloop.core.outbox import Relay
from cityloop.serve.open311.content import load_open311
from cityloop.serve.open311.models import SentRow
from cityloop.serve.open311.sender import POLL, Sender
from cityloop.serve.open311.sent import SentFilter, SentView
from tests.cases.support import DISPATCHER, FIRST, SANITATION, SWEEPER, TO_CLOSED, TO_DISPATCH, TO_HANDLE, TRANSPORT
from tests.cases.test_loop import audited
from tests.citizen.support import PublicRoom, open_public_room


class Through(httpx.BaseTransport):
    """Hands requests to an application in this process, or to whatever stands in its place."""

    def __init__(self, app: Any) -> None:
        self._inner = httpx.ASGITransport(app)
        self.instead: Callable[[httpx.Request], httpx.Response] | None = None
        self.posts = 0

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.posts += request.method == "POST"
        return self.instead(request) if self.instead else asyncio.run(self._pass(request))

    async def _pass(self, request: httpx.Request) -> httpx.Response:
        answer = await self._inner.handle_async_request(request)
        return httpx.Response(answer.status_code, headers=answer.headers, content=await answer.aread())


class Sending:
    """Our city with a sender, and the department's own system."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.ours, self.theirs = open_public_room(folder / "ours"), open_public_room(folder / "theirs")
        monkeypatch.setenv("TEST_OPEN311_KEY", self.theirs.key("intake"))
        self.through = Through(self.theirs.app)
        room = self.ours.room
        shared: dict[str, Any] = {"database": room.database, "desk": room.desk, "city": room.city, "door": room.door}
        shared["audit"] = room.audit
        self.sender = Sender(_file(self.ours), **shared, clock=self.ours.wall, transport=self.through)
        self.relay = Relay(room.database, room.outbox)
        self.relay.consume("open311", self.sender.take, ["cityloop.case.moved"])

    def report(self, **values: Any) -> str:
        """A case that has come to the department."""
        case = self.ours.room.report(**values)
        self.ours.room.walk(case, *TO_HANDLE)
        self.relay.drain()
        return case.id

    def row(self, case: str) -> SentRow:
        with self.ours.room.database.reading() as session:
            return session.get_one(SentRow, (case, "sweepers"))

    def listed(self, actor: Actor, **wanted: Any) -> list[SentView]:
        """The list as the actor sees it."""
        return self.sender.sent.list(actor, SentFilter(**wanted), FIRST).items

    def later(self, span: timedelta) -> None:
        self.ours.wall.advance(span)
        self.sender.step()


def _file(public: PublicRoom) -> Any:
    file = load_open311(public.room.city)
    assert file is not None
    told = {
        "id": "sweepers",
        "title": {"zh": "环卫系统", "en": "Sweepers' system"},
        "department": "sanitation",
        "url": "http://sweepers/open311/v2",
        "api_key": "env:TEST_OPEN311_KEY",
        "services": {"gb47678:matter:06010": "06010"},
    }
    return type(file).model_validate({**file.model_dump(), "send": [told]})


@pytest.fixture
def sending(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sending]:
    for name in ("ours", "theirs"):
        (tmp_path / name).mkdir()
    found = Sending(tmp_path, monkeypatch)
    yield found
    found.sender.stop()
    found.ours.room.database.close()
    found.theirs.room.database.close()


def test_a_case_goes_there_once_and_its_news_come_back(sending: Sending) -> None:
    case = sending.report(reporter_name="张三", reporter_phone="13800138000", description="张三 13800138000 说很脏")
    sending.sender.step()
    sent = sending.row(case)
    assert (sent.state, sent.attempts) == ("sent", 1) and sent.number
    there = sending.theirs.room.desk.get(DISPATCHER, sent.number)
    assert there.channel == "open311" and there.reporter_name is None
    assert "*** *** 说很脏" in there.description
    sending.relay.drain()
    sending.sender.step()
    assert sending.through.posts == 1
    before = sending.ours.room.desk.get(DISPATCHER, case)
    assert before.timeline[-1].move == "relayed" and before.timeline[-1].facts["remote"] == sent.number
    sending.later(POLL)
    heard = sending.ours.room.desk.get(DISPATCHER, case)
    assert heard.timeline[-1].facts["status"] == "open" and heard.timeline[-1].facts["notes"] == "已收到，等待受理"
    sending.later(POLL)
    assert len(sending.ours.room.desk.get(DISPATCHER, case).timeline) == len(heard.timeline), "no news, no entry"
    sending.theirs.room.walk(there.id, *TO_CLOSED)
    sending.later(POLL)
    ended = sending.ours.room.desk.get(DISPATCHER, case)
    assert ended.timeline[-1].facts["status"] == "closed" and sending.row(case).state == "ended"
    assert ended.state == "to_handle" and ended.version == before.version, "nobody's work is overtaken"
    assert sending.ours.room.desk.verify_timeline(case) is None
    [view] = sending.listed(DISPATCHER, case=case)
    assert (view.status, view.remote_number, view.error) == ("closed", sent.number, None)
    assert [v.case for v in sending.listed(SANITATION)] == [case] and sending.listed(TRANSPORT) == []


def test_a_system_that_is_away_is_tried_again_and_again(sending: Sending) -> None:
    def away(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused", request=request)

    sending.through.instead = away
    case = sending.report()
    sending.sender.step()
    first = sending.row(case)
    assert first.state == "waiting" and first.next_at == sending.ours.wall.now() + timedelta(seconds=30)
    sending.later(timedelta(seconds=29))
    assert sending.through.posts == 1
    sending.later(timedelta(seconds=1))
    assert sending.row(case).next_at == sending.ours.wall.now() + timedelta(seconds=60)
    sending.through.instead = lambda _: httpx.Response(503)
    sending.later(timedelta(seconds=60))
    assert sending.row(case).state == "waiting" and sending.sender.troubles == {}
    sending.through.instead = None
    sending.later(timedelta(hours=1))
    assert sending.row(case).state == "sent"


def test_what_may_have_arrived_waits_for_a_person(sending: Sending) -> None:
    def silent(request: httpx.Request) -> httpx.Response:
        raise httpx.ReadTimeout("no answer", request=request)

    sending.through.instead = silent
    case = sending.report()
    sending.sender.step()
    assert sending.row(case).state == "doubtful"
    sending.later(timedelta(days=1))
    assert sending.through.posts == 1 and "sweepers" in sending.sender.troubles
    with pytest.raises(AccessDenied):
        sending.sender.sent.resend(SWEEPER, case, "sweepers")
    sending.through.instead = None
    sending.sender.sent.resend(DISPATCHER, case, "sweepers")
    sending.sender.step()
    assert sending.row(case).state == "sent" and sending.sender.troubles == {}
    with pytest.raises(Conflict):
        sending.sender.sent.resend(DISPATCHER, case, "sweepers")


def test_a_crash_while_sending_is_doubtful_and_nothing_is_sent_twice(sending: Sending) -> None:
    case = sending.report()
    with sending.ours.room.database.transaction() as tx:
        tx.session.get_one(SentRow, (case, "sweepers")).state = "sending"
    sending.sender.start()
    assert sending.row(case).state == "doubtful" and sending.through.posts == 0


@pytest.mark.parametrize("answer", [httpx.Response(403, text="no"), httpx.Response(400, json=[{"code": 400}])])
def test_a_refusal_is_kept_with_its_words(sending: Sending, answer: httpx.Response) -> None:
    sending.through.instead = lambda _: answer
    case = sending.report()
    sending.sender.step()
    refused = sending.row(case)
    assert refused.state == "refused" and refused.error is not None and str(answer.status_code) in refused.error


def test_only_cases_of_its_department_and_services_go_there(sending: Sending) -> None:
    room = sending.ours.room
    other = room.report(matter="gb47678:matter:06001")
    room.walk(other, *TO_DISPATCH, (DISPATCHER, "dispatch", "", {"department": "sanitation"}))
    elsewhere = room.report()
    room.walk(elsewhere, *TO_DISPATCH, (DISPATCHER, "dispatch", "", {"department": "water"}))
    sending.relay.drain()
    sending.sender.step()
    assert sending.through.posts == 0
    [view] = sending.listed(DISPATCHER)
    assert view.case == other.id and view.state == "refused" and "names no code" in (view.error or "")


def test_a_case_that_has_moved_on_is_not_sent(sending: Sending) -> None:
    case = sending.report()
    sending.ours.room.walk(case, *TO_CLOSED[len(TO_HANDLE) :])
    sending.relay.drain()
    sending.sender.step()
    assert sending.through.posts == 0 and sending.listed(DISPATCHER) == []


def test_a_token_is_asked_until_it_has_a_number(sending: Sending) -> None:
    numbers = iter([{"token": "t1"}, {"token": "t1", "service_request_id": 77}])

    def slow(request: httpx.Request) -> httpx.Response:
        if request.method == "POST":
            return httpx.Response(200, json=[{"token": "t1"}])
        if "tokens" in request.url.path:
            return httpx.Response(200, json=[next(numbers)])
        return httpx.Response(200, json=[{"service_request_id": 77, "status": "open", "status_notes": "ok"}])

    sending.through.instead = slow
    case = sending.report()
    sending.sender.step()
    assert (sending.row(case).token, sending.row(case).number) == ("t1", None)
    sending.later(POLL)
    assert sending.row(case).number is None
    sending.later(POLL)
    assert (sending.row(case).number, sending.row(case).status) == ("77", "open")


def test_the_list_narrows_by_trouble_system_and_words_and_leaves_as_a_file(sending: Sending) -> None:
    room = sending.ours.room
    sending.through.instead = lambda _: httpx.Response(403, text="no")
    refused = sending.report(title="河边垃圾")
    sending.sender.step()
    sending.through.instead = None
    taken = sending.report(position={"lon": 114.06, "lat": 22.54})
    sending.sender.step()
    assert [view.case for view in sending.listed(DISPATCHER)] == [refused, taken], "trouble first"
    assert [view.case for view in sending.listed(DISPATCHER, stuck=False)] == [taken]
    assert [view.case for view in sending.listed(DISPATCHER, text="河边", recipient="sweepers")] == [refused]
    assert [view.case for view in sending.listed(DISPATCHER, state="sent")] == [taken]
    file = bytes(sending.sender.sent.export(DISPATCHER, SentFilter(), "csv").body).decode("utf-8-sig")
    assert "河边垃圾" in file and "HTTP 403" in file and "环卫系统" in file
    sending.sender.sent.resend(DISPATCHER, refused, "sweepers")
    assert [(who, detail["state"]) for who, detail in audited(room, "open311.resend")] == [(DISPATCHER.id, "refused")]
    assert [one.id for one in sending.sender.sent.recipients(DISPATCHER)] == ["sweepers"]
    with pytest.raises(Invalid, match="cannot be sorted by 'x'"):
        sending.sender.sent.list(DISPATCHER, SentFilter(), FIRST.model_copy(update={"sort": "x"}))
