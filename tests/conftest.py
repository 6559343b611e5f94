"""What all tests share: a database in a temporary folder and a clock that stands still."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import settings

from cityloop.core.clock import ManualClock
from cityloop.core.database import Database

pytest_plugins = ["tests.parts"]
settings.register_profile("house", deadline=None)
settings.load_profile("house")

ROOT = Path(__file__).parents[1]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files with slow tests first: test processes take whole files, and a long one taken last keeps all waiting."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)


@pytest.fixture
def clock() -> ManualClock:
    """Monday 2026-03-09, 10:00 in Shenzhen."""
    return ManualClock(datetime(2026, 3, 9, 2, 0, tzinfo=UTC))


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    """An empty SQLite store with all tables."""
    store = Database(f"sqlite:///{tmp_path / 'city.db'}")
    store.create()
    yield store
    store.close()
