"""Rooms for the tests of cases: one where people do everything, one where the system does what the city lets it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cases.support import Room, by_hand, open_room


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    """A room where people make every move."""
    found = open_room(tmp_path, by_hand())
    yield found
    found.database.close()


@pytest.fixture
def busy_room(tmp_path: Path) -> Iterator[Room]:
    """A room where the system accepts, files and dispatches by the demo city's tables."""
    found = open_room(tmp_path)
    yield found
    found.database.close()
