"""What is known of devices and of those who order: facts for a verdict, gathered in the transaction that needs them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Protocol

from sqlalchemy.orm import Session

from cityloop.access.actor import Actor
from cityloop.access.door import Door
from cityloop.command import store
from cityloop.command.declarations import Command, Device, span
from cityloop.command.schemas import Order
from cityloop.command.verdict import Asker, Facts, Seen
from cityloop.command.wires import Wire
from cityloop.core.errors import AccessDenied
from cityloop.core.values import Title
from cityloop.standard.batch import EntityCard

ENTITY = "command"
_PLANS = Title(zh="预案（系统）", en="plans (the system)")
ORDER, CONFIRM = "command.order", "command.confirm"


class Observed(Protocol):
    """What the collector knows of entities."""

    def describe(self, entity_type: str, entity: str) -> EntityCard | None:
        """Its line in the directory; ``None`` when it is unknown."""
        ...

    def latest(self, entity_type: str, entity: str) -> tuple[datetime | None, Mapping[str, Any]]:
        """When it was last observed, and its newest values."""
        ...

    def known(self, entity_type: str) -> Mapping[str, EntityCard]:
        """All entities of a type, by id."""
        ...

    def owner_of(self, entity: str) -> str | None:
        """The department that owns it, where somebody is named."""
        ...


class Surroundings:
    """Asks collector, door and log."""

    def __init__(
        self, devices: Mapping[str, Device], observed: Observed, door: Door, wires: Mapping[str, Wire]
    ) -> None:
        self.devices = devices
        self.wires = wires
        self._observed = observed
        self._door = door

    def facts(self, session: Session, order: Order, actor: Actor, now: datetime) -> Facts:
        """All that a verdict on ``order`` looks at."""
        device = self.devices.get(order.entity_type)
        command = device.command(order.command) if device else None
        entity = self.seen(session, order.entity_type, order.entity)
        if device is None or command is None or entity is None:
            return Facts(self.asker(actor, entity), entity)
        past: tuple[datetime, ...] = ()
        if command.rate is not None and not order.exercise:
            since = now - span(command.rate.within)
            past = store.past(session, order.entity_type, order.entity, command.id, since)
        return Facts(
            asker=self.asker(actor, entity),
            entity=entity,
            related=self._related(session, device, entity, command),
            past=past,
            wired=device.wire in self.wires,
            posts={**{name: post.title for name, post in self._door.policy.posts.items()}, "system": _PLANS},
        )

    def seen(self, session: Session, entity_type: str, entity: str) -> Seen | None:
        """An entity as it is now; ``None`` when the directory has no such one."""
        card = self._observed.describe(entity_type, entity)
        if card is None:
            return None
        at, state = self._observed.latest(entity_type, entity)
        device = self.devices.get(entity_type)
        return Seen(
            id=entity,
            title=card.title,
            department=self._observed.owner_of(entity) or (device.department if device else ""),
            area=card.area,
            attributes=card.attributes,
            state=state,
            at=at,
            pending=store.pending(session, entity_type, entity),
        )

    def asker(self, actor: Actor, entity: Seen | None) -> Asker:
        """What the door says of the actor; ``sees`` is whether a command to this entity would be in sight."""
        row = {"department": entity.department, "area": entity.area} if entity else {}
        try:
            sees = self._door.scope(actor, ENTITY).lets(row)
        except AccessDenied:
            sees = False
        return Asker(actor.posts, self._door.may(actor, ORDER), sees)

    def _related(self, session: Session, device: Device, entity: Seen, command: Command) -> dict[str, tuple[Seen, ...]]:
        """The entities that its conditions may speak of; named ones that do not exist count as never observed."""
        if not (command.interlocks or command.double_condition or command.limits):
            return {}
        found: dict[str, tuple[Seen, ...]] = {}
        for name, related in device.related.items():
            ids = entity.attributes.get(related.attribute, "").split()
            kind = related.entity_type
            absent = [Seen(one, entity.title, "") for one in ids]
            found[name] = tuple(self.seen(session, kind, none.id) or none for none in absent)
        return found
