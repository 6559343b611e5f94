"""Lets happen what is due: steps, reminders, escalations, scheduled starts, effects to be asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime

from cityloop.core.database import Database, Transaction
from cityloop.linkage import wheel
from cityloop.linkage.engine import Stuck
from cityloop.linkage.models import LinkageTimerRow, RunTaskRow
from cityloop.linkage.opening import Opener
from cityloop.linkage.performing import Performer
from cityloop.linkage.runner import Runner
from cityloop.linkage.schemas import OPEN_TASKS
from cityloop.linkage.starting import Starter

BATCH = 200
MOST_ROUNDS = 50
"""Rounds of one tick: what a round lets loose is done in the next one."""


class Driver:
    """One tick after the other; several processes may drive beside each other."""

    def __init__(
        self, database: Database, runner: Runner, performer: Performer, opener: Opener, starter: Starter
    ) -> None:
        self._database, self._runner, self._performer = database, runner, performer
        self._opener, self._starter = opener, starter
        self._inside: Mapping[str, Callable[[Transaction, LinkageTimerRow, datetime], None]] = {
            "step": self._step,
            "remind": self._remind,
            "escalate": self._escalate,
            "schedule": self._schedule,
        }

    def tick(self, now: datetime) -> int:
        """Do all that is due at ``now``; returns how much that was."""
        made = 0
        for _ in range(MOST_ROUNDS):
            with self._database.reading() as session:
                due = [(row.kind, row.ref, row.run) for row in wheel.due(session, now, BATCH)]
            done = sum(self._one(kind, ref, run, now) for kind, ref, run in due)
            made += done
            if done == 0:
                break
        return made

    def _one(self, kind: str, ref: str, run: str | None, now: datetime) -> bool:
        if kind == "effect":
            return self._performer.perform(ref, now)
        try:
            with self._database.transaction() as tx:
                timer = wheel.still_due(tx, kind, ref, now)
                if timer is None:
                    return False
                tx.session.delete(timer)
                tx.session.flush()
                self._inside[kind](tx, timer, now)
        except Stuck as stuck:
            with self._database.transaction() as tx:
                wheel.drop(tx, "step", ref)
                self._runner.fail(tx, run or ref, stuck, now)
        return True

    def _step(self, tx: Transaction, timer: LinkageTimerRow, now: datetime) -> None:
        row = self._runner.locked(tx, timer.ref)
        if row.state in ("running", "failed"):
            self._runner.advance(tx, row, lambda instance: instance.step(now), now)

    def _remind(self, tx: Transaction, timer: LinkageTimerRow, now: datetime) -> None:
        if task := self._open(tx, timer.ref):
            self._opener.remind(tx, task, now)

    def _escalate(self, tx: Transaction, timer: LinkageTimerRow, now: datetime) -> None:
        if task := self._open(tx, timer.ref):
            self._opener.escalate(tx, task, now)

    def _schedule(self, tx: Transaction, timer: LinkageTimerRow, now: datetime) -> None:
        self._starter.fire(tx, timer.ref, now)

    def _open(self, tx: Transaction, task: str) -> RunTaskRow | None:
        row = tx.session.get(RunTaskRow, task, populate_existing=True)
        return row if row is not None and row.state in OPEN_TASKS else None
