"""Webhooks: CloudEvents in order, at least once, over refusals and restarts; only what may leave the house."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from cityloop.core.clock import ManualClock
from cityloop.core.database import Database
from cityloop.core.errors import ContentError
from cityloop.core.outbox import Outbox
from cityloop.serve.webhooks import Webhook, Webhooks, load_webhooks

NOW = datetime(2026, 3, 9, tzinfo=UTC)
RAISED, CLEARED = "cityloop.warning.raised", "cityloop.warning.cleared"
HOOK = Webhook(id="control-room", url="http://other.example/hook", types=(RAISED, CLEARED))


class Receiver:
    """Another system that notes what it hears and answers as it is told."""

    def __init__(self) -> None:
        self.heard: list[httpx.Request] = []
        self.answers: list[int] = []
        self.origin = "*"

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.heard.append(request)
        if request.method == "OPTIONS":
            return httpx.Response(200, headers={"WebHook-Allowed-Origin": self.origin})
        return httpx.Response(self.answers.pop(0) if self.answers else 204)

    @property
    def events(self) -> list[int]:
        return [json.loads(one.content)["data"]["n"] for one in self.heard if one.method == "POST"]


class Sending:
    """An outbox with one webhook, that can be stopped and begun anew."""

    def __init__(self, folder: Path, receiver: Callable[[httpx.Request], httpx.Response], hook: Webhook = HOOK) -> None:
        self.database = Database(f"sqlite:///{folder / 'city.db'}", synchronous="NORMAL")
        self.database.create()
        self.outbox, self.clock = Outbox(self.database), ManualClock(NOW)
        self.hooks = Webhooks(
            [hook],
            database=self.database,
            outbox=self.outbox,
            source="urn:cityloop:test",
            clock=self.clock,
            transport=httpx.MockTransport(receiver),
        )
        self.hooks.enrol()

    def happen(self, number: int, kind: str = RAISED, department: str = "urban") -> None:
        with self.database.transaction() as tx:
            data = {"n": number, "warning": {"department": department, "title": "暴雨"}}
            self.outbox.record(tx, kind, f"wrn_{number}", NOW, data)

    def later(self, seconds: float) -> int:
        self.clock.advance(timedelta(seconds=seconds))
        return self.hooks.step()


@pytest.fixture
def receiver() -> Receiver:
    return Receiver()


@pytest.fixture
def sending(tmp_path: Path, receiver: Receiver) -> Iterator[Sending]:
    one = Sending(tmp_path, receiver)
    yield one
    one.database.close()


def test_an_event_arrives_as_a_cloud_event_after_the_handshake(sending: Sending, receiver: Receiver) -> None:
    sending.happen(1)
    assert sending.hooks.step() == 1
    greeting, post = receiver.heard
    assert (greeting.method, greeting.headers["WebHook-Request-Origin"]) == ("OPTIONS", "urn:cityloop:test")
    assert post.headers["Content-Type"].startswith("application/cloudevents+json")
    event = json.loads(post.content)
    assert {"specversion", "id", "source", "type", "subject", "time", "datacontenttype", "data"} == set(event)
    assert (event["specversion"], event["type"], event["subject"]) == ("1.0", RAISED, "wrn_1")
    assert event["data"]["warning"]["title"] == "暴雨"
    sending.happen(2, CLEARED)
    assert sending.hooks.step() == 1
    assert [request.method for request in receiver.heard] == ["OPTIONS", "POST", "POST"]


def test_a_receiver_hears_only_what_it_wants_and_nothing_from_before_it_was_there(
    tmp_path: Path, receiver: Receiver
) -> None:
    first = Sending(tmp_path, receiver)
    first.happen(1)
    hook = HOOK.model_copy(update={"id": "traffic", "departments": ("transport",)})
    second = Sending(tmp_path, receiver, hook)
    second.happen(2)
    second.happen(3, department="transport")
    second.happen(4, "cityloop.warning.level", "transport")
    assert second.hooks.step() == 1
    assert receiver.events == [3]
    first.database.close()
    second.database.close()


def test_what_is_not_taken_is_sent_again_in_order_ever_more_slowly(sending: Sending, receiver: Receiver) -> None:
    for number in (1, 2, 3):
        sending.happen(number)
    receiver.answers = [204, 503, 500]
    assert sending.hooks.step() == 1
    assert "503" in sending.hooks.troubles["control-room"]
    assert sending.later(4) == 0
    assert sending.later(1) == 0
    assert sending.later(9) == 0
    assert sending.later(1) == 2
    assert receiver.events == [1, 2, 2, 2, 3]
    assert sending.hooks.troubles == {}


def test_a_restart_neither_loses_nor_repeats(tmp_path: Path, sending: Sending, receiver: Receiver) -> None:
    sending.happen(1)
    sending.hooks.step()
    sending.happen(2)
    again = Sending(tmp_path, receiver)
    assert again.hooks.step() == 1
    assert receiver.events == [1, 2]
    again.database.close()


def test_a_receiver_that_is_gone_or_forbids_it_is_left_alone(
    tmp_path: Path, sending: Sending, receiver: Receiver
) -> None:
    sending.happen(1)
    receiver.answers = [410]
    sending.hooks.step()
    sending.happen(2)
    assert sending.later(86_400) == 0
    assert receiver.events == [1]
    receiver.origin = "urn:somebody:else"
    other = Sending(tmp_path, receiver, HOOK.model_copy(update={"id": "other"}))
    other.happen(3)
    assert other.hooks.step() == 0
    assert "does not allow" in other.hooks.troubles["other"]
    other.database.close()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            "webhooks: [{id: a, url: ftp://x, types: [cityloop.warning.raised]}]",
            "url: Value error, a webhook is an http",
        ),
        ("webhooks: [{id: a, url: http://x, types: [cityloop.case.moved]}]", "types.0: Value error, only events of"),
        ("webhooks: [{id: a, url: http://x, types: []}]", "types"),
        ("webhooks: [{id: a, url: http://x, types: [cityloop.rule.changed], secret: abc}]", "env:NAME"),
    ],
)
def test_a_file_that_is_wrong_is_refused_with_its_line(tmp_path: Path, text: str, told: str) -> None:
    assert load_webhooks(tmp_path) == ()
    (tmp_path / "webhooks.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(ContentError) as refused:
        load_webhooks(tmp_path)
    assert told in str(refused.value)
    assert "webhooks.yaml:1" in str(refused.value)
