"""Kill -9 in the middle of appends and compactions: what was acknowledged is there, and nothing is there twice."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from cityloop.lake.service import Lake
from tests.lake.lake_rows import TABLE
from tests.running import KILLS, ROOT


def acknowledged_before_kill(folder: Path, commits: int) -> int:
    """Run a writing process, kill it after ``commits`` acknowledgements, return the last number it acknowledged."""
    command = [sys.executable, "-m", "tests.lake.writing_process", str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        assert process.stdout is not None
        last = 0
        for _ in range(commits):
            last = int(process.stdout.readline())
        process.kill()
        told = process.stdout.read().split("\n")
    return max([last, *[int(line) for line in told[:-1] if line]])


def test_a_killed_writer_loses_nothing_that_it_acknowledged_and_doubles_nothing(tmp_path: Path) -> None:
    acknowledged = [acknowledged_before_kill(tmp_path / "lake", 20 + 7 * n) for n in range(KILLS)]
    assert acknowledged == sorted(acknowledged)
    lake = Lake(tmp_path / "lake")
    done = lake.txn_version(TABLE, "source") or 0
    found = lake.query(f'SELECT level FROM "{TABLE}" ORDER BY level', [TABLE])["level"].to_pylist()
    assert found == [float(n) for n in range(done)]
    assert done >= acknowledged[-1]
    lake.close()
