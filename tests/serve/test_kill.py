"""Kill -9 in the middle of the demo, start again: nothing lost, nothing doubled."""

from __future__ import annotations

import random
import sqlite3
import time
from pathlib import Path

import duckdb
import polars as pl
import pytest
from deltalake import DeltaTable

from cityloop.access.audit import Audit
from cityloop.core.database import Database
from tests.running import KILLS, ROOT, RunningCity, eventually

pytestmark = pytest.mark.slow
SERIES = {"AirQualityStation": "air-hourly", "MetroStation": "metro-entries", "WasteContainer": "bin-emptying"}


def _rows(data: Path, table: str) -> pl.DataFrame:
    frame: pl.DataFrame = duckdb.read_parquet(_files(data, table)).pl()
    return frame


def _files(data: Path, table: str) -> list[str]:
    return [uri.removeprefix("file://") for uri in DeltaTable(str(data / "lake" / table)).file_uris()]


def _scalar(data: Path, query: str) -> int:
    with sqlite3.connect(data / "cityloop.db") as store:
        return int(store.execute(query).fetchone()[0])


def test_a_city_that_is_killed_again_and_again_has_every_row_once(tmp_path: Path) -> None:
    start = ["demo", "--port", "0", "--data", str(tmp_path), "--speed", "600"]
    draw = random.Random(KILLS)
    for _ in range(KILLS):
        city = RunningCity(start)
        time.sleep(draw.uniform(1.0, 5.0))
        city.kill()
    city = RunningCity(start)
    try:
        leader = city.client("lingdao")
        eventually(lambda: leader.get("/api/v1/warnings").json()["total"], "warnings")
        eventually(lambda: leader.get("/api/v1/cases").json()["total"], "cases")
        eventually(lambda: all(_files(tmp_path, table) for table in SERIES), "rows of each series")
    finally:
        city.stop()
    _series_whole(tmp_path)
    _operations_whole(tmp_path)


def _series_whole(data: Path) -> None:
    for table, series in SERIES.items():
        stored = _rows(data, table).select("entity", "observed_at")
        assert stored.height == stored.unique().height, f"{table} has doubled rows"
        source = pl.read_parquet(ROOT / "cities" / "demo" / "series" / f"{series}.parquet")
        due = source.filter(pl.col("time") <= stored["observed_at"].dt.convert_time_zone("UTC").max())
        assert stored.height + _quarantined(data, series) == due.height, f"{table} has lost rows"


def _quarantined(data: Path, feed: str) -> int:
    return _scalar(data, f"SELECT count(*) FROM quarantine WHERE feed = '{feed}'")


def _operations_whole(data: Path) -> None:
    doubles = {
        "open warnings": "SELECT count(*) - count(DISTINCT rule || entity) FROM warning WHERE status = 'open'",
        "case numbers": "SELECT count(*) - count(DISTINCT number) FROM case_file",
        "cases of warnings": "SELECT count(warning) - count(DISTINCT warning) FROM case_file",
        "citizens' cases": "SELECT count(external_number) - count(DISTINCT channel || external_number) FROM case_file",
    }
    assert {what: _scalar(data, query) for what, query in doubles.items()} == dict.fromkeys(doubles, 0)
    moves = _scalar(data, "SELECT count(*) FROM case_timeline")
    events = _rows(data, "CaseEvent")
    assert events.height == events["seq"].n_unique(), "an event stands twice in the lake"
    assert events.height <= moves
    store = Database(f"sqlite:///{data / 'cityloop.db'}")
    assert Audit(store).verify() is None
    store.close()
