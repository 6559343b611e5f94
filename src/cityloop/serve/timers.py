"""What must happen without anybody asking: replay, holds that end, automatic posts. One thread, small steps."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping

log = logging.getLogger(__name__)


class Timers:
    """Calls every step in turn, again and again; a step that fails is named in ``troubles`` and tried again."""

    def __init__(self, steps: Mapping[str, Callable[[], object]], seconds: float) -> None:
        self._steps = steps
        self._seconds = seconds
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="timers", daemon=True)
        self.troubles: dict[str, str] = {}

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """Let the running step finish and end."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(timeout=30)

    def _run(self) -> None:
        while not self._stop.wait(self._seconds):
            for name, step in self._steps.items():
                self._try(name, step)

    def _try(self, name: str, step: Callable[[], object]) -> None:
        try:
            step()
            self.troubles.pop(name, None)
        except Exception as error:
            log.exception("timer step %s failed and will be tried again", name)
            self.troubles[name] = str(error)
