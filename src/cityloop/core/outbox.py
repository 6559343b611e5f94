"""Events that are born in the transaction of the change they tell of, and the relay that carries them on.

Rooms on one floor speak only through these events. A consumer's position moves in the same transaction as its
effect, so a crash between two events neither loses nor repeats an effect.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Integer, String, bindparam, func, select, text
from sqlalchemy.orm import Mapped, mapped_column

from cityloop.core.database import Database, Table, Transaction
from cityloop.core.ids import new_id
from cityloop.core.prepared import Prepared
from cityloop.core.recent import KEPT, Recent

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


LINGER = 0.3
"""Seconds of events that a consumer who is in no hurry takes together: each taking is a commit that others wait for."""
_STEP = 500
UNWANTED = 1000
"""So many events that it does not want a consumer passes before its position is written."""
Handler = Callable[[Transaction, Sequence[Event]], None]


class Outbox:
    """Records events and wakes whoever waits for them."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._wakers: list[tuple[threading.Event, frozenset[str]]] = []
        self._recent = Recent(self.last, self._next)

    def record(self, tx: Transaction, kind: str, subject: str, time: datetime, data: Mapping[str, Any]) -> str:
        """Add one event to the running transaction; ``data`` must be plain JSON. Returns the event's id."""
        if self._database.dialect == "postgresql" and not tx.memory.get("outbox"):
            # Sequence numbers must become visible in order, or a consumer's cursor would step over a late commit.
            tx.session.execute(text("SELECT pg_advisory_xact_lock(7240113)"))
        kinds: set[str] = tx.memory.setdefault("outbox", set())
        if not kinds:
            tx.after_commit(lambda: self.wake(kinds))
        kinds.add(kind)
        identity = new_id("evt")
        tx.insert(OutboxRow, {"id": identity, "type": kind, "subject": subject, "time": time, "data": dict(data)})
        return identity

    def wake(self, kinds: Collection[str] = ()) -> None:
        """Tell those who wait for events of these types (none: everybody) that there is something new."""
        for waker, types in self._wakers:
            if not kinds or not types or not types.isdisjoint(kinds):
                waker.set()

    def waker(self, types: Collection[str] = ()) -> threading.Event:
        """A flag that is set whenever events of these types (none: all) have been committed."""
        waker = threading.Event()
        self._wakers.append((waker, frozenset(types)))
        return waker

    def after(self, seq: int, limit: int = 500) -> list[Event]:
        """Events beyond ``seq``, oldest first."""
        return self.beyond(seq, limit)[0]

    def beyond(self, seq: int, limit: int, types: Collection[str] = ()) -> tuple[list[Event], int]:
        """Events of these types (none: all) beyond ``seq``, oldest first, and the place up to which was looked."""
        held = self._recent.after(seq, limit)
        if held is not None:
            return [event for event in held if not types or event.type in types], held[-1].seq if held else seq
        last = self.last()
        between = (OutboxRow.seq > seq) & (OutboxRow.seq <= last)
        found = self._stored(between & OutboxRow.type.in_(types) if types else between, limit)
        return found, found[-1].seq if len(found) == limit else max(seq, last)

    def last(self) -> int:
        """The newest sequence number, 0 when there is none."""
        with self._database.asking() as connection:
            return _LAST.scalar(connection) or 0

    def _next(self, seq: int) -> list[Event]:
        with self._database.asking() as connection:
            return [Event(*row) for row in _NEXT.rows(connection, seq=seq)]

    def _stored(self, where: ColumnElement[bool], limit: int) -> list[Event]:
        with self._database.asking() as connection:
            rows = connection.execute(select(*_EVENT).where(where).order_by(OutboxRow.seq).limit(limit))
            return [Event(*row) for row in rows]


_EVENT = tuple(OutboxRow.__table__.c[item.name] for item in fields(Event))
_SEQ = OutboxRow.__table__.c.seq
_NEXT = Prepared(select(*_EVENT).where(bindparam("seq") < _SEQ).order_by(_SEQ).limit(KEPT))
_LAST = Prepared(select(func.max(_SEQ)))
_CURSOR = OutboxCursor.__table__.c
_CAME = Prepared(select(_CURSOR.seq).where(_CURSOR.consumer == bindparam("consumer")))


@dataclass
class _Consumer:
    handler: Handler
    types: tuple[str, ...]
    linger: float
    only: Callable[[Event], bool]
    before: Callable[[Sequence[Event]], None]
    waker: threading.Event
    seen: int = 0
    """How far this process has looked: everything up to here was handled, or is not wanted."""


class Relay:
    """Carries events to durable consumers, each in its own thread, each at its own pace.

    What a consumer does not want is not read, and its position is not written for it each time: after a restart at
    most :data:`UNWANTED` events are passed over once more.
    """

    def __init__(self, database: Database, outbox: Outbox) -> None:
        self._database = database
        self._outbox = outbox
        self._consumers: dict[str, _Consumer] = {}
        self._threads: list[threading.Thread] = []
        self._stop = threading.Event()
        self.errors: dict[str, str] = {}
        """The last error of every consumer that is stuck; empty when all is well."""

    def consume(
        self,
        name: str,
        handler: Handler,
        types: Sequence[str] = (),
        linger: float = 0.0,
        only: Callable[[Event], bool] = lambda _: True,
        before: Callable[[Sequence[Event]], None] = lambda _: None,
    ) -> None:
        """Register a durable consumer; ``types`` are the exact event types it wants, none means all.

        ``linger``: seconds that its thread waits for more events before it takes them together. ``only``: whether it
        wants an event of these types. ``before`` gets the events ahead of the transaction, for slow work outside it.
        """
        self._consumers[name] = _Consumer(handler, tuple(types), linger, only, before, self._outbox.waker(types))

    def enrol(self, name: str) -> None:
        """Let a consumer that was never here begin with what happens from now on."""
        with self._database.transaction() as tx:
            tx.insert_missing(OutboxCursor, {"consumer": name, "seq": _LAST.scalar(tx.session) or 0})

    def step(self, name: str, limit: int = _STEP) -> int:
        """Hand the next events to one consumer; return how many were passed, wanted or not."""
        consumer = self._consumers[name]
        with self._database.asking() as connection:
            kept = _CAME.scalar(connection, consumer=name)
        seen = max(kept or 0, consumer.seen)
        events, upto = self._outbox.beyond(seen, limit, consumer.types)
        wanted = [event for event in events if consumer.only(event)]
        if wanted:
            consumer.before(wanted)
        if wanted or upto - (kept or 0) > UNWANTED:
            with self._database.transaction() as tx:
                if wanted:
                    consumer.handler(tx, wanted)
                if kept is None:
                    tx.insert_missing(OutboxCursor, {"consumer": name, "seq": upto})
                tx.update_now(OutboxCursor, [{"seq": upto, "consumer": name}])
        consumer.seen = upto
        return upto - seen

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
        waker, linger = self._consumers[name].waker, self._consumers[name].linger
        while not self._stop.is_set():
            waker.clear()
            try:
                busy = self.step(name, _STEP) >= _STEP
                self.errors.pop(name, None)
            except Exception as error:
                log.exception("consumer %s failed and will try again", name)
                self.errors[name] = str(error)
                self._stop.wait(1.0)
                continue
            if not busy and waker.wait(timeout=1.0):
                self._stop.wait(linger)
