"""Written SQL: what is let through sees the asker's rows only; what is not is refused by name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlglot import exp

from cityloop.access.actor import Actor
from cityloop.access.audit import Audit
from cityloop.analyse.guard import guarded
from cityloop.analyse.service import Analyst
from cityloop.analyse.sql import SqlDesk, SqlRequest
from cityloop.core.database import Database
from cityloop.core.errors import AccessDenied, Invalid, Problem
from tests.analyse.conftest import LEADER, Book
from tests.analyse.test_query import actor

HOSTILE = [
    "select * from read_csv('/etc/passwd')",
    "select * from '/etc/passwd'",
    "select * from 'lake/CaseEvent/*.parquet'",
    "select * from read_parquet('x')",
    "select * from glob('/*')",
    "select content from read_text('/etc/passwd')",
    "attach 'x.db' as x",
    "detach lake",
    "pragma database_list",
    "copy CaseEvent to '/tmp/x.csv'",
    "copy (select * from CaseEvent) to '/tmp/x.csv'",
    "set enable_external_access = true",
    "install httpfs",
    "load httpfs",
    "create table x as select 1",
    "drop view CaseEvent",
    "insert into CaseEvent select 1",
    "update CaseEvent set channel = 'x'",
    "delete from CaseEvent",
    "explain select 1",
    "describe CaseEvent",
    "show tables",
    "call pragma_version()",
    "export database 'x'",
    "select 1; select 2",
    "select 1; drop view CaseEvent",
    "select * from information_schema.tables",
    "select * from duckdb_settings()",
    "select * from duckdb_tables",
    "select * from sqlite_master",
    "select * from pg_catalog.pg_class",
    "select * from pragma_database_list",
    "select * from main.CaseEvent",
    "select * from memory.main.CaseEvent",
    "select getenv('HOME')",
    "select current_setting('home_directory')",
    "select getvariable('x')",
    "select query('select 1')",
    "select * from query('select 1')",
    "select * from query_table('CaseEvent')",
    "select * from range(1000000000)",
    "select unnest(range(1000000000))",
    "select * from generate_series(1, 1000000000)",
    "select repeat('x', 1000000000)",
    "select lpad('x', 1000000000, 'y')",
    "select list(channel) from CaseEvent",
    "select string_agg(channel) from CaseEvent",
    "with recursive r as (select 1 as n union all select n + 1 from r) select * from r",
    "with a as (select * from duckdb_tables), duckdb_tables as (select 1) select * from a",
    "with duckdb_tables as (select * from duckdb_tables) select * from duckdb_tables",
    "select * from (with duckdb_tables as (select 1) select * from duckdb_tables), duckdb_tables",
    "select (select count(*) from accounts) from CaseEvent",
    "select * from CaseEvent where exists (select * from read_csv('x'))",
    "select * from CaseEvent union all select * from read_csv('x')",
    "select * from CaseEvent tablesample 10%",
    "select * from CaseEvent at (version => 1)",
    "pivot CaseEvent on channel using count(*)",
    "select columns('.*') from CaseEvent",
    "select cast(channel as integer[]) from CaseEvent",
    "select * into outfile 'x' from CaseEvent",
    "select * from CaseEvent for update",
    "from CaseEvent select nextval('x')",
    'select * from "CaseEvent""; drop view x"',
    "values (1)",
    "select $1",
    "select ?",
    "select {'a': 1}.a",
    "select x -> 1 from CaseEvent",
    "select" + "(" * 100 + "1" + ")" * 100,
    "select 1 -- " + "x" * 30_000,
    "",
    "\x00",
]


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_what_is_not_listed_is_refused(text: str) -> None:
    with pytest.raises(Invalid):
        guarded(text, ["CaseEvent"], lambda name: exp.select("channel").from_(name).subquery())


@pytest.fixture
def desk(analyst: Analyst, book: Book, tmp_path: Path) -> SqlDesk:
    database = Database(f"sqlite:///{tmp_path / 'x.db'}")
    database.create()
    return SqlDesk(lake=book.lake, door=analyst.door, database=database, audit=Audit(database))


def rows(desk: SqlDesk, text: str, who: Actor | None = None) -> list[list[Any]]:
    return desk.run(who or LEADER, SqlRequest(sql=text)).rows


def test_a_statement_answers_with_names_and_types(desk: SqlDesk) -> None:
    text = "select channel, count(*) n from caseevent where opened > 0 group by 1 order by n desc"
    answer = desk.run(LEADER, SqlRequest(sql=text))
    assert [(column.id, column.kind) for column in answer.columns] == [("channel", "text"), ("n", "number")]
    assert answer.rows == [["hotline", 3], ["citizen", 1]]
    assert (answer.truncated, answer.tables) == (False, ["CaseEvent"])


@pytest.mark.parametrize(
    "text",
    [
        "select distinct district from CaseEvent",
        'select distinct e.district from "CaseEvent" e',
        "with CaseEvent as (select * from CaseEvent) select distinct district from CaseEvent",
        "with a as (select district from CaseEvent), b as (select * from a) select distinct * from b",
        "select district from CaseEvent union select district from CaseEvent",
        "select distinct district from (select * from CaseEvent) x where 1 = 1 or true",
        "select distinct a.district from CaseEvent a join CaseEvent b on a.case = b.case",
        "select distinct a.district from CaseEvent a, CaseEvent b",
        "select distinct district from CaseEvent where exists (select 1 from CaseEvent x where x.channel = 'citizen')"
        " or true",
        "select (select max(district) from CaseEvent)",
    ],
)
def test_every_way_of_asking_sees_the_scope_only(desk: SqlDesk, text: str) -> None:
    futian = actor("collector", areas=("440304",))
    assert rows(desk, text, futian) == [["440304"]]


def test_a_masked_column_is_no_value_wherever_it_stands(desk: SqlDesk) -> None:
    masked = actor("masked")
    assert rows(desk, "select distinct channel from CaseEvent", masked) == [[None]]
    assert rows(desk, "select count(*) from CaseEvent where channel = 'citizen'", masked) == [[0]]
    assert rows(desk, "select count(*) from CaseEvent where channel like 'c%' or channel is not null", masked) == [[0]]
    assert rows(desk, "select count(distinct channel) from CaseEvent", masked) == [[0]]


def test_a_table_out_of_sight_is_refused_and_not_named_in_a_hint(desk: SqlDesk) -> None:
    with pytest.raises(AccessDenied):
        rows(desk, "select * from WarningEvent", actor("department", department="urban"))
    with pytest.raises(Invalid) as refused:
        rows(desk, "select * from WarningEvents", actor("department", department="urban"))
    assert "WarningEvent'" not in str(refused.value.faults[0].mend)


def test_endless_answers_end_at_the_limit(desk: SqlDesk) -> None:
    answer = desk.run(LEADER, SqlRequest(sql="select 1 from CaseEvent a, CaseEvent b, CaseEvent c", limit=7))
    assert (len(answer.rows), answer.truncated) == (7, True)


def test_a_statement_that_does_not_end_is_ended(desk: SqlDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cityloop.analyse.sql.SECONDS", 0.05)
    many = ", ".join(f"CaseEvent t{number}" for number in range(12))
    with pytest.raises(Invalid, match="longer than"):
        rows(desk, f"select sum(t1.opened * t2.opened * t3.opened + t4.opened + t11.opened) from {many}")


def test_a_fault_of_the_engine_is_told_without_its_insides(desk: SqlDesk) -> None:
    with pytest.raises(Invalid, match="nothing_such"):
        rows(desk, "select nothing_such from CaseEvent")
    with pytest.raises(Invalid):
        rows(desk, "select cast(channel as integer) from CaseEvent")


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.sampled_from([
    "select", "*", "from", "CaseEvent", "(", ")", "where", "1", "=", "union", "all", "with", "a", "as", ",", ";", "--",
    "'x'", '"', "read_csv", "duckdb_tables", "join", "on", "order by", "limit", "null", "case", "when", "end", "/*",
]), max_size=14))  # fmt: skip
def test_no_jumble_of_words_gets_past_the_guard(desk: SqlDesk, words: list[str]) -> None:
    try:
        answer = desk.run(actor("collector", areas=("440304",)), SqlRequest(sql="select " + " ".join(words)))
    except Problem:
        return
    assert "440305" not in str(answer.rows) and "duckdb" not in str(answer.rows)
