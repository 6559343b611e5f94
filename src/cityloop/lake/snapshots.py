"""Snapshots: the lake as it was at an instant, from the log of its commits.

A snapshot is possible as long as the log tells of it and the files of that time are still there: replaced files stay
for ``CITYLOOP_LAKE_KEEP_HOURS``.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
from sqlglot import exp

from cityloop.core.errors import Invalid
from cityloop.core.values import utc
from cityloop.lake.engine import Engine, Parameters, TableFiles
from cityloop.lake.log import TableLog
from cityloop.standard.batch import BASE_COLUMNS

_START = datetime(1970, 1, 1, tzinfo=UTC)


class Snapshot:
    """Tables as of one instant of the machine's time. Answers stay the same, whatever is committed meanwhile."""

    def __init__(self, folder: Path, instant: datetime, here: Engine, chosen: Engine) -> None:
        self.instant = utc(instant)
        self._folder, self._here, self._chosen = folder, here, chosen
        self._tables: dict[str, TableFiles] = {}

    def query(self, sql: str, tables: Sequence[str], parameters: Parameters = ()) -> pa.Table:
        """Like :meth:`Lake.query`. Raises :class:`Invalid`, naming the oldest possible instant, when it lies before."""
        return self._here.run(sql, [self.table(name) for name in tables], parameters)

    def run(self, tree: exp.Query, tables: Sequence[str]) -> pa.Table:
        """Like :meth:`Lake.run`."""
        return self._chosen.run(tree.sql(self._chosen.dialect), [self.table(name) for name in tables])

    def table(self, name: str) -> TableFiles:
        """The files of one table."""
        if name not in self._tables:
            self._tables[name] = as_of(self._folder / name, self.instant)
        return self._tables[name]


def as_of(folder: Path, instant: datetime) -> TableFiles:
    """The table as it was at ``instant``; empty when it did not exist yet. Raises :class:`Invalid` when too old."""
    log = TableLog(folder)
    version = version_at(log, instant)
    if version >= 0:
        log.refresh(version)
    gone = version != log.version or not all((folder / path).is_file() for path in log.files)
    if version == -2 or gone:
        best = oldest(folder)
        raise Invalid(
            f"{folder.name} is no longer kept as of {instant.isoformat()}",
            f"the oldest possible instant is {best.isoformat()}" if best else "nothing of it is kept",
        )
    return TableFiles(folder.name, folder, tuple(log.files.values()), log.schema or BASE_COLUMNS, log.partition)


def version_at(log: TableLog, instant: datetime) -> int:
    """The newest version committed up to ``instant``; -1 before the table began, -2 before the log's oldest entry."""
    wanted = _millis(instant)
    low = log.oldest_entry()
    if low < 0:
        return -1
    if (log.committed_at(low) or 0) > wanted:
        return -1 if low == 0 else -2
    high = _newest(log, low)
    while low < high:
        middle = (low + high + 1) // 2
        if (log.committed_at(middle) or 0) <= wanted:
            low = middle
        else:
            high = middle - 1
    return low


def oldest(folder: Path) -> datetime | None:
    """The oldest instant as of which the table can be read; ``None`` when there is no table."""
    log = TableLog(folder)
    start = log.oldest_entry()
    if start < 0:
        return None
    # The first entries may lean on a checkpoint that lies behind them.
    while log.refresh(start).version != start:
        log, start = TableLog(folder), start + 1
    present = {path.relative_to(folder).as_posix() for path in folder.glob("*/*.parquet")}
    missing = set(log.files) - present
    best = None if missing else start
    for version, actions in log.entries(start + 1):
        log.apply(version, actions)
        missing = {path for path in log.files if path not in present} if missing or _adds(actions, present) else missing
        best = None if missing else (version if best is None else best)
    at = log.committed_at(best) if best is not None else None
    return None if at is None else _START + timedelta(milliseconds=at)


def _adds(actions: Sequence[object], present: set[str]) -> bool:
    return any(
        isinstance(a, dict) and (add := a.get("add")) is not None and add["path"] not in present for a in actions
    )


def _newest(log: TableLog, known: int) -> int:
    """The newest version, found by doubling steps and halving: entries follow each other without a gap."""
    step = 1
    while log.entry(known + step).is_file():
        known, step = known + step, step * 2
    while step > 1:
        step //= 2
        if log.entry(known + step).is_file():
            known += step
    return known


def _millis(instant: datetime) -> int:
    return int(utc(instant).timestamp() * 1000)
