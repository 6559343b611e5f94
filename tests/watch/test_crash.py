"""Kill -9 at any moment between lake and watch: no warning is lost, none is doubled."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from sqlalchemy import select

from cityloop.watch.evaluate import Decision, Outcome
from cityloop.watch.guard import Guard
from cityloop.watch.models import WarningChangeRow, WarningRow
from watch.crash_worker import BATCHES, RULES, records
from watch.naive import at
from watch.test_service import House
from watch.things import rows

Step = tuple[str, str, str, str | None]
_WHAT = {Outcome.FIRE: "raised", Outcome.LEVEL: "level", Outcome.CLEAR: "cleared"}


def run_until(folder: Path, lines: int) -> None:
    """Start the worker and kill it without warning after so many batches; 0 lets it finish."""
    command = [sys.executable, str(Path(__file__).parent / "crash_worker.py"), str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for count, _ in enumerate(process.stdout, 1):
            if count == lines:
                process.kill()
                break
        process.stdout.read()
    assert lines or process.returncode == 0


def expected() -> list[Step]:
    """What an undisturbed evaluation decides, for each rule and entity in order."""
    guard = Guard("Thing", RULES)
    decisions: list[Decision] = []
    for number in range(1, BATCHES + 1):
        table = rows(*records(number), batch=number)
        decisions += [d for verdict in guard.take(table, at(100_000)) for d in verdict.decisions]
    return sorted([(d.rule, d.entity, _WHAT[d.outcome], d.level) for d in decisions], key=lambda s: s[:2])


def told(house: House) -> list[Step]:
    """What the history of the warnings says."""
    with house.database.reading() as session:
        query = select(WarningRow.rule, WarningRow.entity, WarningChangeRow.what, WarningChangeRow.level)
        query = query.join(WarningChangeRow, WarningChangeRow.warning == WarningRow.id).order_by(WarningChangeRow.seq)
        return sorted([(r, e, w, v) for r, e, w, v in session.execute(query).all()], key=lambda s: s[:2])


def test_after_three_kills_the_warnings_are_those_of_an_undisturbed_run(tmp_path: Path) -> None:
    for lines in (17, 1, 23):
        run_until(tmp_path, lines)
    run_until(tmp_path, 0)
    house = House(tmp_path, RULES)
    assert house.watch.errors == {}
    assert len(expected()) > 20
    assert told(house) == expected()
    assert len([event for event in house.told() if event == "raised"]) == len(
        [step for step in expected() if step[2] == "raised"]
    )
    assert house.audit.verify() is None
