"""The lake's upkeep from the command line, beside a running city or without one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb

from cityloop.access.audit import Audit
from cityloop.city.service import City
from cityloop.core.clock import SystemClock
from cityloop.core.database import Database
from cityloop.core.errors import NotFound
from cityloop.core.ids import new_id
from cityloop.core.outbox import Outbox
from cityloop.core.settings import Settings
from cityloop.lake.query import write_views
from cityloop.lake.retention import Retention, keep_days
from cityloop.lake.service import Lake
from cityloop.serve.content import load_content
from cityloop.serve.stores import open_lake


def show(settings: Settings) -> list[dict[str, Any]]:
    """Every table with its rows, files, bytes, days, and how far back it can be read as of an instant."""
    with _lake(settings) as lake:
        return [_row(lake, table) for table in lake.tables()]


def retire(settings: Settings, apply: bool) -> list[dict[str, Any]]:
    """Days past their retention, by the machine's date; deleted only with ``apply``."""
    clock = SystemClock()
    standard = load_content(City.load(settings.city, clock)).standard
    with _lake(settings) as lake:
        database = Database(settings.database_url())
        database.create()
        try:
            keep = keep_days(standard, settings)
            retention = Retention(lake, database, Audit(database), Outbox(database), clock, lambda: keep)
            return [expiry.plain() for expiry in (retention.apply() if apply else retention.plan())]
        finally:
            database.close()


def clean(settings: Settings) -> dict[str, int]:
    """Compact every table and delete files that nobody needs any more; how many of each table went."""
    with _lake(settings) as lake:
        return {table: lake.compact(table) + lake.clean(table) for table in lake.tables()}


def views(settings: Settings, target: Path) -> list[str]:
    """Write a DuckDB file with one view for each table, over the files that count now; the names of the views.

    The file is exchanged as a whole: whoever has the old one open goes on with it and sees the new one when it connects
    anew.
    """
    with _lake(settings) as lake:
        tables = [lake.as_files(table) for table in lake.tables()]
        draft = target.with_name(f".{new_id('views')}")
        try:
            with duckdb.connect(str(draft)) as connection:
                write_views(connection, tables)
            draft.replace(target)
        finally:
            draft.unlink(missing_ok=True)
        return [table.name for table in tables]


def _row(lake: Lake, table: str) -> dict[str, Any]:
    stats, oldest = lake.stats(table), lake.oldest(table)
    return {
        "table": table,
        "version": stats.version,
        "rows": stats.rows,
        "files": stats.files,
        "bytes": stats.bytes,
        "first_day": stats.first_day.isoformat() if stats.first_day else None,
        "last_day": stats.last_day.isoformat() if stats.last_day else None,
        "oldest_snapshot": oldest.isoformat() if oldest else None,
    }


@contextmanager
def _lake(settings: Settings) -> Iterator[Lake]:
    if not (settings.data / "lake").is_dir():
        raise NotFound(f"there is no lake in {settings.data}", "give the data folder with --data")
    lake = open_lake(settings)
    try:
        yield lake
    finally:
        lake.close()
