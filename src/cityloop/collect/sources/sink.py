"""What a wire is given: where its records go, what it remembers, and how it tells that it works."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from contextlib import suppress
from typing import Any, Protocol

from cityloop.collect.decode import Decoded
from cityloop.collect.schemas import Receipt
from cityloop.collect.service import Collector, Delivery
from cityloop.collect.sources.ledger import Ledger
from cityloop.collect.sources.loading import Source
from cityloop.core.clock import Clock
from cityloop.core.database import Database
from cityloop.core.errors import NotFound
from cityloop.standard.mapping import FeedMapping

Read = Callable[[FeedMapping], Decoded]
SAMPLE = 100
"""Records of a dry run."""
SAMPLE_SECONDS = 5.0
"""How long a dry run listens to a stream."""


class Sink:
    """The receiving side of one source."""

    def __init__(self, source: Source, collector: Collector, ledger: Ledger, database: Database, clock: Clock) -> None:
        self.source = source
        self.ledger = ledger
        self.database = database
        self.clock = clock
        self.waiting: int | None = None
        """Messages or files that wait at the other side, where the wire can tell."""
        self.connected = False
        self._collector = collector
        self._mapping = collector.mapping(source.feed)

    def send(
        self,
        read: Read,
        *,
        batch: str | None = None,
        txn: tuple[str, int] | None = None,
        after: int | None = None,
        hurry: bool = False,
    ) -> Future[Receipt]:
        """Hand records over; the future is done once they are durable."""
        actor = f"source:{self.source.id}"
        return self._collector.take(Delivery(actor, self.source.feed, read, batch, txn, after, hurry))

    def settled(self, receipt: Receipt, position: Mapping[str, Any] | None = None) -> None:
        """What was sent is durable; see :meth:`Ledger.settled`."""
        self.ledger.settled(receipt, self.clock.now(), position)

    def taken_up_to(self, app: str) -> int:
        """See :meth:`Collector.taken_up_to`."""
        return self._collector.taken_up_to(self.source.feed, app)

    def mapping(self) -> FeedMapping:
        """The feed's mapping, as it is now; the last one when the feed was taken away."""
        with suppress(NotFound):
            self._mapping = self._collector.mapping(self.source.feed)
        return self._mapping

    def refused(self, batch: str) -> list[Any]:
        """See :meth:`Collector.refused`."""
        return self._collector.refused(batch)


class Wire(Protocol):
    """One kind of connection. ``run`` listens until ``halt`` (a stream) or makes one pass; trouble is raised."""

    def run(self, sink: Sink, halt: threading.Event) -> None:
        """Bring records. Raises :class:`SourceTrouble`, or whatever the other side's library raises."""
        ...

    def sample(self, sink: Sink) -> Read:
        """Fetch at most :data:`SAMPLE` records without taking or acknowledging any."""
        ...

    def address(self) -> str:
        """Where the source is, without secrets."""
        ...
