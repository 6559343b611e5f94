"""Boston's own July: every indicator of the replay equals the sheet that is counted by hand from the records."""

from __future__ import annotations

import os
from datetime import UTC, date, datetime
from fractions import Fraction
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from cityloop.core.settings import Settings
from cityloop.drill.replay import replay
from cityloop.serve.evaluate import run_evaluation

BOSTON = Path(__file__).parents[2] / "cities/boston"
SAMPLE = BOSTON / "series/boston311_2011-07.parquet"
WEEKEND, JULY = (date(2011, 7, 2), date(2011, 7, 3)), (date(2011, 7, 1), date(2011, 7, 31))
LONG = JULY if os.environ.get("CITYLOOP_WHOLE_MONTH") == "1" else (date(2011, 7, 1), date(2011, 7, 7))
"""The whole month takes a minute and a half: on demand."""


def sheet(first: date, last: date) -> dict[str, dict[str, int]]:
    """By department, from the records alone: due, handled, on time, waiting too long at the end of July."""
    end = datetime(2011, 8, 1)  # noqa: DTZ001 - Boston wall clock
    opened = pl.col("open_dt").dt.date()
    records = pl.read_parquet(SAMPLE).filter(opened.is_between(first, last))
    # A record that was closed before it was opened is closed when it is opened, as the replay does it.
    closed = pl.when(pl.col("closed_dt").is_not_null()).then(pl.max_horizontal("closed_dt", "open_dt"))
    records = records.with_columns(closed.alias("closed"))
    done = pl.col("closed").is_not_null() & (pl.col("closed") < end)
    limited = pl.col("target_dt").is_not_null()
    waiting = ~done & limited & (pl.col("target_dt") < end)
    table = records.group_by("department").agg(
        (done | waiting).sum().alias("due"),
        done.sum().alias("handled"),
        (done & ~limited).sum().alias("unlimited"),
        (done & limited & (pl.col("closed") <= pl.col("target_dt"))).sum().alias("on_time"),
        waiting.sum().alias("overdue"),
    )
    return {row.pop("department"): row for row in table.iter_rows(named=True)}


def expected(row: dict[str, int]) -> dict[str, tuple[int, int]]:
    judged = row["due"] - row["unlimited"]
    return {
        "handle_rate": (row["handled"], row["due"]),
        "handle_on_time_rate": (row["on_time"], judged),
        "close_on_time_rate": (row["on_time"], judged),
        "rework_rate": (0, row["due"]),
        "overdue_rate": (row["overdue"], row["due"]),
        "extension_rate": (0, row["due"]),
    }


def by_hand(row: dict[str, int]) -> float | None:
    """The score of the scheme, added up once more: 30, 20, 20, 10, 10, 10 points."""
    rates = {name: Fraction(top, bottom) if bottom else None for name, (top, bottom) in expected(row).items()}
    points = dict(zip(rates, (30, 20, 20, 10, 10, 10), strict=True))
    falling = {"rework_rate", "overdue_rate", "extension_rate"}
    parts = {n: points[n] * (1 - r if n in falling else r) for n, r in rates.items() if r is not None}
    reachable = sum(points[name] for name in parts)
    return float(sum(parts.values()) * 100 / reachable) if reachable else None


@pytest.mark.parametrize("days", [WEEKEND, pytest.param(LONG, marks=pytest.mark.slow)], ids=["weekend", "long"])
def test_days_of_boston_equal_the_sheet_counted_by_hand(days: tuple[date, date], tmp_path: Path) -> None:
    replay(BOSTON, *days, tmp_path)
    settings = Settings(city=BOSTON, data=tmp_path)
    wanted = {"period": "month", "at": date(2011, 7, 15)}
    board: Any = run_evaluation(settings, "handling", wanted, "json", "en", False)
    known = sheet(*days)
    assert known.keys() <= {row["id"] for row in board["rows"]}
    empty = {"due": 0, "handled": 0, "unlimited": 0, "on_time": 0, "overdue": 0}
    for row in board["rows"]:
        right = known.get(row["id"], empty)
        found = {item["id"]: (item["numerator"], item["denominator"]) for item in row["items"]}
        assert found == expected(right), row["id"]
        score = by_hand(right)
        assert row["score"] is None if score is None else abs(row["score"] - score) <= 0.005 + 1e-9
        enough = right["due"] > 0 and all(bottom >= 10 or not bottom for _, bottom in found.values())
        assert (row["rank"] is not None) == enough
    ranked = [row["score"] for row in board["rows"] if row["rank"]]
    assert ranked == sorted(ranked, reverse=True)
    anew: Any = run_evaluation(settings, "handling", wanted, "json", "en", True)
    assert [row["items"] for row in anew["rows"]] == [row["items"] for row in board["rows"]]
    assert datetime.fromisoformat(board["period"]["start"]) == datetime(2011, 7, 1, 4, tzinfo=UTC)
