"""Events of cases and warnings reach the lake once, through the real outbox and relay."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from cityloop.core.database import Database, Transaction
from cityloop.core.outbox import Outbox, Relay
from cityloop.lake.events import TYPES, EventWriter
from cityloop.lake.service import Lake
from cityloop.standard.batch import ObservationBatch

AT = datetime(2026, 3, 9, 1, 30, tzinfo=UTC)
CASE: dict[str, Any] = {
    "id": "case_1", "number": "20260309-0001", "state": "reported", "matter": "gb47678:matter:0101",
    "matter_class": {"zh": "市容环境", "en": "Appearance"}, "district": "440304", "area": "440304000000001",
    "department": None, "handler": None, "channel": "citizen", "series": "boston-311",
    "opened_at": "2026-03-09T09:30:00+08:00",
    "due_at": None, "closed_at": None, "on_time": None, "rework": 0, "warning": None,
}  # fmt: skip
WARNING: dict[str, Any] = {
    "id": "warn_1", "rule": "air-high", "level": "yellow", "peak": "orange", "status": "open", "entity": "1001A",
    "entity_type": "AirQualityStation", "district": None, "area": None, "department": "environment", "series": None,
    "raised_at": "2026-03-09T01:30:00Z", "cleared_at": None, "case": None,
}  # fmt: skip


@dataclass
class World:
    """Outbox, relay and lake."""

    database: Database
    outbox: Outbox
    lake: Lake
    relay: Relay
    writer: EventWriter

    def moved(self, move: str, from_state: str | None, **changes: Any) -> None:
        data = {"case": CASE | changes, "move": move, "from_state": from_state, "used_seconds": 60,
                "elapsed_seconds": 90, "actor": "li"}  # fmt: skip
        with self.database.transaction() as tx:
            self.outbox.record(tx, "cityloop.case.moved", "case_1", AT, data)

    def rows(self, table: str) -> list[dict[str, Any]]:
        return list(self.lake.query(f'SELECT * FROM "{table}" ORDER BY seq', [table]).to_pylist())


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    database = Database(f"sqlite:///{tmp_path / 'c.db'}", "OFF")
    database.create()
    outbox, lake = Outbox(database), Lake(tmp_path / "lake")
    relay, writer = Relay(database, outbox), EventWriter(lake)
    relay.consume("lake", writer, TYPES)
    yield World(database, outbox, lake, relay, writer)
    lake.close()
    database.close()


def test_the_life_of_a_case_stands_in_the_lake_and_its_opening_counts_once(world: World) -> None:
    world.moved("report", None)
    world.moved("close", "checked", state="closed", closed_at="2026-03-09T10:00:00Z", on_time=True)
    world.relay.drain()
    opened, closed = world.rows("CaseEvent")
    assert (opened["entity"], opened["matter_class"], opened["opened"], opened["final"]) == (
        "440304",
        "市容环境",
        1.0,
        False,
    )
    assert opened["opened_at"] == AT
    assert opened["record"] == "outbox:1"
    assert (closed["opened"], closed["final"], closed["on_time"], closed["used_seconds"]) == (0.0, True, True, 60)


def test_a_warning_without_a_district_counts_for_the_city(world: World) -> None:
    with world.database.transaction() as tx:
        world.outbox.record(tx, "cityloop.warning.raised", "warn_1", AT, {"warning": WARNING, "evidence": {}})
    world.relay.drain()
    (row,) = world.rows("WarningEvent")
    assert (row["entity"], row["subject"], row["what"], row["peak"]) == ("city", "1001A", "raised", "orange")


def test_events_that_are_handed_over_again_are_not_doubled_and_heard_once(world: World) -> None:
    heard: list[ObservationBatch] = []
    world.writer.on_committed.append(heard.append)
    world.moved("report", None)
    world.moved("accept", "reported")

    def crash(tx: Transaction) -> None:
        raise RuntimeError("the relay's transaction fails behind the commit to the lake")

    with pytest.raises(RuntimeError), world.database.transaction() as tx:
        world.writer(tx, world.outbox.after(0))
        tx.before_commit(crash)
    assert heard == []
    world.moved("file", "accepted")
    world.relay.drain()
    assert [row["seq"] for row in world.rows("CaseEvent")] == [1, 2, 3]
    assert [batch.rows.num_rows for batch in heard] == [2, 1]


def test_the_tables_can_be_asked_before_the_first_event(world: World) -> None:
    assert world.lake.query('SELECT sum(opened) AS n FROM "CaseEvent"', ["CaseEvent"]).to_pylist() == [{"n": None}]
