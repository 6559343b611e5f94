"""User tasks as they open and go: whose they are, until when, who is reminded and told when they are late."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select

from cityloop.access.actor import SYSTEM
from cityloop.core.database import Transaction
from cityloop.core.errors import Problem
from cityloop.linkage import wheel
from cityloop.linkage.engine import Wait
from cityloop.linkage.limits import Limits
from cityloop.linkage.log import Log
from cityloop.linkage.models import RunRow, RunTaskRow
from cityloop.linkage.phrases import PHRASES
from cityloop.linkage.steps import UserStep

TASK_TIMERS: tuple[wheel.TimerKind, ...] = ("remind", "escalate")


class Opener:
    """Opens tasks of a run and lets them go."""

    def __init__(self, limits: Limits, log: Log) -> None:
        self.limits, self._log = limits, log

    def open(self, tx: Transaction, run: RunRow, step: UserStep, wait: Wait, now: datetime) -> None:
        """Open the task of a step that the instance has come to."""
        row = RunTaskRow(
            id=wait.step,
            run=run.id,
            plan=run.plan,
            plan_title=run.title,
            element=step.element,
            title=step.title.model_dump(),
            kind="approval" if step.levels else "task",
            department=step.department,
            post=step.post,
            state="open",
            area=run.area,
            opened_at=now,
            limit=step.limit,
            remind=step.remind,
            reminded=0,
            escalate=step.escalate,
            levels=step.levels,
            four_eyes=step.four_eyes,
            answers=[],
            values={},
            requested_by=self._asker(tx, run),
        )
        self._begin_clock(tx, row, now)
        tx.session.add(row)
        tx.session.flush()
        self._log.line(tx, run.id, now, "task", SYSTEM, PHRASES.what("line-task-opened", task=step.title), step.element)
        self._log.task(tx, "opened", row, now)

    def gone(self, tx: Transaction, row: RunTaskRow, now: datetime) -> None:
        """The run went on without it."""
        row.state, row.done_at = "gone", now
        for kind in TASK_TIMERS:
            wheel.drop(tx, kind, row.id)
        self._log.task(tx, "done", row, now)

    def remind(self, tx: Transaction, row: RunTaskRow, now: datetime) -> None:
        """Say again that it waits, and when to say it next."""
        row.reminded += 1
        self._log.task(tx, "reminded", row, now)
        self._next_reminder(tx, row, now)

    def escalate(self, tx: Transaction, row: RunTaskRow, now: datetime) -> None:
        """It is late: whoever the plan names has it in hand too."""
        row.escalated_to = row.escalate
        text = PHRASES.what("line-escalated", to=row.escalate or "")
        self._log.line(tx, row.run, now, "escalated", SYSTEM, text, row.element, {"task": row.id})
        self._log.task(tx, "escalated", row, now)

    def pause(self, tx: Transaction, row: RunTaskRow, now: datetime) -> None:
        """Its deadline stands still."""
        if row.clock:
            row.clock, row.due_at = self.limits.pause(row.clock, now), None

    def resume(self, tx: Transaction, row: RunTaskRow, now: datetime) -> None:
        """Its deadline goes on with what was left."""
        if row.clock:
            row.clock, row.due_at = self.limits.resume(row.clock, now)
            if row.due_at and row.escalate and not row.escalated_to:
                wheel.put(tx, "escalate", row.id, row.run, row.due_at)

    def _begin_clock(self, tx: Transaction, row: RunTaskRow, now: datetime) -> None:
        if row.limit:
            try:
                row.clock, row.due_at = self.limits.start(row.limit, now, row.department)
            except Problem:
                text = PHRASES.what("line-no-limit", text=row.limit)
                self._log.line(tx, row.run, now, "task", SYSTEM, text, row.element)
        if row.due_at and row.escalate:
            wheel.put(tx, "escalate", row.id, row.run, row.due_at)
        self._next_reminder(tx, row, now)

    def _next_reminder(self, tx: Transaction, row: RunTaskRow, now: datetime) -> None:
        if not row.remind:
            return
        try:
            due = self.limits.due_of(row.remind, now, row.department)
        except Problem:
            text = PHRASES.what("line-no-limit", text=row.remind)
            self._log.line(tx, row.run, now, "task", SYSTEM, text, row.element)
            return
        wheel.put(tx, "remind", row.id, row.run, due)

    def _asker(self, tx: Transaction, run: RunRow) -> str | None:
        """Whose request an approval answers: who did the last task of the run, else who started it."""
        done = (RunTaskRow.run == run.id) & (RunTaskRow.state == "done") & (RunTaskRow.kind == "task")
        newest = select(RunTaskRow.done_by).where(done).order_by(RunTaskRow.done_at.desc()).limit(1)
        return tx.session.scalar(newest) or run.started_by
