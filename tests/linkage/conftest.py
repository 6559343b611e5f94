"""A room of linkage for each test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.linkage.support import Room, Shelf, open_room


@pytest.fixture
def room_of(tmp_path: Path) -> Iterator[Callable[..., Room]]:
    """Opens rooms over the one database of the test, with the given plans."""
    opened: list[Room] = []

    def make(*xmls: str, shelf: Shelf | None = None) -> Room:
        clock, outer = (opened[-1].clock, opened[-1].outer) if opened else (None, None)
        url = f"sqlite:///{tmp_path / 'cityloop.db'}"
        opened.append(open_room(url, shelf or Shelf(*xmls), clock, outer))
        return opened[-1]

    yield make
    for room in opened:
        room.database.close()
