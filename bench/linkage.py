"""Linkage under load: a step of one of very many runs over very many open tasks, and a month on a simulated clock.

A step is all that happens when a task is completed: the instance is loaded, goes on, is saved with tasks, timers, line,
event and audit line, and the commit is durable.
"""

from __future__ import annotations

import copy
import tempfile
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import func, select

from bench.conditions import conditions, percentiles
from cityloop.access.actor import Actor
from cityloop.access.audit import Audit
from cityloop.access.door import Door
from cityloop.city.service import City
from cityloop.core.clock import ManualClock
from cityloop.core.database import Database, Transaction
from cityloop.core.errors import NotFound
from cityloop.core.outbox import Outbox
from cityloop.core.values import Title
from cityloop.linkage.models import RunTaskRow
from cityloop.linkage.ports import Answered, Occasion, PlanSource
from cityloop.linkage.schemas import OPEN_TASKS, NewRun
from cityloop.linkage.service import Linkage, engine_of, open_linkage

START = datetime(2026, 3, 1, 0, 0, tzinfo=UTC)
LEAD = Actor(id="zhiban", name=Title(zh="值班长", en="Lead"), posts=("shift_leader",), department="centre")
WATER = Actor(id="water", name=Title(zh="水务局", en="Water"), posts=("department",), department="water")
_HERE = Path(__file__).parent


def run(runs: int, open_tasks: int, days: int) -> dict[str, Any]:
    """Figures in milliseconds, of the clock and of the processor."""
    with tempfile.TemporaryDirectory() as folder:
        return {
            "conditions": conditions("SpiffWorkflow", "sqlalchemy"),
            "steps": _steps(Path(folder) / "steps.db", runs, open_tasks),
            "month": _month(Path(folder) / "month.db", days),
        }


class _Bench:
    """The room over a new database with durable commits."""

    def __init__(self, path: Path) -> None:
        self.clock = ManualClock(START)
        self.database = Database(f"sqlite:///{path}")
        self.database.create()
        city = copy.copy(City.load(_HERE.parent / "cities" / "demo", self.clock))
        self.linkage = self._open(city)
        self.linkage.performer.offer({"notify": _Told()})

    def _open(self, city: City) -> Linkage:
        return open_linkage(
            database=self.database,
            outbox=Outbox(self.database),
            door=Door(city.policy),
            audit=Audit(self.database),
            city=city,
            plans=_Shelf(),
            engine=engine_of(city),
            people=_Nobody(),
            still_open=lambda *_: False,
            final=lambda _: False,
        )

    def start(self, plan: str) -> str:
        """One more run."""
        return self.linkage.runs.start(LEAD, NewRun(plan=plan, reason="压力测试")).run.id

    def waiting(self) -> list[str]:
        """Open tasks, the oldest first."""
        query = select(RunTaskRow.id).where(RunTaskRow.state.in_(OPEN_TASKS)).order_by(RunTaskRow.id)
        with self.database.reading() as session:
            return list(session.scalars(query))


def _steps(path: Path, runs: int, open_tasks: int) -> dict[str, Any]:
    bench = _Bench(path)
    for _ in range(-(-(open_tasks - 2 * runs) // 10)):
        bench.start("crowd")
    before = set(bench.waiting())
    for _ in range(runs):
        bench.start("flood")
    mine = [task for task in bench.waiting() if task not in before]
    wall, cpu = [], []
    for task in mine:
        at, used = time.perf_counter(), time.process_time()
        bench.linkage.tasks.complete(WATER, task, {"depth": 9})
        wall.append((time.perf_counter() - at) * 1000)
        cpu.append((time.process_time() - used) * 1000)
    with bench.database.reading() as session:
        still = session.scalar(select(func.count()).select_from(RunTaskRow).where(RunTaskRow.state.in_(OPEN_TASKS)))
    bench.database.close()
    told = {"runs": runs, "open_tasks": len(before) + len(mine), "steps": len(mine), "open_after": still}
    return {**told, "clock_ms": percentiles(wall), "processor_ms": percentiles(cpu)}


def _month(path: Path, days: int) -> dict[str, Any]:
    """Every hour of the days: one scheduled plan, whose task is done before the hour is over."""
    bench = _Bench(path)
    at, used, steps = time.perf_counter(), time.process_time(), 0
    for _ in range(days * 24):
        bench.start("flood")
        for _ in range(4):
            bench.clock.advance(timedelta(minutes=15))
            bench.linkage.tick(bench.clock.now())
            for task in bench.waiting():
                bench.linkage.tasks.complete(WATER, task, {"depth": 9})
                steps += 1
    seconds, processor = time.perf_counter() - at, time.process_time() - used
    bench.database.close()
    return {"days": days, "tasks": steps, "seconds": round(seconds, 1), "processor_seconds": round(processor, 1)}


class _Shelf:
    """The plans of this folder."""

    def __init__(self) -> None:
        texts = {path.stem: path.read_text(encoding="utf-8") for path in (_HERE / "plans").glob("*.bpmn")}
        self._plans = {name: PlanSource(name, 1, xml, Title(zh=name, en=name)) for name, xml in texts.items()}

    def in_force(self) -> list[PlanSource]:
        return list(self._plans.values())

    def current(self, plan: str) -> PlanSource:
        return self._plans[plan]

    def version(self, plan: str, version: int) -> PlanSource:
        return self._plans[plan]


class _Told:
    """A service of the house that does nothing."""

    def do(self, tx: Transaction, inputs: Mapping[str, Any], occasion: Occasion) -> Answered:
        return Answered({"told": True})

    def undo(
        self, tx: Transaction, effect: Answered, inputs: Mapping[str, Any], actor: Actor, occasion: Occasion
    ) -> Title:
        return occasion.plan_title


class _Nobody:
    def get(self, account: str) -> Actor:
        raise NotFound(account)
