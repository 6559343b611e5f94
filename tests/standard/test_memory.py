"""Jumps and stuck sensors are judged by event time, the same however the stream is cut into batches."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from cityloop.standard.declarations import FeedDeclaration
from cityloop.standard.feeds import compile_feed
from cityloop.standard.mapped import Mapped
from cityloop.standard.mapping import FeedMapping
from cityloop.standard.memory import PAST, Memory
from cityloop.standard.service import Standard
from cityloop.standard.types import EntityType

START = datetime(2026, 3, 9, tzinfo=UTC)
JUMP = {"rule": "jump", "property": "level", "change": 10, "per": "10m", "within": "2h"}
STUCK = {"rule": "stuck", "property": "level", "readings": 4, "but": [0]}
LASTING = {"rule": "stuck", "property": "level", "lasting": "30m"}
PROPERTIES = [{"id": "level", "title": "level"}, {"id": "flow", "title": "flow"}]
KIND = EntityType.model_validate({"id": "Gauge", "title": "Gauge", "properties": PROPERTIES})
Reading = tuple[int, float | None]


def mapping(*checks: dict[str, Any]) -> FeedMapping:
    declaration = FeedDeclaration.model_validate(
        {
            "id": "gauges",
            "title": "Gauges",
            "entity_type": "Gauge",
            "department": "water",
            "entity": {"field": "id"},
            "time": {"field": "at"},
            "properties": {"level": "v", "flow": "w"},
            "checks": checks,
        }
    )
    return compile_feed(declaration, Standard({"Gauge": KIND}))


def mapped(feed: FeedMapping, readings: list[Reading], entity: str = "a") -> Mapped:
    rows = [
        {"id": entity, "at": (START + timedelta(minutes=at)).isoformat(), "v": value, "w": float(n)}
        for n, (at, value) in enumerate(readings)
    ]
    frame = pl.DataFrame(rows, schema=feed.typed)
    return feed.apply(frame, START + timedelta(days=9), {"a", "b"})


def judged(feed: FeedMapping, *batches: list[Reading]) -> tuple[list[Reading], list[str | None]]:
    """Readings that were kept, and their marks, after all batches."""
    memory, kept, marks = Memory(feed), [], []
    for batch in batches:
        found = memory.judge(mapped(feed, batch)).rows
        minutes = ((found["observed_at"] - START).dt.total_minutes()).to_list()
        kept += list(zip(minutes, found["level"].to_list(), strict=True))
        marks += found["quality"].to_list()
    return kept, marks


def test_a_spike_is_marked_and_the_reading_after_it_is_not() -> None:
    feed = mapping(JUMP)
    assert judged(feed, [(0, 10), (10, 90), (20, 12)])[1] == [None, "jump:level", None]
    assert judged(feed, [(0, 10)], [(10, 90)], [(20, 12)])[1] == [None, "jump:level", None]


def test_a_new_level_is_accepted_after_the_time_it_may_take() -> None:
    assert judged(mapping(JUMP), [(0, 10), (10, 30), (20, 30), (30, 31)])[1] == [None, "jump:level", None, None]
    assert judged(mapping(JUMP), [(0, 10), (130, 90)])[1] == [None, None], "older than 'within'"


def test_a_refused_jump_leaves_no_trace() -> None:
    kept, _ = judged(mapping({**JUMP, "severity": "refuse"}), [(0, 10), (10, 90)], [(11, 91), (20, 12)])
    assert kept == [(0, 10), (20, 12)]


def test_the_reason_names_both_values_and_what_is_allowed() -> None:
    feed = mapping(JUMP)
    flags = Memory(feed).judge(mapped(feed, [(0, 10), (20, 90)])).flags
    assert flags[1][0].reason == "90 after 10 at 2026-03-09T00:00:00+00:00; it may change by 20 in that time"
    assert flags[1][0].column == "v"


def test_late_records_are_never_judged_against_later_ones() -> None:
    feed = mapping(JUMP)
    assert judged(feed, [(0, 10), (60, 12)], [(30, 500)], [(70, 13)])[1] == [None] * 4


def test_a_stuck_sensor_is_marked_from_the_nth_equal_reading_on() -> None:
    feed = mapping(STUCK)
    marks = [None, None, None, "stuck:level", "stuck:level", None]
    readings: list[Reading] = [*[(n, 5.0) for n in range(5)], (9, 6.0)]
    assert judged(feed, readings)[1] == marks
    assert judged(feed, *[[reading] for reading in readings])[1] == marks
    zeros: list[Reading] = [(n, 0.0) for n in range(9)]
    assert judged(feed, zeros)[1] == [None] * 9, "0 may stay"
    assert judged(feed, [(0, 5), (1, 5), (2, None), (3, 5), (4, 5)])[1][-1] == "stuck:level", "gaps do not count"


def test_a_value_may_last_only_so_long() -> None:
    assert judged(mapping(LASTING), [(0, 5), (20, 5)], [(29, 5), (30, 5), (40, 6)])[1] == [None] * 3 + [
        "stuck:level",
        None,
    ]


def test_entities_are_judged_apart_and_a_mark_joins_others() -> None:
    feed, memory = mapping(JUMP, STUCK), None
    memory = Memory(feed)
    memory.judge(mapped(feed, [(0, 10)], "a"))
    assert memory.judge(mapped(feed, [(1, 90)], "b")).rows["quality"].to_list() == [None]
    assert memory.judge(mapped(feed, [(1, 90)], "a")).rows["quality"].to_list() == ["jump:level"]


READINGS = st.lists(
    st.tuples(st.integers(1, 15), st.sampled_from([None, 0.0, 1.0, 5.0, 5.0, 5.0, 30.0, 200.0])), max_size=25
)


@given(steps=READINGS, cuts=st.lists(st.integers(0, 25), max_size=6), refuse=st.booleans())
@settings(max_examples=150, deadline=None)
def test_the_verdict_does_not_depend_on_how_the_stream_is_cut(
    steps: list[tuple[int, float | None]], cuts: list[int], refuse: bool
) -> None:
    feed = mapping({**JUMP, "severity": "refuse" if refuse else "flag"}, STUCK, LASTING)
    at = 0
    readings: list[Reading] = []
    for step, value in steps:
        at += step
        readings.append((at, value))
    edges = [0, *sorted(cuts), len(readings)]
    parts = [readings[a:b] for a, b in itertools.pairwise(edges) if b > a]
    assert judged(feed, readings) == judged(feed, *parts)


def test_the_past_can_be_restored() -> None:
    feed = mapping(STUCK)
    memory = Memory(feed)
    at = int(START.timestamp() * 1_000_000)
    kept = [{"entity": "a", "property": "level", "at": at, "value": 5.0, "since": at - 60_000_000, "count": 3}]
    memory.restore(pl.DataFrame(kept, schema=PAST))
    assert memory.judge(mapped(feed, [(1, 5)])).rows["quality"].to_list() == ["stuck:level"]
