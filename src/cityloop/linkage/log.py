"""What a run leaves behind of each change: a line of its timeline, an event, an audit line of what people do."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from cityloop.access.actor import Actor
from cityloop.access.audit import Audit
from cityloop.core.database import Transaction
from cityloop.core.outbox import Outbox
from cityloop.core.values import Title
from cityloop.linkage.models import RunLineRow, RunRow, RunTaskRow

RUN_EVENTS = {
    "started": "cityloop.run.started",
    "stepped": "cityloop.run.stepped",
    "paused": "cityloop.run.paused",
    "resumed": "cityloop.run.resumed",
    "taken": "cityloop.run.taken",
    "ended": "cityloop.run.ended",
    "failed": "cityloop.run.failed",
    "undone": "cityloop.run.undone",
}
TASK_EVENTS = {
    "opened": "cityloop.task.opened",
    "taken": "cityloop.task.taken",
    "reminded": "cityloop.task.reminded",
    "escalated": "cityloop.task.escalated",
    "delegated": "cityloop.task.delegated",
    "answered": "cityloop.task.answered",
    "done": "cityloop.task.done",
}


class Log:
    """Writes in the transaction of the change."""

    def __init__(self, outbox: Outbox, audit: Audit) -> None:
        self._outbox, self._audit = outbox, audit

    def line(
        self,
        tx: Transaction,
        run: str,
        now: datetime,
        kind: str,
        actor: Actor,
        text: Title,
        element: str | None = None,
        detail: Mapping[str, Any] | None = None,
    ) -> None:
        """One line of the timeline."""
        row = {
            "run": run,
            "at": now,
            "kind": kind,
            "actor": actor.id,
            "actor_name": actor.name.model_dump(),
            "element": element,
            "text": text.model_dump(),
            "detail": dict(detail or {}),
        }
        tx.insert(RunLineRow, row)

    def run(self, tx: Transaction, what: str, row: RunRow, now: datetime, **more: Any) -> None:
        """An event of a run."""
        self._outbox.record(tx, RUN_EVENTS[what], row.id, now, {"run": run_document(row), **more})

    def task(self, tx: Transaction, what: str, row: RunTaskRow, now: datetime, **more: Any) -> None:
        """An event of a task."""
        self._outbox.record(tx, TASK_EVENTS[what], row.id, now, {"task": task_document(row), **more})

    def audit(
        self,
        tx: Transaction,
        now: datetime,
        actor: Actor,
        act: str,
        subject: str,
        detail: Mapping[str, Any],
        result: str = "done",
    ) -> None:
        """A line of the audit chain."""
        self._audit.record(tx, now, actor.id, act, subject, detail, result)


def run_document(row: RunRow) -> dict[str, Any]:
    """A run as its events tell it."""
    plain = ("id", "plan", "version", "title", "state", "trigger", "subject", "area", "department", "reason", "waiting")
    instants = ("started_at", "updated_at", "ended_at")
    told = {name: getattr(row, name) for name in plain}
    return told | {name: _iso(getattr(row, name)) for name in instants} | {"started_by": row.started_by}


def task_document(row: RunTaskRow) -> dict[str, Any]:
    """A task as its events tell it; the values of its form stay in the house."""
    plain = (
        *("id", "run", "plan", "plan_title", "element", "title", "kind", "department", "post", "assignee", "state"),
        *("area", "limit", "reminded", "escalated_to", "done_by"),
    )
    told = {name: getattr(row, name) for name in plain}
    return told | {name: _iso(getattr(row, name)) for name in ("opened_at", "due_at", "done_at")}


def _iso(at: datetime | None) -> str | None:
    return at.isoformat() if at else None
