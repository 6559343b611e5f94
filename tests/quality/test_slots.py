"""What was to be expected, and when an inspection is due."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cityloop.city.service import City
from cityloop.core.clock import ManualClock
from cityloop.quality.slots import Grid, Hours, Rhythm, age, expected, micros, origin
from cityloop.quality.stages import after_work, moves, next_date, period
from tests.quality.inspected import ROOT

ZONE = ZoneInfo("Asia/Shanghai")
NOON = datetime(2026, 3, 9, 4, tzinfo=UTC)
HOUR, TEN = timedelta(hours=1), timedelta(minutes=10)
METRO = Hours(6 * 3600, 24 * 3600, ZONE)


def local(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 3, day, hour, minute, tzinfo=ZONE)


def test_a_slot_is_due_once_its_record_must_have_come() -> None:
    rhythm = Rhythm(Grid(origin(ZONE), HOUR), timedelta(hours=2))
    due = rhythm.due(local(9, 6), local(9, 12), NOON)
    assert [rhythm.grid.at(slot) for slot in due] == [local(9, hour) for hour in (6, 7, 8, 9, 10)]


def test_nothing_is_expected_while_the_stations_are_closed() -> None:
    rhythm = Rhythm(Grid(origin(ZONE), TEN), TEN, METRO)
    assert len(rhythm.due(local(8, 0), local(9, 0), NOON)) == 108
    assert rhythm.due(local(9, 0), local(9, 6), NOON) == []


def test_silence_over_night_is_not_old_age() -> None:
    assert age(local(8, 23, 50), local(9, 6, 10), METRO) == timedelta(minutes=20)
    assert age(local(8, 23, 50), local(9, 6, 10), None) == timedelta(hours=6, minutes=20)


def test_weeks_begin_on_monday() -> None:
    grid = Grid(origin(ZONE), timedelta(days=7))
    assert grid.at(grid.index(NOON)) == local(9, 0)


def test_an_entity_is_expected_from_the_slot_in_which_it_joined() -> None:
    grid = Grid(origin(ZONE), HOUR)
    first = grid.index(local(9, 8))
    slots = [first, first + 1, first + 2]
    assert expected(slots, grid, [None, local(9, 9, 30)]) == [1, 2, 2]


@given(st.integers(-5000, 5000), st.integers(1, 300), st.sampled_from([TEN, HOUR, timedelta(days=1)]))
def test_stretches_of_two_periods_are_those_of_both_together(start: int, length: int, every: timedelta) -> None:
    grid = Grid(origin(ZONE), every)
    first = NOON + start * timedelta(minutes=7)
    middle, last = first + length * TEN, first + 2 * length * TEN
    both = [*grid.within(first, middle), *grid.within(middle, last)]
    assert both == list(grid.within(first, last))
    assert all(first <= grid.at(slot) < last for slot in both)


@given(st.integers(0, 20_000), st.integers(0, 20_000))
def test_time_of_operation_adds_up(one: int, other: int) -> None:
    first = local(2, 1)
    middle, last = first + timedelta(minutes=one), first + timedelta(minutes=one + other)
    assert METRO.between(first, middle) + METRO.between(middle, last) == METRO.between(first, last)


def test_micros_are_exact() -> None:
    assert micros(datetime(1970, 1, 1, 0, 0, 1, 5, tzinfo=UTC)) == 1_000_005


@pytest.fixture(scope="module")
def demo() -> City:
    return City.load(ROOT / "cities" / "demo", ManualClock(NOON))


@pytest.mark.parametrize(
    ("schedule", "after", "due"),
    [
        ("quarterly", local(9, 12), datetime(2026, 4, 1, 8, tzinfo=ZONE)),
        ("monthly", datetime(2026, 4, 30, 12, tzinfo=ZONE), datetime(2026, 5, 6, 8, tzinfo=ZONE)),
        ("quarterly", datetime(2026, 9, 30, 23, tzinfo=ZONE), datetime(2026, 10, 8, 8, tzinfo=ZONE)),
        ("yearly", local(9, 12), datetime(2027, 1, 4, 8, tzinfo=ZONE)),
    ],
)
def test_the_next_inspection_is_due_on_the_first_working_day(
    demo: City, schedule: str, after: datetime, due: datetime
) -> None:
    calendar = demo.calendars.of(None)
    found = next_date(schedule, after, calendar)  # type: ignore[arg-type]
    assert found == due


def test_a_quarter_is_the_one_that_has_ended_unless_it_is_started_by_hand() -> None:
    planned = datetime(2026, 4, 1, 8, tzinfo=ZONE)
    whole = (datetime(2026, 1, 1, tzinfo=ZONE), datetime(2026, 4, 1, tzinfo=ZONE))
    assert period("quarter", planned, planned, ZONE) == whole
    assert period("quarter", planned, NOON, ZONE) == (datetime(2026, 1, 1, tzinfo=ZONE), NOON)
    assert period("7d", planned, NOON, ZONE) == (NOON - timedelta(days=7), NOON)


def test_where_an_inspection_stands() -> None:
    assert after_work(1, 0, [], 0) == "sampling"
    assert after_work(0, 1, ["open"], 0) == "cases"
    assert after_work(0, 0, ["open", "passed"], 0) == "repair"
    assert after_work(0, 0, ["repaired"], 1) == "recheck"
    assert after_work(0, 0, ["passed", "failed"], 0) == "report"
    assert after_work(0, 0, [], 0) == "report"


def test_a_stopped_inspection_can_only_go_on() -> None:
    assert moves("sampling", True) == ["resume"]
    assert moves("sampling", False) == ["stop"]
    assert moves("planned", False) == ["start"]
    assert moves("closed", False) == []
