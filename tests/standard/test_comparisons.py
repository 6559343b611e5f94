"""Properties made of other rows: apart from the others, and the hours until a level is reached."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cityloop.core.errors import ContentError
from cityloop.core.values import Title
from cityloop.standard.comparisons import Beside, Comparer, Held, Pace
from cityloop.standard.service import Standard
from cityloop.standard.types import EntityType, Property

START = datetime(2026, 3, 9, tzinfo=UTC)
TITLE = Title(zh="测", en="Test")
KIND = EntityType(
    id="Gauge",
    title=TITLE,
    properties=(
        Property(id="level", title=TITLE),
        Property(id="left", title=TITLE),
        Property(id="apart", title=TITLE, beside=Beside(property="level", within=3600, least=3, floor=1)),
        Property(id="pace", title=TITLE),
        Property(id="hours", title=TITLE),
    ),
    paces=(Pace(found="level", left="left", level=100, weight=0.5, pace="pace", hours="hours"),),
)
Record = tuple[str, float, float | None, float | None]
"""Entity, hour, level found, level left."""


def made(records: Sequence[Record], held: Held | None = None) -> list[dict[str, Any]]:
    rows = pl.DataFrame(
        [(name, START + timedelta(hours=hour), level, left) for name, hour, level, left in records],
        {"entity": pl.String, "observed_at": pl.Datetime("us", "UTC"), "level": pl.Float64, "left": pl.Float64},
        orient="row",
    )
    return Comparer(KIND, lambda columns, _: _of(held or {}, len(columns))).added(rows).to_dicts()


def _of(held: Held, width: int) -> Held:
    return {name: (at, values[:width]) for name, (at, values) in held.items()}


def micros(hour: float) -> int:
    return int((START + timedelta(hours=hour)).timestamp() * 1e6)


def test_a_value_far_from_the_others_counts_in_their_spreads() -> None:
    rows = made([(name, 0, level, None) for name, level in zip("abcde", (10.0, 12.0, 14.0, 16.0, 50.0), strict=True)])
    # The others of e are 10, 12, 14, 16: median 13, absolute deviations 3, 1, 1, 3 with the median 2.
    assert rows[4]["apart"] == pytest.approx((50 - 13) / (1.4826 * 2))
    assert abs(rows[1]["apart"]) < 1


def test_others_of_before_count_as_long_as_they_are_fresh_enough() -> None:
    held = {name: (micros(-0.5), (10.0, None)) for name in "abc"}
    assert made([("e", 0, 15.0, None)], held)[0]["apart"] == 5
    assert made([("e", 0.6, 15.0, None)], held)[0]["apart"] is None
    assert made([("a", 0, 15.0, None)], held)[0]["apart"] is None


@given(st.lists(st.integers(0, 20).map(float), min_size=4, max_size=12))
def test_the_score_is_that_of_a_plain_count_over_the_others(levels: list[float]) -> None:
    rows = made([(f"s{n}", 0, level, None) for n, level in enumerate(levels)])
    for number, row in enumerate(rows):
        others = [level for n, level in enumerate(levels) if n != number]
        spread = max(1.0, 1.4826 * median(abs(level - median(others)) for level in others))
        assert row["apart"] == pytest.approx((levels[number] - median(others)) / spread)


def test_a_row_behind_the_newest_of_its_station_is_not_compared() -> None:
    held = {name: (micros(0), (10.0, None)) for name in "abcd"}
    assert made([("a", -0.2, 90.0, None)], held)[0]["apart"] is None


def test_no_value_has_no_distance_and_is_no_neighbour() -> None:
    rows = made([("a", 0, 1.0, None), ("b", 0, 1.0, None), ("c", 0, None, None), ("d", 0, 1.0, None)])
    assert [row["apart"] for row in rows] == [None] * 4


@given(st.lists(st.floats(0, 100), min_size=4, max_size=9), st.integers(1, 8))
def test_stations_that_come_in_two_batches_are_judged_by_what_was_known(levels: list[float], cut: int) -> None:
    records: list[Record] = [(f"s{n}", n / 60, level, None) for n, level in enumerate(levels)]
    whole = made(records)
    held = {name: (micros(hour), (level, None)) for name, hour, level, _ in records[:cut]}
    parts = [*made(records[:cut]), *made(records[cut:], held)]
    assert [row["apart"] for row in parts] == [row["apart"] for row in whole]


def test_a_pace_is_learnt_from_what_was_left_to_what_is_found() -> None:
    rows = made([("a", 0, 80.0, 0.0), ("a", 10, 50.0, 10.0), ("a", 20, 40.0, 0.0)])
    assert [(row["pace"], row["hours"]) for row in rows] == [(None, None), (5.0, 18.0), (4.0, 25.0)]


def test_a_late_row_teaches_nothing_and_a_fall_neither() -> None:
    held = {"a": (micros(10), (10.0, 5.0))}
    late, fall = made([("a", 5, 90.0, 0.0), ("a", 12, 4.0, 0.0)], held)
    assert (late["pace"], fall["pace"]) == (5.0, 5.0)
    assert made([("a", 20, 100.0, 100.0)], held)[0]["hours"] == 0


def test_a_comparison_of_what_is_not_there_is_refused(tmp_path: Path) -> None:
    text = """entity_types:
  - id: Gauge
    title: X
    properties:
      - {id: a, title: A, beside: {property: b, within: 1h, floor: 1}}
    paces: [{found: a, left: c, level: 1, pace: a, hours: a}]
"""
    (tmp_path / "standard.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(ContentError, match=r"properties\.0\.beside\.property.*'b'") as refused:
        Standard.load([tmp_path])
    assert "paces.0.left" in str(refused.value)
