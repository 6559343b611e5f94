"""Rows for lake tests."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pyarrow as pa

from cityloop.lake.service import Lake
from cityloop.standard.batch import BASE_COLUMNS

START = datetime(2026, 3, 9, tzinfo=UTC)
SCHEMA = pa.schema([*BASE_COLUMNS, pa.field("level", pa.float64())])
TABLE = "Gauge"


def rows(first: int, count: int = 10, batch: str = "b", step: timedelta = timedelta(seconds=1)) -> pa.Table:
    """``count`` rows, numbered from ``first``; ``level`` is the number."""
    at = [START + step * n for n in range(first, first + count)]
    return pa.table(
        {
            "entity": [f"g{n % 3}" for n in range(first, first + count)],
            "observed_at": at,
            "received_at": [START] * count,
            "feed": ["gauges"] * count,
            "record": [f"{batch}:{n}" for n in range(first, first + count)],
            "area": [None] * count,
            "quality": [None] * count,
            "date": [instant.date() for instant in at],
            "level": [float(n) for n in range(first, first + count)],
        },
        schema=SCHEMA,
    )


def levels(lake: Lake) -> list[float]:
    """All levels, in order of time and record."""
    found = lake.query(f'SELECT level FROM "{TABLE}" ORDER BY observed_at, record', [TABLE])
    return [float(value) for value in found["level"].to_pylist()]
