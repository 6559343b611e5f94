"""The heartbeat counts the feeds that are in use."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, cast

from cityloop.city.service import City
from cityloop.collect.service import Collector
from cityloop.serve.pulse import Pulse

NOW = datetime(2026, 3, 9, tzinfo=UTC)


def feed(name: str, seen: datetime | None, every: str | None, *, fresh: bool = False) -> tuple[Any, Any]:
    view = SimpleNamespace(id=name, last_observed_at=seen, fresh=fresh, delay_seconds=2.0 if seen else None)
    return view, SimpleNamespace(declaration=SimpleNamespace(expected_every=every))


def test_a_feed_that_nobody_has_connected_yet_is_not_counted_as_late() -> None:
    known = [
        feed("air", NOW, "1h", fresh=True),
        feed("roads", None, "10m"),
        feed("old", NOW, None),
        feed("new", None, None),
    ]
    collector = SimpleNamespace(
        feeds=lambda _: [view for view, _ in known], mappings={view.id: mapping for view, mapping in known}
    )
    city = SimpleNamespace(clock_view=lambda: SimpleNamespace(model_dump=lambda mode: {}))
    told = Pulse(cast(City, city), cast(Collector, collector))()["feeds"]
    assert told == {"delay_seconds": 2.0, "fresh": 1, "total": 3}
