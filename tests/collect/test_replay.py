"""File replay: rows come when their time has come, each once, through stops, kills and bad rows."""

from __future__ import annotations

import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from cityloop.collect import replay
from cityloop.core.errors import ContentError
from cityloop.core.web import Paging
from tests.collect.small_town import NOON, STEWARD, Town, TownMaker

SERIES = "replays:\n  - {series: beijing-air, file: series/air.parquet, feed: air-hourly}\nloop: false\n"
START = NOON - timedelta(hours=3)
ROOT = Path(__file__).parents[2]
MINUTE = pl.col("PM2.5")


def series(city: Path, minutes: range, text: str = SERIES, pm: pl.Expr = MINUTE) -> None:
    """Write a series with a row of both stations every minute, not in order, from nine o'clock on."""
    (city / "series").mkdir(parents=True, exist_ok=True)
    rows = [
        {
            "station": station,
            "time": START + timedelta(minutes=n),
            "PM2.5": float(n),
            "wd": None,
            "measured_at": f"2014-{n}",
        }
        for station in ("1002A", "1001A")
        for n in minutes
    ]
    frame = pl.DataFrame(rows, schema_overrides={"wd": pl.String, "PM2.5": pl.Float32})
    frame.with_columns(pm.alias("PM2.5")).write_parquet(city / "series" / "air.parquet")
    (city / "drill.yaml").write_text(text, encoding="utf-8")


@pytest.fixture
def played(make_town: TownMaker, tmp_path: Path) -> Town:
    series(tmp_path / "city", range(600))
    return make_town()


def stored(town: Town) -> list[tuple[datetime, str]]:
    sql = 'SELECT observed_at, entity, record FROM "AirQualityStation" ORDER BY observed_at, entity'
    rows = town.lake.query(sql, ["AirQualityStation"]).to_pylist()
    assert len({row["record"] for row in rows}) == len(rows)
    return [(row["observed_at"], row["entity"]) for row in rows]


def expected(minutes: int) -> list[tuple[datetime, str]]:
    return [(START + timedelta(minutes=n), e) for n in range(minutes) for e in ("1001A", "1002A")]


def test_rows_come_when_their_time_has_come(played: Town) -> None:
    assert played.collector.replay_step(START - timedelta(minutes=1)) == 0
    assert played.collector.replay_step(START) == 2
    assert played.collector.replay_step(START + timedelta(minutes=9)) == 18
    assert played.collector.replay_step(START + timedelta(minutes=9)) == 0
    assert stored(played) == expected(10)


def test_a_replayed_row_looks_like_a_pushed_one_and_leads_back_to_the_file(played: Town) -> None:
    played.collector.replay_step(START)
    view = played.collector.entity(STEWARD, "1001A")
    assert (view.values["pm2_5"], view.values["measured_at"], view.area) == (0.0, "2014-0", "440304000000001")
    assert played.collector.record(STEWARD, "replay.beijing-air:1")["entity"] == "1001A"


def test_a_restart_goes_on_behind_the_last_durable_row(played: Town) -> None:
    played.collector.replay_step(START + timedelta(minutes=4))
    played.restart()
    played.collector.replay_step(START + timedelta(minutes=7))
    assert stored(played) == expected(8)


def test_large_stretches_are_committed_in_bounded_batches(played: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replay, "MOST_ROWS", 100)
    sizes: list[int] = []
    played.collector.on_committed.append(lambda batch: sizes.append(batch.rows.num_rows))
    played.collector.replay_step(START + timedelta(minutes=149))
    assert sizes == [100, 100, 100]


def test_bad_rows_of_a_series_go_to_quarantine_once_and_do_not_stop_it(make_town: TownMaker, tmp_path: Path) -> None:
    bad = pl.when(MINUTE == 3).then(pl.lit(-1.0)).otherwise(MINUTE)
    series(tmp_path / "city", range(10), pm=bad)
    town = make_town()
    assert town.collector.replay_step(NOON) == 20
    assert len(stored(town)) == 18
    page = town.collector.quarantine(STEWARD, Paging(page=1, size=9, sort=""), "air-hourly")
    assert page.total == 2
    assert '"PM2.5":"-1.0"' in page.items[0].raw
    assert page.items[0].id == "qua.replay.beijing-air.6"


def test_a_series_of_bad_rows_only_still_moves_on(make_town: TownMaker, tmp_path: Path) -> None:
    series(tmp_path / "city", range(5), pm=pl.lit(-1.0))
    town = make_town()
    assert town.collector.replay_step(NOON) == 10
    assert town.restart().collector.replay_step(NOON) == 0
    assert town.collector.quarantine(STEWARD, Paging(page=1, size=9, sort=""), None).total == 10


@pytest.mark.parametrize(
    ("old", "new", "what"),
    [
        ("feed: air-hourly", "feed: air", "drill.yaml:2 replays.0.feed: no feed 'air'"),
        ("air.parquet", "sky.parquet", "sky.parquet is missing"),
        ("series: beijing-air, ", "", "Field required"),
    ],
)
def test_a_mistake_in_the_replays_is_found_at_its_line(
    make_town: TownMaker, tmp_path: Path, old: str, new: str, what: str
) -> None:
    series(tmp_path / "city", range(5), SERIES.replace(old, new))
    with pytest.raises(ContentError) as error:
        make_town()
    assert what in str(error.value)


def test_a_series_without_the_columns_of_its_feed_is_a_fault(make_town: TownMaker, tmp_path: Path) -> None:
    series(tmp_path / "city", range(5), SERIES.replace("air-hourly", "bin-emptying"))
    with pytest.raises(ContentError, match="the file has no column 'bin'"):
        make_town()


def test_kill_9_in_the_middle_of_a_replay_loses_and_doubles_nothing(make_town: TownMaker, tmp_path: Path) -> None:
    bad = pl.when(MINUTE % 7 == 3).then(pl.lit(-1.0)).otherwise(MINUTE)
    series(tmp_path / "city", range(600), pm=bad)
    make_town().close()
    command = [sys.executable, "-m", "tests.collect.replaying_process", str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        assert process.stdout is not None
        for _ in range(40):
            assert process.stdout.readline()
        process.kill()
    town = make_town()
    town.collector.replay_step(START + timedelta(minutes=600))
    assert stored(town) == [pair for pair in expected(600) if round((pair[0] - START).total_seconds() / 60) % 7 != 3]
    bad_rows = 2 * len([n for n in range(600) if n % 7 == 3])
    assert town.collector.quarantine(STEWARD, Paging(page=1, size=1, sort=""), None).total == bad_rows
    (feed,) = [feed for feed in town.collector.feeds(STEWARD) if feed.id == "air-hourly"]
    assert (feed.accepted, feed.quarantined, feed.duplicate) == (1200 - bad_rows, bad_rows, 0)
