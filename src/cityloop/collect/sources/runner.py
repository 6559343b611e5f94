"""One source at work: a thread that listens or runs by schedule, and tries again with back-off when something fails."""

from __future__ import annotations

import logging
import random
import threading
import time
from datetime import UTC, datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from cityloop.collect.sources.ledger import UP
from cityloop.collect.sources.schedule import back_off, next_run
from cityloop.collect.sources.sink import Sink, Wire
from cityloop.core.errors import Problem

log = logging.getLogger(__name__)
State = Literal["running", "waiting", "failing", "paused", "stopped"]
TICK_SECONDS = 0.2
"""How often city time is looked at; it may run at any speed."""


class Runner:
    """The thread of one source. Pause and stop reach the wire at once through its ``halt``."""

    def __init__(self, wire: Wire, sink: Sink, zone: ZoneInfo) -> None:
        self.sink = sink
        self.wire = wire
        self.failures = 0
        self.retry_at: datetime | None = None
        self._schedule = sink.source.declaration.schedule
        self._zone = zone
        self._busy = False
        self._asked = False
        self._ending = False
        self._retry = 0.0
        self._turn = threading.Lock()
        self._halt = threading.Event()
        self._wake = threading.Event()
        self._thread: threading.Thread | None = None
        self._draw = random.Random()  # noqa: S311 - spreads attempts, guards nothing

    def start(self) -> None:
        """Begin."""
        self._ending = False
        self._thread = threading.Thread(target=self._loop, name=f"source-{self.sink.source.id}", daemon=True)
        self._thread.start()

    def halt(self, *, ending: bool) -> None:
        """End the attempt under way; with ``ending`` the thread too."""
        with self._turn:
            self._ending = ending
            self._halt.set()
        self._wake.set()

    def join(self) -> None:
        """Wait until the thread has ended."""
        if self._thread:
            self._thread.join(timeout=30)

    def run_now(self) -> None:
        """Do not wait for the schedule, nor for the back-off."""
        self._asked = True
        self._wake.set()

    @property
    def state(self) -> State:
        """What the source does."""
        if self._thread is None or not self._thread.is_alive():
            return "stopped"
        if self.sink.ledger.pause:
            return "paused"
        if self._busy and (self._schedule or self.sink.connected):
            return "running"
        return "failing" if self.failures else "waiting"

    def next_run(self) -> datetime | None:
        """City time of the next run; ``None`` for a stream."""
        last, now = self.sink.ledger.last_run_at, self.sink.clock.now()
        return next_run(self._schedule, last, now, self._zone) if self._schedule else None

    def _loop(self) -> None:
        while not self._ending:
            if self.sink.ledger.pause or not self._due():
                self._wake.wait(TICK_SECONDS)
                self._wake.clear()
                continue
            self._attempt()

    def _due(self) -> bool:
        if self._asked:
            return True
        if self.failures:
            return time.monotonic() >= self._retry
        following = self.next_run()
        return following is None or following <= self.sink.clock.now()

    def _attempt(self) -> None:
        with self._turn:
            if self._ending or self.sink.ledger.pause:
                return
            self._halt.clear()
            self._asked, self._busy = False, True
        brought = dict(self.sink.ledger.counts)
        try:
            self.sink.ledger.began(self.sink.clock.now())
            self.wire.run(self.sink, self._halt)
            self.failures, self.retry_at = 0, None
            UP.labels(self.sink.source.id).set(1)
        except Exception as error:
            self._failed(error, progress=brought != self.sink.ledger.counts)
        finally:
            self._busy = self.sink.connected = False
            if not self._halt.is_set():
                self.sink.ledger.ended()

    def _failed(self, error: Exception, *, progress: bool) -> None:
        name = self.sink.source.id
        if not isinstance(error, Problem | OSError):
            log.exception("source %s failed and will try again", name)
        self.failures = 1 if progress else self.failures + 1
        seconds = back_off(self.failures, self._draw)
        self._retry = time.monotonic() + seconds
        self.retry_at = datetime.now(UTC) + timedelta(seconds=seconds)
        UP.labels(name).set(0)
        try:
            self.sink.ledger.failed(told(error), self.sink.clock.now())
        except Exception:
            log.exception("the error of source %s was not kept", name)


def told(error: Exception) -> str:
    """An error in words, without what belongs to one attempt only."""
    if isinstance(error, Problem):
        return error.detail + (f" — {error.mend}" if error.mend else "")
    return f"{type(error).__name__}: {error}".strip(": ")[:1000]
