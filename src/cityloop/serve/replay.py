"""``cityloop replay``: runs a replay in the foreground, tells how far it is, and stops cleanly on Ctrl-C."""

from __future__ import annotations

import signal
import sys
from datetime import date, datetime
from pathlib import Path
from threading import Event

from cityloop.drill.replay import replay
from cityloop.drill.summary import ReplaySummary
from cityloop.serve.stores import occupy


def run_replay(city: Path, start: date, end: date, data: Path, source: Path | None) -> ReplaySummary:
    """Play the records; Ctrl-C ends after the running chunk, and the same command goes on from there."""
    stop = Event()
    before = signal.signal(signal.SIGINT, lambda _number, _frame: stop.set())
    occupied = occupy(data)
    try:
        return replay(city, start, end, data, source, _tell, stop)
    finally:
        signal.signal(signal.SIGINT, before)
        occupied.close()


def _tell(done: int, total: int, at: datetime) -> None:
    if sys.stderr.isatty():
        sys.stderr.write(f"\r{done:,} of {total:,} events, {at:%Y-%m-%d %H:%M} UTC ")
        sys.stderr.flush()
