"""Events that are born in the transaction of the change they tell of, and the relay that carries them on.

Rooms on one floor speak only through these events. A consumer's position moves in the same transaction as its
effect, so a crash between two events neither loses nor repeats an effect.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Integer, String, func, select, text
from sqlalchemy.orm import Mapped, Session, mapped_column

from cityloop.core.database import Database, Table, Transaction
from cityloop.core.ids import new_id

log = logging.getLogger(__name__)


class OutboxRow(Table):
    """One event; ``seq`` is the order in which events reach every consumer."""

    __tablename__ = "outbox"
    seq: Mapped[int] = mapped_column(BigInteger().with_variant(Integer, "sqlite"), primary_key=True)
    id: Mapped[str] = mapped_column(String(40), unique=True)
    type: Mapped[str] = mapped_column(String(80))
    subject: Mapped[str] = mapped_column(String(120))
    time: Mapped[datetime]
    data: Mapped[dict[str, Any]]


class OutboxCursor(Table):
    """How far one consumer has come."""

    __tablename__ = "outbox_cursor"
    consumer: Mapped[str] = mapped_column(String(60), primary_key=True)
    seq: Mapped[int] = mapped_column(BigInteger)


@dataclass(frozen=True)
class Event:
    """A CloudEvents-shaped fact. ``type`` is ``cityloop.<thing>.<what happened>``, listed in ``docs/events.md``."""

    seq: int
    id: str
    type: str
    subject: str
    time: datetime
    data: Mapping[str, Any]


Handler = Callable[[Transaction, Sequence[Event]], None]


class Outbox:
    """Records events and wakes whoever waits for them."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._wakers: list[threading.Event] = []

    def record(self, tx: Transaction, kind: str, subject: str, time: datetime, data: Mapping[str, Any]) -> str:
        """Add one event to the running transaction; ``data`` must be plain JSON. Returns the event's id."""
        if self._database.dialect == "postgresql" and not tx.memory.get("outbox"):
            # Sequence numbers must become visible in order, or a consumer's cursor would step over a late commit.
            tx.session.execute(text("SELECT pg_advisory_xact_lock(7240113)"))
        if not tx.memory.get("outbox"):
            tx.memory["outbox"] = True
            tx.after_commit(self.wake)
        identity = new_id("evt")
        tx.insert(OutboxRow, {"id": identity, "type": kind, "subject": subject, "time": time, "data": dict(data)})
        return identity

    def wake(self) -> None:
        """Tell every waiting consumer that there is something new."""
        for waker in self._wakers:
            waker.set()

    def waker(self) -> threading.Event:
        """A flag that is set whenever events have been committed."""
        waker = threading.Event()
        self._wakers.append(waker)
        return waker

    def after(self, seq: int, limit: int = 500, session: Session | None = None) -> list[Event]:
        """Events beyond ``seq``, oldest first."""
        if session is None:
            with self._database.reading() as own:
                return self.after(seq, limit, own)
        rows = session.scalars(select(OutboxRow).where(OutboxRow.seq > seq).order_by(OutboxRow.seq).limit(limit))
        return [Event(r.seq, r.id, r.type, r.subject, r.time, r.data) for r in rows]

    def last(self) -> int:
        """The newest sequence number, 0 when there is none."""
        with self._database.reading() as session:
            return session.scalar(select(func.max(OutboxRow.seq))) or 0


class Relay:
    """Carries events to durable consumers, each in its own thread, each at its own pace."""

    def __init__(self, database: Database, outbox: Outbox) -> None:
        self._database = database
        self._outbox = outbox
        self._consumers: dict[str, tuple[Handler, frozenset[str], threading.Event]] = {}
        self._threads: list[threading.Thread] = []
        self._stop = threading.Event()
        self.errors: dict[str, str] = {}
        """The last error of every consumer that is stuck; empty when all is well."""

    def consume(self, name: str, handler: Handler, types: Sequence[str] = ()) -> None:
        """Register a durable consumer; ``types`` are the exact event types it wants, none means all."""
        self._consumers[name] = (handler, frozenset(types), self._outbox.waker())

    def step(self, name: str, limit: int = 500) -> int:
        """Hand the next events to one consumer; return how many were looked at."""
        handler, types, _ = self._consumers[name]
        with self._database.reading() as session:
            cursor = session.get(OutboxCursor, name)
            events = self._outbox.after(cursor.seq if cursor else 0, limit, session)
        if not events:
            return 0
        wanted = [event for event in events if not types or event.type in types]
        with self._database.transaction() as tx:
            if wanted:
                handler(tx, wanted)
            tx.session.merge(OutboxCursor(consumer=name, seq=events[-1].seq))
        return len(events)

    def drain(self) -> None:
        """Run all consumers in this thread until nothing is left; for tests, replays and shut-down."""
        while any([self.step(name) for name in self._consumers]):
            pass

    def start(self) -> None:
        """Start one thread for each consumer."""
        for name in self._consumers:
            thread = threading.Thread(target=self._run, args=(name,), name=f"relay-{name}", daemon=True)
            thread.start()
            self._threads.append(thread)

    def stop(self) -> None:
        """Let every consumer finish its step and end."""
        self._stop.set()
        self._outbox.wake()
        for thread in self._threads:
            thread.join(timeout=30)

    def _run(self, name: str) -> None:
        waker = self._consumers[name][2]
        while not self._stop.is_set():
            waker.clear()
            try:
                busy = self.step(name)
                self.errors.pop(name, None)
            except Exception as error:
                log.exception("consumer %s failed and will try again", name)
                self.errors[name] = str(error)
                self._stop.wait(1.0)
                continue
            if not busy:
                waker.wait(timeout=1.0)
