"""A queue of a hundred thousand is neither sorted nor counted row by row."""

from __future__ import annotations

import pytest
from sqlalchemy import event

from cityloop.access.actor import Actor
from cityloop.cases.schemas import CaseFilter
from cityloop.core.database import Database
from cityloop.core.web import Paging
from tests.cases.support import ACCEPTOR, DISPATCHER, LEADER, SANITATION, SWEEPER, Room

THE_PAGE_ITSELF = "USE TEMP B-TREE FOR ORDER BY"
"""Rows that were found by their ids are put in order again."""


def plans(room: Room, actor: Actor, wanted: CaseFilter, sort: str) -> list[list[str]]:
    """How SQLite finds what a list asks of the cases: of the count, then of the page."""
    asked: list[str] = []
    engine = room.database.engine
    hear = lambda raw, *_: raw.set_trace_callback(asked.append)  # noqa: E731
    event.listen(engine, "checkout", hear)
    room.desk.list(actor, wanted, Paging(page=1, size=50, sort=sort))
    event.remove(engine, "checkout", hear)
    with engine.connect() as connection:
        connection.connection.set_trace_callback(None)  # type: ignore[attr-defined]
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
    assert all("COVERING INDEX ix_case_open_" in count[0] and "request=?" in count[0] for count in counts[1:]), counts
    assert "COVERING INDEX ix_case_open_" in page[2] and f"{sort.removesuffix('_at')} (open=?" in page[2], page
    assert page[3:] == [THE_PAGE_ITSELF]


def test_the_riskiest_come_without_sorting(room: Room) -> None:
    _, page = plans(room, ACCEPTOR, CaseFilter(open=True), "-risk")
    assert page[2:] == ["SEARCH case_file USING COVERING INDEX ix_case_open_risk (open=?)", THE_PAGE_ITSELF]


def test_a_store_of_an_older_version_gets_the_indexes_that_it_lacks(room: Room) -> None:
    with room.database.engine.begin() as connection:
        connection.exec_driver_sql("DROP INDEX ix_case_open_risk")
    again = Database(str(room.database.engine.url))
    again.create()
    with again.engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT 1 FROM sqlite_master WHERE name = 'ix_case_open_risk'").scalar() == 1
        connection.rollback()
    again.close()
