"""One durable append: Parquet, then a log entry that names it, put in place only if nobody was faster.

delta-rs never calls fsync and slows down as files grow; this writer stays flat and survives a loss of power. It works
on POSIX folders only.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from cityloop.core.ids import new_id
from cityloop.lake import disk
from cityloop.lake.log import Action, TableLog

Txn = tuple[str, int]
ROW_GROUP = 40_960
"""Rows of one group of a file: small enough that the history of one entity steps over most of a day."""


def append(log: TableLog, rows: pa.Table, txn: Txn | None, sync: bool) -> int:
    """Add ``rows`` and return the version that holds them.

    With ``txn`` (writer, rising number) a number that is already in the log changes nothing: that is how a source that
    numbers its messages neither loses nor doubles a row. No rows with a ``txn`` still record the number.
    """
    if _done(log.refresh(), txn):
        return log.version
    adds = _write_files(log, rows, sync)
    info = {"timestamp": _millis(), "operation": "WRITE", "operationParameters": {"mode": "Append"}}
    actions: list[Action] = [{"commitInfo": {**info, "engineInfo": "cityloop"}}, *adds]
    if txn:
        actions.insert(1, {"txn": {"appId": txn[0], "version": txn[1], "lastUpdated": _millis()}})
    while not commit(log, actions, sync):
        if _done(log.refresh(), txn):
            _discard(log.folder, adds)
            return log.version
    return log.version


def commit(log: TableLog, actions: Sequence[Action], sync: bool) -> bool:
    """Try to make ``actions`` the next version; ``False`` when another writer took that number first."""
    text = "\n".join(json.dumps(action, separators=(",", ":")) for action in actions) + "\n"
    version = log.version + 1
    if not disk.put_if_absent(log.entry(version), text.encode(), sync):
        return False
    log.apply(version, actions)
    return True


def fitted(rows: pa.Table, schema: pa.Schema) -> pa.Table:
    """``rows`` in the order and types of ``schema``; missing columns become null, unknown ones raise ``ValueError``."""
    unknown = set(rows.column_names) - set(schema.names)
    if unknown:
        raise ValueError(f"the table has no column {', '.join(sorted(unknown))}; ensure() adds columns")
    columns = [
        rows[field.name].cast(field.type) if field.name in rows.column_names else pa.nulls(rows.num_rows, field.type)
        for field in schema
    ]
    return pa.table(columns, schema=schema)


def add_action(
    log: TableLog, path: Path, partition: str, rows: int, records: tuple[str, str] | None, *, fresh: bool
) -> Action:
    """The log's word for one new file. Statistics beyond the row count are left out: foreign readers misread them.

    The first and last record id stand in the tags, which foreign readers pass over: they are the index by record.
    """
    tags = {"columns": str(len(log.schema))}
    if records:
        tags |= {"first_record": records[0], "last_record": records[1]}
    return {
        "add": {
            "path": path.relative_to(log.folder).as_posix(),
            "partitionValues": {log.partition: partition},
            "size": path.stat().st_size,
            "modificationTime": _millis(),
            "dataChange": fresh,
            "stats": json.dumps({"numRecords": rows}),
            "tags": tags,
        }
    }


def new_file(log: TableLog, partition: str, sync: bool) -> Path:
    """A free file name in a partition's folder, which is created when needed."""
    folder = log.folder / f"{log.partition}={partition}"
    disk.folder(folder, sync)
    return folder / f"{new_id('part')}.parquet"


def _write_files(log: TableLog, rows: pa.Table, sync: bool) -> list[Action]:
    adds: list[Action] = []
    for partition, part in _partitions(fitted(rows, log.schema), log.partition):
        path = new_file(log, partition, sync)
        pq.write_table(
            part.drop_columns([log.partition]), path, compression="snappy", store_schema=False, row_group_size=ROW_GROUP
        )
        if sync:
            disk.force(path)
            disk.force(path.parent)
        adds.append(add_action(log, path, partition, part.num_rows, _records(part), fresh=True))
    return adds


def _partitions(rows: pa.Table, column: str) -> Iterator[tuple[str, pa.Table]]:
    values = pc.unique(rows[column])
    for value in values:
        part = rows if len(values) == 1 else rows.filter(pc.equal(rows[column], value))
        yield str(value.as_py()), part


def _records(rows: pa.Table) -> tuple[str, str] | None:
    if "record" not in rows.column_names:
        return None
    ends = pc.min_max(rows["record"])
    first, last = ends["min"].as_py(), ends["max"].as_py()
    return None if first is None else (first, last)


def _done(log: TableLog, txn: Txn | None) -> bool:
    return txn is not None and log.transactions.get(txn[0], -1) >= txn[1]


def _discard(folder: Path, adds: Sequence[Any]) -> None:
    for add in adds:
        (folder / add["add"]["path"]).unlink(missing_ok=True)


def _millis() -> int:
    return int(time.time() * 1000)
