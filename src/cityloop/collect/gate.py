"""Many may pass at once, or one alone: pushes pass together, a change of the standard waits until nobody is inside."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Gate:
    """Whoever wants to be alone goes before those who come later, so that a stream of pushes cannot keep it out."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._inside = 0
        self._alone = False
        self._asking = 0

    @contextmanager
    def together(self) -> Iterator[None]:
        """Pass with others; waits while somebody is alone or asks to be."""
        with self._changed:
            while self._alone or self._asking:
                self._changed.wait()
            self._inside += 1
        try:
            yield
        finally:
            with self._changed:
                self._inside -= 1
                self._changed.notify_all()

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Pass when everybody has left; nobody comes in meanwhile."""
        with self._changed:
            self._asking += 1
            while self._alone or self._inside:
                self._changed.wait()
            self._asking -= 1
            self._alone = True
        try:
            yield
        finally:
            with self._changed:
                self._alone = False
                self._changed.notify_all()
