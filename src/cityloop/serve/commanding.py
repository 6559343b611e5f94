"""Opens the room of commands: its declarations, its wires, and what it hears of."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import httpx
from pydantic import ValidationError

from cityloop.city.service import City
from cityloop.collect.service import Collector
from cityloop.command.declarations import Device
from cityloop.command.mqtt import MqttOrders
from cityloop.command.service import Commander
from cityloop.command.wires import Answer, Heard, Message, NotSent, Rejected, Wire
from cityloop.command.wiring import HttpOrdersConnection, WiresFile, load_wires
from cityloop.core.settings import Settings
from cityloop.drill.devices import Field, load_field
from cityloop.serve.delivery import Doubtful, NotYet, Refused, post_once, secret


def open_commander(
    settings: Settings, city: City, devices: dict[str, Device], collector: Collector, shared: dict[str, Any]
) -> tuple[Commander, Field | None]:
    """The commander, and in the demo the simulated devices that answer it."""
    field = load_field(city.folder, collector, city.clock) if settings.demo else None
    wires: dict[str, Wire] = {"mqtt": field, "http": field} if field else wires_of(city, load_wires(city.folder))
    commander = Commander(devices, wires=wires, observed=collector, clock=city.clock, **shared)
    collector.on_committed.append(lambda batch: commander.observed(batch.entity_type))
    return commander, field


def wires_of(city: City, declared: WiresFile) -> dict[str, Wire]:
    """The ways to devices that a city declares."""
    found: dict[str, Wire] = {}
    if declared.mqtt:
        found["mqtt"] = MqttOrders(city.id, declared.mqtt, city.folder)
    if declared.http:
        found["http"] = HttpOrders(declared.http)
    return found


class HttpOrders:
    """Orders by POST with an ``Idempotency-Key``; the service answers at once what a device answers over MQTT."""

    def __init__(self, connection: HttpOrdersConnection, transport: httpx.BaseTransport | None = None) -> None:
        self._connection = connection
        self._http = httpx.Client(timeout=connection.seconds, transport=transport, follow_redirects=False)
        self._trouble = ""

    @property
    def trouble(self) -> str:
        """Why the last order was not taken."""
        return self._trouble

    def start(self, heard: Heard) -> None:
        """Nothing runs between orders."""

    def stop(self) -> None:
        """Let go of connections."""
        self._http.close()

    def send(self, message: Message) -> Answer | None:
        """Hand one order over."""
        url = self._connection.url.format(
            entity_type=quote(message.entity_type, safe=""), entity=quote(message.entity, safe="")
        )
        try:
            token = secret(self._connection.token)
            headers = {"Idempotency-Key": message.key, **({"Authorization": f"Bearer {token}"} if token else {})}
            answer = post_once(self._http, "the service of the devices", url, json=message.document(), headers=headers)
        except NotYet as error:
            self._trouble = str(error)
            raise NotSent(self._trouble) from error
        except Refused as error:
            raise Rejected(str(error)) from error
        except Doubtful as error:
            self._trouble = str(error)
            return None
        self._trouble = ""
        return _answer(message, answer)


def _answer(message: Message, answer: httpx.Response) -> Answer | None:
    """What the service said of this order; an answer without a body, or of another order, says nothing yet."""
    try:
        told = Answer.model_validate_json(answer.content)
    except ValidationError:
        return None
    return told if told.id == message.id else None
