"""Pushing records: from bytes to durable rows, latest values and listeners; and what becomes of bad ones."""

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from prometheus_client import REGISTRY
from sqlalchemy import select

from cityloop.access.models import AuditRow
from cityloop.core.errors import AccessDenied, Invalid, NotFound, TooLarge
from cityloop.core.web import Paging
from cityloop.standard.batch import ObservationBatch
from tests.collect.small_town import MACHINE, NOON, STEWARD, Town, TownMaker, air

FIRST = Paging(page=1, size=50, sort="")
LINES = "application/x-ndjson"


def rows(town: Town, sql: str = "SELECT * FROM AirQualityStation ORDER BY observed_at, entity") -> list[dict[str, Any]]:
    return list(town.lake.query(sql, ["AirQualityStation"]).to_pylist())


def at(minutes: int) -> str:
    return (NOON - timedelta(minutes=minutes)).isoformat()


def test_a_pushed_record_is_durable_known_and_heard_when_the_push_is_answered(town: Town) -> None:
    heard: list[ObservationBatch] = []
    town.collector.on_committed.append(heard.append)

    receipt = town.push([air(values={"PM2.5": 88.5, "wd": "NW"}), air("1002A")])

    assert (receipt.received, receipt.accepted, receipt.quarantined, receipt.duplicate) == (2, 2, 0, 0)
    first, second = rows(town)
    assert (first["entity"], second["entity"]) == ("1001A", "1002A")
    assert first["observed_at"] == datetime(2026, 3, 9, 3, tzinfo=UTC)
    assert first["received_at"] == NOON
    assert first["record"] == f"{receipt.batch}:0"
    assert (first["area"], first["pm2_5"], first["wind_direction"]) == ("440304000000001", 88.5, "NW")
    assert heard[0].rows.num_rows == 2
    assert heard[0].version == town.lake.version("AirQualityStation")
    assert town.collector.entity(STEWARD, "1001A").values["pm2_5"] == 88.5


def test_lines_are_taken_like_an_array(town: Town) -> None:
    body = "\n".join(json.dumps(air(time=at(n))) for n in range(5)) + "\n\n"
    receipt = town.collector.push(MACHINE, "air-hourly", body.encode(), LINES)
    assert (receipt.received, receipt.accepted) == (5, 5)


def test_a_csv_is_taken_also_in_the_encoding_of_chinese_spreadsheets(town: Town) -> None:
    body = (
        "station,time,PM2.5,备注\n1001A,2026-03-09T11:00:00+08:00,35.5,正常\n9999Z,2026-03-09T11:00:00+08:00,1,未知\n"
    )
    receipt = town.collector.push(MACHINE, "air-hourly", body.encode("gb18030"), "text/csv")
    assert (receipt.received, receipt.accepted, receipt.quarantined) == (2, 1, 1)
    assert rows(town)[0]["pm2_5"] == 35.5
    raw = json.loads(town.collector.quarantine(STEWARD, FIRST, None).items[0].raw)
    assert raw == {"station": "9999Z", "time": "2026-03-09T11:00:00+08:00", "PM2.5": "1", "备注": "未知"}


def test_a_bad_line_goes_to_quarantine_and_the_good_ones_stay(town: Town) -> None:
    good = json.dumps(air())
    body = "\n".join([good, '{"station": "1001A", "time', "[1, 2]", json.dumps(air("1002A", values={"PM2.5": [1]}))])
    receipt = town.collector.push(MACHINE, "air-hourly", body.encode(), LINES)
    assert (receipt.received, receipt.accepted, receipt.quarantined) == (4, 1, 3)
    assert [(r.index, r.rule) for r in receipt.rejections] == [(1, "malformed"), (2, "malformed"), (3, "kind")]
    kept = town.collector.quarantine(STEWARD, FIRST, "air-hourly").items
    assert [item.raw for item in kept][:2] == ['{"station": "1001A", "time', "[1, 2]"]


def test_a_line_that_smuggles_two_records_is_refused_as_one(town: Town) -> None:
    body = json.dumps(air()) + "," + json.dumps(air("1002A"))
    receipt = town.collector.push(MACHINE, "air-hourly", body.encode(), LINES)
    assert (receipt.received, receipt.accepted, receipt.quarantined) == (1, 0, 1)


@pytest.mark.parametrize(
    ("record", "rule", "column"),
    [
        (air(values={"PM2.5": 0.035, "unit": "ppm"}), "unit", "unit"),
        (air(values={"PM2.5": -4}), "range", "PM2.5"),
        (air(values={"PM2.5": 1e7}), "range", "PM2.5"),
        (air(values={"PM2.5": "much"}), "number", "PM2.5"),
        (air(values={"PM2.5": True}), "number", "PM2.5"),
        (air(time="2026-03-09T13:00:00+08:00"), "future", "time"),
        (air(time="2026-03-09T11:00:00"), "time", "time"),
        (air("9999Z"), "entity", "station"),
        ({"time": at(5), "PM2.5": 1}, "required", "station"),
        ({"station": "1001A", "PM2.5": 1}, "required", "time"),
        (air(values={"wd": "up", "TEMP": 3}), "enum", "wd"),
        ("not an object", "malformed", ""),
    ],
)
def test_each_kind_of_bad_record_is_kept_whole_with_its_reason(town: Town, record: Any, rule: str, column: str) -> None:
    receipt = town.push([air("1002A"), record])
    assert (receipt.received, receipt.accepted, receipt.quarantined) == (2, 1, 1)
    rejection = receipt.rejections[0]
    assert (rejection.index, rejection.rule, rejection.column) == (1, rule, column)
    (kept,) = town.collector.quarantine(STEWARD, FIRST, None).items
    assert json.loads(kept.raw) == record
    assert (kept.id, kept.batch, kept.index, kept.feed) == (rejection.quarantine, receipt.batch, 1, "air-hourly")
    assert kept.reasons == [rejection]


def test_raw_text_stays_as_it_was_sent_to_the_last_blank(town: Town) -> None:
    raw = '{ "station":"9999Z",  "time": "2026-03-09T11:00:00+08:00", "PM2.5": 1.50, "note": "déjà, {x}" }'
    body = f"[ {json.dumps(air())} ,\n {raw}\n]"
    town.collector.push(MACHINE, "air-hourly", body.encode(), "application/json")
    assert town.collector.quarantine(STEWARD, FIRST, None).items[0].raw == raw


def test_quarantine_tells_the_city_once_for_each_batch(town: Town) -> None:
    town.push([air("9999Z"), air("9998Z"), air(values={"PM2.5": -4})])
    (event,) = [event for event in town.outbox.after(0) if event.type == "cityloop.feed.quarantined"]
    assert event.data == {"feed": "air-hourly", "count": 3, "rules": {"entity": 2, "range": 1}}


def test_a_receipt_lists_twenty_rejections_and_counts_all(town: Town) -> None:
    receipt = town.push([air("9999Z") for _ in range(30)])
    assert (receipt.quarantined, len(receipt.rejections)) == (30, 20)


@pytest.mark.parametrize(
    ("body", "kind", "what"),
    [
        (b'[{"station": "1001A",}]', "application/json", "line 1, column"),
        (b'[{"a": 1}\n{"a": 2}]', "application/json", "line 2, column 1"),
        (b"", "application/json", "the body is empty"),
        (b" \n ", LINES, "the body is empty"),
        (b'{"station": "1001A"}', "application/json", "one JSON object"),
        (b'"text"', "application/json", "not a JSON array"),
        (b"[" * 100_000, "application/json", "too deeply"),
        (b'[{"station": "\xff"}]', "application/json", "not UTF-8 at byte"),
        (b"a,b\n1,2", "text/csv", "no column of the table is one that feed 'air-hourly' reads; found: a, b"),
        (b"", "text/csv", "is empty"),
        (b"<a/>", "text/xml", "cannot be read from 'text/xml'"),
        (b"[]", "", "cannot be read from ''"),
    ],
)
def test_a_body_that_cannot_be_read_is_refused_with_the_place_and_what_to_do(
    town: Town, body: bytes, kind: str, what: str
) -> None:
    with pytest.raises(Invalid) as refused:
        town.collector.push(MACHINE, "air-hourly", body, kind)
    assert what in refused.value.detail
    assert refused.value.mend
    assert rows(town) == []


def test_an_empty_array_is_an_empty_receipt(town: Town) -> None:
    receipt = town.push([])
    assert (receipt.received, receipt.accepted) == (0, 0)


def test_an_unknown_feed_is_answered_with_the_known_ones(town: Town) -> None:
    with pytest.raises(NotFound, match="air-hourly, bin-emptying, crew-states"):
        town.push([], "air-daily")


def test_an_oversized_body_is_refused_with_the_limit(make_town: TownMaker) -> None:
    town = make_town(body_limit=1000)
    with pytest.raises(TooLarge, match="the limit is 1000"):
        town.push([air(time=at(n)) for n in range(50)])


def test_only_posts_that_may_push_can(town: Town) -> None:
    with pytest.raises(AccessDenied, match=r"feed\.push"):
        town.collector.push(STEWARD, "air-hourly", b"[]", "application/json")


def test_a_record_that_is_sent_twice_is_counted_and_stored_once(town: Town) -> None:
    assert town.push([air(), air(), air("1002A")]).duplicate == 1
    again = town.push([air(values={"PM2.5": 99}), air(time=at(1))])
    assert (again.accepted, again.duplicate) == (1, 1)
    assert [row["pm2_5"] for row in rows(town)] == [35.0, 35.0, 35.0]


def test_duplicates_are_known_across_a_restart_also_when_they_are_old(town: Town) -> None:
    records = [air(time=at(n)) for n in range(40)]
    town.push(records)
    town.restart()
    pipeline = town.collector._pipelines["AirQualityStation"]
    pipeline._recent._most = 10
    pipeline._recent.warm()
    assert pipeline._recent._floor is not None
    receipt = town.push([*records, air(time=at(100))])
    assert (receipt.accepted, receipt.duplicate) == (1, 40)
    assert len(rows(town)) == 41


def test_the_memory_of_recent_rows_stays_bounded_and_exact(town: Town) -> None:
    recent = town.collector._pipelines["AirQualityStation"]._recent
    recent._most = 20
    records = [air(time=at(n)) for n in range(100)]
    for start in range(0, 100, 10):
        town.push(records[start : start + 10])
    assert recent._held.height <= 40
    assert town.push(records).duplicate == 100


def test_state_survives_a_restart_and_an_older_row_does_not_overwrite_it(town: Town) -> None:
    town.push([air(time=at(10), values={"PM2.5": 50}), air(time=at(60), values={"PM2.5": 40, "SO2": 7})])
    town.push([air(time=at(30), values={"PM2.5": 45})])
    before = town.collector.entity(STEWARD, "1001A")
    assert (before.values["pm2_5"], before.observed_at) == (50.0, NOON - timedelta(minutes=10))
    town.restart()
    assert town.collector.entity(STEWARD, "1001A") == before


def test_concurrent_pushes_share_commits_and_every_receipt_adds_up(make_town: TownMaker) -> None:
    town = make_town(linger_ms=30)

    def push(n: int) -> tuple[int, int, int]:
        receipt = town.push([air(time=at(n)), air(time=at(n + 1)), air("9999Z")])
        return receipt.accepted, receipt.duplicate, receipt.quarantined

    with ThreadPoolExecutor(16) as pool:
        receipts = list(pool.map(push, range(0, 64)))
    assert all(accepted + duplicate == 2 and bad == 1 for accepted, duplicate, bad in receipts)
    assert sum(accepted for accepted, _, _ in receipts) == len(rows(town)) == 65
    assert town.lake.version("AirQualityStation") < 64


def test_batches_are_heard_in_the_order_of_their_versions_and_a_failing_listener_stops_nothing(town: Town) -> None:
    versions: list[int] = []

    def fail(batch: ObservationBatch) -> None:
        raise RuntimeError("a listener breaks")

    town.collector.on_committed += [fail, lambda batch: versions.append(batch.version)]
    for n in range(5):
        town.push([air(time=at(n))])
    assert versions == sorted(versions)
    assert len(versions) == 5


def test_a_commit_that_fails_is_not_acknowledged_and_can_be_sent_again(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*args: object) -> int:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(town.lake, "append", full)
        with pytest.raises(OSError, match="No space left"):
            town.push([air()])
    assert town.push([air()]).accepted == 1


def test_a_commit_that_lands_but_is_not_confirmed_is_not_doubled_by_the_second_try(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    append = town.lake.append

    def landed(*args: Any) -> int:
        append(*args)
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr(town.lake, "append", landed)
        with pytest.raises(OSError, match="Input/output"):
            town.push([air()])
    receipt = town.push([air(), air("1002A")])
    assert (receipt.accepted, receipt.duplicate) == (1, 1)
    assert len(rows(town)) == 2
    assert town.collector.entity(STEWARD, "1001A").values["pm2_5"] == 35.0


def test_pushes_are_counted_for_prometheus_the_feed_line_and_the_audit(town: Town) -> None:
    def count(what: str) -> float:
        return REGISTRY.get_sample_value(f"cityloop_observations_{what}_total", {"feed": "air-hourly"}) or 0.0

    before = {what: count(what) for what in ("accepted", "quarantined", "duplicate")}
    town.push([air(), air(), air("9999Z")])
    assert {what: count(what) - before[what] for what in before} == {"accepted": 1, "quarantined": 1, "duplicate": 1}
    town.restart()
    feed = next(feed for feed in town.collector.feeds(STEWARD) if feed.id == "air-hourly")
    assert (feed.accepted, feed.quarantined, feed.duplicate) == (1, 1, 1)
    assert (feed.last_received_at, feed.delay_seconds, feed.fresh) == (NOON, 3600.0, True)
    with town.database.reading() as session:
        line = session.scalars(select(AuditRow).where(AuditRow.act == "feed.push")).one()
        assert (line.actor, line.object) == ("air-gateway", "air-hourly")
        counts = {"received": 3, "accepted": 1, "quarantined": 1, "duplicate": 1, "pushes": 1}
        assert line.detail.items() >= counts.items()


def test_a_lonely_push_waits_no_longer_than_the_linger(make_town: TownMaker) -> None:
    town = make_town(linger_ms=10)
    with ThreadPoolExecutor(1) as pool:
        for hours in (1, 2):
            assert pool.submit(town.push, [air(time=at(hours))]).result(timeout=60).accepted == 1


def test_what_is_waiting_when_the_collector_stops_is_committed(make_town: TownMaker) -> None:
    town = make_town(linger_ms=1000)
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(town.push, [air()])
        while not town.collector._committers["AirQualityStation"]._waiting:
            time.sleep(0.005)
        town.collector.stop()
        assert waiting.result(timeout=60).accepted == 1


def test_without_threads_a_push_commits_at_once(make_town: TownMaker) -> None:
    assert make_town(started=False).push([air()]).accepted == 1
