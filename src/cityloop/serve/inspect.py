"""``cityloop inspect``: runs a data inspection in the foreground, until the departments have their cases."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from cityloop.core.clock import Clock, ManualClock, SystemClock
from cityloop.core.database import Database
from cityloop.core.settings import Settings
from cityloop.quality.schemas import Finding, InspectionDetail
from cityloop.serve.clockkeeper import ClockRow
from cityloop.serve.house import House


def run_inspection(city: Path, data: Path, plan: str | None) -> tuple[InspectionDetail, list[Finding]]:
    """Start a planned inspection and carry it to its cases; a server that starts later goes on with it.

    Raises :class:`Conflict` while a server has the data folder, :class:`NotFound` when no single plan fits.
    """
    settings = Settings(city=city, data=data)
    house = House(settings, _left_at(settings))
    try:
        house.relay.drain()
        found = house.quality.run(plan, _tell)
        house.relay.drain()
        return found
    finally:
        house.stop()


def summary(detail: InspectionDetail, findings: list[Finding]) -> dict[str, Any]:
    """What is printed: the inspection and its findings, with the wire's own names."""
    return {
        "inspection": detail.model_dump(mode="json", by_alias=True),
        "findings": [finding.model_dump(mode="json", by_alias=True) for finding in findings],
    }


def lines(detail: InspectionDetail, findings: list[Finding], zh: bool) -> list[str]:
    """The same for people: one line a department, one a finding."""
    board = [
        f"{_said(one.title, zh)}\t{'—' if one.score is None else f'{one.score:.2f}'}\t{one.grade or '—'}"
        for one in detail.departments
    ]
    found = [
        f"{one.case_number or '—'}\t{_said(one.department_title, zh)}\t{_said(one.feed_title, zh)}\t"
        f"{_said(one.reason, zh)}"
        for one in findings
    ]
    return [f"{detail.id}: {_said(detail.state_title, zh)}, {len(findings)} finding(s)", *board, *found]


def _said(title: Any, zh: bool) -> str:
    return str(title.zh if zh else title.en)


def _left_at(settings: Settings) -> Clock:
    """City time of the data: where a demo's clock was left, else the machine's."""
    settings.data.mkdir(parents=True, exist_ok=True)
    database = Database(settings.database_url())
    database.create()
    try:
        with database.reading() as session:
            row = session.get(ClockRow, "paced")
        return ManualClock(row.now) if row else SystemClock()
    finally:
        database.close()


def _tell(state: str, done: int, total: int) -> None:
    if sys.stderr.isatty():
        sys.stderr.write(f"\r{state}: {done} of {total} checks ")
        sys.stderr.flush()
