"""Periods of a city's own zone: they tile time, whatever the clocks do."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cityloop.evaluate.periods import PeriodKind, period_of, periods, previous

BOSTON, SHENZHEN = ZoneInfo("America/New_York"), ZoneInfo("Asia/Shanghai")
KINDS: tuple[PeriodKind, ...] = ("day", "week", "month", "quarter", "year")
DAYS = st.dates(date(1990, 1, 1), date(2060, 12, 31))


@given(st.sampled_from(KINDS), DAYS, st.sampled_from([BOSTON, SHENZHEN]))
def test_periods_tile_time_without_gap_or_overlap(kind: PeriodKind, day: date, zone: ZoneInfo) -> None:
    found = period_of(kind, day, zone)
    before = previous(found, zone)
    assert found.first <= day <= found.last
    assert (before.end, before.last + timedelta(days=1)) == (found.start, found.first)
    assert period_of(kind, found.last, zone) == period_of(kind, found.first, zone) == found


@pytest.mark.parametrize(
    ("kind", "first", "last", "zh", "en"),
    [
        ("day", "2026-03-09", "2026-03-09", "2026年3月9日", "9 March 2026"),
        ("week", "2026-03-09", "2026-03-15", "2026年第11周", "Week 11 of 2026"),
        ("month", "2026-03-01", "2026-03-31", "2026年3月", "March 2026"),
        ("quarter", "2026-01-01", "2026-03-31", "2026年第1季度", "Quarter 1 of 2026"),
        ("year", "2026-01-01", "2026-12-31", "2026年", "2026"),
    ],
)
def test_a_period_has_its_days_and_its_name(kind: PeriodKind, first: str, last: str, zh: str, en: str) -> None:
    found = period_of(kind, date(2026, 3, 9), SHENZHEN)
    assert (found.first.isoformat(), found.last.isoformat()) == (first, last)
    assert (found.title.zh, found.title.en) == (zh, en)


def test_a_day_of_the_clocks_change_has_23_hours() -> None:
    found = period_of("day", date(2011, 3, 13), BOSTON)
    assert found.end - found.start == timedelta(hours=23)
    assert period_of("month", date(2011, 7, 4), BOSTON).start == datetime(2011, 7, 1, 4, tzinfo=UTC)


def test_every_period_between_two_days_comes_once() -> None:
    found = list(periods("month", date(2025, 11, 20), date(2026, 2, 1), SHENZHEN))
    assert [p.first.isoformat() for p in found] == ["2025-11-01", "2025-12-01", "2026-01-01", "2026-02-01"]
