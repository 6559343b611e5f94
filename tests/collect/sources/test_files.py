"""A drop folder: each content is read once, put aside with a report, and goes on where a crash cut it short."""

from __future__ import annotations

import json
import os
import random
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook

from cityloop.collect.sources import files
from cityloop.core.web import Paging
from tests.collect.small_town import NOON, STEWARD
from tests.collect.sources.conftest import WiredMaker
from tests.collect.sources.wired import Wired, killed_at_work, wait
from tests.running import KILLS

FIRST = Paging(page=1, size=500, sort="")


def source(folder: Path, every: str = "1d", **connection: Any) -> dict[str, Any]:
    given = {"folder": str(folder), "settle_seconds": 0}
    return {"wire": "files", "schedule": {"every": every}, "connection": {**given, **connection}}


def lines(numbers: range, station: str = "1001A") -> str:
    rows = [f"{station},{(NOON - timedelta(seconds=1 + n)).isoformat()},{n % 300}" for n in numbers]
    return "\n".join(["station,time,PM2.5", *rows]) + "\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "drop"
    made.mkdir()
    return made


def report(folder: Path, where: str, name: str) -> dict[str, Any]:
    path = folder / where / f"{name}.report.json"
    wait(path.with_name(name).exists, f"{name} is put away")
    return dict(json.loads(path.read_text(encoding="utf-8")))


def test_files_of_each_kind_are_read_and_put_aside_with_a_report(wire_up: WiredMaker, folder: Path) -> None:
    (folder / "空气.csv").write_bytes(lines(range(5)).encode("gb18030"))
    book = Workbook()
    book.active.append(["station", "time", "PM2.5"])
    book.active.append(["1002A", (NOON - timedelta(hours=1)).isoformat(), 12])
    book.active.append(["9999Z", (NOON - timedelta(hours=1)).isoformat(), 12])
    book.save(folder / "b.xlsx")
    wired = wire_up(source(folder))
    assert report(folder, "done", "空气.csv")["accepted"] == 5
    told = report(folder, "done", "b.xlsx")
    assert (told["rows"], told["accepted"], told["quarantined"], told["problem"]) == (2, 1, 1, None)
    (refused,) = told["refused"]
    assert refused["row"] == 2 and refused["reasons"][0]["rule"] == "entity" and "9999Z" in refused["raw"]
    assert len(wired.rows()) == 6 and sorted(path.name for path in folder.iterdir()) == ["done"]


def test_the_same_content_is_not_read_again_whatever_it_is_called(wire_up: WiredMaker, folder: Path) -> None:
    (folder / "a.csv").write_text(lines(range(5)), encoding="utf-8")
    wired = wire_up(source(folder, every="1s"))
    report(folder, "done", "a.csv")
    (folder / "b.csv").write_text(lines(range(5)), encoding="utf-8")
    (folder / "a.csv").write_text(lines(range(5)), encoding="utf-8")
    wired.sources.run(STEWARD, "air")
    assert report(folder, "done", "b.csv")["read_before"] is True
    report(folder, "done", "a.2.csv")
    assert wired.view().accepted == 5 and wired.view().duplicate == 0


@pytest.mark.parametrize(
    ("name", "body", "what"),
    [
        ("a.xlsx", b"PK\x03\x04 is no workbook", "cannot be read as a workbook"),
        ("b.csv", "甲,乙\n1,2\n".encode(), "no column of the table is one that feed 'air-hourly' reads; found: 甲, 乙"),
        ("c.csv", b"", "is empty"),
    ],
)
def test_a_file_that_cannot_be_read_fails_alone(
    wire_up: WiredMaker, folder: Path, name: str, body: bytes, what: str
) -> None:
    (folder / name).write_bytes(body)
    (folder / "z.csv").write_text(lines(range(3)), encoding="utf-8")
    os.utime(folder / name, (1, 1))
    wired = wire_up(source(folder))
    assert what in report(folder, "failed", name)["problem"]
    assert report(folder, "done", "z.csv")["accepted"] == 3
    assert what in (wired.view().last_error or "")


def test_a_failed_file_may_be_put_back_when_the_mapping_is_repaired(wire_up: WiredMaker, folder: Path) -> None:
    body = lines(range(3)).replace("station", "s").replace("time", "t").replace("PM2.5", "p")
    (folder / "a.csv").write_text(body, encoding="utf-8")
    wired = wire_up(source(folder, every="1s"))
    report(folder, "failed", "a.csv")
    wired.restart()
    (folder / "a.csv").write_text(body, encoding="utf-8")
    wired.sources.run(STEWARD, "air")
    report(folder, "failed", "a.2.csv")


def test_unfinished_files_and_those_of_other_names_are_left(wire_up: WiredMaker, folder: Path) -> None:
    for name in ("~$a.csv", ".a.csv", "a.csv.part", "a.txt"):
        (folder / name).write_text(lines(range(3)), encoding="utf-8")
    (folder / "a.csv").write_text(lines(range(3)), encoding="utf-8")
    wired = wire_up(source(folder, pattern="*.csv"))
    report(folder, "done", "a.csv")
    wait(lambda: wired.view().state == "waiting", "the run ends")
    assert len(list(folder.iterdir())) == 5


def test_a_file_that_still_changes_waits(wire_up: WiredMaker, folder: Path) -> None:
    (folder / "a.csv").write_text(lines(range(3)), encoding="utf-8")
    wired = wire_up(source(folder, settle_seconds=3600))
    wait(lambda: wired.view().last_run_at is not None and wired.view().state == "waiting", "a run ends")
    assert (folder / "a.csv").exists() and wired.rows() == []


def test_a_missing_folder_is_told(wire_up: WiredMaker, folder: Path) -> None:
    wired = wire_up(source(folder / "nowhere"))
    wait(lambda: wired.view().state == "failing", "the error is told")
    assert "there is no folder" in (wired.view().last_error or "")


def test_a_commit_that_fails_is_made_up_for_from_the_same_row(
    wire_up: WiredMaker, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "CHUNK", 10)
    wired = wire_up(source(folder, every="1s"))
    append, calls = wired.town.lake.append, iter(range(100))

    def flaky(*given: Any) -> int:
        if next(calls) == 2:
            raise OSError(28, "No space left on device")
        return append(*given)

    monkeypatch.setattr(wired.town.lake, "append", flaky)
    (folder / "a.csv").write_text(lines(range(95)), encoding="utf-8")
    wired.sources.run(STEWARD, "air")
    told = report(folder, "done", "a.csv")
    assert (told["rows"], told["accepted"], told["duplicate"], len(wired.rows())) == (95, 95, 0, 95)


def test_a_dry_run_shows_the_first_rows_and_leaves_the_file(wire_up: WiredMaker, folder: Path) -> None:
    wired = wire_up(source(folder), started=False)
    assert wired.sources.dry_run(STEWARD, "air").notes[0].zh == "数据源没有新数据可看"
    (folder / "a.csv").write_text(lines(range(120)), encoding="utf-8")
    trial = wired.sources.dry_run(STEWARD, "air")
    assert (len(trial.raw), len(trial.mapped)) == (100, 100) and (folder / "a.csv").exists()


@pytest.mark.slow
def test_kills_at_any_moment_neither_lose_nor_double_a_row(tmp_path: Path, folder: Path) -> None:
    draw, each = random.Random(KILLS), 12_000
    Wired(tmp_path).declare(source(folder, every="1s"))
    for number in range(KILLS):
        good = lines(range(number * each, (number + 1) * each))
        (folder / f"{number}.csv").write_text(good + lines(range(3), f"?{number}").partition("\n")[2], "utf-8")
        killed_at_work(tmp_path, draw.uniform(0.0, 0.6))
    wired = Wired(tmp_path).open()
    try:
        for number in range(KILLS):
            assert report(folder, "done", f"{number}.csv")["rows"] == each + 3
        rows = wired.rows()
        assert len(rows) == each * KILLS == len({row["observed_at"] for row in rows})
        assert wired.town.collector.quarantine(STEWARD, FIRST, None).total == 3 * KILLS
    finally:
        wired.close()
