"""The list of sources and who may do what."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cityloop.collect.sources.schemas import SourceFilter
from cityloop.core.errors import AccessDenied, Conflict, Invalid, NotFound
from cityloop.core.web import Paging
from tests.collect.small_town import MACHINE, STEWARD
from tests.collect.sources.conftest import WiredMaker
from tests.collect.sources.wired import WATER

ALL = SourceFilter()


def folder(path: Path, **head: Any) -> dict[str, Any]:
    return {"wire": "files", "schedule": {"daily": "02:30"}, "connection": {"folder": str(path)}, **head}


def test_lists_are_filtered_sorted_paged_and_exported(wire_up: WiredMaker, tmp_path: Path) -> None:
    wired = wire_up(*[folder(tmp_path, id=name, title=f"第{name}") for name in ("c", "a", "b")])
    page = wired.sources.page(STEWARD, ALL, Paging(page=1, size=2, sort="-id"))
    assert ([view.id for view in page.items], page.total) == (["push-vehicle-states", "push-source-states"], 10)
    files = wired.sources.page(STEWARD, SourceFilter(wire="files"), Paging(page=1, size=2, sort="-id"))
    assert ([view.id for view in files.items], files.total) == (["c", "b"], 3)
    assert wired.sources.page(STEWARD, SourceFilter(text="第A"), Paging(page=1, size=5, sort="title")).total == 1
    assert wired.sources.page(STEWARD, SourceFilter(wire="nats"), Paging(page=1, size=5, sort="")).total == 0
    with pytest.raises(Invalid, match="cannot be sorted by 'colour'"):
        wired.sources.page(STEWARD, ALL, Paging(page=1, size=5, sort="colour"))
    assert "第b" in bytes(wired.sources.export(STEWARD, ALL, "csv").body).decode("utf-8-sig")


def test_a_department_sees_its_own_sources_and_operates_none(wire_up: WiredMaker, tmp_path: Path) -> None:
    wired = wire_up(folder(tmp_path))
    assert wired.sources.page(WATER, ALL, Paging(page=1, size=5, sort="")).total == 0
    with pytest.raises(NotFound):
        wired.sources.get(WATER, "air")
    with pytest.raises(AccessDenied, match=r"source\.operate"):
        wired.sources.pause(WATER, "air", "")
    with pytest.raises(AccessDenied):
        wired.sources.page(MACHINE, ALL, Paging(page=1, size=5, sort=""))


def test_verbs_that_do_not_fit_the_state_are_refused(wire_up: WiredMaker, tmp_path: Path) -> None:
    wired = wire_up(folder(tmp_path))
    with pytest.raises(Conflict, match="is not paused"):
        wired.sources.resume(STEWARD, "air")
    wired.sources.pause(STEWARD, "air", "")
    with pytest.raises(Conflict, match="is paused"):
        wired.sources.pause(STEWARD, "air", "")
    with pytest.raises(Conflict, match="is paused"):
        wired.sources.run(STEWARD, "air")
    assert wired.view().next_run_at is None
