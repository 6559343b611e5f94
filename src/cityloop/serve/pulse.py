"""The slow heartbeat of the live stream: city time and the freshness of the feeds."""

from __future__ import annotations

from typing import Any

from cityloop.access.actor import SYSTEM
from cityloop.city.service import City
from cityloop.collect.service import Collector


class Pulse:
    """Frames that are no events: ``clock`` and ``feeds``. They hold nothing that depends on who looks."""

    def __init__(self, city: City, collector: Collector) -> None:
        self._city = city
        self._collector = collector

    def __call__(self) -> dict[str, dict[str, Any]]:
        """``{"clock": ClockView, "feeds": {delay_seconds, fresh, total}}``.

        A feed counts once it has brought something, or when it says how often it comes.
        """
        mappings = self._collector.mappings
        feeds = [
            feed
            for feed in self._collector.feeds(SYSTEM)
            if feed.last_observed_at or mappings[feed.id].declaration.expected_every
        ]
        delays = [feed.delay_seconds for feed in feeds if feed.delay_seconds is not None]
        return {
            "clock": self._city.clock_view().model_dump(mode="json"),
            "feeds": {
                "delay_seconds": max(delays, default=None),
                "fresh": sum(feed.fresh for feed in feeds),
                "total": len(feeds),
            },
        }
