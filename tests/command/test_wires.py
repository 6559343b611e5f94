"""Orders over a real broker and a real HTTP service: once, with a password, by TLS, and over the broker's restart."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion

from cityloop.collect.sources.declarations import Broker as BrokerDeclaration
from cityloop.command.mqtt import MqttOrders, answer_topic, order_topic
from cityloop.command.wires import Answer, Message, NotSent, Rejected, Wire
from cityloop.command.wiring import HttpOrdersConnection, WiresFile, load_wires
from cityloop.core.errors import ContentError
from cityloop.serve.commanding import HttpOrders
from tests.command.field import NOON, WATER, Town
from tests.parts import PASSWORD, Broker
from tests.running import eventually

MESSAGE = Message("cmd_1", "k1", "Pump", "P1", "start", {}, NOON + timedelta(minutes=10))


class FieldBus:
    """Plays all devices of a town behind a broker: orders in, answers out."""

    def __init__(self, broker: Broker, town: Town) -> None:
        self.orders: list[dict[str, Any]] = []
        self.town = town
        self.client = Client(CallbackAPIVersion.VERSION2, "field-bus")
        self.client.on_message = self._on_message
        self.client.connect("127.0.0.1", broker.port)
        self.client.loop_start()
        self.client.subscribe(order_topic("town", "+", "+"), qos=1)
        town.field.start(self._answer)

    def _on_message(self, _client: Client, _data: Any, message: MQTTMessage) -> None:
        document = json.loads(message.payload)
        self.orders.append(document)
        kind, entity = message.topic.split("/")[3:]
        told = {name: document[name] for name in ("id", "key", "command", "parameters")}
        self.town.field.send(Message(**told, entity_type=kind, entity=entity, expires=MESSAGE.expires))

    def _answer(self, answer: Answer) -> None:
        self.client.publish(answer_topic("town", "Pump", "P1"), answer.model_dump_json(), qos=1)

    def close(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()


def ready(wire: Wire) -> None:
    eventually(lambda: wire.trouble == "", "the wire is up", 20)


def test_an_order_over_a_real_broker_is_done_once(mosquitto: Broker, tmp_path: Path) -> None:
    wire = MqttOrders("town", BrokerDeclaration(url=f"mqtt://127.0.0.1:{mosquitto.port}"), tmp_path)
    town = Town(tmp_path, wires={"mqtt": wire})
    bus = FieldBus(mosquitto, town)
    try:
        ready(wire)
        given = town.order(WATER, "Pump", "P1", "start")
        town.commander.tick(town.clock.now())
        eventually(lambda: bus.orders, "the order arrives", 20)
        assert bus.orders[0] == {
            "id": given.id, "key": given.key, "command": "start", "parameters": {},
            "expires": (NOON + timedelta(minutes=10)).isoformat(),
        }  # fmt: skip

        def pass_time() -> bool:
            town.wait(timedelta(seconds=5))
            return town.state(given.id) == "done"

        eventually(pass_time, "the effect is seen", 20)
        assert town.field.devices["Pump", "P1"].carried_out == 1
        acts = [act.act for act in town.commander.get(WATER, given.id).acts]
        assert acts[:2] == ["ordered", "sent"] and "acknowledged" in acts
    finally:
        bus.close()
        town.close()


@pytest.mark.parametrize("door", ["password", "tls", "five"])
def test_every_door_of_the_broker_opens(
    mosquitto: Broker, tmp_path: Path, door: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ORDERS_PASSWORD", PASSWORD)
    declared = {
        "password": {
            "url": f"mqtt://127.0.0.1:{mosquitto.locked_port}",
            "user": "gateway",
            "password": "env:ORDERS_PASSWORD",
        },
        "tls": {"url": f"mqtts://127.0.0.1:{mosquitto.tls_port}", "ca": str(mosquitto.ca)},
        "five": {"url": f"mqtt://127.0.0.1:{mosquitto.port}", "version": "5"},
    }[door]
    wire = MqttOrders(f"door-{door}", BrokerDeclaration.model_validate(declared), tmp_path)
    wire.start(lambda _: None)
    try:
        ready(wire)
        assert wire.send(MESSAGE) is None
        with pytest.raises(Rejected):
            wire.send(Message("cmd_2", "k2", "Pump", "P/+", "start", {}, NOON))
    finally:
        wire.stop()
    with pytest.raises(NotSent):
        wire.send(MESSAGE)


def test_an_answer_waits_at_the_broker_while_the_city_is_down(mosquitto: Broker, tmp_path: Path) -> None:
    declared, heard = BrokerDeclaration(url=f"mqtt://127.0.0.1:{mosquitto.port}"), list[Answer]()
    first = MqttOrders("waits", declared, tmp_path)
    first.start(heard.append)
    ready(first)
    first.stop()
    device = Client(CallbackAPIVersion.VERSION2, "device")
    device.connect("127.0.0.1", mosquitto.port)
    device.loop_start()
    for payload in (b"no json", b'{"id": "cmd_9", "state": "acknowledged"}'):
        device.publish(answer_topic("waits", "Pump", "P1"), payload, qos=1).wait_for_publish(10)
    device.disconnect()
    device.loop_stop()
    again = MqttOrders("waits", declared, tmp_path)
    again.start(heard.append)
    try:
        eventually(lambda: heard, "the kept answer comes", 20)
        assert heard[0] == Answer(id="cmd_9", state="acknowledged")
    finally:
        again.stop()


def test_a_broker_that_is_not_there_is_a_trouble_and_no_crash(tmp_path: Path) -> None:
    wire = MqttOrders("nobody", BrokerDeclaration(url="mqtt://127.0.0.1:9"), tmp_path)
    wire.start(lambda _: None)
    with pytest.raises(NotSent):
        wire.send(MESSAGE)
    wire.stop()


@contextmanager
def service(answer: Callable[[BaseHTTPRequestHandler, dict[str, Any]], tuple[int, Any]]) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            status, told = answer(self, body)
            self.send_response(status)
            self.end_headers()
            self.wfile.write(json.dumps(told).encode())

        def log_message(self, *_: Any) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/{{entity_type}}/{{entity}}"
    finally:
        server.shutdown()
        server.server_close()


def test_an_order_over_http_carries_key_and_token(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GATES", "t0ken")
    seen: list[tuple[str, str | None, str | None]] = []

    def answer(request: BaseHTTPRequestHandler, body: dict[str, Any]) -> tuple[int, Any]:
        seen.append((request.path, request.headers["Idempotency-Key"], request.headers["Authorization"]))
        return 200, {"id": body["id"], "state": "acknowledged"}

    with service(answer) as url:
        wire = HttpOrders(HttpOrdersConnection(url=url, token="env:GATES"))
        assert wire.send(MESSAGE) == Answer(id="cmd_1", state="acknowledged")
        wire.stop()
    assert seen == [("/Pump/P1", "k1", "Bearer t0ken")]


@pytest.mark.parametrize(("status", "raised"), [(404, Rejected), (503, NotSent), (500, None)])
def test_what_http_says_is_surely_not_sent_refused_or_unknown(status: int, raised: type[Exception] | None) -> None:
    with service(lambda _, __: (status, {})) as url:
        wire = HttpOrders(HttpOrdersConnection(url=url))
        if raised is None:
            assert wire.send(MESSAGE) is None
        else:
            with pytest.raises(raised):
                wire.send(MESSAGE)
        wire.stop()


def test_wires_yaml_keeps_no_secret_and_knows_its_places(tmp_path: Path) -> None:
    assert load_wires(tmp_path) == WiresFile()
    for text in (
        "http: {url: 'ftp://x'}",
        "http: {url: 'http://x/{id}'}",
        "mqtt: {url: mqtt://x, user: u, password: plain}",
    ):
        (tmp_path / "wires.yaml").write_text(text, encoding="utf-8")
        with pytest.raises(ContentError):
            load_wires(tmp_path)
