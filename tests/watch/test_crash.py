"""Kill -9 at any moment between lake and watch: no warning is lost, none is doubled."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import select

from cityloop.watch.guard import Guard
from cityloop.watch.judging import Decision, Outcome
from cityloop.watch.models import WarningChangeRow, WarningRow
from tests.watch.crash_worker import BATCHES, RULES, go_on, records
from tests.watch.house import House
from tests.watch.naive import at
from tests.watch.things import rows

Step = tuple[str, str, str, str | None]
_WHAT = {Outcome.FIRE: "raised", Outcome.LEVEL: "level", Outcome.CLEAR: "cleared"}


def run_until(folder: Path, batches: int) -> None:
    """Start the worker and kill it without warning after so many batches."""
    command = [sys.executable, str(Path(__file__).parent / "crash_worker.py"), str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        told = [process.stdout.readline() for _ in range(batches)]
        process.kill()
        process.stdout.read()
    assert all(told), "the worker ended before it was killed"


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


@pytest.mark.slow
def test_after_two_kills_the_warnings_are_those_of_an_undisturbed_run(tmp_path: Path) -> None:
    for batches in (17, 23):
        run_until(tmp_path, batches)
    go_on(tmp_path, lambda _: None)
    house = House(tmp_path, RULES)
    assert house.watch.errors == {}
    assert len(expected()) > 20
    assert told(house) == expected()
    assert len([event for event in house.told() if event == "raised"]) == len(
        [step for step in expected() if step[2] == "raised"]
    )
    assert house.audit.verify() is None
