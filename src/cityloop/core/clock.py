"""One clock for everything that decides.

Live service, replay, drill and backtest differ only in the clock they are given.
"""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime, timedelta
from typing import Protocol

from cityloop.core.values import utc


class Clock(Protocol):
    """What time it is, as an aware UTC instant."""

    def now(self) -> datetime:
        """Return the current instant in UTC."""
        ...


class SystemClock:
    """The machine's own time."""

    def now(self) -> datetime:
        """Return the machine's time in UTC."""
        return datetime.now(UTC)


class ManualClock:
    """Stands still until it is moved; for tests and replays."""

    def __init__(self, start: datetime) -> None:
        self._now = utc(start)

    def now(self) -> datetime:
        """Return the instant it was last set to."""
        return self._now

    def set(self, instant: datetime) -> None:
        """Move forward to ``instant``; going back raises ``ValueError``."""
        instant = utc(instant)
        if instant < self._now:
            raise ValueError(f"the clock stands at {self._now.isoformat()}, it cannot go back to {instant.isoformat()}")
        self._now = instant

    def advance(self, span: timedelta) -> None:
        """Move forward by ``span``."""
        self.set(self._now + span)


class PacedClock:
    """City time that runs ``speed`` times as fast as real time; speed 0 stands still.

    Real time is taken from a monotonic counter, so a correction of the machine's clock never moves the city.
    """

    def __init__(self, start: datetime, speed: float = 1.0) -> None:
        self._anchor = utc(start)
        self._real = time.monotonic()
        self._speed = speed
        self._lock = threading.Lock()

    @property
    def speed(self) -> float:
        """City seconds a real second."""
        return self._speed

    def now(self) -> datetime:
        """Return the city's instant in UTC."""
        with self._lock:
            return self._now()

    def set_speed(self, speed: float) -> None:
        """Go on from the present instant at another speed (``0`` pauses)."""
        if speed < 0:
            raise ValueError(f"speed {speed} is below 0; city time never runs backwards")
        with self._lock:
            self._anchor, self._real, self._speed = self._now(), time.monotonic(), speed

    def _now(self) -> datetime:
        return self._anchor + timedelta(seconds=(time.monotonic() - self._real) * self._speed)
