"""Fixtures of the collect tests."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from cityloop.core.clock import ManualClock
from cityloop.core.settings import Settings
from tests.collect.small_town import NOON, PACKS, Town, TownMaker, write_entities


@pytest.fixture
def make_town(tmp_path: Path) -> Iterator[TownMaker]:
    """Makes running towns over one folder and closes them in the end."""
    towns: list[Town] = []

    def make(packs: Sequence[Path] = PACKS, started: bool = True, **settings: Any) -> Town:
        write_entities(tmp_path / "city")
        settings = {"linger_ms": 2, "sync": False, **settings}
        town = Town(tmp_path, ManualClock(NOON), Settings(**settings), list(packs), started).open()
        towns.append(town)
        return town

    yield make
    for town in towns:
        town.close()


@pytest.fixture
def town(make_town: TownMaker) -> Town:
    """One running town."""
    return make_town()
