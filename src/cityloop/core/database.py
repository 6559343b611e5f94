"""The operational store: SQLite in WAL mode here, PostgreSQL when outgrown, one code path.

Writers take turns (``BEGIN IMMEDIATE`` on SQLite) and every transaction carries its outbox events with it.
Hot tables are written through :meth:`Transaction.insert`, which sends all rows of a table in one statement.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import lru_cache
from itertools import groupby
from typing import Any, cast

from pydantic_core import from_json, to_json
from sqlalchemy import Connection, DateTime, Dialect, Engine, create_engine, event, inspect
from sqlalchemy import Table as SqlTable
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import DeclarativeBase, Session
from sqlalchemy.pool import ConnectionPoolEntry
from sqlalchemy.schema import CreateColumn, CreateIndex
from sqlalchemy.types import JSON, TypeDecorator, TypeEngine

from cityloop.core.values import utc


class UtcDateTime(TypeDecorator[datetime]):
    """An aware instant, stored in UTC and returned aware on every database."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Convert to UTC; SQLite gets the value without its offset."""
        if value is None:
            return None
        value = utc(value)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Give back an aware UTC instant."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], datetime | None] | None:
        """On SQLite straight from its text: a page of a list reads hundreds of instants."""
        return _from_text if dialect.name == "sqlite" else super().result_processor(dialect, coltype)


def _from_text(text: str | None) -> datetime | None:
    return datetime.fromisoformat(f"{text}+00:00") if text is not None else None


class Table(DeclarativeBase):
    """Base of all tables of all rooms."""

    type_annotation_map = {datetime: UtcDateTime(), dict[str, Any]: JSON, list[Any]: JSON, list[str]: JSON}


Prepare = Callable[[Mapping[str, Any]], tuple[Any, ...]]
_Compile = Callable[[SqlTable, tuple[str, ...], Dialect], tuple[str, Prepare]]


REPLACED = "replaced_indexes"
"""In the ``info`` of a table: indexes that an older version made and that others have taken the place of."""


class Transaction:
    """One unit of work: ORM session, buffered inserts, and what must happen after the commit."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.memory: dict[str, Any] = {}
        """Room for per-transaction caches (for example rows already loaded), keyed by the room's name."""
        self._rows: dict[type[Table], list[Mapping[str, Any]]] = defaultdict(list)
        self._before: list[Callable[[Transaction], None]] = []
        self._after: list[Callable[[], None]] = []

    def insert(self, table: type[Table], row: Mapping[str, Any]) -> None:
        """Queue one row; rows reach the database at :meth:`flush` or at commit, table by table, in order.

        The row names every column that the database itself does not fill.
        """
        self._rows[table].append(row)

    def before_commit(self, step: Callable[[Transaction], None]) -> None:
        """Run ``step`` once, just before the last flush."""
        self._before.append(step)

    def after_commit(self, step: Callable[[], None]) -> None:
        """Run ``step`` once the commit has landed; never when it is rolled back."""
        self._after.append(step)

    def flush(self) -> None:
        """Send all queued rows now."""
        self.session.flush()
        for table, rows in self._rows.items():
            self.insert_now(table, rows)
        self._rows.clear()

    def insert_now(self, table: type[Table], rows: Iterable[Mapping[str, Any]]) -> None:
        """Send rows past the queue; those with the same keys in one statement."""
        self._send(_insert, table, rows)

    def insert_missing(self, table: type[Table], row: Mapping[str, Any]) -> None:
        """Send one row unless its key is there; on PostgreSQL this waits for whoever is just making it."""
        dialect: Any = sqlite if self.session.get_bind().dialect.name == "sqlite" else postgresql
        self.session.execute(dialect.insert(table.__table__).values(**row).on_conflict_do_nothing())

    def put_now(self, table: type[Table], rows: Sequence[Mapping[str, Any]]) -> None:
        """Send whole rows in one statement; those whose primary key is there are replaced."""
        if not rows:
            return
        dialect: Any = sqlite if self.session.get_bind().dialect.name == "sqlite" else postgresql
        wanted = dialect.insert(table.__table__)
        keys = [column.name for column in table.__table__.primary_key]
        others = {
            column.name: wanted.excluded[column.name] for column in table.__table__.columns if not column.primary_key
        }
        self.session.execute(wanted.on_conflict_do_update(index_elements=keys, set_=others), rows)

    def update_now(self, table: type[Table], rows: Iterable[Mapping[str, Any]]) -> None:
        """Set columns of known rows: the last key of each row is the primary key that finds it."""
        self._send(_update, table, rows)

    def _send(self, statement_of: _Compile, table: type[Table], rows: Iterable[Mapping[str, Any]]) -> None:
        connection = self.session.connection()
        for keys, alike in groupby(rows, key=tuple):
            statement, prepare = statement_of(cast(SqlTable, table.__table__), keys, connection.dialect)
            connection.exec_driver_sql(statement, [prepare(row) for row in alike])

    def finish(self) -> list[Callable[[], None]]:
        """Flush everything, commit, and return the steps to run afterwards."""
        while self._before:
            steps, self._before = self._before, []
            for step in steps:
                step(self)
        self.flush()
        self.session.commit()
        return self._after


class Database:
    """Opens the store and hands out transactions and reading sessions."""

    def __init__(self, url: str, synchronous: str = "FULL") -> None:
        self.engine = _engine(url, synchronous)
        self._reader = self.engine.execution_options(cityloop_reading=True)
        self._writer = threading.RLock() if self.engine.dialect.name == "sqlite" else None

    @property
    def dialect(self) -> str:
        """``sqlite`` or ``postgresql``."""
        return self.engine.dialect.name

    def create(self) -> None:
        """Create all tables that do not exist yet, and add the columns and indexes that those of an older version lack;
        indexes that were replaced since are dropped.

        A column added to a known table is nullable or has a server default.
        """
        known = inspect(self.engine).get_multi_columns()
        Table.metadata.create_all(self.engine)
        with self.engine.begin() as connection:
            for table in Table.metadata.sorted_tables:
                present = {column["name"] for column in known.get((None, table.name), [])}
                for column in [c for c in table.columns if present and c.name not in present]:
                    text = CreateColumn(column).compile(dialect=self.engine.dialect)
                    connection.exec_driver_sql(f"ALTER TABLE {table.name} ADD COLUMN {text}")
                for index in table.indexes if present else ():
                    connection.execute(CreateIndex(index, if_not_exists=True))
                for name in table.info.get(REPLACED, ()) if present else ():
                    connection.exec_driver_sql(f"DROP INDEX IF EXISTS {name}")

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """All or nothing: commit at the end, roll back on any error."""
        if self._writer:
            self._writer.acquire()
        try:
            with Session(self.engine, expire_on_commit=False) as session:
                transaction = Transaction(session)
                yield transaction
                after = transaction.finish()
        finally:
            if self._writer:
                self._writer.release()
        for step in after:
            step()

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A session for reads; writes made in it are never committed."""
        with Session(self._reader, expire_on_commit=False) as session:
            yield session
            # A rollback would empty every object that was read; taken out first, they stay readable.
            session.expunge_all()
            session.rollback()

    @contextmanager
    def asking(self) -> Iterator[Connection]:
        """The same without a session, for :class:`~cityloop.core.prepared.Prepared` reads."""
        with self._reader.connect() as connection:
            connection.begin()
            yield connection

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()


@lru_cache(maxsize=256)
def _insert(table: SqlTable, keys: tuple[str, ...], dialect: Dialect) -> tuple[str, Prepare]:
    """The driver's own INSERT for rows with these keys, and what makes a row its parameters.

    Neither the ORM's bulk insert, which sends rows one by one whenever their empty columns differ, nor the core's,
    which builds its parameters anew for every row: a replay writes three rows for each move.
    """
    quote, mark = dialect.identifier_preparer, _mark(dialect)
    names = ", ".join(quote.quote(key) for key in keys)
    marks = ", ".join([mark] * len(keys))
    statement = f"INSERT INTO {quote.format_table(table)} ({names}) VALUES ({marks})"  # noqa: S608 - our own names
    return statement, _preparation(table, keys, dialect)


@lru_cache(maxsize=256)
def _update(table: SqlTable, keys: tuple[str, ...], dialect: Dialect) -> tuple[str, Prepare]:
    """The driver's own UPDATE of all keys but the last, by the last."""
    quote, mark = dialect.identifier_preparer, _mark(dialect)
    *changed, found = [f"{quote.quote(key)} = {mark}" for key in keys]
    statement = f"UPDATE {quote.format_table(table)} SET {', '.join(changed)} WHERE {found}"  # noqa: S608 - our own names
    return statement, _preparation(table, keys, dialect)


def _mark(dialect: Dialect) -> str:
    return "?" if dialect.paramstyle == "qmark" else "%s"


def _preparation(table: SqlTable, keys: tuple[str, ...], dialect: Dialect) -> Prepare:
    given = [(place, bind_of(table.c[key].type, dialect)) for place, key in enumerate(keys)]
    binds = [(place, bind) for place, bind in given if bind]

    def prepare(row: Mapping[str, Any]) -> tuple[Any, ...]:
        values = [row[key] for key in keys]
        for place, bind in binds:
            values[place] = bind(values[place])
        return tuple(values)

    return prepare


def bind_of(kind: TypeEngine[Any], dialect: Dialect) -> Callable[[Any], Any] | None:
    """How a value goes to the driver; instants are remembered, for many rows of a transaction share one."""
    bind = kind.dialect_impl(dialect).bind_processor(dialect)
    return lru_cache(4096)(bind) if bind and isinstance(kind, UtcDateTime) else bind


def _to_json(value: Any) -> str:
    """JSON columns are written by the compiled encoder: events of a replay hold a whole case each."""
    return to_json(value).decode()


_JSON: Mapping[str, Any] = {"json_serializer": _to_json, "json_deserializer": from_json}
_POOL: Mapping[str, Any] = {"pool_size": 20, "max_overflow": 20, "pool_use_lifo": True}
"""As many connections as there are threads that answer requests, half of them kept. The one that was given back last is
taken first, for its cache is warm; whoever needs two at once must not wait for others who need two."""


def _engine(url: str, synchronous: str) -> Engine:
    if not url.startswith("sqlite"):
        address = url.replace("postgresql://", "postgresql+psycopg://", 1)
        return create_engine(address, pool_pre_ping=True, **_POOL, **_JSON)
    arguments = {"timeout": 30, "check_same_thread": False, "isolation_level": None}
    engine = create_engine(url, connect_args=arguments, **_POOL, **_JSON)

    @event.listens_for(engine, "connect")
    def _prepare(connection: Any, _entry: ConnectionPoolEntry) -> None:
        for pragma in ("journal_mode=WAL", f"synchronous={synchronous}", "foreign_keys=ON", "cache_size=-32768"):
            connection.execute(f"PRAGMA {pragma}").close()

    @event.listens_for(engine, "begin")
    def _begin(connection: Any) -> None:
        reading = connection.get_execution_options().get("cityloop_reading")
        connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")

    return engine
