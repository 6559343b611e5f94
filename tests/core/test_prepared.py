"""A prepared read gives what the same query gives, whatever its columns hold."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from sqlalchemy import JSON, Boolean, Column, Float, Integer, MetaData, String, Table, bindparam, insert, or_, select

from cityloop.core.database import Database, UtcDateTime
from cityloop.core.prepared import Prepared
from tests.parts import Store

NOON = datetime(2026, 3, 9, 12, tzinfo=UTC)
THING = Table(
    "prepared_thing",
    MetaData(),
    *(Column("id", Integer, primary_key=True), Column("name", String(20)), Column("at", UtcDateTime())),
    *(Column("open", Boolean), Column("share", Float), Column("facts", JSON)),
)
ROWS: tuple[dict[str, Any], ...] = (
    {"id": 1, "name": "井盖", "at": NOON, "open": True, "share": 0.25, "facts": {"a": [1, None]}},
    {"id": 2, "name": "50%", "at": NOON + timedelta(microseconds=7), "open": False, "share": None, "facts": None},
    {"id": 3, "name": None, "at": None, "open": None, "share": 3.0, "facts": []},
)
NAMED = Prepared(
    select(THING)
    .where(or_(THING.c.id.in_([3, 9]), THING.c.at <= bindparam("until"), THING.c.name == bindparam("name")))
    .order_by(THING.c.id)
)


def check(store: Database) -> None:
    with store.engine.begin() as connection:
        THING.create(connection)
        connection.execute(insert(THING), list(ROWS))
    with store.asking() as connection, store.reading() as session:
        plain = [tuple(row) for row in session.execute(select(THING).order_by(THING.c.id))]
        for source in (connection, session):
            assert list(map(tuple, NAMED.rows(source, until=NOON, name="50%", more="is not asked for"))) == plain
            later = NOON.astimezone(timezone(timedelta(hours=8)))
            assert [row["id"] for row in NAMED.mappings(source, until=later, name="")] == [1, 3]
        assert plain[1][2] == NOON + timedelta(microseconds=7) and plain[1][2].tzinfo is UTC


def test_on_sqlite(database: Database) -> None:
    check(database)
    with database.asking() as connection:
        assert NAMED.scalar(connection, until=NOON - timedelta(1), name="") == 3
        assert Prepared(select(THING).where(THING.c.id == 9)).first(connection) is None


def test_on_postgresql(postgres: Store) -> None:
    store = Database(postgres.url.replace("+psycopg", ""))
    check(store)
    store.close()


def test_what_is_asked_for_must_be_given(database: Database) -> None:
    THING.create(database.engine)
    with pytest.raises(KeyError, match="until"), database.asking() as connection:
        NAMED.rows(connection, name="")
