"""Reading with DuckDB over lists of active files; the engine sees the lake's folder and nothing else of the disk."""

from __future__ import annotations

import re
import threading
from collections.abc import Sequence
from pathlib import Path

import duckdb
import pyarrow as pa

from cityloop.core.errors import Invalid
from cityloop.lake.engine import Parameters, TableFiles
from cityloop.lake.log import DataFile

_TYPES = {
    pa.string(): "VARCHAR",
    pa.float64(): "DOUBLE",
    pa.float32(): "FLOAT",
    pa.int64(): "BIGINT",
    pa.int32(): "INTEGER",
    pa.bool_(): "BOOLEAN",
    pa.date32(): "DATE",
    pa.timestamp("us", tz="UTC"): "TIMESTAMPTZ",
}
COLUMN_TYPES = tuple(_TYPES)
"""Arrow types that a lake table may have."""


class DuckEngine:
    """One DuckDB instance; every query runs on a cursor of its own, so that queries do not wait for each other."""

    dialect = "duckdb"

    def __init__(self, folder: Path) -> None:
        self._connection = duckdb.connect(config={"autoinstall_known_extensions": False})
        self._connection.execute("SET GLOBAL timezone='UTC'")
        self._connection.execute("SET GLOBAL parquet_metadata_cache=true")
        self._connection.execute(f"SET allowed_directories=[{_text(f'{folder.resolve()}/')}]")
        self._connection.execute("SET enable_external_access=false")
        self._closing = threading.Lock()

    def run(
        self, sql: str, tables: Sequence[TableFiles], parameters: Parameters = (), seconds: float | None = None
    ) -> pa.Table:
        """Run one SELECT over the tables."""
        with self._closing:
            cursor = self._connection.cursor()
        try:
            text = _over(tables, sql)
            if seconds is not None:
                return _within(cursor, text, seconds)
            return cursor.sql(text, params=parameters or None).to_arrow_table()
        finally:
            cursor.close()

    def close(self) -> None:
        """Close the instance; running queries end first."""
        with self._closing:
            self._connection.close()


def _within(cursor: duckdb.DuckDBPyConnection, sql: str, seconds: float) -> pa.Table:
    """Run people's own SQL with an end to its time; its faults are theirs and told in one line."""
    done = threading.Event()
    threading.Thread(target=_end, args=(cursor, seconds, done), daemon=True).start()
    try:
        return cursor.sql(sql).to_arrow_table()
    except duckdb.InterruptException as error:
        raise Invalid(
            f"the statement ran longer than {seconds:g} s", "ask for less: fewer days, fewer joins"
        ) from error
    except duckdb.Error as error:
        raise Invalid(f"the statement cannot be answered: {str(error).splitlines()[0][:300]}", "correct it") from error
    finally:
        done.set()


def _end(cursor: duckdb.DuckDBPyConnection, seconds: float, done: threading.Event) -> None:
    """Interrupt what still runs, again and again: an interruption while a statement is being planned is forgotten."""
    wait = seconds
    while not done.wait(wait):
        cursor.interrupt()
        wait = 0.2


def _over(tables: Sequence[TableFiles], sql: str) -> str:
    """The statement with its tables named in front of it: one binding, where a view of its own costs another."""
    selects = [(table.name, view(table.folder, table.files, table.schema, table.partition)) for table in tables]
    named = ", ".join(f"{_name(name)} AS NOT MATERIALIZED ({select})" for name, select in selects)
    own = _WITH.match(sql)
    if own is None or not named:
        return f"WITH {named} {sql}" if named else sql
    return f"WITH {own.group(1) or ''}{named}, {sql[own.end() :]}"


_WITH = re.compile(r"\s*WITH\s+(RECURSIVE\s+)?", re.IGNORECASE)


def write_views(connection: duckdb.DuckDBPyConnection, tables: Sequence[TableFiles]) -> None:
    """A view for each table in a database of its own: for programs that speak SQL and know nothing of Delta."""
    for table in tables:
        select = view(table.folder, table.files, table.schema, table.partition)
        connection.execute(f"CREATE OR REPLACE VIEW {_name(table.name)} AS {select}")


def view(folder: Path, files: Sequence[DataFile], schema: pa.Schema, partition: str) -> str:
    """A SELECT over ``files`` with exactly the columns of ``schema``; no files give no rows."""
    empty = f"SELECT {_columns(schema, 'NULL')} WHERE false"
    if not files:
        return empty
    paths = ", ".join(_text(str(folder / file.path)) for file in files)
    hive = f"hive_partitioning=true, hive_types={{{_name(partition)}: DATE}}"
    if all(file.width == len(schema) for file in files):
        return f"SELECT {_columns(schema)} FROM read_parquet([{paths}], {hive})"  # noqa: S608
    # Columns were added meanwhile: older files lack them, perhaps all of those that are left.
    rows = f"SELECT * FROM read_parquet([{paths}], {hive}, union_by_name=true)"  # noqa: S608
    return f"SELECT {_columns(schema)} FROM ({empty} UNION ALL BY NAME {rows})"  # noqa: S608


def _columns(schema: pa.Schema, value: str = "") -> str:
    return ", ".join(f"{value or _name(f.name)}::{_TYPES[f.type]} AS {_name(f.name)}" for f in schema)


def _name(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


def _text(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
