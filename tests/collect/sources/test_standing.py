"""What every city has without declaring it: the push interface of each feed, and the series that are replayed."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from cityloop.collect.sources.schemas import SourceFilter
from cityloop.core.errors import Conflict, Invalid
from cityloop.core.web import Paging
from tests.collect.small_town import NOON, STEWARD, air
from tests.collect.sources.conftest import WiredMaker
from tests.collect.sources.wired import Wired

PUSH = "push-air-hourly"
ALL = Paging(page=1, size=50, sort="")


def test_every_feed_has_its_push_interface_with_a_health_line(wire_up: WiredMaker) -> None:
    wired = wire_up()
    pushes = wired.sources.page(STEWARD, SourceFilter(wire="push"), ALL)
    assert [view.id for view in pushes.items] == [
        PUSH, "push-bin-emptying", "push-crew-states", "push-gate-states", "push-metro-entries", "push-source-states",
        "push-vehicle-states",
    ]  # fmt: skip
    before = wired.view(PUSH)
    assert (before.state, before.last_record_at, before.schedule.kind) == ("waiting", None, "stream")
    wired.town.push([air(), air(values={"PM2.5": -4})])
    view = wired.view(PUSH)
    assert (view.state, view.accepted, view.quarantined, view.rate_per_minute) == ("running", 1, 1, 1)
    assert view.last_record_at == NOON and view.lag_seconds == 3600
    assert view.address == "POST /api/v1/feeds/air-hourly/records"
    assert (view.title.en, wired.restart().view(PUSH).accepted) == ("Hourly air quality (HTTP push)", 1)


def test_a_paused_push_refuses_with_who_when_and_why_until_it_is_resumed(wire_up: WiredMaker) -> None:
    wired = wire_up()
    wired.sources.pause(STEWARD, PUSH, "recalibration")
    wired.restart()
    assert wired.view(PUSH).state == "paused"
    with pytest.raises(Conflict, match=r"takes no pushes now: 'push-air-hourly' is paused since .*: recalibration"):
        wired.town.push([air()])
    assert wired.rows() == []
    wired.sources.resume(STEWARD, PUSH)
    assert wired.town.push([air()]).accepted == 1


def test_a_dry_run_of_a_push_takes_the_records_that_would_be_sent(wire_up: WiredMaker) -> None:
    wired = wire_up()
    with pytest.raises(Invalid, match="needs the records"):
        wired.sources.dry_run(STEWARD, PUSH)
    records = json.dumps([air(), air(values={"PM2.5": -4})]).encode()
    trial = wired.sources.dry_run(STEWARD, PUSH, (records, "application/json"))
    assert ([row["entity"] for row in trial.mapped], [r.rule for r in trial.refusals]) == (["1001A"], ["range"])
    assert wired.rows() == [] and wired.view(PUSH).accepted == 0


def test_nothing_can_be_started_where_records_come_by_themselves(wire_up: WiredMaker, tmp_path: Path) -> None:
    folder: dict[str, Any] = {"wire": "files", "schedule": {"every": "1h"}, "connection": {"folder": str(tmp_path)}}
    wired = wire_up(folder)
    with pytest.raises(Conflict, match="come to 'push-air-hourly' by themselves"):
        wired.sources.run(STEWARD, PUSH)
    with pytest.raises(Invalid, match="takes its own records"):
        wired.sources.dry_run(STEWARD, "air", (b"[]", "application/json"))


def test_a_replayed_series_is_a_source_that_can_be_paused_and_catches_up(tmp_path: Path) -> None:
    city = tmp_path / "city"
    city.mkdir(parents=True)
    times = [NOON + timedelta(hours=n) for n in range(4)]
    pl.DataFrame({"station": ["1001A"] * 4, "time": times, "PM2.5": [1.0, 2, 3, 4]}).write_parquet(city / "air.parquet")
    (city / "drill.yaml").write_text("replays: [{series: beijing, file: air.parquet, feed: air-hourly}]\n", "utf-8")
    wired = Wired(tmp_path, replaying=True).open()
    try:
        wired.town.collector.replay_step(NOON)
        view = wired.view("replay-beijing")
        assert (view.wire, view.state, view.accepted, view.waiting) == ("replay", "running", 1, 3)
        assert [row["pm2_5"] for row in wired.sources.dry_run(STEWARD, "replay-beijing").mapped] == [1.0]
        wired.sources.pause(STEWARD, "replay-beijing", "")
        assert wired.town.collector.replay_step(NOON + timedelta(hours=2)) == 0
        wired.sources.resume(STEWARD, "replay-beijing")
        assert wired.town.collector.replay_step(NOON + timedelta(hours=2)) == 2
        assert wired.values() == [1.0, 2.0, 3.0]
    finally:
        wired.close()
