"""Times of records: the column reading and the single reading agree, and nothing is guessed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cityloop.standard.declarations import TimeField
from cityloop.standard.times import instant, parsed

ISO = TimeField(field="t")
LOCAL = TimeField(field="t", zone="Asia/Shanghai")
NEW_YORK = TimeField(field="t", format="%Y-%m-%d %H:%M:%S", zone="America/New_York")
MOMENT = datetime(2026, 3, 8, 22, 30, tzinfo=UTC)
OFFSETS = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
FROM, TO = datetime(1971, 1, 1), datetime(2100, 1, 1)  # noqa: DTZ001 - Hypothesis takes naive bounds
MOMENTS = st.datetimes(FROM, TO, timezones=OFFSETS)


def column(texts: list[str | None], rule: TimeField) -> list[datetime | None]:
    return parsed(pl.Series("t", texts, dtype=pl.String), rule).to_list()


@pytest.mark.parametrize(
    "text",
    ["2026-03-09T06:30:00+08:00", "2026-03-08T22:30:00Z", "2026-03-09T06:30:00.000+0800", "2026-03-09T06:30+08:00",
     "2026-03-09 06:30:00+08:00", " 2026-03-09T06:30:00+08:00 "],
)  # fmt: skip
def test_iso_times_with_an_offset_are_read(text: str) -> None:
    assert column([text], ISO) == [MOMENT]


@pytest.mark.parametrize(
    "text", ["2026-03-09T06:30:00", "tomorrow", "", "2026-13-09T06:30:00Z", "1969-12-31T23:59:59Z", "20260309"]
)
def test_what_is_no_time_or_has_no_offset_is_refused(text: str) -> None:
    assert column([text], ISO) == [None]


def test_a_zone_locates_times_without_an_offset_and_leaves_others_alone() -> None:
    assert column(["2026-03-09T06:30:00", "2026-03-08T22:30:00Z"], LOCAL) == [MOMENT, MOMENT]


def test_epochs_are_read_from_text() -> None:
    seconds = str(int(MOMENT.timestamp()))
    assert column([seconds, "x", None], TimeField(field="t", format="epoch_s")) == [MOMENT, None, None]
    assert column([f"{seconds}000"], TimeField(field="t", format="epoch_ms")) == [MOMENT]


def test_an_hour_that_the_clock_skips_does_not_exist_and_a_repeated_one_is_its_first() -> None:
    skipped, repeated = "2026-03-08 02:30:00", "2026-11-01 01:30:00"
    first = datetime(2026, 11, 1, 1, 30, tzinfo=ZoneInfo("America/New_York")).astimezone(UTC)
    assert column([skipped, repeated], NEW_YORK) == [None, first]
    assert [instant(text, NEW_YORK) for text in (skipped, repeated)] == [None, first]


@given(moments=st.lists(MOMENTS, min_size=1, max_size=20))
def test_every_written_moment_is_read_back_exactly(moments: list[datetime]) -> None:
    texts: list[str | None] = [moment.isoformat() for moment in moments]
    assert column(texts, ISO) == [moment.astimezone(UTC) for moment in moments]


@given(moment=st.datetimes(FROM, TO))
def test_column_and_single_reading_agree_on_local_times(moment: datetime) -> None:
    text = moment.strftime("%Y-%m-%d %H:%M:%S")
    assert column([text], NEW_YORK) == [instant(text, NEW_YORK)]


@given(text=st.text(max_size=30))
def test_no_text_makes_the_reading_fail(text: str) -> None:
    for rule in (ISO, LOCAL, NEW_YORK, TimeField(field="t", format="epoch_s")):
        column([text], rule)
