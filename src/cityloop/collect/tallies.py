"""Tallies: what every feed brought, for its health line, for Prometheus, and for the audit."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from prometheus_client import Counter, Histogram
from sqlalchemy import select

from cityloop.access.audit import Audit
from cityloop.collect.models import FeedHourRow, FeedTallyRow
from cityloop.collect.schemas import Receipt
from cityloop.core.database import Database

log = logging.getLogger(__name__)

ACCEPTED = Counter("cityloop_observations_accepted_total", "Observations made durable in the lake", ["feed"])
QUARANTINED = Counter("cityloop_observations_quarantined_total", "Records that broke the standard", ["feed"])
DUPLICATE = Counter("cityloop_observations_duplicate_total", "Records that were stored before", ["feed"])
COMMIT_SECONDS = Histogram(
    "cityloop_commit_seconds",
    "Seconds of one durable commit to the lake",
    ["table"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5),
)


@dataclass
class Tally:
    """Counts of one feed since the lake began."""

    accepted: int = 0
    quarantined: int = 0
    duplicate: int = 0
    last_received_at: datetime | None = None


class Tallies:
    """Counts in memory; what cannot be counted again, and the audit lines, are written every few seconds.

    A push is not given a transaction of its own in the operational store: at hundreds of pushes a second the audit
    holds one line for each actor and feed every few seconds, with the counts and the first and last batch.
    """

    def __init__(self, database: Database, audit: Audit, seconds: float = 5.0) -> None:
        self._database = database
        self._audit = audit
        self._seconds = seconds
        self._tallies: dict[str, Tally] = {}
        self._unwritten: dict[tuple[str, str], dict[str, Any]] = {}
        self._hours: dict[tuple[str, datetime], int] = {}
        """Duplicates by feed and hour that have not been written yet."""
        self._now: datetime | None = None
        self._turn = threading.Lock()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def restore(self, accepted: dict[str, int], quarantined: dict[str, int]) -> None:
        """Begin with the counts of the lake and the quarantine, and the tallies that were written."""
        with self._database.reading() as session:
            kept = {r.feed: (r.duplicate, r.last_received_at) for r in session.scalars(select(FeedTallyRow))}
        for feed in {*accepted, *quarantined, *kept}:
            duplicate, last = kept.get(feed, (0, None))
            self._tallies[feed] = Tally(accepted.get(feed, 0), quarantined.get(feed, 0), duplicate, last)

    def add(self, receipts: Iterable[tuple[str, Receipt]], now: datetime) -> None:
        """Count what pushes brought (actor, receipt), as of city time ``now``."""
        with self._turn:
            self._now = now
            for actor, receipt in receipts:
                self._count(self._tallies.setdefault(receipt.feed, Tally()), receipt, now)
                line = self._unwritten.setdefault((actor, receipt.feed), dict.fromkeys(_COUNTED, 0) | {"pushes": 0})
                line["pushes"] += 1
                if receipt.duplicate:
                    hour = receipt.feed, now.replace(minute=0, second=0, microsecond=0)
                    self._hours[hour] = self._hours.get(hour, 0) + receipt.duplicate
                line["last"] = receipt.batch
                line.setdefault("first", receipt.batch)
                for name in _COUNTED:
                    line[name] += getattr(receipt, name)

    def of(self, feed: str) -> Tally:
        """Counts of one feed."""
        return self._tallies.get(feed, Tally())

    def start(self) -> None:
        """Start writing every few seconds."""
        self._stop.clear()
        self._thread = threading.Thread(target=self._run, name="collect-tallies", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Write what is left and end."""
        self._stop.set()
        if self._thread:
            self._thread.join(timeout=30)
        self.write()

    def write(self) -> None:
        """Write tallies and audit lines that have not been written yet."""
        with self._turn:
            lines, self._unwritten, now = self._unwritten, {}, self._now
            hours, self._hours = self._hours, {}
            feeds = {feed: (t.duplicate, t.last_received_at) for feed, t in self._tallies.items()}
        if not lines or now is None:
            return
        with self._database.transaction() as tx:
            for (actor, feed), counts in lines.items():
                self._audit.record(tx, now, actor, "feed.push", feed, counts)
            for feed in {feed for _, feed in lines}:
                duplicate, last = feeds[feed]
                tx.session.merge(FeedTallyRow(feed=feed, duplicate=duplicate, last_received_at=last))
            for (feed, hour), repeated in hours.items():
                row = tx.session.get(FeedHourRow, (feed, hour))
                count = repeated + (row.duplicate if row else 0)
                tx.session.merge(FeedHourRow(feed=feed, hour=hour, duplicate=count))

    def _count(self, tally: Tally, receipt: Receipt, now: datetime) -> None:
        tally.accepted += receipt.accepted
        tally.quarantined += receipt.quarantined
        tally.duplicate += receipt.duplicate
        tally.last_received_at = now if receipt.accepted else tally.last_received_at
        ACCEPTED.labels(receipt.feed).inc(receipt.accepted)
        QUARANTINED.labels(receipt.feed).inc(receipt.quarantined)
        DUPLICATE.labels(receipt.feed).inc(receipt.duplicate)

    def _run(self) -> None:
        while not self._stop.wait(self._seconds):
            try:
                self.write()
            except Exception:
                log.exception("the tallies of the feeds were not written and will be tried again")


_COUNTED = ("received", "accepted", "quarantined", "duplicate")
