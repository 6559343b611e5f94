"""Orders over MQTT, QoS 1: an order is handed over once the broker has it, an answer is acknowledged once it is kept.

Orders go to ``cityloop/<city>/command/<entity type>/<entity>``, answers come from ``cityloop/<city>/answer/…``. The
session outlives the connection, so answers wait at the broker while the city is down.
"""

from __future__ import annotations

import json
import logging
import ssl
from pathlib import Path
from typing import Any

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from pydantic import ValidationError

from cityloop.collect.sources.declarations import Broker
from cityloop.collect.sources.mqtt import KEEP_ALIVE, WEEK, let_in
from cityloop.collect.sources.trouble import SourceTrouble
from cityloop.command.wires import Answer, Heard, Message, NotSent, Rejected

log = logging.getLogger(__name__)
HAND_OVER_SECONDS = 5.0


def order_topic(city: str, entity_type: str, entity: str) -> str:
    """Where an order goes."""
    return f"cityloop/{city}/command/{entity_type}/{entity}"


def answer_topic(city: str, entity_type: str, entity: str) -> str:
    """Where its answer comes from."""
    return f"cityloop/{city}/answer/{entity_type}/{entity}"


class MqttOrders:
    """One connection; it comes back by itself when it was lost."""

    def __init__(self, city: str, broker: Broker, folder: Path) -> None:
        self._city, self._broker, self._folder = city, broker, folder
        self._heard: Heard = lambda _: None
        self._client: Client | None = None
        self._trouble = "not started"

    @property
    def trouble(self) -> str:
        """Why nothing can be sent."""
        return self._trouble

    def start(self, heard: Heard) -> None:
        """Connect, now or as soon as the broker is there."""
        self._heard = heard
        try:
            client = self._make()
        except (SourceTrouble, OSError, ssl.SSLError) as error:
            self._trouble = str(error)
            return
        self._client = client
        self._trouble = f"{self._broker.url} has not answered yet"
        client.connect_async(*self._broker.address, KEEP_ALIVE, **self._session())
        client.loop_start()

    def stop(self) -> None:
        """Disconnect; the broker keeps what comes meanwhile."""
        if self._client is not None:
            self._client.disconnect()
            self._client.loop_stop()
            self._client = None
        self._trouble = "stopped"

    def send(self, message: Message) -> Answer | None:
        """Hand an order to the broker. Whether the device is there, its answer tells."""
        client = self._client
        if client is None or self._trouble or not client.is_connected():
            raise NotSent(self._trouble or f"{self._broker.url} is not connected")
        if set(message.entity) & set("/+#"):
            raise Rejected(f"'{message.entity}' cannot be a level of a topic: it holds /, + or #")
        topic = order_topic(self._city, message.entity_type, message.entity)
        info = client.publish(topic, json.dumps(message.document(), ensure_ascii=False), qos=1)
        if info.rc not in (MQTTErrorCode.MQTT_ERR_SUCCESS, MQTTErrorCode.MQTT_ERR_NO_CONN):
            raise NotSent(f"the broker does not take the order: {info.rc.name}")
        # Not confirmed in time it may still arrive: that is no reason to say that it was not sent.
        info.wait_for_publish(HAND_OVER_SECONDS)
        return None

    def _make(self) -> Client:
        five = self._broker.version == "5"
        client = Client(
            CallbackAPIVersion.VERSION2,
            self._broker.client_id or f"cityloop-{self._city}-orders",
            clean_session=None if five else False,
            protocol=MQTTProtocolVersion.MQTTv5 if five else MQTTProtocolVersion.MQTTv311,
            manual_ack=True,
        )
        let_in(client, self._broker, self._folder / self._broker.ca if self._broker.ca else None)
        client.reconnect_delay_set(1, 30)
        client.on_connect, client.on_disconnect = self._on_connect, self._on_disconnect
        client.on_connect_fail, client.on_message = self._on_connect_fail, self._on_message
        return client

    def _session(self) -> dict[str, Any]:
        if self._broker.version != "5":
            return {}
        properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        properties.SessionExpiryInterval = WEEK
        return {"clean_start": False, "properties": properties}

    def _on_connect(self, client: Client, _data: Any, _flags: Any, reason: ReasonCode, _properties: Any) -> None:
        if reason.is_failure:
            self._trouble = f"{self._broker.url} refuses the connection: {reason}"
            return
        client.subscribe(answer_topic(self._city, "+", "+"), qos=1)
        self._trouble = ""

    def _on_connect_fail(self, _client: Client, _data: Any) -> None:
        self._trouble = f"{self._broker.url} cannot be reached"

    def _on_disconnect(self, _client: Client, _data: Any, _flags: Any, reason: ReasonCode, _properties: Any) -> None:
        self._trouble = f"the connection to {self._broker.url} was lost: {reason}"

    def _on_message(self, client: Client, _data: Any, message: MQTTMessage) -> None:
        """Acknowledged only when it is kept; what cannot be read never will be, and is dropped."""
        try:
            answer = Answer.model_validate_json(message.payload)
        except ValidationError as error:
            log.warning("an answer on %s cannot be read: %s", message.topic, error)
            client.ack(message.mid, message.qos)
            return
        try:
            self._heard(answer)
        except Exception:
            log.exception("an answer on %s was not kept and will come again", message.topic)
            return
        client.ack(message.mid, message.qos)
