"""Whether every part of the house works, in words."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import cityloop
from cityloop.city.service import City


class Health:
    """Asks each part for its trouble; an empty answer everywhere means healthy."""

    def __init__(self, city: City, troubles: Mapping[str, Callable[[], Mapping[str, str]]]) -> None:
        self._city = city
        self._troubles = troubles

    def report(self) -> dict[str, Any]:
        """``{"status": "ok" | "degraded", "version", "city", "now", "troubles": {part: {what: why}}}``."""
        found = {part: dict(trouble) for part, ask in self._troubles.items() if (trouble := ask())}
        return {
            "status": "degraded" if found else "ok",
            "version": cityloop.__version__,
            "city": self._city.id,
            "now": self._city.clock_view().now,
            "troubles": found,
        }
