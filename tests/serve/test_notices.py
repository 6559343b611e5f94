"""Notices over a real SMTP server and gateway: once each, over refusals, breaks and restarts; limited and covered."""

from __future__ import annotations

import email
import email.policy
import json
import threading
from collections.abc import Iterator
from copy import copy
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from sqlalchemy import select

from cityloop.access.actor import Actor
from cityloop.access.audit import Audit
from cityloop.access.door import Door
from cityloop.access.models import AuditRow
from cityloop.city.service import City
from cityloop.core.clock import ManualClock
from cityloop.core.database import Database
from cityloop.core.errors import ContentError
from cityloop.core.outbox import Outbox, Relay
from cityloop.core.settings import Settings
from cityloop.core.values import Title
from cityloop.core.web import Paging
from cityloop.serve.notices.channels import Sms, ways
from cityloop.serve.notices.content import EVENTS, Notice, load_notices
from cityloop.serve.notices.models import NoticeRow
from cityloop.serve.notices.routes import router
from cityloop.serve.notices.sender import CONSUMER, Notices
from cityloop.serve.notices.sent import SentNotices, covered
from cityloop.serve.notices.wording import Wording
from cityloop.serve.telling import open_telling
from tests.parts import free_port
from tests.wire import Asks

pytestmark = pytest.mark.filterwarnings("ignore:Requiring AUTH")
ROOT = Path(__file__).parents[2]
NOW = datetime(2026, 3, 9, tzinfo=UTC)
DESK = Notice(
    id="desk", title=Title(zh="值班台", en="Desk"), mail=("desk@city.example",), sms=("+8613800001234",),
    level="orange", departments=("urban",), warnings=("raised", "cleared", "escalated"), cases=("due",),
)  # fmt: skip
ADMIN = Actor(id="xitong", name=Title(zh="系统", en="System"), posts=("administrator",))
FIRST = Paging(page=1, size=50, sort="")
CLERK = Actor(id="shouli", name=Title(zh="受理", en="Acceptor"), posts=("acceptor",))


class Mailbox:
    """What the SMTP server does with messages: it answers as it is told, and keeps those that it took."""

    def __init__(self) -> None:
        self.answers: list[str] = []
        self.taken: list[Envelope] = []
        self.breaks = False

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        """Take a message, refuse it, or take it and break off before saying so."""
        answer = self.answers.pop(0) if self.answers else "250 taken"
        if answer.startswith("2"):
            self.taken.append(envelope)
        if self.breaks:
            assert server.transport is not None
            server.transport.close()
        return answer

    @property
    def read(self) -> list[Any]:
        """The messages as a mail program reads them."""
        return [email.message_from_bytes(_bytes(one), policy=email.policy.default) for one in self.taken]


def _bytes(envelope: Envelope) -> bytes:
    assert isinstance(envelope.content, bytes)
    return envelope.content


def _login(_server: SMTP, _session: Session, _envelope: Envelope, _way: str, data: Any) -> AuthResult:
    right = isinstance(data, LoginPassword) and (data.login, data.password) == (b"city", b"s3cret")
    return AuthResult(success=right)


@pytest.fixture(scope="module")
def mail_server() -> Iterator[tuple[Mailbox, int]]:
    box, port = Mailbox(), free_port()
    server = Controller(
        box, hostname="127.0.0.1", port=port, authenticator=_login, auth_required=True, auth_require_tls=False
    )
    server.start()
    yield box, port
    server.stop()


@pytest.fixture
def box(mail_server: tuple[Mailbox, int]) -> Mailbox:
    mail_server[0].__init__()  # type: ignore[misc]
    return mail_server[0]


class Gateway(BaseHTTPRequestHandler):
    """An SMS gateway."""

    heard: list[tuple[dict[str, str], dict[str, str]]] = []
    answers: list[int] = []

    def do_POST(self) -> None:
        """Note a message and answer."""
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        Gateway.heard.append((body, dict(self.headers)))
        self.send_response(Gateway.answers.pop(0) if Gateway.answers else 202)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """In silence."""


@pytest.fixture(scope="module")
def gateway() -> Iterator[int]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Gateway)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    yield server.server_port
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="module")
def city() -> City:
    return City.load(ROOT / "cities" / "demo", ManualClock(NOW))


class Office:
    """A city that tells people of what happens, and can be stopped and begun anew."""

    def __init__(self, folder: Path, city: City, settings: Settings, notices: list[Notice], hourly: int = 20) -> None:
        self.database = Database(f"sqlite:///{folder / 'city.db'}", synchronous="NORMAL")
        self.database.create()
        self.outbox = Outbox(self.database)
        self.clock, self.city, self.audit = ManualClock(NOW), city, Audit(self.database)
        wording = Wording(city, exercise=False)
        shared: dict[str, Any] = {"database": self.database, "audit": self.audit, "city": city, "clock": self.clock}
        self.ways = ways(settings, wording)
        self.notices = Notices(notices, self.ways, **shared, wording=wording, hourly=hourly)
        self.sent = SentNotices(**shared, door=Door(city.policy))
        self.relay = Relay(self.database, self.outbox)
        if self.notices.active:
            self.relay.enrol(CONSUMER)
        self.relay.consume(CONSUMER, self.notices.take, EVENTS, only=self.notices.wanted)

    def happen(self, kind: str = "raised", level: str = "orange", department: str = "urban", **more: Any) -> None:
        """A step of a warning."""
        both = {"zh": "暴雨\n积水", "en": "Heavy rain"}
        warning = {
            "id": "wrn_1", "level": level, "peak": level, "status": "cleared" if kind == "cleared" else "open",
            "department": department, "title": both, "message": both, "entity_title": both,
        }  # fmt: skip
        self.record(f"cityloop.warning.{kind}", {"warning": warning, **more})

    def record(self, kind: str, data: dict[str, Any], at: datetime = NOW) -> None:
        """An event reaches the notices."""
        with self.database.transaction() as tx:
            self.outbox.record(tx, kind, "wrn_1", at, data)
        self.relay.drain()

    def later(self, **span: float) -> int:
        """Time passes, and what is due is sent."""
        self.clock.advance(timedelta(**span))
        return self.notices.step()

    def rows(self, channel: str = "mail") -> list[NoticeRow]:
        """All notices of one way."""
        with self.database.reading() as session:
            mine = select(NoticeRow).where(NoticeRow.channel == channel)
            return list(session.scalars(mine.order_by(NoticeRow.made_at, NoticeRow.id)))

    def states(self, channel: str = "mail") -> list[str]:
        """Their states."""
        return [row.state for row in self.rows(channel)]


@pytest.fixture
def settings(mail_server: tuple[Mailbox, int], gateway: int) -> Settings:
    return Settings(
        mail_host="127.0.0.1", mail_port=mail_server[1], mail_security="none", mail_from="loop@city.example",
        mail_user="city", mail_password="s3cret", sms_url=f"http://127.0.0.1:{gateway}/send", sms_token="t0ken",
    )  # fmt: skip


@pytest.fixture
def office(tmp_path: Path, city: City, settings: Settings) -> Iterator[Office]:
    Gateway.heard, Gateway.answers = [], []
    one = Office(tmp_path, city, settings, [DESK])
    yield one
    one.notices.stop()
    one.database.close()


def test_a_warning_reaches_mailbox_and_phone_once(
    tmp_path: Path, office: Office, box: Mailbox, city: City, settings: Settings
) -> None:
    office.happen()
    assert office.notices.step() == 2
    (message,) = box.read
    assert message["Subject"] == "橙色预警：暴雨 积水，暴雨 积水"
    assert (message["To"], message["From"]) == ("desk@city.example", "loop@city.example")
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["Message-ID"].endswith("@city.example>")
    assert "城市管理和综合执法局" in message.get_content()
    (body, headers) = Gateway.heard[0]
    assert (body["to"], body["text"]) == ("+8613800001234", "橙色预警：暴雨 积水，暴雨 积水")
    assert (headers["Authorization"], headers["Idempotency-Key"]) == ("Bearer t0ken", body["id"])
    again = Office(tmp_path, city, settings, [DESK])
    again.relay.drain()
    again.notices.start()
    again.notices.stop()
    assert (again.later(hours=2), len(box.taken), len(Gateway.heard)) == (0, 1, 1)
    with office.database.reading() as session:
        lines = session.scalars(select(AuditRow).where(AuditRow.act == "notice.send")).all()
    assert [(line.actor, line.detail["state"]) for line in lines] == [("system", "sent")] * 2
    again.database.close()


def test_only_what_a_notice_wants_is_told_and_nothing_from_before_it_was_there(
    tmp_path: Path, city: City, settings: Settings
) -> None:
    first = Office(tmp_path, city, settings, [])
    first.happen()
    second = Office(tmp_path, city, settings, [DESK.model_copy(update={"sms": ()}), DESK])
    second.happen(level="yellow")
    second.happen(department="water")
    second.happen("acknowledged")
    second.happen("escalated", department="water", to="urban")
    second.happen("cleared")
    assert [row.kind.rpartition(".")[2] for row in second.rows()] == ["escalated", "cleared"]
    for one in (first, second):
        one.database.close()


def test_what_is_surely_not_taken_waits_and_what_is_refused_stays_so(office: Office, box: Mailbox) -> None:
    box.answers = ["451 later", "250 taken", "554 never"]
    office.happen()
    office.notices.step()
    assert (office.states(), box.taken) == (["waiting"], [])
    assert "451" in (office.rows()[0].error or "")
    assert "mail" in office.notices.troubles
    assert office.later(seconds=29) == 0
    office.later(seconds=1)
    assert (office.states(), len(box.taken), office.notices.troubles) == (["sent"], 1, {})
    office.happen()
    office.notices.step()
    assert office.states() == ["sent", "refused"]
    assert office.later(hours=3) == 0


def test_what_may_have_arrived_is_not_sent_again_but_by_a_person(office: Office, box: Mailbox) -> None:
    box.breaks = True
    office.happen()
    office.notices.step()
    box.breaks = False
    assert (office.states(), office.later(hours=3), len(box.taken)) == (["doubtful"], 0, 1)
    office.sent.again(ADMIN, office.rows()[0].id)
    assert (office.notices.step(), office.states(), len(box.taken)) == (1, ["sent"], 2)
    with office.database.transaction() as tx:
        tx.session.get_one(NoticeRow, office.rows("sms")[0].id).state = "sending"
    office.notices.start()
    assert office.states("sms") == ["doubtful"]


def test_an_address_gets_its_messages_an_hour_and_the_rest_together(
    tmp_path: Path, city: City, settings: Settings, box: Mailbox
) -> None:
    office = Office(tmp_path, city, settings, [DESK.model_copy(update={"sms": ()})], hourly=2)
    for _ in range(2):
        office.happen()
        office.later(minutes=1)
    for _ in range(3):
        office.happen()
    assert (office.later(minutes=1), len(box.taken)) == (0, 2)
    assert office.later(minutes=58) == 1
    assert box.read[-1]["Subject"] == "演示城市（深圳底图）：3条通知"
    assert box.read[-1].get_content().count("编号：wrn_1") == 3
    assert office.states() == ["sent"] * 5
    office.database.close()


def test_a_server_that_offers_no_protection_gets_nothing_and_old_news_expires(
    tmp_path: Path, city: City, settings: Settings, box: Mailbox
) -> None:
    strict = settings.model_copy(update={"mail_security": "starttls", "sms_url": ""})
    office = Office(tmp_path, city, strict, [DESK])
    office.happen()
    office.notices.step()
    assert (office.states(), box.taken) == (["waiting"], [])
    assert set(office.notices.troubles) == {"mail", "sms"}
    office.later(hours=25)
    assert office.states() == ["expired"]
    office.database.close()


def test_a_gateway_is_asked_again_only_where_it_took_nothing(office: Office) -> None:
    Gateway.answers = [503, 202, 400, 500]
    for state in ("waiting", "sent", "refused", "doubtful"):
        if state != "sent":
            office.happen()
        office.later(minutes=1)
        assert office.states("sms")[-1] == state
    sms = office.ways["sms"]
    assert isinstance(sms, Sms)

    def silent(request: httpx.Request) -> httpx.Response:
        raise httpx.ReadTimeout("no answer", request=request)

    sms._http = httpx.Client(transport=httpx.MockTransport(silent))
    office.happen()
    office.later(minutes=1)
    assert office.states("sms")[-1] == "doubtful"
    assert [body["id"] for body, _ in Gateway.heard].count(Gateway.heard[0][0]["id"]) == 1


def test_a_due_case_is_told_by_number_and_matter_and_not_in_a_reporters_words(office: Office, box: Mailbox) -> None:
    case = {
        "number": "2026-1", "title": "张三 13800138000 投诉", "matter_title": {"zh": "暴露垃圾", "en": "Litter"},
        "due_at": "2026-03-09T02:00:00Z",
    }  # fmt: skip
    data = {"step": "due", "posts": [], "department": "urban", "at": NOW.isoformat(), "case": case}
    office.record("cityloop.case.reminder", data, NOW - timedelta(days=2))
    office.record("cityloop.case.reminder", {**data, "step": "near"})
    office.record("cityloop.case.reminder", data)
    office.notices.step()
    (message,) = box.read
    assert message["Subject"] == "案件2026-1已到期：暴露垃圾"
    assert "时限：2026-03-09 10:00" in message.get_content()
    assert "张三" not in message.as_string() + message.get_content()


def test_notices_are_listed_covered_and_sent_again_by_who_may(office: Office, box: Mailbox) -> None:
    box.answers = ["554 never"]
    office.happen()
    office.notices.step()
    admin, clerk = (Asks(actor, {SentNotices: office.sent}, router) for actor in (ADMIN, CLERK))
    page = admin.get("/api/v1/notices", params={"state": ["refused", "doubtful"]}).json()
    (row,) = page["items"]
    assert (row["address"], row["state"], page["total"]) == ("d***@city.example", "refused", 1)
    assert "title" not in row
    assert admin.post(f"/api/v1/notices/{row['id']}/again").json()["state"] == "waiting"
    assert admin.post(f"/api/v1/notices/{row['id']}/again").status_code == 409
    assert admin.post("/api/v1/notices/ntc_none/again").status_code == 404
    assert clerk.get("/api/v1/notices").status_code == 403
    assert clerk.post(f"/api/v1/notices/{row['id']}/again").status_code == 403
    assert [covered(one) for one in ("+8613800001234", "env:DUTY")] == ["+86*******1234", "env:DUTY"]


def test_a_city_with_notices_tells_what_happens_from_its_start_on_and_says_what_is_closed(
    tmp_path: Path, city: City, settings: Settings, box: Mailbox
) -> None:
    folder = tmp_path / "city"
    folder.mkdir()
    (folder / "notices.yaml").write_text(
        'notices: [{id: desk, title: Desk, mail: [a@b.example], sms: ["12345"], warnings: [raised]}]', encoding="utf-8"
    )
    town = copy(city)
    town.folder = folder
    office = Office(tmp_path, city, settings, [])
    office.happen()
    one = settings.model_copy(update={"demo": True, "sms_url": ""})
    parts = (office.database, office.outbox, office.relay, office.audit, Door(city.policy))
    _, notices, sent = open_telling(one, town, *parts)
    office.happen(level="blue")
    assert notices.step() == 1
    (message,) = box.read
    assert message["Subject"].startswith("【演练】蓝色预警")
    assert list(notices.troubles) == ["sms"]
    assert sorted(view.state for view in sent.list(ADMIN, [], FIRST).items) == ["sent", "waiting"]
    _, quiet, _ = open_telling(one, city, *parts)
    assert (quiet.active, quiet.troubles) == (False, {})
    office.database.close()


def test_a_faulty_file_is_refused_with_its_places(tmp_path: Path, city: City) -> None:
    (tmp_path / "notices.yaml").write_text(
        """notices:
  - {id: a, title: A, mail: [a@b.example], warnings: [raised], departments: [nobody]}
  - {id: a, title: B, sms: ["env:DUTY"], cases: [due]}
""",
        encoding="utf-8",
    )
    with pytest.raises(ContentError) as refused:
        load_notices(tmp_path, city.departments)
    assert [fault.where.partition("notices.yaml:")[2] for fault in refused.value.faults] == [
        "2 notices.0.departments",
        "3 notices.1.id",
    ]
    for wrong in ("mail: [a b], warnings: [raised]", "mail: [a@b], warnings: []", "warnings: [raised]"):
        (tmp_path / "notices.yaml").write_text(f"notices: [{{id: a, title: A, {wrong}}}]", encoding="utf-8")
        with pytest.raises(ContentError):
            load_notices(tmp_path, city.departments)
    assert load_notices(tmp_path / "elsewhere", city.departments) == ()
