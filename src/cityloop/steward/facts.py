"""Facts of lake tables from the footers of their files: rows, bytes, gaps, least and greatest values.

The Delta log keeps the row count alone; the footers of the Parquet files know the rest. A file never changes, so what
was read of one is kept as long as the table holds the file.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from cityloop.lake.service import Lake


@dataclass(frozen=True)
class ColumnFacts:
    """Empty values of a column and its least and greatest value, ``None`` where no file tells."""

    nulls: int = 0
    least: Any = None
    greatest: Any = None

    def plus(self, other: ColumnFacts) -> ColumnFacts:
        """The facts of both together."""
        return ColumnFacts(
            self.nulls + other.nulls,
            _pick(min, self.least, other.least),
            _pick(max, self.greatest, other.greatest),
        )


@dataclass(frozen=True)
class TableFacts:
    """One table, or one file of it."""

    rows: int = 0
    bytes: int = 0
    files: int = 0
    partitions: int = 0
    columns: Mapping[str, ColumnFacts] = field(default_factory=dict)


class Facts:
    """Reads footers once."""

    def __init__(self, lake: Lake) -> None:
        self._lake = lake
        self._files: dict[str, dict[str, TableFacts]] = {}
        self._turn = threading.Lock()

    def of(self, table: str) -> TableFacts:
        """The facts of a table as it is now; a table that is not there yet has none."""
        if table not in self._lake.tables():
            return TableFacts()
        paths = self._lake.files(table)
        with self._turn:
            known = self._files.get(table, {})
        found = {path: facts for path in paths if (facts := known.get(path) or _footer(Path(path))) is not None}
        with self._turn:
            self._files[table] = found
        return _together(found, self._lake.schema(table).names)


def _together(files: Mapping[str, TableFacts], columns: Iterable[str]) -> TableFacts:
    parts = list(files.values())
    whole = {name: _sum(part.columns.get(name) or ColumnFacts(nulls=part.rows) for part in parts) for name in columns}
    return TableFacts(
        rows=sum(part.rows for part in parts),
        bytes=sum(part.bytes for part in parts),
        files=len(parts),
        partitions=len({Path(path).parent.name for path in files}),
        columns=whole,
    )


def _sum(parts: Iterable[ColumnFacts]) -> ColumnFacts:
    total = ColumnFacts()
    for part in parts:
        total = total.plus(part)
    return total


def _footer(path: Path) -> TableFacts | None:
    """What one file tells; ``None`` when compaction has just taken it away."""
    try:
        footer, size = pq.read_metadata(path), path.stat().st_size
    except FileNotFoundError:
        return None
    columns: dict[str, ColumnFacts] = {}
    for number in range(footer.num_row_groups):
        group = footer.row_group(number)
        for index in range(group.num_columns):
            column = group.column(index)
            before = columns.get(column.path_in_schema, ColumnFacts())
            columns[column.path_in_schema] = before.plus(_chunk(column.statistics))
    partition, _, value = path.parent.name.partition("=")
    if partition == "date":
        day = date.fromisoformat(value)
        columns[partition] = ColumnFacts(0, day, day)
    return TableFacts(footer.num_rows, size, 1, 1, columns)


def _chunk(told: Any) -> ColumnFacts:
    if told is None:
        return ColumnFacts()
    least, greatest = (told.min, told.max) if told.has_min_max else (None, None)
    nulls = told.null_count if told.has_null_count else 0
    return ColumnFacts(nulls, _plain(least), _plain(greatest))


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, datetime):
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
    return value


def _pick(better: Any, one: Any, other: Any) -> Any:
    return better(one, other) if one is not None and other is not None else one if one is not None else other
