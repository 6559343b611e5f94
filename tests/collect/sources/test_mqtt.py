"""MQTT against a real broker: acknowledged after the commit, through restarts, with password and TLS."""

from __future__ import annotations

import json
import random
import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion

from cityloop.core.web import Paging
from tests.collect.small_town import NOON, STEWARD
from tests.collect.sources.conftest import WiredMaker
from tests.collect.sources.wired import Wired, environment, killed_at_work, wait
from tests.parts import Broker
from tests.running import KILLS

FIRST = Paging(page=1, size=50, sort="")
Send = Callable[..., None]


@pytest.fixture
def topic(request: pytest.FixtureRequest) -> str:
    """A branch of topics that no other test uses."""
    return f"t{abs(hash(request.node.name)) % 10**9}-{time.time_ns() % 10**6}"


@pytest.fixture
def send(mosquitto: Broker) -> Iterator[Send]:
    """Publishes at QoS 1, and returns when the broker has it."""
    clients: list[Client] = []

    def connect() -> Client:
        client = Client(CallbackAPIVersion.VERSION2)
        client.connect("127.0.0.1", mosquitto.port)
        client.loop_start()
        clients.append(client)
        return client

    def publish(topic: str, *bodies: Any) -> None:
        client = clients[0] if clients and clients[0].is_connected() else connect()
        handed = [client.publish(topic, b if isinstance(b, bytes) else json.dumps(b), qos=1) for b in bodies]
        for info in handed:
            info.wait_for_publish(10)

    yield publish
    for client in clients:
        client.disconnect()
        client.loop_stop()


def record(n: int, **fields: Any) -> dict[str, Any]:
    return {"time": (NOON - timedelta(minutes=1, seconds=n)).isoformat(), "PM2.5": float(n), **fields}


def source(broker: Broker, topic: str, **connection: Any) -> dict[str, Any]:
    given = {"url": f"mqtt://127.0.0.1:{broker.port}", "topic": f"{topic}/+station/json", "client_id": topic}
    return {"wire": "mqtt", "connection": {**given, **connection}}


def connected(wired: Wired) -> None:
    wait(lambda: wired.view().state == "running", lambda: str(wired.view()))


@pytest.mark.parametrize("version", ["3.1.1", 5])
def test_records_arrive_with_the_entity_of_their_topic(
    wire_up: WiredMaker, mosquitto: Broker, topic: str, send: Send, version: str | int
) -> None:
    wired = wire_up(source(mosquitto, topic, version=version))
    connected(wired)
    send(f"{topic}/1001A/json", record(1), [record(2), record(3)])
    send(f"{topic}/1002A/json", record(4, station="1001A"))
    view = wired.settle(4)
    assert [(row["entity"], row["pm2_5"]) for row in wired.rows()] == [
        ("1002A", 4.0),
        ("1001A", 3.0),
        ("1001A", 2.0),
        ("1001A", 1.0),
    ]
    assert (view.state, view.accepted, view.rate_per_minute, view.last_record_at) == ("running", 4, 4, NOON)
    assert view.lag_seconds == 61


def test_a_bad_payload_lies_in_quarantine_and_holds_nobody_up(
    wire_up: WiredMaker, mosquitto: Broker, topic: str, send: Send
) -> None:
    wired = wire_up(source(mosquitto, topic))
    connected(wired)
    send(f"{topic}/1001A/json", b"\xff\x00", b'{"time": ', b"", b"7", record(1), {"PM2.5": 5}, [record(2), 3])
    wired.settle(2, quarantined=6)
    kept = wired.town.collector.quarantine(STEWARD, FIRST, None).items
    assert [(item.reasons[0].rule, item.raw) for item in sorted(kept, key=lambda item: (item.batch, item.index))] == [
        ("malformed", "\ufffd\x00"),
        ("malformed", '{"time": '),
        ("malformed", ""),
        ("malformed", "7"),
        ("required", '{"PM2.5": 5, "station": "1001A"}'),
        ("malformed", "3"),
    ]


def test_what_comes_while_nobody_listens_is_kept_by_the_broker(
    wire_up: WiredMaker, mosquitto: Broker, topic: str, send: Send
) -> None:
    wired = wire_up(source(mosquitto, topic))
    connected(wired)
    wired.close()
    send(f"{topic}/1001A/json", *[record(n) for n in range(50)])
    wired.open()
    wired.settle(50)
    assert wired.values() == [float(n) for n in range(50)]


def test_what_was_not_committed_is_not_acknowledged(
    wire_up: WiredMaker, mosquitto: Broker, topic: str, send: Send, monkeypatch: pytest.MonkeyPatch
) -> None:
    wired = wire_up(source(mosquitto, topic))
    connected(wired)

    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(wired.town.lake, "append", full)
        send(f"{topic}/1001A/json", *[record(n) for n in range(5)])
        wait(lambda: wired.view().last_error is not None, "the failure is told")
        assert "No space left" in (wired.view().last_error or "")
    wired.settle(5)
    assert wired.values() == [0, 1, 2, 3, 4]


def test_a_broker_that_restarts_is_found_again(wire_up: WiredMaker, mosquitto: Broker, topic: str, send: Send) -> None:
    wired = wire_up(source(mosquitto, topic))
    connected(wired)
    send(f"{topic}/1001A/json", record(1))
    wired.settle(1)
    mosquitto.part.stop()
    wait(lambda: wired.view().state == "failing", "the loss is noticed")
    assert wired.sources.troubles.keys() == {"air"} and wired.view().retry_at is not None
    mosquitto.part.start()
    send(f"{topic}/1001A/json", record(2))
    wired.settle(2)
    assert wired.values() == [1, 2] and wired.view().state == "running" and wired.sources.troubles == {}


def test_a_wrong_password_is_told_and_the_right_one_opens(
    wire_up: WiredMaker, mosquitto: Broker, topic: str, send: Send
) -> None:
    secret = environment("TEST_MQTT_PASSWORD", "wrong")
    locked = {"url": f"mqtt://127.0.0.1:{mosquitto.locked_port}", "user": mosquitto.user, "password": secret}
    wired = wire_up(source(mosquitto, topic, **locked))
    wait(lambda: wired.view().state == "failing", "the refusal is told")
    assert "ot authori" in (wired.view().last_error or "")
    environment("TEST_MQTT_PASSWORD", mosquitto.password)
    wired.sources.run(STEWARD, "air")
    connected(wired)


def test_tls_needs_the_authority(wire_up: WiredMaker, mosquitto: Broker, topic: str, send: Send) -> None:
    secure = {"url": f"mqtts://127.0.0.1:{mosquitto.tls_port}"}
    wired = wire_up(
        source(mosquitto, topic, **secure, ca=str(mosquitto.ca)),
        {**source(mosquitto, topic, **secure, client_id="x" + topic), "id": "blind"},
    )
    connected(wired)
    wait(lambda: wired.view("blind").state == "failing", "an unknown authority is refused")
    assert "CERTIFICATE_VERIFY_FAILED" in (wired.view("blind").last_error or "")
    send(f"{topic}/1001A/json", record(1))
    wired.settle(1)


def test_pause_and_resume_last_over_a_restart_and_are_told(
    wire_up: WiredMaker, mosquitto: Broker, topic: str, send: Send
) -> None:
    wired = wire_up(source(mosquitto, topic))
    connected(wired)
    assert wired.sources.pause(STEWARD, "air", "sensor is cleaned").state == "paused"
    wired.restart()
    view = wired.view()
    assert (view.state, view.paused_by, view.pause_reason) == ("paused", "li", "sensor is cleaned")
    send(f"{topic}/1001A/json", record(1))
    assert wired.rows() == []
    wired.sources.resume(STEWARD, "air")
    wired.settle(1)
    events = [(e.type, e.data["reason"]) for e in wired.town.outbox.after(0) if ".source." in e.type]
    assert events == [("cityloop.source.paused", "sensor is cleaned"), ("cityloop.source.resumed", "")]


def test_a_dry_run_shows_records_and_takes_none(
    wire_up: WiredMaker, mosquitto: Broker, topic: str, send: Send, monkeypatch: pytest.MonkeyPatch
) -> None:
    wired = wire_up(source(mosquitto, topic))
    connected(wired)
    wired.sources.pause(STEWARD, "air", "")
    monkeypatch.setattr("cityloop.collect.sources.mqtt.SAMPLE_SECONDS", 0.5)
    done = threading.Event()

    def go_on() -> None:
        n = 0
        while not done.wait(0.05):
            n += 1
            send(f"{topic}/1001A/json", record(n), record(n, **{"PM2.5": -4}), b"{")

    sender = threading.Thread(target=go_on)
    sender.start()
    trial = wired.sources.dry_run(STEWARD, "air")
    done.set()
    sender.join()
    assert trial.raw[0]["station"] == "1001A" and trial.mapped[0]["entity"] == "1001A"
    assert {refusal.rule for refusal in trial.refusals} == {"range", "malformed"}
    assert wired.rows() == [] and wired.town.collector.quarantine(STEWARD, FIRST, None).total == 0


@pytest.mark.slow
def test_kills_at_any_moment_lose_nothing_and_what_comes_again_is_known(
    tmp_path: Path, mosquitto: Broker, topic: str, send: Send
) -> None:
    # The numbers are values of a property that goes up to 2,000.
    draw, each = random.Random(KILLS), min(300, 2000 // KILLS)
    Wired(tmp_path).declare(source(mosquitto, topic))
    killed_at_work(tmp_path, 1.0)  # from now on the broker keeps what comes
    for number in range(KILLS):
        send(f"{topic}/1001A/json", *[record(n) for n in range(number * each, (number + 1) * each)])
        killed_at_work(tmp_path, draw.uniform(0.0, 0.3))
    wired = Wired(tmp_path).open()
    try:
        wait(lambda: len(wired.rows()) >= each * KILLS, "all rows arrive")
        assert wired.values() == sorted(float(n) for n in range(each * KILLS))
    finally:
        wired.close()


def test_a_source_that_is_stopped_says_so(wire_up: WiredMaker, mosquitto: Broker, topic: str) -> None:
    wired = wire_up(source(mosquitto, topic))
    connected(wired)
    wired.sources.stop()
    assert wired.view().state == "stopped"
