"""The read-only SQL desk: one guarded SELECT, within the asker's scope, with an end to time and rows."""

from __future__ import annotations

import math
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any, Literal

import pyarrow as pa
from pydantic import Field
from sqlglot import exp

from cityloop.access.actor import Actor
from cityloop.access.audit import Audit
from cityloop.access.door import Door
from cityloop.analyse.guard import LONGEST, guarded
from cityloop.analyse.model import protected
from cityloop.analyse.sources import policy
from cityloop.core.clock import SystemClock
from cityloop.core.database import Database
from cityloop.core.errors import AccessDenied, Problem
from cityloop.core.values import Frozen
from cityloop.lake.service import Lake

PERMISSION = "data.sql"
SECONDS = 20.0
"""Longest a statement may run."""
Kind = Literal["text", "number", "instant", "date", "flag", "other"]


class SqlRequest(Frozen):
    """One SELECT in DuckDB's words over the tables of the lake."""

    sql: str = Field(min_length=1, max_length=LONGEST)
    limit: int = Field(default=1000, ge=1, le=10_000)


class SqlColumn(Frozen):
    """A column of an answer or of a table."""

    id: str
    kind: Kind


class SqlResult(Frozen):
    """The rows, and the statement as it ran, with the asker's scope inside."""

    columns: list[SqlColumn]
    rows: list[list[Any]]
    truncated: bool
    tables: list[str]
    sql: str
    scope: list[str]


class SqlTable(Frozen):
    """A table that the asker may read."""

    id: str
    columns: list[SqlColumn]


class SqlDesk:
    """Answers written statements and leaves an audit record of each, also of those that were refused."""

    def __init__(self, *, lake: Lake, door: Door, database: Database, audit: Audit) -> None:
        self._lake, self._door, self._database = lake, door, database
        self._audit, self._clock = audit, SystemClock()

    def tables(self, actor: Actor) -> list[SqlTable]:
        """The tables that the actor may read, with their columns."""
        self._door.permit(actor, PERMISSION)
        return [
            SqlTable(id=name, columns=[SqlColumn(id=f.name, kind=kind_of(f.type)) for f in self._lake.schema(name)])
            for name in self._visible(actor)
        ]

    def run(self, actor: Actor, request: SqlRequest) -> SqlResult:
        """The rows of a statement; raises :class:`Invalid` where it is not let through, :class:`AccessDenied`."""
        try:
            self._door.permit(actor, PERMISSION)
            answer = self._run(actor, request)
        except Problem:
            self._record(actor, request, "refused")
            raise
        self._record(actor, request, "done")
        return answer

    def _run(self, actor: Actor, request: SqlRequest) -> SqlResult:
        scopes: dict[str, str] = {}

        def sight(name: str) -> exp.Subquery:
            scope = self._door.scope(actor, protected(name), name)
            scopes[name] = scope.reason
            return policy(name, scope, self._lake.schema(name).names)

        # A table out of sight is refused by the door, with its reason; hints name only what is in sight.
        known = self._lake.tables()
        tree, tables = guarded(request.sql, known, sight, hints=self._visible(actor))
        limited = exp.select("*").from_(tree.subquery("answer")).limit(request.limit + 1)
        found = self._lake.run(limited, tables, seconds=SECONDS)
        rows = [[_cell(value) for value in row.values()] for row in _unique(found).to_pylist()]
        return SqlResult(
            columns=[SqlColumn(id=field.name, kind=kind_of(field.type)) for field in found.schema],
            rows=rows[: request.limit],
            truncated=len(rows) > request.limit,
            tables=tables,
            sql=limited.sql(self._lake.dialect, pretty=True),
            scope=list(dict.fromkeys(scopes.values())),
        )

    def _visible(self, actor: Actor) -> list[str]:
        return [name for name in self._lake.tables() if self._sees(actor, name)]

    def _sees(self, actor: Actor, table: str) -> bool:
        try:
            self._door.posts_scope(actor, protected(table), table)
        except AccessDenied:
            return False
        return True

    def _record(self, actor: Actor, request: SqlRequest, result: str) -> None:
        with self._database.transaction() as tx:
            detail = {"sql": request.sql[:2000]}
            self._audit.record(tx, self._clock.now(), actor.id, "data.sql", "lake", detail, result)


def kind_of(kind: pa.DataType) -> Kind:
    """What a client should take values of an Arrow type for."""
    if pa.types.is_boolean(kind):
        return "flag"
    if pa.types.is_timestamp(kind):
        return "instant"
    if pa.types.is_date(kind):
        return "date"
    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        return "number"
    return "text" if pa.types.is_string(kind) or pa.types.is_large_string(kind) else "other"


def _unique(found: pa.Table) -> pa.Table:
    """The same rows under names that differ: two columns of an answer may share one."""
    return found.rename_columns([f"{number}" for number in range(found.num_columns)])


def _cell(value: Any) -> Any:
    """A value as JSON has it."""
    if isinstance(value, Decimal):
        value = float(value)
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if value is None or isinstance(value, str | int | float | bool | datetime | date | time):
        return value
    return str(value)
