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

RUN_EVENTS = tuple(
    f"cityloop.run.{what}"
    for what in ("started", "stepped", "waiting", "paused", "resumed", "taken_over", "ended", "failed", "undone")
)
TASK_EVENTS = tuple(
    f"cityloop.task.{what}" for what in ("opened", "taken", "reminded", "escalated", "delegated", "answered", "done")
)


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
        self._outbox.record(tx, f"cityloop.run.{what}", row.id, now, {"run": run_document(row), **more})

    def task(self, tx: Transaction, what: str, row: RunTaskRow, now: datetime, **more: Any) -> None:
        """An event of a task."""
        self._outbox.record(tx, f"cityloop.task.{what}", row.id, now, {"task": task_document(row), **more})

    def publish(self, tx: Transaction, kind: str, subject: str, now: datetime, data: Mapping[str, Any]) -> None:
        """Any other event that a plan lets happen."""
        self._outbox.record(tx, kind, subject, now, data)

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
