"""The audit chain: each line holds the hash of the one before, so a removed or edited line is found."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from cityloop.access.models import AuditRow
from cityloop.core.canonical import digest
from cityloop.core.database import Database, Transaction
from cityloop.core.prepared import Prepared
from cityloop.core.values import utc

_START = "0" * 64
_NEWEST = Prepared(select(AuditRow.__table__.c.hash).order_by(AuditRow.__table__.c.seq.desc()).limit(1))


class Audit:
    """Appends lines inside the transaction of the act they record."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def record(
        self,
        tx: Transaction,
        time: datetime,
        actor: str,
        act: str,
        subject: str,
        detail: Mapping[str, Any] | None = None,
        result: str = "done",
    ) -> None:
        """Add one line. ``act`` is a verb such as ``case.close``; ``subject`` is the id it was done to."""
        row = {
            "time": utc(time),
            "actor": actor,
            "act": act,
            "object": subject,
            "result": result,
            "detail": dict(detail or {}),
            "previous": self._last(tx),
        }
        row["hash"] = digest(row)
        tx.memory["audit"] = row["hash"]
        tx.insert(AuditRow, row)

    def verify(self) -> int | None:
        """Walk the chain; return the sequence number of the first line that does not fit, or ``None``."""
        with self.database.reading() as session:
            expected = _START
            for row in session.scalars(select(AuditRow).order_by(AuditRow.seq).execution_options(yield_per=5000)):
                if row.previous != expected or digest(_content(row)) != row.hash:
                    return row.seq
                expected = row.hash
        return None

    def _last(self, tx: Transaction) -> str:
        if "audit" not in tx.memory:
            if self.database.dialect == "postgresql":
                # One writer at a time, or two lines would name the same predecessor.
                tx.session.execute(text("SELECT pg_advisory_xact_lock(7240114)"))
            tx.memory["audit"] = _newest(tx.session)
        return str(tx.memory["audit"])


def _newest(session: Session) -> str:
    return _NEWEST.scalar(session) or _START


def _content(row: AuditRow) -> dict[str, Any]:
    names = ("time", "actor", "act", "object", "result", "detail", "previous")
    return {name: getattr(row, name) for name in names}
