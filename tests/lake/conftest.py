"""A lake with one empty table."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from cityloop.lake.service import Lake
from tests.lake.lake_rows import SCHEMA, TABLE


@pytest.fixture
def lake(tmp_path: Path) -> Iterator[Lake]:
    lake = Lake(tmp_path / "lake")
    lake.ensure(TABLE, SCHEMA)
    yield lake
    lake.close()
