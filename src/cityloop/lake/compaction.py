"""Compaction: many small files of a day become one, sorted by entity and time; then checkpoint and clean up.

Only files are exchanged, never rows: the log entry says so, and a reader that follows new rows steps over it.
"""

from __future__ import annotations

import time
from collections import defaultdict
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
from deltalake import DeltaTable

from cityloop.lake import disk
from cityloop.lake.append import add_action, commit, new_file
from cityloop.lake.log import Action, DataFile, TableLog
from cityloop.lake.query import view

SMALL = 32 * 1024 * 1024
"""Files below this many bytes are merged; larger ones are left alone, so that no row is rewritten for ever."""
FEWEST = 4
"""A day is touched when it has at least this many small files."""
RETENTION_HOURS = 1
"""Replaced files stay this long for queries that began before the exchange."""


def worklist(log: TableLog) -> dict[str, list[DataFile]]:
    """The small files of every partition that has enough of them."""
    small: dict[str, list[DataFile]] = defaultdict(list)
    for file in log.files.values():
        if file.size < SMALL:
            small[file.partition].append(file)
    return {partition: files for partition, files in small.items() if len(files) >= FEWEST}


def merge(log: TableLog, partition: str, files: list[DataFile], sync: bool) -> Path:
    """Write the rows of ``files`` into one new file that the log does not know yet."""
    path = new_file(log, partition, sync)
    order = [name for name in ("entity", "observed_at") if name in log.schema.names]
    select = view(log.folder, files, log.schema, log.partition)
    with duckdb.connect(config={"threads": 1, "autoinstall_known_extensions": False}) as connection:
        connection.execute("SET timezone='UTC'")
        columns = f"* EXCLUDE ({log.partition})"
        rows = f"SELECT {columns} FROM ({select})" + (f" ORDER BY {', '.join(order)}" if order else "")  # noqa: S608
        connection.execute(f"COPY ({rows}) TO '{path}' (FORMAT parquet, COMPRESSION zstd)")
    if sync:
        disk.force(path)
        disk.force(path.parent)
    return path


def exchange(log: TableLog, files: list[DataFile], merged: Path, partition: str, sync: bool) -> bool:
    """Commit the exchange; ``False`` (and nothing changed) when another process already replaced one of the files."""
    now = int(time.time() * 1000)
    add = add_action(log, merged, partition, pq.read_metadata(merged).num_rows, fresh=False)
    removes: list[Action] = [
        {"remove": {"path": f.path, "deletionTimestamp": now, "dataChange": False, "extendedFileMetadata": True,
                    "partitionValues": {log.partition: partition}, "size": f.size}}
        for f in files
    ]  # fmt: skip
    info: Action = {"commitInfo": {"timestamp": now, "operation": "OPTIMIZE", "engineInfo": "cityloop"}}
    while all(file.path in log.files for file in files):
        if commit(log, [info, add, *removes], sync):
            return True
        log.refresh()
    merged.unlink(missing_ok=True)
    return False


def checkpoint(folder: Path) -> None:
    """Write a checkpoint, drop log entries beyond their retention, delete files that were replaced long enough ago."""
    table = DeltaTable(str(folder))
    table.create_checkpoint()
    table.cleanup_metadata()
    table.vacuum(RETENTION_HOURS, dry_run=False, enforce_retention_duration=False, full=True)
