"""Where an emergency changes: the log, the event and the audit line, in one transaction."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from cityloop.access.audit import Audit
from cityloop.core.database import Transaction
from cityloop.core.outbox import Outbox
from cityloop.core.values import Title
from cityloop.emergency.models import LogRow, ResponseRow
from cityloop.emergency.phrases import PHRASES

MOVED = "cityloop.response.moved"
CALLED = "cityloop.response.called"
REMINDER = "cityloop.response.reminder"
_TOLD = ("id", "number", "kind", "title", "department", "area", "level", "state", "lon", "lat")


class Journal:
    """Writes what happens."""

    def __init__(self, outbox: Outbox, audit: Audit) -> None:
        self._outbox, self._audit = outbox, audit

    def write(
        self,
        tx: Transaction,
        row: ResponseRow,
        actor: str,
        now: datetime,
        kind: str,
        said: Title,
        words: str = "",
        more: Mapping[str, Any] | None = None,
    ) -> None:
        """A line of the log with its event; ``kind`` says what was done."""
        row.version += 1
        line = {"response": row.id, "at": now, "actor": actor, "kind": kind, "said": said.model_dump(), "words": words}
        tx.insert(LogRow, line)
        data = {"response": told(row), "move": kind, "said": said.model_dump(), "actor": actor, **(more or {})}
        self._outbox.record(tx, MOVED, row.id, now, data)
        detail = {"number": row.number, "said": said.zh, "words": words}
        self._audit.record(tx, now, actor, f"response.{kind}", row.id, detail)

    def say(
        self, tx: Transaction, row: ResponseRow, actor: str, now: datetime, kind: str, code: str, /, **parts: object
    ) -> None:
        """A line by the code of its phrase."""
        self.write(tx, row, actor, now, kind, PHRASES.what(code, **parts))

    def call(self, tx: Transaction, row: ResponseRow, now: datetime, role: str, person: Mapping[str, Any]) -> None:
        """Tell of somebody whose turn it is to be called."""
        data = {"response": told(row), "role": role, "account": person.get("account"), "name": person["name"]}
        self._outbox.record(tx, CALLED, row.id, now, data)

    def remind(self, tx: Transaction, row: ResponseRow, now: datetime, what: str, department: str) -> None:
        """Tell of what waits too long: a ``task``, or a ``contact`` that nobody answers for."""
        data = {"response": told(row), "what": what, "department": department}
        self._outbox.record(tx, REMINDER, row.id, now, data)


def told(row: ResponseRow) -> dict[str, Any]:
    """A response as events tell of it."""
    return {name: getattr(row, name) for name in _TOLD}
