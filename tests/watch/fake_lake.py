"""A lake in memory, enough for the watch: tables of committed batches, one version each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

import duckdb
import pyarrow as pa

from cityloop.standard.batch import BASE_COLUMNS, ObservationBatch
from tests.watch.naive import at

SCHEMA = pa.schema([*BASE_COLUMNS, pa.field("x", pa.float64()), pa.field("kind", pa.string())])


class FakeLake:
    """One table, ``Thing``; version 0 is its creation."""

    def __init__(self) -> None:
        self.commits: list[pa.Table] = []

    def commit(self, *records: tuple[str, float, float], kind: str = "k") -> ObservationBatch:
        """Commit records (entity, second, value)."""
        version = len(self.commits) + 1
        rows = [
            {
                "entity": entity,
                "observed_at": at(second),
                "received_at": at(second) + timedelta(milliseconds=version),
                "feed": "f",
                "record": f"b{version}:{number}",
                "area": "440304",
                "date": at(second).date(),
                "x": value,
                "kind": kind,
            }
            for number, (entity, second, value) in enumerate(records)
        ]
        table = pa.Table.from_pylist(rows, SCHEMA)
        self.commits.append(table)
        return ObservationBatch("Thing", table, version)

    def version(self, table: str) -> int:
        """The newest version."""
        return len(self.commits)

    def since(self, table: str, version: int) -> pa.Table:
        """Rows behind a version."""
        return pa.concat_tables([SCHEMA.empty_table(), *self.commits[max(0, version) :]])

    def schema(self, table: str) -> pa.Schema:
        """The columns."""
        return SCHEMA

    def query(self, sql: str, tables: Sequence[str], parameters: Mapping[str, Any] | None = None) -> pa.Table:
        """Run one SELECT."""
        with duckdb.connect() as connection:
            connection.execute("SET timezone='UTC'")
            connection.register("Thing", self.since("Thing", 0))
            return connection.sql(sql, params=parameters).to_arrow_table()
