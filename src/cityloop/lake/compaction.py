"""Compaction: many small files of a day become one, sorted by entity and time; then checkpoint and clean up.

Only files are exchanged, never rows: the log entry says so, and a reader that follows new rows steps over it.
"""

from __future__ import annotations

import contextlib
import time
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import duckdb
from deltalake import DeltaTable
from deltalake.exceptions import DeltaError

from cityloop.lake import disk
from cityloop.lake.append import ROW_GROUP, add_action, commit, new_file
from cityloop.lake.log import Action, DataFile, TableLog
from cityloop.lake.query import view

SMALL = 32 * 1024 * 1024
"""Files below this many bytes are merged; larger ones are left alone, so that no row is rewritten for ever."""
FEWEST = 4
"""A day is touched when it has at least this many small files."""
TIER = 4
"""A file is merged with smaller ones only when these together have a quarter of its size: rows move a few times."""
QUIET_SECONDS = 3600
"""A day that nothing was added to for so long gets all its small files merged."""
LISTINGS = 5
"""How often the log is listed until all of its entries are there."""

Records = tuple[str, str] | None


def worklist(log: TableLog, now: float | None = None) -> dict[str, list[DataFile]]:
    """The files of every partition that are worth merging at ``now`` (seconds since 1970, default: now)."""
    small: dict[str, list[DataFile]] = defaultdict(list)
    for file in log.files.values():
        if file.size < SMALL:
            small[file.partition].append(file)
    quiet = ((time.time() if now is None else now) - QUIET_SECONDS) * 1000
    work = {partition: _worth(files, quiet) for partition, files in small.items()}
    return {partition: files for partition, files in work.items() if files}


def _worth(files: Sequence[DataFile], quiet: float) -> list[DataFile]:
    if len(files) > 1 and max(file.written for file in files) < quiet:
        return list(files)
    taken: list[DataFile] = []
    total = 0
    for file in sorted(files, key=lambda item: item.size):
        if len(taken) >= FEWEST and file.size > TIER * total:
            break
        taken.append(file)
        total += file.size
    return taken if len(taken) >= FEWEST else []


def merge(log: TableLog, partition: str, files: list[DataFile], sync: bool) -> tuple[Path, int, Records]:
    """Write the rows of ``files`` into one new file that the log does not know yet; its rows and record ids."""
    path = new_file(log, partition, sync)
    order = [name for name in ("entity", "observed_at") if name in log.schema.names]
    select = view(log.folder, files, log.schema, log.partition)
    with duckdb.connect(config={"threads": 1, "autoinstall_known_extensions": False}) as connection:
        connection.execute("SET timezone='UTC'")
        columns = f"* EXCLUDE ({log.partition})"
        rows = f"SELECT {columns} FROM ({select})" + (f" ORDER BY {', '.join(order)}" if order else "")  # noqa: S608
        connection.execute(f"COPY ({rows}) TO '{path}' (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE {ROW_GROUP})")
        ends = "min(record), max(record)" if "record" in log.schema.names else "NULL, NULL"
        told = connection.execute(f"SELECT count(*), {ends} FROM read_parquet('{path}')").fetchone()  # noqa: S608
    if sync:
        disk.force(path)
        disk.force(path.parent)
    count, first, last = told or (0, None, None)
    return path, int(count), None if first is None else (str(first), str(last))


def exchange(
    log: TableLog, files: list[DataFile], merged: tuple[Path, int, Records], partition: str, sync: bool
) -> bool:
    """Commit the exchange; ``False`` (and nothing changed) when another process already replaced one of the files."""
    now = int(time.time() * 1000)
    path, rows, records = merged
    add = add_action(log, path, partition, rows, records, fresh=False)
    removes = [remove_action(log, file, now, fresh=False) for file in files]
    info: Action = {"commitInfo": {"timestamp": now, "operation": "OPTIMIZE", "engineInfo": "cityloop"}}
    while all(file.path in log.files for file in files):
        if commit(log, [info, add, *removes], sync):
            return True
        log.refresh()
    path.unlink(missing_ok=True)
    return False


def remove_action(log: TableLog, file: DataFile, now: int, *, fresh: bool) -> Action:
    """The log's word for a file that no longer counts; ``fresh`` says whether its rows are gone too."""
    return {
        "remove": {
            "path": file.path,
            "deletionTimestamp": now,
            "dataChange": fresh,
            "extendedFileMetadata": True,
            "partitionValues": {log.partition: file.partition},
            "size": file.size,
        }
    }


def checkpoint(folder: Path) -> None:
    """Write a checkpoint, so that opening the table reads one file instead of many entries."""
    _opened(folder).create_checkpoint()


def clean(folder: Path, keep_hours: float) -> int:
    """Drop log entries beyond their retention and delete files that nobody has needed for ``keep_hours``.

    Files that a crash left before their commit go too. Returns how many files were deleted.
    """
    table = _opened(folder)
    table.cleanup_metadata()
    hours = max(1, round(keep_hours))
    gone = table.vacuum(hours, dry_run=True, enforce_retention_duration=False, full=True)
    if gone:
        table.vacuum(hours, dry_run=False, enforce_retention_duration=False, full=True)
    return len(gone)


def _opened(folder: Path) -> DeltaTable:
    """The table as it is now. A folder listed while commits go on can leave one of them out: it is read again."""
    for _ in range(LISTINGS - 1):
        with contextlib.suppress(DeltaError):
            return DeltaTable(str(folder))
    return DeltaTable(str(folder))
