"""Kill -9 in the middle of an inspection, start again: no case twice, no finding lost."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from tests.quality.inspected import ALL, FEEDS, HOURS, ROOT, STEWARD, Inspected, write_city

pytestmark = pytest.mark.slow
CHECKS = 8


def _work(folder: Path, city: Path, steps: int | None) -> int:
    """Run a process; after ``steps`` steps it is killed. Returns how many it took."""
    command = [sys.executable, "-m", "tests.quality.inspecting_process", str(folder), str(city)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        taken = 0
        for line in process.stdout:
            taken += line == "step\n"
            if steps is not None and taken >= steps:
                process.send_signal(signal.SIGKILL)
                break
        process.wait(30)
    return taken


@pytest.fixture
def written(tmp_path: Path) -> Path:
    """A data folder with two days of five faulty feeds."""
    city = write_city(tmp_path)
    inspected = Inspected(tmp_path, city)
    inspected.hours(HOURS)
    inspected.work()
    inspected.close()
    return city


def test_a_killed_inspection_goes_on_and_opens_every_case_once(written: Path, tmp_path: Path) -> None:
    whole = len(FEEDS) * CHECKS
    # While feeds are examined, once all are, and between the second and the third case.
    for steps in (7, whole - 7 + 1, 3):
        _work(tmp_path, written, steps)
    _work(tmp_path, written, None)
    with sqlite3.connect(tmp_path / "data" / "cityloop.db") as store:
        cases = store.execute(
            "SELECT external_number, department FROM case_file WHERE channel = 'inspection'"
        ).fetchall()
        tasks = store.execute("SELECT count(*), sum(done) FROM inspection_task").fetchone()
    assert sorted(department for _, department in cases) == sorted(owner for _, owner in FEEDS.values())
    assert len({number for number, _ in cases}) == len(FEEDS)
    assert tasks == (whole, whole)
    again = Inspected(tmp_path, written)
    lines = again.quality.inspections(STEWARD, ALL, None, "five").items
    again.close()
    assert sorted(line.state for line in lines) == ["planned", "repair"]
