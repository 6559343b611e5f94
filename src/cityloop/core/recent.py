"""The newest events of the outbox, read and decoded once for all who follow them."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from typing import Generic, Protocol, TypeVar

KEPT = 500
"""So many events are held; whoever lags further behind reads the store."""


class Numbered(Protocol):
    """Something with a place in an order."""

    @property
    def seq(self) -> int:
        """Its place; later ones have higher ones."""
        ...


N = TypeVar("N", bound=Numbered)


class Recent(Generic[N]):
    """The end of an ever growing row: ``last`` tells its newest place, ``read`` what stands beyond a place."""

    def __init__(self, last: Callable[[], int], read: Callable[[int], Sequence[N]]) -> None:
        self._newest, self._read = last, read
        self._lock = threading.Lock()
        self._held: deque[N] = deque()
        self._first: int | None = None
        """All that stands beyond this place, up to ``_last``, is held."""
        self._last = 0

    def after(self, seq: int, limit: int) -> list[N] | None:
        """The next beyond ``seq``, at most ``limit``; ``None`` when they reach further back than what is held."""
        with self._lock:
            self._catch_up()
            if self._first is None or seq < self._first:
                return None
            found = [each for each in self._held if each.seq > seq]
        return found[:limit]

    def _catch_up(self) -> None:
        newest = self._newest()
        if self._first is None or newest - self._last > KEPT:
            self._held.clear()
            self._first = self._last = newest
        elif newest > self._last:
            self._held.extend(self._read(self._last))
            self._last = self._held[-1].seq
            while len(self._held) > KEPT:
                self._first = self._held.popleft().seq
