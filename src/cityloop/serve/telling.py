"""Whoever outside of the house is told of what happens: other systems by webhooks, people by notices."""

from __future__ import annotations

from typing import Any

from cityloop.access.audit import Audit
from cityloop.access.door import Door
from cityloop.city.service import City
from cityloop.core.database import Database
from cityloop.core.outbox import LINGER, Outbox, Relay
from cityloop.core.settings import Settings
from cityloop.serve.notices.channels import ways
from cityloop.serve.notices.content import EVENTS, load_notices
from cityloop.serve.notices.sender import CONSUMER, Notices
from cityloop.serve.notices.sent import SentNotices
from cityloop.serve.notices.wording import Wording
from cityloop.serve.webhooks import Webhooks, load_webhooks


def open_telling(
    settings: Settings, city: City, database: Database, outbox: Outbox, relay: Relay, audit: Audit, door: Door
) -> tuple[Webhooks, Notices, SentNotices]:
    """Both, wired to the events; a city that tells nobody anything does not read them."""
    source = f"urn:cityloop:{city.id}"
    webhooks = Webhooks(load_webhooks(city.folder), database=database, outbox=outbox, source=source)
    wording = Wording(city, exercise=settings.demo)
    declared = load_notices(city.folder, city.departments)
    opened = ways(settings, wording) if declared else {}
    shared: dict[str, Any] = {"database": database, "audit": audit, "city": city}
    notices = Notices(declared, opened, **shared, wording=wording, hourly=settings.notices_hourly)
    if notices.active:
        relay.enrol(CONSUMER)
        relay.consume(CONSUMER, notices.take, EVENTS, LINGER, notices.wanted)
    return webhooks, notices, SentNotices(**shared, door=door)
