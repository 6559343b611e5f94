"""Backup and restore as docs/operating.md describes them: the data folder of a stopped city, copied and started."""

from __future__ import annotations

import shutil
from datetime import timedelta
from pathlib import Path
from typing import Any

from cityloop.core.web import Paging
from tests.collect.small_town import NOON, STEWARD, air
from tests.collect.sources.wired import Wired

FIRST = Paging(page=1, size=50, sort="")
RECORDS: list[dict[str, Any]] = [
    air(time=(NOON - timedelta(minutes=n)).isoformat(), values={"PM2.5": n - 1}) for n in range(1, 6)
]


def test_a_copy_of_the_stopped_city_goes_on_where_the_city_was(tmp_path: Path) -> None:
    live, copy = tmp_path / "live", tmp_path / "copy"
    city = Wired(live).declare().open()
    city.town.push([*RECORDS[:3], air(values={"PM2.5": -4})])
    city.close()
    shutil.copytree(live, copy)
    city.open().town.push(RECORDS[3:])
    city.close()

    restored = Wired(copy).open()
    try:
        assert restored.values() == [0.0, 1.0, 2.0]
        assert restored.view("push-air-hourly").accepted == 3
        assert restored.town.collector.quarantine(STEWARD, FIRST, None).total == 1
        receipt = restored.town.push(RECORDS)
        assert (receipt.accepted, receipt.duplicate) == (2, 3)
        assert restored.values() == [0.0, 1.0, 2.0, 3.0, 4.0]
    finally:
        restored.close()
