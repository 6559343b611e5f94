"""Relational databases by SQLAlchemy Core: a first load, then what lies at or behind the watermark, in chunks.

The watermark is kept after the commit of each chunk. A run begins *at* it, not behind it: rows that came later with
the same watermark are found. Rows that the last run had are known by their content; after a crash between commit and
watermark they are known by entity, time and feed, and refused ones by their place in quarantine.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, cast

from sqlalchemy import Column, ColumnElement, Connection, MetaData, Select, Table, and_, create_engine, or_, select
from sqlalchemy.engine import make_url
from sqlalchemy.exc import NoSuchTableError, SQLAlchemyError
from sqlalchemy.pool import NullPool

from cityloop.collect.sources.declarations import DatabaseConnection
from cityloop.collect.sources.loading import Source
from cityloop.collect.sources.rows import places, plain, reading
from cityloop.collect.sources.secrets import resolved
from cityloop.collect.sources.sink import SAMPLE, Read, Sink
from cityloop.collect.sources.trouble import SourceTrouble
from cityloop.standard.mapping import FeedMapping

MOST_SEEN = 2000
"""Rows at the watermark that are kept in mind; of more, all are sent again and found to be duplicates."""
ARGUMENTS: Mapping[str, Mapping[str, Any]] = {
    "postgresql+psycopg": {"connect_timeout": 10},
    "mysql+pymysql": {"connect_timeout": 10, "read_timeout": 300},
    "mariadb+pymysql": {"connect_timeout": 10, "read_timeout": 300},
    "mssql+pymssql": {"login_timeout": 10, "timeout": 300},
    "oracle+oracledb": {"tcp_connect_timeout": 10},
}


@dataclass(frozen=True)
class Place:
    """How far a reading has come: watermark and key of the last row; without a key the whole watermark is read anew."""

    watermark: Any
    key: Any = None


class DatabaseWire:
    """One table."""

    def __init__(self, source: Source, connection: DatabaseConnection) -> None:
        self._source = source
        self._connection = connection

    def address(self) -> str:
        """Database and table."""
        connection = self._connection
        name = f"{connection.schema_name}.{connection.table}" if connection.schema_name else connection.table
        return f"{connection.url} {name}"

    def run(self, sink: Sink, halt: threading.Event) -> None:
        """Read what is new, chunk by chunk, until there is no more or ``halt``; raises :class:`SourceTrouble`."""
        place, seen = self._begin(sink.ledger.position), set(sink.ledger.position.get("seen", ()))
        with self._open() as database:
            table = self._table(database, sink.mapping())
            while not halt.is_set():
                rows = self._chunk(database, table, place, self._connection.chunk)
                if rows:
                    reached = Place(rows[-1][self._connection.watermark], rows[-1][self._connection.key])
                    self._progress(place, reached)
                    seen, place = self._take(sink, rows, seen), reached
                if len(rows) < self._connection.chunk:
                    return

    def _take(self, sink: Sink, rows: Sequence[Mapping[str, Any]], seen: set[int]) -> set[int]:
        """Make a chunk durable but for rows of an earlier run; return what the next run will meet again."""
        records = _records(rows)
        at = places(records)
        fresh = [n for n, place in enumerate(at) if place not in seen]
        last = rows[-1][self._connection.watermark]
        edge = self._edge(last)
        again = [place for place, row in zip(at, rows, strict=True) if row[self._connection.watermark] >= edge]
        kept_places = (list(seen - set(again)) if self._connection.overlap_seconds else []) + again
        position = {"watermark": kept(last), "seen": kept_places[-MOST_SEEN:]}
        if fresh:
            read = reading([records[n] for n in fresh], [at[n] for n in fresh])
            sink.settled(sink.send(read, batch=f"source.{self._source.id}", hurry=True).result(), position)
        elif position != sink.ledger.position:
            sink.ledger.move(position)
        return set(kept_places)

    def _edge(self, watermark: Any) -> Any:
        """Where the next run begins."""
        if self._connection.overlap_seconds and isinstance(watermark, datetime):
            return watermark - timedelta(seconds=self._connection.overlap_seconds)
        return watermark

    def sample(self, sink: Sink) -> Read:
        """The next rows that a run would read."""
        with self._open() as database:
            table = self._table(database, sink.mapping())
            return reading(_records(self._chunk(database, table, self._begin(sink.ledger.position), SAMPLE)))

    def _begin(self, position: Mapping[str, Any]) -> Place | None:
        if "watermark" not in position:
            return None
        return Place(self._edge(taken(position["watermark"])))

    @contextmanager
    def _open(self) -> Iterator[Connection]:
        connection = self._connection
        url = make_url(connection.url).set(drivername=connection.driver)
        if connection.user is not None:
            url = url.set(username=resolved(connection.user), password=resolved(connection.password))
        engine = create_engine(url, poolclass=NullPool, connect_args=dict(ARGUMENTS.get(connection.driver, {})))
        try:
            with engine.connect() as opened:
                yield opened
        except SQLAlchemyError as error:
            reason = str(getattr(error, "orig", None) or error).strip()
            raise SourceTrouble(f"{connection.url}: {reason}", "check address, account and table") from error
        finally:
            engine.dispose()

    def _table(self, database: Connection, mapping: FeedMapping) -> Table:
        connection = self._connection
        try:
            table = Table(connection.table, MetaData(), schema=connection.schema_name, autoload_with=database)
        except NoSuchTableError as error:
            raise SourceTrouble(f"{connection.url} has no table '{connection.table}'", "correct the name") from error
        missing = [name for name in (connection.watermark, connection.key) if name not in table.columns]
        if missing or not set(mapping.text) & set(table.columns.keys()):
            what = f"table '{connection.table}' has no column {', '.join(missing or mapping.text)}"
            raise SourceTrouble(what, f"it has: {', '.join(table.columns.keys())}")
        return table

    def _chunk(self, database: Connection, table: Table, place: Place | None, most: int) -> Sequence[Mapping[str, Any]]:
        watermark, key = table.columns[self._connection.watermark], table.columns[self._connection.key]
        query: Select[Any] = select(table).where(watermark.is_not(None))
        if place is not None:
            query = query.where(_behind(watermark, key, place))
        rows = database.execute(query.order_by(watermark, key).limit(most)).mappings().all()
        # Each chunk is a snapshot of its own: a reading that stays open would hold up the other side's housekeeping.
        database.rollback()
        return [dict(row) for row in rows]

    def _progress(self, before: Place | None, after: Place) -> None:
        if before is not None and before.key is not None and before == after:
            what = f"'{self._connection.watermark}' is finer than can be compared, the same row comes again and again"
            raise SourceTrouble(what, "read a view that rounds it, or use a number")


def _behind(watermark: Column[Any], key: Column[Any], place: Place) -> ColumnElement[bool]:
    if place.key is None:
        return cast(ColumnElement[bool], watermark >= place.watermark)
    return or_(watermark > place.watermark, and_(watermark == place.watermark, key > place.key))


def _records(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    return [{name: plain(value) for name, value in row.items()} for row in rows]


_KINDS: dict[str, Any] = {
    "datetime": datetime.fromisoformat,
    "date": date.fromisoformat,
    "integer": int,
    "decimal": Decimal,
    "float": float,
    "text": str,
    "bytes": bytes.fromhex,
}


def kept(value: Any) -> dict[str, str]:
    """A watermark as it is kept: its kind and its exact text. Raises :class:`SourceTrouble` for other kinds."""
    kinds = ((datetime, "datetime"), (date, "date"), (int, "integer"), (Decimal, "decimal"), (float, "float"),
             (str, "text"), (bytes, "bytes"))  # fmt: skip
    for kind, name in kinds:
        if isinstance(value, kind) and not isinstance(value, bool):
            return {"kind": name, "value": str(plain(value))}
    raise SourceTrouble(f"a {type(value).__name__} cannot be a watermark", "choose a time or a rising number")


def taken(value: Mapping[str, str]) -> Any:
    """The watermark again."""
    return _KINDS[value["kind"]](value["value"])
