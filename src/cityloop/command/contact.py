"""The dead man's switch, seen from the centre: who was silent too long, and was it safe when it was heard again?"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from sqlalchemy import select

from cityloop.access.actor import SYSTEM
from cityloop.access.audit import Audit
from cityloop.command.declarations import Contact, Device, span
from cityloop.command.models import ContactRow
from cityloop.command.surroundings import Observed, Surroundings
from cityloop.command.verdict import holds
from cityloop.core.database import Database, Transaction
from cityloop.core.ids import new_id
from cityloop.core.outbox import Outbox

LOST = "cityloop.command.contact_lost"
BACK = "cityloop.command.contact_back"
MISSED = "cityloop.command.safe_state_missed"
LOOK_EVERY = timedelta(seconds=10)


class Contacts:
    """Looks at every device that declares a contact and has been heard at least once."""

    def __init__(
        self, database: Database, outbox: Outbox, audit: Audit, around: Surroundings, observed: Observed
    ) -> None:
        self._database, self._outbox, self._audit = database, outbox, audit
        self._around, self._observed = around, observed
        self._open: dict[str, str] | None = None
        self._looked: datetime | None = None

    def step(self, now: datetime) -> int:
        """Open and end losses of contact; returns how many changed."""
        if self._looked is not None and now - self._looked < LOOK_EVERY:
            return 0
        self._looked = now
        open_ones = self._restored()
        changed = 0
        for device, contact, entity, at in self._heard():
            key = f"{device.entity_type}:{entity}"
            lost = now - at > span(contact.lost_after)
            if lost and key not in open_ones:
                open_ones[key] = self._lose(device, entity, at, now, key)
                changed += 1
            elif not lost and key in open_ones:
                self._end(open_ones.pop(key), contact, at, now)
                changed += 1
        return changed

    def _heard(self) -> Iterator[tuple[Device, Contact, str, datetime]]:
        for device in self._around.devices.values():
            if device.contact is None or device.wire not in self._around.wires:
                continue
            for entity in list(self._observed.known(device.entity_type)):
                at, _ = self._observed.latest(device.entity_type, entity)
                if at is not None:
                    yield device, device.contact, entity, at

    def _restored(self) -> dict[str, str]:
        if self._open is None:
            with self._database.reading() as session:
                rows = session.execute(
                    select(ContactRow.open_key, ContactRow.id).where(ContactRow.open_key.is_not(None))
                )
                self._open = {str(key): identity for key, identity in rows}
        return self._open

    def _lose(self, device: Device, entity: str, at: datetime, now: datetime, key: str) -> str:
        with self._database.transaction() as tx:
            seen = self._around.seen(tx.session, device.entity_type, entity)
            row = ContactRow(
                id=new_id("con"),
                entity=entity,
                entity_type=device.entity_type,
                department=seen.department if seen else device.department,
                area=seen.area if seen else None,
                last_seen=at,
                lost_at=now,
                open_key=key,
            )
            tx.session.add(row)
            self._tell(tx, LOST, row, now)
        return row.id

    def _end(self, identity: str, contact: Contact, at: datetime, now: datetime) -> None:
        with self._database.transaction() as tx:
            row = tx.session.get_one(ContactRow, identity)
            _, state = self._observed.latest(row.entity_type, row.entity)
            row.heard_at, row.open_key = at, None
            row.safe = holds(contact.safe, {"state": dict(state)})
            self._tell(tx, BACK, row, now)
            if row.safe is not True:
                self._tell(tx, MISSED, row, now)

    def _tell(self, tx: Transaction, kind: str, row: ContactRow, now: datetime) -> None:
        data = {name: getattr(row, name) for name in ("id", "entity", "entity_type", "department", "area", "safe")}
        times = {
            name: at.isoformat() if (at := getattr(row, name)) else None
            for name in ("last_seen", "lost_at", "heard_at")
        }
        self._outbox.record(tx, kind, row.id, now, {"contact": data | times})
        self._audit.record(tx, now, SYSTEM.id, kind.removeprefix("cityloop."), row.id, data)
