"""The lake: what is acknowledged is there, once, for every reader, beside compaction and other writers."""

from __future__ import annotations

import shutil
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest
from deltalake import DeltaTable

from cityloop.lake.compactor import Compactor
from cityloop.lake.service import Lake
from tests.lake.lake_rows import SCHEMA, START, TABLE, levels, rows


def test_appended_rows_are_read_back_as_they_were(lake: Lake) -> None:
    version = lake.append(TABLE, rows(0))
    assert version == lake.version(TABLE) == 1
    found = lake.query(f'SELECT * FROM "{TABLE}" ORDER BY observed_at', [TABLE])
    assert found.cast(SCHEMA).equals(rows(0))


@pytest.mark.parametrize(
    "head",
    [
        "",
        f'WITH few AS (SELECT * FROM "{TABLE}" LIMIT 3) ',
        "with recursive n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3) ",
    ],
)
def test_a_statement_may_bring_names_of_its_own(lake: Lake, head: str) -> None:
    lake.append(TABLE, rows(0))
    found = lake.query(f'{head}SELECT count(*) AS n FROM "{TABLE}" WHERE level < ?', [TABLE], [5.0])
    assert found["n"].to_pylist() == [5]


def test_any_delta_reader_reads_the_same_rows(lake: Lake) -> None:
    lake.append(TABLE, rows(0, 40, step=timedelta(hours=1)))
    lake.append(TABLE, rows(40, 10))
    table = DeltaTable(str(lake.folder / TABLE))
    uris = table.file_uris()
    assert sorted(uri.removeprefix("file://") for uri in uris) == lake.files(TABLE)
    assert table.to_pyarrow_table().num_rows == 50
    assert duckdb.execute(f"SELECT count(*) FROM read_parquet({uris!r})").fetchall() == [(50,)]


def test_a_table_that_is_not_there_yet_is_an_empty_view_with_the_base_columns(lake: Lake) -> None:
    found = lake.query('SELECT entity, count(*) AS n FROM "Later" GROUP BY entity', ["Later"])
    assert found.num_rows == 0
    assert lake.version("Later") == -1
    assert lake.tables() == [TABLE]


def test_a_number_that_was_committed_is_not_committed_again(lake: Lake) -> None:
    first = lake.append(TABLE, rows(0), ("source", 7))
    assert lake.append(TABLE, rows(0), ("source", 7)) == first
    assert lake.append(TABLE, rows(0), ("source", 3)) == first
    assert lake.append(TABLE, rows(10), ("source", 8)) == first + 1
    assert lake.txn_version(TABLE, "source") == 8
    assert lake.txn_version(TABLE, "other") is None
    assert levels(lake) == [float(n) for n in range(20)]


def test_a_commit_without_rows_still_records_the_number(lake: Lake) -> None:
    lake.append(TABLE, SCHEMA.empty_table(), ("source", 5))
    assert lake.txn_version(TABLE, "source") == 5
    assert lake.files(TABLE) == []


def test_rows_since_a_version_come_commit_by_commit_also_after_compaction(lake: Lake) -> None:
    versions = [lake.append(TABLE, rows(n * 10)) for n in range(6)]
    assert lake.since(TABLE, versions[3])["level"].to_pylist() == [float(n) for n in range(40, 60)]
    assert lake.compact(TABLE) == 6
    assert lake.since(TABLE, versions[3])["level"].to_pylist() == [float(n) for n in range(40, 60)]
    assert lake.since(TABLE, lake.version(TABLE)).num_rows == 0
    assert lake.since(TABLE, -1).num_rows == 60


def test_a_reader_whose_files_are_gone_is_told_everything_rather_than_too_little(lake: Lake) -> None:
    for n in range(6):
        lake.append(TABLE, rows(n * 10))
    old = lake.files(TABLE)
    lake.compact(TABLE)
    for path in old:
        Path(path).unlink()
    assert lake.since(TABLE, 3).num_rows == 60


def test_compaction_keeps_every_row_sorts_by_entity_and_time_and_leaves_few_files(lake: Lake) -> None:
    for n in range(8):
        lake.append(TABLE, rows(n * 10), ("source", n))
    assert lake.compact(TABLE) == 8
    assert len(lake.files(TABLE)) == 1
    assert levels(lake) == [float(n) for n in range(80)]
    stored = duckdb.execute(f"SELECT entity, observed_at FROM read_parquet('{lake.files(TABLE)[0]}')").fetchall()
    assert stored == sorted(stored)
    assert lake.compact(TABLE) == 0


def test_a_new_process_reads_a_compacted_table_from_its_checkpoint(lake: Lake) -> None:
    for n in range(6):
        lake.append(TABLE, rows(n * 10), ("source", n))
    lake.compact(TABLE)
    lake.append(TABLE, rows(60), ("source", 6))
    assert (lake.folder / TABLE / "_delta_log" / "_last_checkpoint").is_file()
    other = Lake(lake.folder)
    assert levels(other) == [float(n) for n in range(70)]
    assert other.txn_version(TABLE, "source") == 6
    assert other.schema(TABLE) == lake.schema(TABLE)
    other.close()


def test_a_torn_checkpoint_is_stepped_over(lake: Lake) -> None:
    for n in range(6):
        lake.append(TABLE, rows(n * 10), ("source", n))
    lake.compact(TABLE)
    checkpoint = next((lake.folder / TABLE / "_delta_log").glob("*.checkpoint.parquet"))
    checkpoint.write_bytes(checkpoint.read_bytes()[:100])
    other = Lake(lake.folder)
    assert levels(other) == [float(n) for n in range(60)]
    assert other.txn_version(TABLE, "source") == 5
    other.close()


def test_two_processes_exchange_the_same_files_only_once(lake: Lake) -> None:
    for n in range(6):
        lake.append(TABLE, rows(n * 10))
    other = Lake(lake.folder)
    done: list[int] = []
    threads = [threading.Thread(target=lambda who=who: done.append(who.compact(TABLE))) for who in (lake, other)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(done) == [0, 6]
    assert levels(lake) == levels(other) == [float(n) for n in range(60)]
    other.close()


def test_two_writers_of_one_table_take_turns_and_lose_nothing(lake: Lake) -> None:
    other = Lake(lake.folder)

    def write(who: Lake, start: int) -> None:
        for n in range(15):
            who.append(TABLE, rows(start + n * 10), (f"writer{start}", n))

    threads = [threading.Thread(target=write, args=pair) for pair in ((lake, 0), (other, 1000))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(levels(lake)) == [float(n) for start in (0, 1000) for n in range(start, start + 150)]
    assert lake.version(TABLE) == other.version(TABLE) == 30
    other.close()


def test_readers_beside_appends_and_compaction_never_see_a_row_twice_or_not_at_all(lake: Lake) -> None:
    stop = threading.Event()
    faults: list[str] = []
    committed = 0

    def read() -> None:
        while not stop.is_set():
            before = committed
            found = lake.query(
                f'SELECT count(*) AS n, count(DISTINCT record) AS d FROM "{TABLE}"', [TABLE]
            ).to_pylist()[0]
            if found["n"] != found["d"] or found["n"] < before:
                faults.append(f"{found} after {before}")

    compactor = Compactor(lake, 0.05)
    compactor.start()
    readers = [threading.Thread(target=read) for _ in range(2)]
    for reader in readers:
        reader.start()
    for n in range(120):
        lake.append(TABLE, rows(n * 10), ("source", n))
        committed = (n + 1) * 10
    stop.set()
    for reader in readers:
        reader.join()
    compactor.stop()
    assert faults == []
    assert levels(lake) == [float(n) for n in range(1200)]
    assert len(lake.files(TABLE)) < 60


def test_a_new_property_becomes_an_empty_column_of_old_rows(lake: Lake) -> None:
    lake.append(TABLE, rows(0))
    wider = pa.schema([*SCHEMA, pa.field("state", pa.string())])
    lake.ensure(TABLE, wider)
    assert lake.query(f'SELECT count(state) AS n, count(*) AS m FROM "{TABLE}"', [TABLE]).to_pylist() == [
        {"n": 0, "m": 10}
    ]
    lake.append(TABLE, rows(10).append_column("state", pa.array(["ok"] * 10)))
    assert lake.query(f'SELECT count(state) AS n, count(*) AS m FROM "{TABLE}"', [TABLE]).to_pylist() == [
        {"n": 10, "m": 20}
    ]
    assert lake.since(TABLE, 0).num_rows == 20
    for n in range(2, 6):
        lake.append(TABLE, rows(n * 10))
    lake.compact(TABLE)
    assert levels(lake) == [float(n) for n in range(60)]


def test_a_property_that_changes_its_type_is_refused(lake: Lake) -> None:
    with pytest.raises(ValueError, match="level in another type"):
        lake.ensure(TABLE, pa.schema([*SCHEMA.remove(SCHEMA.get_field_index("level")), pa.field("level", pa.string())]))
    with pytest.raises(ValueError, match="not one the lake keeps"):
        lake.ensure("Other", pa.schema([pa.field("x", pa.list_(pa.int8()))]))
    with pytest.raises(ValueError, match="no column wind"):
        lake.append(TABLE, rows(0).append_column("wind", pa.array([1.0] * 10)))


@pytest.mark.parametrize("name", ["../etc", "a/b", "", "1st", 'x"; DROP'])
def test_a_table_name_cannot_leave_the_lake(lake: Lake, name: str) -> None:
    with pytest.raises(ValueError, match="is not the name of a lake table"):
        lake.version(name)


def test_a_query_reads_nothing_but_the_lake(lake: Lake, tmp_path: Path) -> None:
    secret = tmp_path / "secret.csv"
    secret.write_text("a\n1\n")
    for sql in (f"SELECT * FROM read_csv('{secret}')", f"COPY (SELECT 1) TO '{tmp_path / 'out.csv'}'"):
        with pytest.raises(duckdb.Error):
            lake.query(sql, [])


def test_query_parameters_and_times_are_in_utc(lake: Lake) -> None:
    lake.append(TABLE, rows(0))
    sql = (
        f"SELECT max(observed_at) AS at, strftime(max(observed_at), '%H:%M') AS told FROM \"{TABLE}\" WHERE entity = $e"
    )
    assert lake.query(sql, [TABLE], {"e": "g0"}).to_pylist() == [{"at": START + timedelta(seconds=9), "told": "00:00"}]


def test_a_day_is_a_folder_and_a_batch_over_midnight_lies_in_two(lake: Lake) -> None:
    lake.append(TABLE, rows(0, 48, step=timedelta(hours=1)))
    assert sorted(Path(path).parent.name for path in lake.files(TABLE)) == ["date=2026-03-09", "date=2026-03-10"]
    assert lake.since(TABLE, 0)["date"].to_pylist()[-1] == datetime(2026, 3, 10, tzinfo=UTC).date()


def test_files_left_by_a_crash_before_their_commit_are_nobodys_rows(lake: Lake) -> None:
    lake.append(TABLE, rows(0))
    path = Path(lake.files(TABLE)[0])
    shutil.copy(path, path.with_name("part_orphan.parquet"))
    assert levels(lake) == [float(n) for n in range(10)]


def test_every_query_keeps_what_it_read_of_file_footers(lake: Lake) -> None:
    sql = "SELECT current_setting('parquet_metadata_cache') AS kept, current_setting('timezone') AS zone"
    assert lake.query(sql, []).to_pylist() == [{"kept": True, "zone": "UTC"}]
