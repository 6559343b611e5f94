"""The memory of recent rows, whatever its size, gives the verdicts of a memory of all rows."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import polars as pl
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cityloop.collect.duplicates import Key, RecentKeys, keys_of
from cityloop.lake.service import Lake
from cityloop.standard.batch import BASE_COLUMNS

START = datetime(2026, 3, 9, 23, 59, tzinfo=UTC)
ROWS = st.tuples(st.sampled_from(["a", "b"]), st.integers(0, 120), st.sampled_from(["f", "g"]))
BATCHES = st.lists(st.lists(ROWS, min_size=1, max_size=8), min_size=1, max_size=12)


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lake]:
    lake = Lake(tmp_path_factory.mktemp("lake") / "lake", sync=False)
    yield lake
    lake.close()


def frame(batch: list[tuple[str, int, str]]) -> pl.DataFrame:
    at = [START + timedelta(seconds=second) for _, second, _ in batch]
    return pl.DataFrame({"entity": [row[0] for row in batch], "observed_at": at, "feed": [row[2] for row in batch]})


def stored(rows: pl.DataFrame) -> pa.Table:
    full = rows.with_columns(
        pl.col("observed_at").alias("received_at"),
        pl.lit("r").alias("record"),
        pl.col("observed_at").dt.date().alias("date"),
    )
    return full.to_arrow().select([name for name in BASE_COLUMNS.names if name not in ("area", "quality")])


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(batches=BATCHES, most=st.integers(1, 20), restart=st.integers(0, 12))
def test_small_memory_and_large_memory_agree(
    lake: Lake, batches: list[list[tuple[str, int, str]]], most: int, restart: int
) -> None:
    table = f"T{len(lake.tables())}"
    lake.ensure(table, BASE_COLUMNS)
    recent, everything = RecentKeys(lake, table, most), set[Key]()
    for number, batch in enumerate(batches):
        if number == restart:
            recent = RecentKeys(lake, table, most)
            recent.warm()
        rows = frame(batch)
        keys = keys_of(rows)
        found = recent.repeated(rows)
        marks = [False] * len(keys) if found is None else found.to_list()
        assert marks == [key in everything or key in keys[:n] for n, key in enumerate(keys)]
        kept = rows.filter(~pl.Series(marks))
        lake.append(table, stored(kept))
        recent.add(kept)
        everything |= set(keys)
