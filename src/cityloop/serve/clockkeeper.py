"""Chooses the city's clock, and keeps a paced one over a restart: city time goes on where it stood, never back."""

from __future__ import annotations

import logging
import threading
from datetime import datetime
from pathlib import Path

from sqlalchemy import String, func, select
from sqlalchemy.orm import Mapped, mapped_column

from cityloop.core.clock import Clock, PacedClock, SystemClock
from cityloop.core.database import Database, Table
from cityloop.core.errors import ContentError
from cityloop.core.outbox import OutboxRow
from cityloop.core.settings import Settings
from cityloop.drill.plan import load_plan

log = logging.getLogger(__name__)


class ClockRow(Table):
    """The last instant and speed of the paced clock."""

    __tablename__ = "city_clock"
    id: Mapped[str] = mapped_column(String(10), primary_key=True)
    now: Mapped[datetime]
    speed: Mapped[float]


def city_clock(settings: Settings, database: Database) -> Clock:
    """The machine's time, or in demo mode the paced clock as it was left (first: at the start of the drill)."""
    if not settings.demo:
        return SystemClock()
    return restore(database, _demo_start(settings.city), settings.speed)


def _demo_start(city: Path) -> datetime:
    """The instant at which the city's drill begins; raises :class:`ContentError` when it names none."""
    start = load_plan(city).start
    if start is None:
        raise ContentError(f"{city / 'drill.yaml'} has no 'start'", "name the instant at which the demo begins")
    return start


def restore(database: Database, start: datetime, speed: float) -> PacedClock:
    """The clock as it was left, or a new one at ``start``. No event of the city may lie in its future."""
    with database.reading() as session:
        row = session.get(ClockRow, "paced")
        newest = session.scalar(select(func.max(OutboxRow.time)))
    if row is None:
        return PacedClock(start, speed)
    return PacedClock(max(row.now, newest) if newest else row.now, row.speed)


class ClockKeeper:
    """Writes the clock down every second."""

    def __init__(self, database: Database, clock: PacedClock, seconds: float = 1.0) -> None:
        self._database = database
        self._clock = clock
        self._seconds = seconds
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="clock", daemon=True)

    def start(self) -> None:
        """Begin to write."""
        self.save()
        self._thread.start()

    def stop(self) -> None:
        """Write once more and end."""
        self._stop.set()
        self._thread.join(timeout=10)
        self.save()

    def save(self) -> None:
        """Write the present instant and speed."""
        with self._database.transaction() as tx:
            tx.session.merge(ClockRow(id="paced", now=self._clock.now(), speed=self._clock.speed))

    def _run(self) -> None:
        while not self._stop.wait(self._seconds):
            try:
                self.save()
            except Exception:
                log.exception("the clock could not be written down; trying again")
