"""Retention: whole days of a table go when they are older than declared. Nothing goes without a line in the audit.

What is declared: ``retention_days`` of the entity type in the standard, else the setting for its sensitivity (that of
its most sensitive property). Without either, rows are kept for ever.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from typing import Any

from cityloop.access.audit import Audit
from cityloop.core.clock import Clock
from cityloop.core.database import Database
from cityloop.core.outbox import Outbox
from cityloop.core.settings import Settings
from cityloop.lake.events import SCHEMAS
from cityloop.lake.log import DataFile
from cityloop.lake.service import Lake
from cityloop.standard.service import Standard
from cityloop.standard.types import EntityType

log = logging.getLogger(__name__)
_ORDER = ("open", "internal", "sensitive")


@dataclass(frozen=True)
class Expiry:
    """Days of one table that are past their retention."""

    table: str
    keep_days: int
    before: date
    """The first day that stays."""
    first: date
    last: date
    days: int
    files: int
    rows: int
    bytes: int

    def plain(self) -> dict[str, Any]:
        """As JSON."""
        return {k: v.isoformat() if isinstance(v, date) else v for k, v in asdict(self).items()}


class Retention:
    """Says what is due by the city's date, and deletes it."""

    def __init__(
        self,
        lake: Lake,
        database: Database,
        audit: Audit,
        outbox: Outbox,
        clock: Clock,
        keep: Callable[[], Mapping[str, int]],
    ) -> None:
        """``keep`` gives the days of each table in force; a table that it does not name is kept for ever."""
        self._keep = keep
        self._lake, self._database, self._audit, self._outbox, self._clock = lake, database, audit, outbox, clock

    def plan(self) -> list[Expiry]:
        """What :meth:`apply` would delete now."""
        present = set(self._lake.tables())
        found = [self._due(table, days) for table, days in sorted(self._keep().items()) if table in present]
        return [expiry for expiry in found if expiry]

    def apply(self) -> list[Expiry]:
        """Delete what is due; the audit has its line before the first file goes, the outbox tells of it afterwards."""
        done = []
        for expiry in self.plan():
            with self._database.transaction() as tx:
                self._audit.record(tx, self._clock.now(), "system", "lake.expire", expiry.table, expiry.plain())
            self._lake.expire(expiry.table, expiry.before)
            with self._database.transaction() as tx:
                now = self._clock.now()
                self._outbox.record(tx, "cityloop.lake.expired", expiry.table, now, expiry.plain())
            log.info("%s: %d days up to %s are past their retention", expiry.table, expiry.days, expiry.last)
            done.append(expiry)
        return done

    def _due(self, table: str, days: int) -> Expiry | None:
        before = self._clock.now().date() - timedelta(days=days)
        files = self._lake.older(table, before)
        return _expiry(table, days, before, files) if files else None


def keep_days(standard: Standard, settings: Settings) -> dict[str, int]:
    """How many days each table is kept; those kept for ever are left out."""
    by_sensitivity = {
        "open": settings.retention_open_days,
        "internal": settings.retention_internal_days,
        "sensitive": settings.retention_sensitive_days,
    }
    found = {
        kind.id: kind.retention_days or by_sensitivity[sensitivity(kind)] for kind in standard.entity_types.values()
    }
    found |= dict.fromkeys(SCHEMAS, settings.retention_event_days)
    return {table: days for table, days in found.items() if days}


def sensitivity(kind: EntityType) -> str:
    """The sensitivity of a type's most sensitive property."""
    return max((item.sensitivity for item in kind.properties), key=_ORDER.index)


def _expiry(table: str, keep: int, before: date, files: list[DataFile]) -> Expiry:
    days = sorted({date.fromisoformat(file.partition) for file in files})
    return Expiry(
        table=table,
        keep_days=keep,
        before=before,
        first=days[0],
        last=days[-1],
        days=len(days),
        files=len(files),
        rows=sum(max(file.rows, 0) for file in files),
        bytes=sum(file.size for file in files),
    )
