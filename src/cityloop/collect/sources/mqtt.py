"""MQTT 3.1.1 and 5, QoS 1: a message is acknowledged by hand once its records are durable.

The session outlives the connection, so the broker keeps what comes while nobody listens. MQTT numbers nothing: after a
crash unacknowledged messages come again, and what they repeat is known by entity, time and feed.
"""

from __future__ import annotations

import queue
import ssl
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from cityloop.collect.sources.declarations import Broker, MqttConnection
from cityloop.collect.sources.loading import Source
from cityloop.collect.sources.messages import Message, decode_messages
from cityloop.collect.sources.secrets import resolved
from cityloop.collect.sources.sink import SAMPLE, SAMPLE_SECONDS, Read, Sink
from cityloop.collect.sources.trouble import SourceTrouble

MOST = 5000
"""Messages that may wait unacknowledged; then the broker is kept from sending more."""
CONNECT_SECONDS = 10.0
LINGER_SECONDS = 0.005
"""Wait for the next message before a batch is handed over: a broker may allow only few unacknowledged ones."""
KEEP_ALIVE = 30
WEEK = 7 * 86400


class MqttWire:
    """One subscription."""

    def __init__(self, source: Source, connection: MqttConnection) -> None:
        self._source = source
        self._connection = connection
        self._template = connection.template

    def address(self) -> str:
        """Broker and topic."""
        return f"{self._connection.url} {self._connection.topic}"

    def run(self, sink: Sink, halt: threading.Event) -> None:
        """Listen until ``halt``; raises :class:`SourceTrouble` when the broker is lost or refuses."""
        with _Line(self._source, self._connection, lasting=True) as line:
            sink.connected = True
            while not halt.is_set():
                messages = line.next(MOST, 0.2)
                sink.waiting = line.waiting
                if messages and not halt.is_set():
                    receipt = sink.send(self._read(messages), hurry=True).result()
                    line.acknowledge(messages)
                    sink.settled(receipt)

    def sample(self, sink: Sink) -> Read:
        """Listen for a while under another name; nothing is acknowledged, the session of the source is not touched."""
        messages: list[MQTTMessage] = []
        until = time.monotonic() + SAMPLE_SECONDS
        with _Line(self._source, self._connection, lasting=False) as line:
            while len(messages) < SAMPLE and time.monotonic() < until:
                messages += line.next(SAMPLE - len(messages), 0.2)
        return self._read(messages)

    def _read(self, messages: Sequence[MQTTMessage]) -> Read:
        numbered = [
            Message(number, bytes(message.payload), self._template.match(message.topic))
            for number, message in enumerate(messages)
        ]
        return lambda mapping: decode_messages(numbered, mapping)


def let_in(client: Client, broker: Broker, authority: Path | None) -> None:
    """Give a client the password and the TLS of a broker's declaration; raises :class:`SourceTrouble`."""
    if broker.user is not None:
        client.username_pw_set(resolved(broker.user), resolved(broker.password))
    if broker.url.startswith("mqtts"):
        client.tls_set_context(ssl.create_default_context(cafile=authority))


class _Line:
    """A connection with its subscription and the messages that came in."""

    def __init__(self, source: Source, connection: MqttConnection, *, lasting: bool) -> None:
        self._connection = connection
        self._inbox: queue.Queue[MQTTMessage] = queue.Queue(MOST)
        self._ready = threading.Event()
        self._closing = False
        self._trouble = ""
        self._lasting = lasting
        name = connection.client_id or f"cityloop-{source.id}"
        self._client = self._make(source, name if lasting else f"{name}-trial-{time.time_ns() % 10**9}")

    def __enter__(self) -> _Line:
        try:
            self._client.connect(*self._connection.address, KEEP_ALIVE, **self._start())
        except (OSError, ssl.SSLError) as error:
            raise SourceTrouble(
                f"{self._connection.url} cannot be reached: {error}", "check address and TLS"
            ) from error
        self._client.loop_start()
        if not self._ready.wait(CONNECT_SECONDS) or self._trouble:
            self._close()
            raise SourceTrouble(self._trouble or f"{self._connection.url} does not answer", "check the broker")
        return self

    def __exit__(self, *_: object) -> None:
        self._close()

    @property
    def waiting(self) -> int:
        """Messages that came in and were not taken yet."""
        return self._inbox.qsize()

    def next(self, most: int, seconds: float) -> list[MQTTMessage]:
        """The messages that are there, at most ``most``; waits up to ``seconds`` for the first."""
        if self._trouble:
            raise SourceTrouble(self._trouble, "it is tried again")
        found: list[MQTTMessage] = []
        try:
            found.append(self._inbox.get(timeout=seconds))
            while len(found) < most:
                found.append(self._inbox.get(timeout=LINGER_SECONDS))
        except queue.Empty:
            pass
        return found

    def acknowledge(self, messages: Sequence[MQTTMessage]) -> None:
        """Tell the broker that the messages are durable."""
        for message in messages:
            if message.qos:
                self._client.ack(message.mid, message.qos)

    def _make(self, source: Source, name: str) -> Client:
        connection, five = self._connection, self._connection.version == "5"
        client = Client(
            CallbackAPIVersion.VERSION2,
            name,
            clean_session=None if five else not self._lasting,
            protocol=MQTTProtocolVersion.MQTTv5 if five else MQTTProtocolVersion.MQTTv311,
            reconnect_on_failure=False,
            manual_ack=True,
        )
        let_in(client, connection, source.path(connection.ca) if connection.ca else None)
        client.on_connect, client.on_subscribe = self._on_connect, self._on_subscribe
        client.on_disconnect, client.on_message = self._on_disconnect, self._on_message
        return client

    def _start(self) -> dict[str, Any]:
        if self._connection.version != "5":
            return {}
        properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        properties.SessionExpiryInterval = WEEK if self._lasting else 0
        properties.ReceiveMaximum = MOST
        return {"clean_start": not self._lasting, "properties": properties}

    def _on_connect(self, client: Client, _data: Any, _flags: Any, reason: ReasonCode, _properties: Any) -> None:
        if reason.is_failure:
            self._end(f"{self._connection.url} refuses the connection: {reason}")
        else:
            client.subscribe(self._connection.template.filter, qos=1)

    def _on_subscribe(self, _client: Client, _data: Any, _mid: int, reasons: list[ReasonCode], _p: Any) -> None:
        refused = [reason for reason in reasons if reason.is_failure]
        if refused:
            self._end(f"the broker refuses the topic {self._connection.template.filter}: {refused[0]}")
        self._ready.set()

    def _on_message(self, _client: Client, _data: Any, message: MQTTMessage) -> None:
        while not self._closing:
            try:
                self._inbox.put(message, timeout=0.2)
                return
            except queue.Full:
                continue

    def _on_disconnect(self, _client: Client, _data: Any, _flags: Any, reason: ReasonCode, _properties: Any) -> None:
        if not self._closing:
            self._end(f"the connection to {self._connection.url} was lost: {reason}")

    def _end(self, trouble: str) -> None:
        self._trouble = self._trouble or trouble
        self._ready.set()

    def _close(self) -> None:
        self._closing = True
        self._client.disconnect()
        self._client.loop_stop()
