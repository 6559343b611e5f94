"""The lake's verbs: ensure, append, query, run, as_of, records, since, compact, expire, clean."""

from __future__ import annotations

import logging
import re
import threading
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from deltalake import DeltaTable, Field, Schema
from sqlglot import exp

from cityloop.lake import compaction, disk
from cityloop.lake.append import Txn, append, commit, fitted
from cityloop.lake.engine import Engine, Parameters, TableFiles, open_engine
from cityloop.lake.log import Action, DataFile, TableLog
from cityloop.lake.query import COLUMN_TYPES, DuckEngine
from cityloop.lake.snapshots import Snapshot, oldest
from cityloop.standard.batch import BASE_COLUMNS

log = logging.getLogger(__name__)
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")


@dataclass(frozen=True)
class TableStats:
    """What the log tells of a table without reading its rows."""

    table: str
    version: int
    rows: int
    bytes: int
    files: int
    first_day: date | None
    last_day: date | None
    committed_at: datetime | None
    """When rows or files last changed, in the machine's time."""


class _Handle:
    """One table's log and whose turn it is."""

    def __init__(self, folder: Path) -> None:
        self.log = TableLog(folder)
        self.turn = threading.Lock()
        self.compacting = threading.Lock()


class Lake:
    """Delta tables in one folder, one for each entity type. Safe for many threads and, by the log, many processes."""

    def __init__(
        self,
        folder: Path,
        sync: bool = True,
        *,
        engine: str = "duckdb",
        keep_hours: float = 1.0,
        log_days: float = 7.0,
    ) -> None:
        """Open the lake in ``folder``. ``engine`` names who answers :meth:`run`.

        Replaced files stay for ``keep_hours``, which must be longer than the longest query; the log tells of the last
        ``log_days``.
        """
        self.folder = folder.resolve()
        self.sync = sync
        self._keep_hours = keep_hours
        self._configuration = {
            "delta.logRetentionDuration": f"interval {max(1, round(log_days * 24))} hours",
            "delta.deletedFileRetentionDuration": f"interval {max(1, round(keep_hours))} hours",
        }
        disk.folder(self.folder, sync)
        self._handles: dict[str, _Handle] = {}
        self._opening = threading.Lock()
        self._here = DuckEngine(self.folder)
        self._chosen: Engine = self._here if engine == "duckdb" else open_engine(engine, self.folder)

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
            self._configure(handle.log)

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

    @property
    def dialect(self) -> str:
        """The dialect of the engine that answers :meth:`run`."""
        return self._chosen.dialect

    def query(self, sql: str, tables: Sequence[str], parameters: Parameters = ()) -> pa.Table:
        """Run one SELECT over ``tables`` in this process; times are UTC.

        A table without rows, or not there yet, is an empty view. This is how the city looks up what it needs while it
        works; figures and questions go to :meth:`run`.
        """
        return self._here.run(sql, [self.as_files(table) for table in tables], parameters)

    def run(self, tree: exp.Query, tables: Sequence[str], seconds: float | None = None) -> pa.Table:
        """Run one SELECT, given as a tree, on the engine that the settings chose. See :meth:`Engine.run`."""
        files = [self.as_files(table) for table in tables]
        return self._chosen.run(tree.sql(self.dialect), files, seconds=seconds)

    def as_of(self, instant: datetime) -> Snapshot:
        """The lake as it was at ``instant`` of the machine's time. See :class:`Snapshot`."""
        return Snapshot(self.folder, instant, self._here, self._chosen)

    def oldest(self, table: str) -> datetime | None:
        """The oldest instant as of which the table can be read; ``None`` when it does not exist."""
        return oldest(self._folder(table))

    def records(self, table: str, ids: Collection[str]) -> pa.Table:
        """Rows by record id, in no order. Only files whose range of ids takes one in are looked into."""
        wanted = set(ids)
        source = self.as_files(table)
        files = tuple(file for file in source.files if any(file.may_hold(record) for record in wanted))
        sql = f'SELECT * FROM "{table}" WHERE record IN (SELECT unnest($ids))'  # noqa: S608 - checked name
        return self._here.run(sql, [replace(source, files=files)], {"ids": sorted(wanted)})

    def stats(self, table: str) -> TableStats:
        """Rows, bytes and days of the table, from its log."""
        handle = self._handle(table)
        with handle.turn:
            current = handle.log.refresh()
            files, version = list(current.files.values()), current.version
        days = sorted(date.fromisoformat(file.partition) for file in files if file.partition)
        at = current.committed_at(version)
        return TableStats(
            table=table,
            version=version,
            rows=sum(max(file.rows, 0) for file in files),
            bytes=sum(file.size for file in files),
            files=len(files),
            first_day=days[0] if days else None,
            last_day=days[-1] if days else None,
            committed_at=datetime.fromtimestamp(at / 1000, UTC) if at is not None else None,
        )

    def older(self, table: str, before: date) -> list[DataFile]:
        """The files of all days before ``before``."""
        return _older(self._fresh(table), before)

    def expire(self, table: str, before: date) -> int:
        """Delete all days before ``before``; return how many files were given up.

        Readers that began earlier finish on the old files: these leave the disk with the next clean-up after
        ``keep_hours``.
        """
        handle = self._handle(table)
        with handle.compacting, handle.turn:
            while files := _older(handle.log.refresh(), before):
                now = int(time.time() * 1000)
                info: Action = {"commitInfo": {"timestamp": now, "operation": "DELETE", "engineInfo": "cityloop"}}
                removes = [compaction.remove_action(handle.log, file, now, fresh=True) for file in files]
                if commit(handle.log, [info, *removes], self.sync):
                    return len(files)
        return 0

    def clean(self, table: str) -> int:
        """Delete files and log entries that are past their retention; return how many files."""
        handle = self._handle(table)
        with handle.compacting:
            return compaction.clean(handle.log.folder, self._keep_hours)

    def compact(self, table: str) -> int:
        """Merge small files where it is worth it and write a checkpoint; return how many files went into others."""
        handle, merged = self._handle(table), 0
        with handle.compacting:
            with handle.turn:
                work = compaction.worklist(handle.log.refresh())
            for partition, files in work.items():
                made = compaction.merge(handle.log, partition, files, self.sync)
                with handle.turn:
                    exchanged = compaction.exchange(handle.log.refresh(), files, made, partition, self.sync)
                merged += len(files) if exchanged else 0
            if merged:
                compaction.checkpoint(handle.log.folder)
        return merged

    def close(self) -> None:
        """Close the engines."""
        self._here.close()
        if self._chosen is not self._here:
            self._chosen.close()

    def as_files(self, table: str) -> TableFiles:
        """The table as it is now: its active files and columns."""
        handle = self._handle(table)
        with handle.turn:
            current = handle.log.refresh()
            files, schema = tuple(current.files.values()), current.schema or BASE_COLUMNS
        return TableFiles(table, current.folder, files, schema, current.partition)

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
            str(folder),
            schema,
            mode="ignore",
            name=folder.name,
            partition_by=[partition],
            configuration=self._configuration,
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

    def _configure(self, current: TableLog) -> None:
        """Bring the table's own properties in line with the settings."""
        changed = {k: v for k, v in self._configuration.items() if current.configuration.get(k) != v}
        if changed:
            DeltaTable(str(current.folder)).alter.set_table_properties(changed)
            current.refresh()

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


def _older(current: TableLog, before: date) -> list[DataFile]:
    return [f for f in current.files.values() if f.partition and date.fromisoformat(f.partition) < before]
