"""The lake's verbs: ensure, append, since, query, compact."""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from deltalake import DeltaTable, Field, Schema

from cityloop.lake import compaction, disk
from cityloop.lake.append import Txn, append, fitted
from cityloop.lake.log import TableLog
from cityloop.lake.query import COLUMN_TYPES, Engine, Parameters, view
from cityloop.standard.batch import BASE_COLUMNS

log = logging.getLogger(__name__)
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_CONFIGURATION = {
    "delta.logRetentionDuration": "interval 7 days",
    "delta.deletedFileRetentionDuration": f"interval {compaction.RETENTION_HOURS} hours",
}


class _Handle:
    """One table's log and whose turn it is."""

    def __init__(self, folder: Path) -> None:
        self.log = TableLog(folder)
        self.turn = threading.Lock()
        self.compacting = threading.Lock()


class Lake:
    """Delta tables in one folder, one for each entity type. Safe for many threads and, by the log, many processes."""

    def __init__(self, folder: Path, sync: bool = True) -> None:
        self.folder = folder.resolve()
        self.sync = sync
        disk.folder(self.folder, sync)
        self._handles: dict[str, _Handle] = {}
        self._opening = threading.Lock()
        self._engine = Engine(self.folder)

    def ensure(self, table: str, schema: pa.Schema, partition: str = "date") -> None:
        """Create the table, or add the columns it lacks, nullable. A changed type raises ``ValueError``."""
        folder = self._folder(table)
        odd = [field.name for field in schema if field.type not in COLUMN_TYPES]
        if odd:
            raise ValueError(f"table {table}: the type of {', '.join(odd)} is not one the lake keeps")
        with self._opening:
            if not (folder / "_delta_log").is_dir():
                self._create(folder, schema, partition)
        handle = self._handle(table)
        with handle.turn:
            self._evolve(handle.log.refresh(), schema)

    def append(self, table: str, rows: pa.Table, txn: Txn | None = None) -> int:
        """Add rows durably; return the version that holds them. See :func:`cityloop.lake.append.append`."""
        handle = self._handle(table)
        with handle.turn:
            return append(handle.log, rows, txn, self.sync)

    def txn_version(self, table: str, app: str) -> int | None:
        """The last number that writer ``app`` committed, ``None`` when it never did."""
        return self._fresh(table).transactions.get(app)

    def version(self, table: str) -> int:
        """The table's newest version; -1 when it does not exist."""
        return self._fresh(table).version

    def files(self, table: str) -> list[str]:
        """Absolute paths of the active files."""
        current = self._fresh(table)
        return [str(current.folder / path) for path in sorted(current.files)]

    def since(self, table: str, version: int) -> pa.Table:
        """Rows that were added behind ``version``, commit by commit in order.

        Where log or files of that time are gone, all rows are returned: a reader is told too much, never too little.
        """
        current = self._fresh(table)
        paths = current.added(version) if version >= 0 else None
        if paths is not None:
            try:
                return self._read(current, paths)
            except FileNotFoundError:
                log.warning("files behind version %d of %s are gone; all its rows are read again", version, table)
        return self.query(f'SELECT * FROM "{table}" ORDER BY received_at, observed_at', [table])  # noqa: S608

    def tables(self) -> list[str]:
        """Names of all tables, sorted."""
        return sorted(path.parent.name for path in self.folder.glob("*/_delta_log"))

    def schema(self, table: str) -> pa.Schema:
        """Columns of the table; the base columns when it does not exist yet."""
        return self._fresh(table).schema or BASE_COLUMNS

    def query(self, sql: str, tables: Sequence[str], parameters: Parameters = ()) -> pa.Table:
        """Run one SELECT over ``tables``; times are UTC. A table without rows, or not there yet, is an empty view."""
        return self._engine.run(sql, {table: self._view(table) for table in tables}, parameters)

    def compact(self, table: str) -> int:
        """Merge small files, write a checkpoint, clean up; return how many files went into others."""
        handle, merged = self._handle(table), 0
        with handle.compacting:
            with handle.turn:
                work = compaction.worklist(handle.log.refresh())
            for partition, files in work.items():
                path = compaction.merge(handle.log, partition, files, self.sync)
                with handle.turn:
                    exchanged = compaction.exchange(handle.log.refresh(), files, path, partition, self.sync)
                merged += len(files) if exchanged else 0
            if merged:
                compaction.checkpoint(handle.log.folder)
        return merged

    def close(self) -> None:
        """Close the query engine."""
        self._engine.close()

    def _view(self, table: str) -> str:
        handle = self._handle(table)
        with handle.turn:
            current = handle.log.refresh()
            files, schema = list(current.files.values()), current.schema or BASE_COLUMNS
        return view(current.folder, files, schema, current.partition)

    def _read(self, current: TableLog, paths: Sequence[str]) -> pa.Table:
        parts = []
        for path in paths:
            part = pq.read_table(current.folder / path, partitioning=None)
            day = pa.scalar(path.split("/")[0].partition("=")[2]).cast(current.schema.field(current.partition).type)
            column = pa.repeat(day, part.num_rows)
            parts.append(fitted(part.append_column(current.partition, column), current.schema))
        return pa.concat_tables(parts) if parts else current.schema.empty_table()

    def _create(self, folder: Path, schema: pa.Schema, partition: str) -> None:
        DeltaTable.create(
            str(folder), schema, mode="ignore", name=folder.name, partition_by=[partition], configuration=_CONFIGURATION
        )
        if self.sync:
            for path in (folder / "_delta_log" / f"{0:020}.json", folder / "_delta_log", folder, self.folder):
                disk.force(path)

    def _evolve(self, current: TableLog, schema: pa.Schema) -> None:
        known: Mapping[str, pa.DataType] = {field.name: field.type for field in current.schema}
        changed = [f.name for f in schema if f.name in known and known[f.name] != f.type]
        if changed:
            name = current.folder.name
            raise ValueError(f"table {name} holds {', '.join(changed)} in another type; give the property a new id")
        missing = [field.with_nullable(True) for field in schema if field.name not in known]
        if missing:
            fields: list[Field] = list(Schema.from_arrow(pa.schema(missing)).fields)
            DeltaTable(str(current.folder)).alter.add_columns(fields)
            current.refresh()
            if self.sync:
                disk.force(current.entry(current.version))
                disk.force(current.log)

    def _fresh(self, table: str) -> TableLog:
        handle = self._handle(table)
        with handle.turn:
            return handle.log.refresh()

    def _handle(self, table: str) -> _Handle:
        handle = self._handles.get(table)
        if handle is None:
            handle = self._handles.setdefault(table, _Handle(self._folder(table)))
        return handle

    def _folder(self, table: str) -> Path:
        if not _NAME.fullmatch(table):
            raise ValueError(f"'{table}' is not the name of a lake table")
        return self.folder / table
