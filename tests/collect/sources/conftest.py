"""Fixtures of the source tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.collect.sources.wired import Wired

WiredMaker = Callable[..., Wired]


@pytest.fixture
def wire_up(tmp_path: Path) -> Iterator[WiredMaker]:
    """Makes a running town with the sources that are given, and closes it in the end."""
    made: list[Wired] = []

    def make(*sources: Mapping[str, Any], **settings: Any) -> Wired:
        wired = Wired(tmp_path, **settings).declare(*sources).open()
        made.append(wired)
        return wired

    yield make
    for wired in made:
        wired.close()
