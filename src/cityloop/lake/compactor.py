"""The compactor: a thread that keeps the lake's files few while the city works."""

from __future__ import annotations

import logging
import threading

from cityloop.lake.service import Lake

log = logging.getLogger(__name__)


class Compactor:
    """Compacts every table each ``seconds``; an error is logged and tried again in the next round."""

    def __init__(self, lake: Lake, seconds: float) -> None:
        self._lake = lake
        self._seconds = seconds
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
        merged = 0
        for table in self._lake.tables():
            try:
                merged += self._lake.compact(table)
            except Exception:
                log.exception("compaction of %s failed and will be tried again", table)
        return merged

    def _run(self) -> None:
        while not self._stop.wait(self._seconds):
            self.round()
