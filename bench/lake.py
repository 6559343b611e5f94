"""The lake beside its peers, in one run: commits beside delta-rs' append, queries beside a native DuckDB table.

**Commits.** The same rows are appended in the same number of commits to two tables: by the lake with everything forced
to the disk and its compactor at work, and by delta-rs with a handle that is reused, which forces nothing. delta-rs
slows down as files grow, so its part ends after a while; the figures say after how many commits. Three windows of a
hundred commits, first, middle and last, show whether the lake slows down too.

**Queries.** Wide rows of 20,000 entities over 26 days, sorted as compaction leaves them. DuckDB reads them from the
lake and from a table of its own, warm, the best of three.
"""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from deltalake import DeltaTable, write_deltalake

from bench.conditions import conditions, percentiles
from cityloop.core.errors import Problem
from cityloop.lake.append import fitted
from cityloop.lake.compactor import Compactor
from cityloop.lake.service import Lake
from cityloop.standard.batch import BASE_COLUMNS

TABLE = "Sensor"
START = datetime(2026, 1, 1, tzinfo=UTC)
DAYS, ENTITIES, DISTRICTS = 26, 20_000, 10
BATCH = 1000
"""Rows of a commit."""
PEER_SECONDS = 60.0
BYTES_A_ROW = 120
"""Space for one row in the lake and once more in DuckDB, with room to sort."""
PROPERTIES = ("pm2_5", "pm10", "no2", "o3")
SCHEMA = pa.schema([*BASE_COLUMNS, *[pa.field(name, pa.float64()) for name in PROPERTIES]])
DAY = "date = DATE '2026-01-20'"
QUERIES = {
    "15-minute averages by district over a day": f"""
        SELECT area, time_bucket(INTERVAL 15 MINUTE, observed_at) AS at, avg(pm2_5) FROM {{t}} WHERE {DAY} GROUP BY ALL
    """,
    "latest values of every entity": """
        SELECT entity, arg_max(pm2_5, observed_at), max(observed_at) FROM {t} GROUP BY entity
    """,
    "top ten entities over 7 days": """
        SELECT entity, avg(pm2_5) AS mean FROM {t} WHERE date BETWEEN DATE '2026-01-14' AND DATE '2026-01-20'
        GROUP BY entity ORDER BY mean DESC LIMIT 10
    """,
    "exact p95 over 26 days": "SELECT area, quantile_cont(pm2_5, 0.95) FROM {t} GROUP BY area",
    "26 days of one entity": "SELECT observed_at, pm2_5 FROM {t} WHERE entity = 'e007777' ORDER BY observed_at",
}


def run(commits: int, rows: int, folder: Path | None = None) -> dict[str, Any]:
    """Measure ``commits`` commits and queries over ``rows`` rows; the result holds its conditions."""
    where = folder or Path(tempfile.gettempdir())
    _room(where, commits, rows)
    with tempfile.TemporaryDirectory(prefix="cityloop-bench-", dir=where) as name:
        return {
            "commits": _commits(Path(name), commits),
            "queries": _queries(Path(name), rows),
            "conditions": {
                **conditions("deltalake", "duckdb", "pyarrow"),
                "commits": commits,
                "rows_per_commit": BATCH,
                "rows_queried": rows,
                "entities": ENTITIES,
                "days": DAYS,
                "fsync": True,
                "folder": str(where),
            },
        }


def _room(where: Path, commits: int, rows: int) -> None:
    needed = rows * BYTES_A_ROW + commits * BATCH * BYTES_A_ROW
    free = shutil.disk_usage(where).free
    if free < needed:
        what = f"{where} has {free / 1e9:.1f} GB free, this run needs about {needed / 1e9:.1f} GB"
        raise Problem(what, "give fewer --rows or --commits, or another --folder")


def _commits(folder: Path, commits: int) -> dict[str, Any]:
    batch = _batch(0, BATCH)
    lake = Lake(folder / "own", sync=True)
    lake.ensure(TABLE, SCHEMA)
    compactor = Compactor(lake, 30)
    compactor.start()
    own = _timed(commits, lambda n: lake.append(TABLE, batch, ("bench", n)))
    compactor.stop()
    stored = lake.query(f'SELECT count(*) AS n FROM "{TABLE}"', [TABLE])["n"][0].as_py()
    lake.close()
    if stored != commits * BATCH:
        raise AssertionError(f"{stored} rows are stored of {commits * BATCH}")
    table = DeltaTable.create(str(folder / "peer"), SCHEMA, partition_by=["date"])
    peer = _timed(commits, lambda _: write_deltalake(table, batch, mode="append"), PEER_SECONDS)
    tenth, middle = max(1, commits // 10), max(0, commits // 2 - 50)
    return {
        "windows_ms": {
            f"{start + 1} to {start + len(part)}": percentiles(part)
            for start in (0, middle, max(0, commits - 100))
            if (part := own[start : start + 100])
        },
        "all_ms": percentiles(own),
        "last_to_first_p50": round(_p50(own[-tenth:]) / _p50(own[:tenth]), 2),
        "compactor": "every 30 s",
        "delta_rs_append": {
            "commits": len(peer),
            "first_tenth_ms": percentiles(peer[:tenth]),
            "last_100_ms": percentiles(peer[-100:]),
            "fsync": False,
            "compaction": False,
        },
    }


def _timed(count: int, step: Callable[[int], object], seconds: float = float("inf")) -> list[float]:
    """Milliseconds of every step, until ``count`` or ``seconds`` are reached."""
    times: list[float] = []
    until = time.perf_counter() + seconds
    for number in range(count):
        began = time.perf_counter()
        if began > until:
            break
        step(number)
        times.append((time.perf_counter() - began) * 1000)
    return times


def _p50(times: list[float]) -> float:
    return sorted(times)[len(times) // 2]


def _batch(first: int, count: int) -> pa.Table:
    """``count`` rows of one instant of the first day, for the commits."""
    rng = np.random.default_rng(7)
    at = START + timedelta(hours=1)
    rows = pa.table(
        {
            "entity": [f"e{n:06}" for n in range(first, first + count)],
            "observed_at": [at] * count,
            "received_at": [at] * count,
            "feed": ["bench"] * count,
            "record": [f"bat_bench:{n}" for n in range(count)],
            "area": [f"44030{n % DISTRICTS}" for n in range(count)],
            "date": [at.date()] * count,
            **{name: rng.gamma(2.0, 20.0, count) for name in PROPERTIES},
        }
    )
    return fitted(rows, SCHEMA)


def _queries(folder: Path, rows: int) -> dict[str, Any]:
    lake = Lake(folder / "wide", sync=False)
    lake.ensure(TABLE, SCHEMA)
    for day in range(DAYS):
        lake.append(TABLE, _day(day, rows // DAYS))
    files = lake.files(TABLE)
    listed = ", ".join(f"'{path}'" for path in files)
    with duckdb.connect(str(folder / "native.duckdb")) as native:
        native.execute("SET timezone='UTC'")
        native.execute("SET temp_directory=?", [str(folder / "spill")])
        native.execute(f"CREATE TABLE native AS SELECT * FROM read_parquet([{listed}], hive_partitioning=true)")
        native.execute("CHECKPOINT")
        found = {}
        for name, sql in QUERIES.items():
            ours, work, answer = _best(lambda sql=sql: lake.query(sql.format(t=f'"{TABLE}"'), [TABLE]))  # type: ignore[misc]
            theirs, other_work, other = _best(lambda sql=sql: native.sql(sql.format(t="native")).to_arrow_table())  # type: ignore[misc]
            if answer.num_rows != other.num_rows or not answer.num_rows:
                raise AssertionError(f"{name}: {answer.num_rows} rows from the lake, {other.num_rows} from DuckDB")
            found[name] = {
                "lake_ms": ours,
                "native_ms": theirs,
                "ratio": round(ours / theirs, 2),
                "lake_cpu_ms": work,
                "native_cpu_ms": other_work,
            }
    stored = lake.stats(TABLE)
    lake.close()
    return {
        **found,
        "worst_ratio": max(item["ratio"] for item in found.values()),
        "lake_bytes": stored.bytes,
        "native_bytes": (folder / "native.duckdb").stat().st_size,
        "rows": stored.rows,
        "warm": "best of three",
    }


def _day(day: int, count: int) -> pa.Table:
    """One day's rows by entity, then time, as compaction leaves them."""
    rng = np.random.default_rng(day)
    each = max(1, count // ENTITIES)
    entities = min(ENTITIES, count)
    step = int(86_400e6 / each)
    start = int((START + timedelta(days=day)).timestamp() * 1e6)
    entity = np.repeat(np.arange(entities), each)
    at = pa.array(start + np.tile(np.arange(each) * step, entities)).cast(pa.int64()).cast(SCHEMA.field(1).type)
    total = len(entity)
    names = pa.array([f"e{n:06}" for n in range(entities)])
    areas = pa.array([f"44030{n}" for n in range(DISTRICTS)])
    record = pc.binary_join_element_wise(f"bat_{day:03}", pa.array(np.arange(total)).cast(pa.string()), ":")

    rows = pa.table(
        {
            "entity": names.take(pa.array(entity)),
            "observed_at": at,
            "received_at": at,
            "feed": pa.repeat("bench", total),
            "record": record,
            "area": areas.take(pa.array(entity % DISTRICTS)),
            "date": pa.repeat((START + timedelta(days=day)).date(), total),
            **{name: rng.gamma(2.0, 20.0, total) for name in PROPERTIES},
        }
    )
    return fitted(rows, SCHEMA)


def _best(step: Callable[[], pa.Table]) -> tuple[float, float, pa.Table]:
    """The shortest of three warm runs in milliseconds, of the clock and of CPU, and the answer."""
    answer = step()
    times, work = [], []
    for _ in range(3):
        began, worked = time.perf_counter(), time.process_time()
        answer = step()
        times.append((time.perf_counter() - began) * 1000)
        work.append((time.process_time() - worked) * 1000)
    return round(min(times), 1), round(min(work), 1), answer
