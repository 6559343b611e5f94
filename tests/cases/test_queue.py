"""A queue of a hundred thousand is neither sorted nor counted row by row."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import event

from cityloop.access.actor import Actor
from cityloop.cases.schemas import CaseFilter
from cityloop.core.database import Database
from cityloop.core.web import Paging
from tests.cases.support import ACCEPTOR, DISPATCHER, LEADER, SANITATION, SWEEPER, Room

THE_PAGE_ITSELF = "USE TEMP B-TREE FOR ORDER BY"
"""Rows that were found by their ids are put in order again."""
RARE = re.compile(r"ix_case_open_force|request=\?")


def plans(room: Room, actor: Actor, wanted: CaseFilter, sort: str) -> list[list[str]]:
    """How SQLite finds what a list asks of the cases: of the count, then of the page."""
    asked: list[str] = []
    engine = room.database.engine
    hear = lambda raw, *_: raw.set_trace_callback(asked.append)  # noqa: E731
    event.listen(engine, "checkout", hear)
    room.desk.list(actor, wanted, Paging(page=1, size=50, sort=sort))
    event.remove(engine, "checkout", hear)
    with engine.connect() as connection:
        connection.connection.set_trace_callback(None)
        told = [
            [row[3] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}")]
            for statement in asked
            if "FROM case_file" in statement
        ]
        connection.rollback()
    return told


@pytest.mark.parametrize("sort", ["urgency", "due_at"])
@pytest.mark.parametrize("actor", [ACCEPTOR, LEADER, DISPATCHER, SANITATION, SWEEPER], ids=lambda actor: actor.id)
def test_a_queue_is_counted_and_ordered_by_indexes_alone(room: Room, actor: Actor, sort: str) -> None:
    *counts, page = plans(room, actor, CaseFilter(mine=True, open=True), sort)
    assert "COVERING INDEX ix_case_open_mine (open=? AND state=?" in counts[0][0], counts
    assert all("COVERING INDEX ix_case_open_" in count[0] and RARE.search(count[0]) for count in counts[1:]), counts
    assert "COVERING INDEX ix_case_open_" in page[2] and f"{sort.removesuffix('_at')} (open=?" in page[2], page
    assert page[3:] == [THE_PAGE_ITSELF]


def test_the_riskiest_come_without_sorting(room: Room) -> None:
    _, page = plans(room, ACCEPTOR, CaseFilter(open=True), "-risk")
    assert page[2:] == ["SEARCH case_file USING COVERING INDEX ix_case_open_risk (open=?)", THE_PAGE_ITSELF]


@pytest.mark.parametrize("sort", ["due_at", "-due_at", "-closed_at"])
def test_ended_cases_come_without_sorting(room: Room, sort: str) -> None:
    for actor in (LEADER, SANITATION):
        count, page = plans(room, actor, CaseFilter(open=False), sort)
        assert "COVERING INDEX" in count[0] and "COVERING INDEX ix_case_ended_" in page[2], (count, page)
        assert page[3:] == [THE_PAGE_ITSELF]


def test_a_store_of_an_older_version_gets_the_indexes_that_it_lacks_and_loses_those_that_were_replaced(
    room: Room,
) -> None:
    with room.database.engine.begin() as connection:
        connection.exec_driver_sql("DROP INDEX ix_case_open_risk")
        connection.exec_driver_sql("CREATE INDEX ix_case_due ON case_file (open, due_at)")
    again = Database(str(room.database.engine.url))
    again.create()
    with again.engine.connect() as connection:
        known = set(connection.exec_driver_sql("SELECT name FROM sqlite_master").scalars())
        connection.rollback()
    assert "ix_case_open_risk" in known and "ix_case_due" not in known
    again.close()
