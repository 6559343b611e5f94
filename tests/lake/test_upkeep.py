"""The lake's upkeep: compaction, snapshots, records by id, retention; beside appends and readers, without a loss."""

from __future__ import annotations

import threading
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable, write_deltalake
from deltalake.exceptions import DeltaError
from sqlalchemy import select

from cityloop.access.audit import Audit
from cityloop.access.models import AuditRow
from cityloop.core.clock import ManualClock
from cityloop.core.database import Database
from cityloop.core.errors import Invalid
from cityloop.core.outbox import Outbox
from cityloop.core.settings import Settings
from cityloop.lake import compaction
from cityloop.lake.compaction import worklist
from cityloop.lake.compactor import Compactor
from cityloop.lake.engine import TableFiles
from cityloop.lake.log import DataFile, TableLog
from cityloop.lake.retention import Retention, keep_days, sensitivity
from cityloop.lake.service import Lake
from cityloop.standard.service import Standard
from cityloop.standard.types import EntityType
from tests.lake.lake_rows import SCHEMA, START, TABLE, levels, rows

HOUR = timedelta(hours=1)


def count(source: Any) -> int:
    return int(source.query(f'SELECT count(*) AS n FROM "{TABLE}"', [TABLE])["n"][0].as_py())


def moment() -> datetime:
    """Now, in a millisecond of its own: commits are dated by milliseconds."""
    time.sleep(0.003)
    now = datetime.now(UTC)
    time.sleep(0.003)
    return now


# Records by id


def test_a_record_is_found_in_the_files_that_can_hold_it_before_and_after_compaction(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    for n in range(6):
        lake.append(TABLE, rows(100 + n * 10, batch=f"bat_{n}"))
    looked: list[int] = []
    run = lake._here.run

    def look(sql: str, tables: list[TableFiles], *parameters: Any) -> pa.Table:
        looked.append(len(tables[0].files))
        return run(sql, tables, *parameters)

    monkeypatch.setattr(lake._here, "run", look)
    assert lake.records(TABLE, ["bat_3:134"])["level"].to_pylist() == [134.0]
    assert lake.records(TABLE, ["bat_9:1"]).num_rows == 0
    assert looked == [1, 0]
    lake.compact(TABLE)
    assert lake.records(TABLE, ["bat_3:134", "bat_5:150"]).num_rows == 2
    other = Lake(lake.folder)
    assert other.records(TABLE, ["bat_0:100"])["level"].to_pylist() == [100.0]
    assert [file.records for file in TableLog(lake.folder / TABLE).refresh().files.values()] == [
        ("bat_0:100", "bat_5:159")
    ]
    other.close()


def test_the_range_of_records_survives_a_checkpoint(lake: Lake) -> None:
    lake.append(TABLE, rows(0))
    DeltaTable(str(lake.folder / TABLE)).create_checkpoint()
    (file,) = TableLog(lake.folder / TABLE).refresh().files.values()
    assert (file.records, file.rows, file.width) == (("b:0", "b:9"), 10, len(SCHEMA))


def test_a_file_of_another_writer_is_looked_into_although_its_range_is_unknown(lake: Lake) -> None:
    write_deltalake(str(lake.folder / TABLE), rows(0), mode="append")
    assert lake.records(TABLE, ["b:7"])["level"].to_pylist() == [7.0]


def test_a_listing_that_missed_an_entry_is_read_again(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    lake.append(TABLE, rows(10))
    seen: list[str] = []

    def opened(folder: str) -> DeltaTable:
        seen.append(folder)
        if len(seen) == 1:
            raise DeltaError("Expected contiguous commit files, but found gap")
        return DeltaTable(folder)

    monkeypatch.setattr(compaction, "DeltaTable", opened)
    assert lake.clean(TABLE) == 0
    assert len(seen) == 2


def test_the_log_tells_rows_bytes_and_days_without_reading_any(lake: Lake) -> None:
    lake.append(TABLE, rows(0, 48, step=HOUR))
    stats = lake.stats(TABLE)
    assert (stats.rows, stats.files, stats.version) == (48, 2, 1)
    assert (stats.first_day, stats.last_day) == (date(2026, 3, 9), date(2026, 3, 10))
    assert stats.bytes > 0
    empty = lake.stats("Later")
    assert (empty.rows, empty.version, empty.first_day, empty.committed_at) == (0, -1, None, None)


# Snapshots


def test_a_snapshot_shows_the_lake_as_it_was_whatever_comes_later(lake: Lake) -> None:
    seen = []
    for n in range(5):
        lake.append(TABLE, rows(n * 10))
        seen.append(lake.as_of(moment()))
    lake.compact(TABLE)
    lake.append(TABLE, rows(50))
    lake.ensure(TABLE, pa.schema([*SCHEMA, pa.field("note", pa.string())]))
    assert [count(snapshot) for snapshot in seen] == [10, 20, 30, 40, 50]
    assert count(lake.as_of(moment())) == count(lake) == 60
    assert "note" not in seen[0].table(TABLE).schema.names


def test_before_the_table_began_a_snapshot_is_empty(lake: Lake) -> None:
    lake.append(TABLE, rows(0))
    assert count(lake.as_of(datetime(2020, 1, 1, tzinfo=UTC))) == 0
    assert lake.oldest("Later") is None


def test_a_snapshot_whose_files_are_gone_names_the_oldest_possible_instant(lake: Lake) -> None:
    for n in range(4):
        lake.append(TABLE, rows(n * 10))
    before = moment()
    lake.compact(TABLE)
    kept = moment()
    assert count(lake.as_of(before)) == 40
    _vacuum_now(lake)
    oldest = lake.oldest(TABLE)
    assert oldest is not None
    assert before < oldest <= kept
    with pytest.raises(Invalid, match="no longer kept") as refusal:
        count(lake.as_of(before))
    assert oldest.isoformat() in refusal.value.mend
    assert count(lake.as_of(oldest)) == 40


def test_a_snapshot_before_the_oldest_log_entry_is_refused(lake: Lake) -> None:
    for n in range(4):
        lake.append(TABLE, rows(n * 10))
    before = moment()
    lake.append(TABLE, rows(40))
    DeltaTable(str(lake.folder / TABLE)).create_checkpoint()
    for version in range(5):
        (lake.folder / TABLE / "_delta_log" / f"{version:020}.json").unlink()
    with pytest.raises(Invalid, match="no longer kept"):
        count(lake.as_of(before))
    assert count(lake.as_of(moment())) == 50


def _vacuum_now(lake: Lake) -> None:
    table = DeltaTable(str(lake.folder / TABLE))
    table.vacuum(0, dry_run=False, enforce_retention_duration=False, full=True)


# Compaction and cleaning


def _file(name: str, size: int, written: int = 10_000_000) -> DataFile:
    return DataFile(name, size, "2026-03-09", 8, 1, written)


def test_a_large_file_is_not_written_again_for_a_few_small_ones() -> None:
    log = TableLog(Path("nowhere"))
    log.files = {f.path: f for f in [_file("big", 1_000_000), *[_file(f"s{n}", 1000) for n in range(10)]]}
    assert [f.path for f in worklist(log, 10_000)["2026-03-09"]] == [f"s{n}" for n in range(10)]
    log.files |= {f"m{n}": _file(f"m{n}", 30_000) for n in range(2)}
    assert len(worklist(log, 10_000)["2026-03-09"]) == 12
    log.files = {f.path: f for f in [_file("big", 1_000_000), *[_file(f"s{n}", 30_000) for n in range(10)]]}
    assert len(worklist(log, 10_000)["2026-03-09"]) == 11


def test_a_day_that_has_grown_quiet_becomes_one_file() -> None:
    log = TableLog(Path("nowhere"))
    log.files = {f.path: f for f in [_file("big", 1_000_000), _file("small", 10)]}
    assert worklist(log, 10_000) == {}
    assert len(worklist(log, 10_000 + compaction.QUIET_SECONDS + 1)["2026-03-09"]) == 2


def test_compacted_rows_lie_by_entity_then_time(lake: Lake) -> None:
    for n in range(6):
        lake.append(TABLE, rows(60 - n * 10))
    assert lake.compact(TABLE) == 6
    (path,) = lake.files(TABLE)
    found = pq.read_table(path, partitioning=None)
    keys = list(zip(found["entity"].to_pylist(), found["observed_at"].to_pylist(), strict=True))
    assert keys == sorted(keys)


def test_replaced_files_stay_for_the_kept_hours_and_files_in_use_for_ever(lake: Lake) -> None:
    for n in range(6):
        lake.append(TABLE, rows(n * 10))
    lake.compact(TABLE)
    assert lake.clean(TABLE) == 0
    assert len(list((lake.folder / TABLE).glob("date=*/*.parquet"))) == 7
    assert levels(lake) == [float(n) for n in range(60)]


def test_the_tables_own_properties_follow_the_settings(lake: Lake) -> None:
    other = Lake(lake.folder, keep_hours=24, log_days=3)
    other.ensure(TABLE, SCHEMA)
    version = other.version(TABLE)
    told = DeltaTable(str(lake.folder / TABLE)).metadata().configuration
    assert told["delta.logRetentionDuration"] == "interval 72 hours"
    assert told["delta.deletedFileRetentionDuration"] == "interval 24 hours"
    other.ensure(TABLE, SCHEMA)
    assert other.version(TABLE) == version
    other.close()


# Retention


@pytest.fixture
def retention(lake: Lake, database: Database) -> Retention:
    lake.append(TABLE, rows(0, 24 * 10, step=HOUR))
    clock = ManualClock(START + timedelta(days=10))
    return Retention(lake, database, Audit(database), Outbox(database), clock, lambda: {TABLE: 3, "Later": 1})


def test_a_dry_run_says_what_would_go_and_changes_nothing(lake: Lake, retention: Retention) -> None:
    (due,) = retention.plan()
    assert (due.table, due.days, due.first, due.last) == (TABLE, 7, date(2026, 3, 9), date(2026, 3, 15))
    assert (due.before, due.rows, due.files, due.keep_days) == (date(2026, 3, 16), 168, 7, 3)
    assert count(lake) == 240


def test_whole_days_go_with_a_line_in_the_audit_and_an_event(
    lake: Lake, retention: Retention, database: Database
) -> None:
    before = moment()
    assert [due.days for due in retention.apply()] == [7]
    found = lake.query(f'SELECT min(date) AS d, count(*) AS n FROM "{TABLE}"', [TABLE]).to_pylist()
    assert found == [{"d": date(2026, 3, 16), "n": 72}]
    assert count(lake.as_of(before)) == 240
    with database.reading() as session:
        (line,) = session.scalars(select(AuditRow)).all()
    assert (line.act, line.object, line.detail["rows"]) == ("lake.expire", TABLE, 168)
    (event,) = Outbox(database).after(0)
    assert (event.type, event.subject, event.data["last"]) == ("cityloop.lake.expired", TABLE, "2026-03-15")
    assert retention.apply() == []


def test_other_delta_readers_see_the_same_days(lake: Lake, retention: Retention) -> None:
    retention.apply()
    assert DeltaTable(str(lake.folder / TABLE)).to_pyarrow_table().num_rows == 72


def test_the_standard_decides_before_the_settings_and_the_most_sensitive_property_counts() -> None:
    plain = {"title": {"zh": "x", "en": "x"}, "properties": [{"id": "a", "title": "a"}]}
    guarded = {
        **plain,
        "properties": [{"id": "a", "title": "a"}, {"id": "b", "title": "b", "sensitivity": "sensitive"}],
    }
    kinds = [
        EntityType.model_validate({"id": "Open", **plain}),
        EntityType.model_validate({"id": "Guarded", **guarded}),
        EntityType.model_validate({"id": "Declared", **guarded, "retention_days": 9}),
    ]
    assert [sensitivity(kind) for kind in kinds] == ["open", "sensitive", "sensitive"]
    standard = Standard({kind.id: kind for kind in kinds})
    assert keep_days(standard, Settings()) == {"Declared": 9}
    kept = keep_days(standard, Settings(retention_sensitive_days=30, retention_event_days=400))
    assert kept == {"Guarded": 30, "Declared": 9, "ApplicationEvent": 400, "CaseEvent": 400, "WarningEvent": 400}


# Everything at once


def test_appends_compaction_cleaning_retention_and_readers_at_once_lose_and_double_nothing(
    lake: Lake, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compaction, "clean", _clean_at_once)
    old = timedelta(days=30)
    lake.append(TABLE, rows(-24 * 30, 24, step=HOUR))
    clock = ManualClock(START + old / 3)
    retention = Retention(lake, database, Audit(database), Outbox(database), clock, lambda: {TABLE: 20})
    compactor = Compactor(lake, 1, retention.apply)
    stop, faults, committed = threading.Event(), list[str](), 0
    sql = f"""SELECT count(*) AS n, count(DISTINCT record) AS d FROM "{TABLE}" WHERE date >= '2026-03-09'"""

    def read() -> None:
        while not stop.is_set():
            before = committed
            found = lake.query(sql, [TABLE]).to_pylist()[0]
            if found["n"] != found["d"] or found["n"] < before:
                faults.append(f"{found} after {before}")

    def keep() -> None:
        while not stop.is_set():
            compactor.round()
            compactor.clean()

    threads = [threading.Thread(target=read), threading.Thread(target=read), threading.Thread(target=keep)]
    for thread in threads:
        thread.start()
    for n in range(100):
        lake.append(TABLE, rows(n * 10), ("source", n))
        committed = (n + 1) * 10
    stop.set()
    for thread in threads:
        thread.join()
    compactor.clean()
    assert faults == []
    assert levels(lake) == [float(n) for n in range(1000)]
    assert DeltaTable(str(lake.folder / TABLE)).to_pyarrow_table().num_rows == 1000


def _clean_at_once(folder: Path, _hours: float) -> int:
    """As after the kept hours, but for files that a reader may just be at."""
    table = DeltaTable(str(folder))
    table.cleanup_metadata()
    return len(table.vacuum(1, dry_run=False, enforce_retention_duration=False, full=True))
