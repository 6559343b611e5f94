"""The compactor: a thread that keeps the lake's files few, and its disk clean, while the city works."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

from cityloop.lake.service import Lake

log = logging.getLogger(__name__)
CLEAN_SECONDS = 600
"""Seconds between clean-ups: replaced files, old log entries, days past their retention."""


class Compactor:
    """Compacts every table each ``seconds``; an error is logged and tried again in the next round.

    ``retire`` deletes what is past its retention; it is called with each clean-up.
    """

    def __init__(self, lake: Lake, seconds: float, retire: Callable[[], object] | None = None) -> None:
        self._lake = lake
        self._seconds = seconds
        self._retire = retire
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin; the first round comes after one interval."""
        self._stop.clear()
        self._thread = threading.Thread(target=self._run, name="lake-compactor", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End after the round under way."""
        self._stop.set()
        if self._thread:
            self._thread.join(timeout=60)

    def round(self) -> int:
        """Compact all tables once; return how many files went into others."""
        return sum(self._each("compaction", self._lake.compact))

    def clean(self) -> int:
        """Let go of what is past its retention, then delete files that nobody needs; return how many."""
        if self._retire:
            try:
                self._retire()
            except Exception:
                log.exception("retention failed and will be tried again")
        return sum(self._each("cleaning", self._lake.clean))

    def _each(self, what: str, work: Callable[[str], int]) -> list[int]:
        done = []
        for table in self._lake.tables():
            try:
                done.append(work(table))
            except Exception:
                log.exception("%s of %s failed and will be tried again", what, table)
        return done

    def _run(self) -> None:
        cleaned = float("-inf")
        while not self._stop.wait(self._seconds):
            self.round()
            if time.monotonic() - cleaned >= CLEAN_SECONDS:
                self.clean()
                cleaned = time.monotonic()
