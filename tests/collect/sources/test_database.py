"""Tables of real database servers: first load, then by watermark, in chunks, across crashes, with GBK text."""

from __future__ import annotations

import random
import time
from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine, make_url, text

from cityloop.collect.sources.database import kept, taken
from cityloop.core.web import Paging
from tests.collect.small_town import NOON, STEWARD
from tests.collect.sources.conftest import WiredMaker
from tests.collect.sources.wired import Wired, environment, killed_at_work, wait
from tests.parts import Store
from tests.running import KILLS

FIRST = Paging(page=1, size=500, sort="")
COLUMNS = (
    'id INTEGER PRIMARY KEY, station VARCHAR(40), "time" VARCHAR(40), "PM2.5" DECIMAL(9,3), wd VARCHAR(20), '
    "gxsj TIMESTAMP(6)"
)
ENTRY = datetime(2026, 3, 9, 8, 0, 0, 1)  # noqa: DTZ001 - databases keep such times without a zone


class Other:
    """A department's own database with one table."""

    def __init__(self, store: Store, name: str) -> None:
        self.store, self.name = store, name
        self.engine: Engine = create_engine(make_url(store.url).set(password=store.password or None))
        self.quote = "`" if self.engine.dialect.name == "mysql" else '"'
        stamp = "DATETIME(6)" if self.engine.dialect.name == "mysql" else "TIMESTAMP(6)"
        columns = COLUMNS.replace('"', self.quote).replace("TIMESTAMP(6)", stamp)
        end = " CHARACTER SET gbk" if self.engine.dialect.name == "mysql" else ""
        self.do(f"CREATE TABLE {name} ({columns}){end}")

    def do(self, sql: str, rows: Sequence[dict[str, Any]] | None = None) -> None:
        with self.engine.begin() as connection:
            connection.execute(text(sql), rows)

    def add(self, *rows: dict[str, Any]) -> None:
        names = ("id", "station", "time", "PM2.5", "wd", "gxsj")
        columns = ", ".join(f"{self.quote}{name}{self.quote}" for name in names)
        marks = ", ".join(":pm" if name == "PM2.5" else f":{name}" for name in names)
        given = [{**row, "pm": row["PM2.5"]} for row in rows]
        self.do(f"INSERT INTO {self.name} ({columns}) VALUES ({marks})", given)

    def source(self, **connection: Any) -> dict[str, Any]:
        given = {"url": str(make_url(self.store.url).set(username=None)), "user": self.store.user, "table": self.name}
        given |= {"watermark": "gxsj", "key": "id"}
        if self.store.password:
            given["password"] = environment("TEST_DB_PASSWORD", self.store.password)
        return {"wire": "database", "schedule": {"every": "1d"}, "connection": {**given, **connection}}


@pytest.fixture(params=["postgres", "mariadb"])
def other(request: pytest.FixtureRequest) -> Any:
    made = Other(request.getfixturevalue(request.param), f"t{time.time_ns() % 10**12}")
    yield made
    made.engine.dispose()


def row(n: int, minute: int = 0, **fields: Any) -> dict[str, Any]:
    """Row ``n`` of station 1001A, entered in the given minute."""
    return {
        "id": n,
        "station": "1001A",
        "time": (NOON - timedelta(seconds=1 + n)).isoformat(),
        "PM2.5": Decimal(n % 300) / 10,
        "wd": None,
        "gxsj": ENTRY + timedelta(minutes=minute),
        **fields,
    }


def again(wired: Wired) -> None:
    """Run now and wait for the end of that run."""
    before = wired.view()
    wired.clock.advance(timedelta(seconds=1))
    wired.sources.run(STEWARD, "air")
    wait(lambda: (v := wired.view()).last_run_at != before.last_run_at and v.state != "running", "a run ends")


def test_a_first_load_comes_in_chunks_and_then_what_is_new(wire_up: WiredMaker, other: Other) -> None:
    other.add(*[row(n, n // 7) for n in range(100)])
    wired = wire_up(other.source(chunk=9))
    wired.settle(100)
    wait(lambda: wired.view().state == "waiting", "the load ends")
    other.add(row(100, 20), row(101, 21))
    again(wired)
    assert len(wired.rows()) == 102 == wired.view().accepted
    assert sorted(r["pm2_5"] for r in wired.rows())[:3] == [0.0, 0.1, 0.2]
    assert wired.view().next_run_at == wired.view().last_run_at + timedelta(days=1)  # type: ignore[operator]


def test_rows_that_come_late_with_the_same_watermark_are_found(wire_up: WiredMaker, other: Other) -> None:
    other.add(row(5, 1), row(6, 1))
    wired = wire_up(other.source())
    wired.settle(2)
    other.add(row(1, 1))
    again(wired)
    view = wired.view()
    assert (len(wired.rows()), view.accepted, view.duplicate) == (3, 3, 0)


def test_an_overlap_finds_transactions_that_commit_late(wire_up: WiredMaker, other: Other) -> None:
    other.add(row(5, 10))
    wired = wire_up(other.source(overlap_seconds=300))
    wired.settle(1)
    other.add(row(6, 7), row(7, 3))
    again(wired)
    assert sorted(r["pm2_5"] for r in wired.rows()) == [0.5, 0.6]


def test_bad_rows_lie_in_quarantine_once_however_often_they_are_read(wire_up: WiredMaker, other: Other) -> None:
    other.add(row(1, 1, station="不明站点"), row(2, 1, **{"PM2.5": -5}), row(3, 1))
    wired = wire_up(other.source())
    wired.settle(1, quarantined=2)
    again(wired)
    kept_rows = wired.town.collector.quarantine(STEWARD, FIRST, None)
    assert kept_rows.total == 2 == wired.view().quarantined
    assert any("不明站点" in item.raw for item in kept_rows.items)


def test_a_restart_goes_on_at_the_watermark(wire_up: WiredMaker, other: Other) -> None:
    other.add(*[row(n, n) for n in range(30)])
    wired = wire_up(other.source(chunk=4))
    wired.settle(30)
    wired.restart()
    other.add(row(30, 40))
    again(wired)
    view = wired.view()
    assert len(wired.rows()) == 31 and view.duplicate == 0


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"table": "no_such"}, "has no table 'no_such'"),
        ({"watermark": "geng"}, "has no column geng"),
        ({"user": "nobody"}, "nobody"),
    ],
)
def test_what_is_wrong_is_told(wire_up: WiredMaker, other: Other, change: dict[str, Any], what: str) -> None:
    wired = wire_up(other.source(**change))
    wait(lambda: wired.view().state == "failing", "the error is told")
    assert what in (wired.view().last_error or "")
    assert other.store.password == "" or other.store.password not in (wired.view().last_error or "")


def test_a_dry_run_shows_rows_and_leaves_the_position(wire_up: WiredMaker, other: Other) -> None:
    other.add(*[row(n, n) for n in range(150)])
    wired = wire_up(other.source(), started=False)
    trial = wired.sources.dry_run(STEWARD, "air")
    assert (len(trial.raw), len(trial.mapped)) == (100, 100)
    assert trial.raw[1]["PM2.5"] in ("0.100", "0.1") and trial.mapped[1]["pm2_5"] == 0.1
    assert "'wd' is empty in every record" in [note.en for note in trial.notes]
    assert wired.rows() == []


@pytest.mark.slow
def test_kills_at_any_moment_neither_lose_nor_double_a_row(tmp_path: Path, mariadb: Store) -> None:
    other, draw, each = Other(mariadb, f"k{time.time_ns() % 10**12}"), random.Random(KILLS), 400
    Wired(tmp_path).declare({**other.source(chunk=20), "schedule": {"every": "1s"}})
    for number in range(KILLS):
        rows = [row(n, n // 30) for n in range(number * each, (number + 1) * each)]
        other.add(*[{**r, "station": "?"} if r["id"] % 40 == 3 else r for r in rows])
        killed_at_work(tmp_path, draw.uniform(0.0, 0.3))
    wired = Wired(tmp_path).open()
    try:
        good = each * KILLS - each * KILLS // 40
        wait(lambda: len(wired.rows()) >= good, "all rows arrive")
        wait(lambda: wired.view().state == "waiting", "the run ends")
        assert len(wired.rows()) == good
        assert wired.town.collector.quarantine(STEWARD, FIRST, None).total == each * KILLS // 40
    finally:
        wired.close()
        other.engine.dispose()


@pytest.mark.parametrize("value", [7, Decimal("7.10"), 0.1, "G-7", b"\x00\xff", NOON, ENTRY, NOON.date()])
def test_a_watermark_is_kept_exactly(value: Any) -> None:
    assert taken(kept(value)) == value
