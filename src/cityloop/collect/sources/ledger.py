"""What a source remembers: its position, its counts, its last error, and whether somebody paused it."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from prometheus_client import Counter, Gauge

from cityloop.collect.models import SourceRow
from cityloop.collect.schemas import Receipt
from cityloop.core.database import Database, Transaction

RECORDS = Counter("cityloop_source_records_total", "Records that a source brought", ["source", "outcome"])
FAILURES = Counter("cityloop_source_failures_total", "Attempts of a source that failed", ["source"])
UP = Gauge("cityloop_source_up", "1 while the source works or waits for its next run, 0 while it fails", ["source"])
LAG = Gauge("cityloop_source_lag_seconds", "City seconds since the newest observation of a source's feed", ["source"])
OUTCOMES = ("accepted", "quarantined", "duplicate")


@dataclass
class Pause:
    """Who paused a source, when and why."""

    by: str
    at: datetime
    reason: str


class Ledger:
    """The row of one source in the operational store, and what happened in the last minute. Safe for many threads.

    A position is written in one transaction with the counts, after the commit it speaks of. Counts without a position
    are written by :meth:`write`, every few seconds.
    """

    def __init__(self, database: Database, source: str) -> None:
        self._database = database
        self._source = source
        self._turn = threading.Lock()
        self._recent: deque[tuple[float, int]] = deque()
        self._dirty = False
        self._load()

    def _load(self) -> None:
        with self._database.reading() as session:
            row = session.get(SourceRow, self._source)
        self.position: dict[str, Any] = dict(row.position) if row else {}
        self.counts = {name: int(getattr(row, name)) if row else 0 for name in OUTCOMES}
        self.last_record_at = row.last_record_at if row else None
        self.last_run_at = self._ended_at = row.last_run_at if row else None
        self.last_error = row.last_error if row else None
        self.last_error_at = row.last_error_at if row else None
        paused = row is not None and row.paused_by is not None
        self.pause = Pause(row.paused_by or "", row.paused_at, row.pause_reason) if row and paused else None  # type: ignore[arg-type]

    def began(self, now: datetime) -> None:
        """A run began. It is written down once it has :meth:`ended`, so one that is killed is due again at once."""
        with self._turn:
            self._ended_at, self.last_run_at = self.last_run_at, now

    def ended(self) -> None:
        """The run came to its end, or failed."""
        with self._turn:
            self._ended_at, self._dirty = self.last_run_at, True

    def settled(self, receipt: Receipt, now: datetime, position: Mapping[str, Any] | None = None) -> None:
        """A batch is durable; with a ``position`` the source goes on from there after a restart."""
        with self._turn:
            for name in OUTCOMES:
                count = int(getattr(receipt, name))
                self.counts[name] += count
                RECORDS.labels(self._source, name).inc(count)
            if receipt.accepted:
                self.last_record_at = now
                self._recent.append((time.monotonic(), receipt.accepted))
                self._forget()
            self._dirty = True
        if position is not None:
            self.move(position)

    def move(self, position: Mapping[str, Any]) -> None:
        """Keep a position, durably."""
        with self._turn:
            self.position = dict(position)
        self.write()

    def failed(self, error: str, now: datetime) -> None:
        """An attempt failed."""
        FAILURES.labels(self._source).inc()
        with self._turn:
            self.last_error, self.last_error_at, self._dirty = error, now, True
        self.write()

    def set_pause(self, tx: Transaction, pause: Pause | None) -> None:
        """Pause or resume, within a transaction."""
        with self._turn:
            row = self._row()
            row.paused_by, row.paused_at = (pause.by, pause.at) if pause else (None, None)
            row.pause_reason = pause.reason if pause else ""
        tx.session.merge(row)
        tx.after_commit(lambda: setattr(self, "pause", pause))

    def write(self) -> None:
        """Write what has not been written yet."""
        with self._turn:
            row, self._dirty = self._row(), False
        with self._database.transaction() as tx:
            tx.session.merge(row)

    @property
    def dirty(self) -> bool:
        """Whether there is something to write."""
        return self._dirty

    def rate_per_minute(self) -> int:
        """Rows accepted within the last real minute."""
        with self._turn:
            self._forget()
            return sum(count for _, count in self._recent)

    def _forget(self) -> None:
        limit = time.monotonic() - 60
        while self._recent and self._recent[0][0] < limit:
            self._recent.popleft()

    def _row(self) -> SourceRow:
        pause = self.pause
        return SourceRow(
            id=self._source,
            position=self.position,
            **self.counts,
            last_record_at=self.last_record_at,
            last_run_at=self._ended_at,
            last_error=self.last_error,
            last_error_at=self.last_error_at,
            paused_by=pause.by if pause else None,
            paused_at=pause.at if pause else None,
            pause_reason=pause.reason if pause else "",
        )
