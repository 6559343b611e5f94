"""Clocks of limits: what counts, what a pause keeps, and when a light turns."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from pydantic import ValidationError

from cityloop.city import deadline
from cityloop.city.calendar import Calendar
from cityloop.city.content import CalendarPart, ExceptionDay
from cityloop.city.days import DayTable, instant_of, ticks
from cityloop.city.deadline import HandlingClock, Until
from cityloop.city.grammar import Limit, parse_limit
from cityloop.core.errors import Conflict, Invalid

from .test_deadline_vectors import SEASONS, TIMETABLES, ZONE, calendar

STARTS = st.datetimes(datetime(2026, 1, 2), datetime(2026, 10, 1)).map(lambda t: t.replace(tzinfo=UTC, microsecond=0))  # noqa: DTZ001
FIGURES = st.integers(1, 400).map(lambda n: n / 4)
UNITS = st.sampled_from(["紧急工作时", "分钟", "工作时", "工作日", "自然日"])
PROFILES = st.sampled_from(["day=8h", "day=close", "day=office"])
CALENDARS = st.sampled_from(["std", "seven", "season", "sanitation"])


def read(text: str, profile: str = "work_default/day=8h") -> Limit:
    limit = parse_limit(text, profile, SEASONS)
    assert isinstance(limit, Limit), limit
    return limit


def local(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZONE)


def clock_of(text: str, start: str, profile: str = "work_default/day=8h", name: str = "std") -> HandlingClock:
    return deadline.start(read(text, profile), calendar(name), local(start))


def due(clock: HandlingClock) -> datetime | None:
    return deadline.due(clock, calendar(clock.calendar)).at


@given(STARTS, STARTS, FIGURES, UNITS, PROFILES, CALENDARS)
def test_who_starts_later_is_due_no_earlier(
    one: datetime, other: datetime, figure: float, unit: str, profile: str, name: str
) -> None:
    limit, cal = read(f"{figure}{unit}", profile), calendar(name)
    early, late = sorted([one, other])
    first, second = (deadline.due(deadline.start(limit, cal, at), cal).at for at in (early, late))
    assert first is not None
    assert second is not None
    assert first <= second


@given(STARTS, FIGURES, FIGURES, UNITS, PROFILES, CALENDARS)
def test_a_longer_limit_is_due_no_earlier(
    start: datetime, one: float, other: float, unit: str, profile: str, name: str
) -> None:
    cal = calendar(name)
    ends = [due(deadline.start(read(f"{n}{unit}", profile), cal, start)) for n in sorted([one, other])]
    assert ends[0] is not None
    assert ends[1] is not None
    assert ends[0] <= ends[1]


@given(STARTS, FIGURES, st.sampled_from(["紧急工作时", "分钟", "工作时", "工作日", "自然日"]), CALENDARS)
def test_at_the_due_instant_exactly_the_limit_is_used(start: datetime, figure: float, unit: str, name: str) -> None:
    limit, cal = read(f"{figure}{unit}"), calendar(name)
    clock = deadline.start(limit, cal, start)
    end = deadline.due(clock, cal).at
    assert end is not None
    assert deadline.used(clock, cal, end) == limit.stages[0].amount // 1_000_000
    assert deadline.left(clock, cal, end) == 0


@given(STARTS, FIGURES, UNITS, PROFILES, CALENDARS, st.integers(0, 10**6))
def test_a_pause_of_no_time_changes_nothing(
    start: datetime, figure: float, unit: str, profile: str, name: str, after: int
) -> None:
    cal = calendar(name)
    clock = deadline.start(read(f"{figure}{unit}", profile), cal, start)
    moment = start + timedelta(seconds=after)
    again = deadline.resume(deadline.pause(clock, moment), cal, moment)
    assert deadline.due(again, cal).at == deadline.due(clock, cal).at
    assert deadline.used(again, cal, moment) == deadline.used(clock, cal, moment)


@given(STARTS, FIGURES, UNITS, PROFILES, CALENDARS, st.integers(0, 10**6), st.integers(0, 10**6))
def test_a_pause_never_brings_the_due_instant_forward_nor_loses_used_time(
    start: datetime, figure: float, unit: str, profile: str, name: str, after: int, length: int
) -> None:
    cal = calendar(name)
    clock = deadline.start(read(f"{figure}{unit}", profile), cal, start)
    begin = start + timedelta(seconds=after)
    paused = deadline.pause(clock, begin)
    resumed = deadline.resume(paused, cal, begin + timedelta(seconds=length))
    before, later = deadline.due(clock, cal).at, deadline.due(resumed, cal).at
    assert before is not None
    assert later is not None
    assert later >= before
    assert deadline.used(resumed, cal, begin + timedelta(seconds=length)) == deadline.used(clock, cal, begin)
    if before < begin:
        assert later == before, "what was late before the pause stays late since then"


@given(STARTS, FIGURES, UNITS, PROFILES, CALENDARS)
def test_a_light_turns_at_the_instants_it_announces(
    start: datetime, figure: float, unit: str, profile: str, name: str
) -> None:
    cal = calendar(name)
    clock = deadline.start(read(f"{figure}{unit}", profile), cal, start)
    turns = deadline.turns(clock, cal)
    assert turns.yellow_at is not None
    assert turns.red_at is not None
    second = timedelta(seconds=1)
    assume(turns.yellow_at - second > start)
    assert deadline.light(clock, cal, turns.yellow_at - second) == "green"
    assert deadline.light(clock, cal, turns.yellow_at) == "yellow"
    assert deadline.light(clock, cal, turns.red_at) == "yellow"
    assert deadline.light(clock, cal, turns.red_at + second) == "red"


@given(STARTS, FIGURES, UNITS, PROFILES, CALENDARS)
def test_a_clock_survives_json(start: datetime, figure: float, unit: str, profile: str, name: str) -> None:
    cal = calendar(name)
    clock = deadline.extend(deadline.start(read(f"{figure}{unit}", profile), cal, start))
    assert HandlingClock.model_validate(clock.model_dump(mode="json")) == clock


def test_finished_at_the_due_instant_is_on_time_and_a_second_later_is_late() -> None:
    clock = clock_of("4工作时", "2026-03-09T10:00:00")
    end = local("2026-03-09T16:00:00")
    assert deadline.on_time(clock, calendar("std")) is None
    assert deadline.on_time(deadline.stop(clock, end), calendar("std")) is True
    late = deadline.stop(clock, end + timedelta(seconds=1))
    assert deadline.on_time(late, calendar("std")) is False
    assert deadline.light(late, calendar("std"), end + timedelta(days=1)) == "red"
    assert due(late) == end


def test_what_is_finished_keeps_its_light() -> None:
    clock = deadline.stop(clock_of("4工作时", "2026-03-09T10:00:00"), local("2026-03-09T11:00:00"))
    assert deadline.light(clock, calendar("std"), local("2026-06-01T11:00:00")) == "green"
    assert deadline.used(clock, calendar("std"), local("2026-06-01T11:00:00")) == 3600


def test_a_paused_clock_has_no_due_instant_but_what_is_left() -> None:
    clock = deadline.pause(clock_of("4工作时", "2026-03-09T10:00:00"), local("2026-03-09T11:00:00"))
    assert due(clock) is None
    assert deadline.light(clock, calendar("std"), local("2026-03-10T11:00:00")) == "paused"
    assert deadline.left(clock, calendar("std"), local("2026-03-10T11:00:00")) == 3 * 3600
    assert deadline.turns(clock, calendar("std")).red_at is None


def test_what_is_left_falls_below_zero_when_late() -> None:
    clock = clock_of("1工作时", "2026-03-09T10:00:00")
    assert deadline.left(clock, calendar("std"), local("2026-03-09T14:30:00")) == -3600 - 1800


def test_rework_may_go_on_with_what_was_left() -> None:
    clock = deadline.stop(clock_of("4工作时", "2026-03-09T08:00:00"), local("2026-03-09T09:00:00"))
    again = deadline.resume(clock, calendar("std"), local("2026-03-09T16:00:00"))
    assert due(again) == local("2026-03-10T09:00:00")


def test_extension_while_paused_counts_on_resumption() -> None:
    paused = deadline.pause(clock_of("1工作日", "2026-03-09T10:00:00"), local("2026-03-09T15:00:00"))
    going = deadline.resume(deadline.extend(paused), calendar("std"), local("2026-03-10T08:00:00"))
    assert due(going) == local("2026-03-11T15:00:00")


def test_a_close_of_day_limit_ends_at_a_close_after_a_pause() -> None:
    clock = clock_of("1工作日", "2026-03-09T10:00:00", "day=close")
    paused = deadline.pause(clock, local("2026-03-09T11:00:00"))
    resumed = deadline.resume(paused, calendar("std"), local("2026-03-11T15:00:00"))
    assert due(resumed) == local("2026-03-13T18:00:00")


def test_an_early_arrival_counts_its_own_day_where_the_city_says_so() -> None:
    assert due(clock_of("1工作日", "2026-03-09T10:00:00", "day=close/cutoff=12:00")) == local("2026-03-09T18:00:00")
    assert due(clock_of("1工作日", "2026-03-09T12:00:00", "day=close/cutoff=12:00")) == local("2026-03-10T18:00:00")
    assert due(clock_of("1工作日", "2026-03-08T10:00:00", "day=close/cutoff=12:00")) == local("2026-03-09T18:00:00")


def test_an_absolute_target_is_due_at_its_instant() -> None:
    target = local("2026-03-12T10:00:00")
    clock = deadline.start(Until(instant=target), calendar("std"), local("2026-03-09T10:00:00"))
    assert due(clock) == target
    assert not deadline.due(clock, calendar("std")).provisional
    assert deadline.on_time(deadline.stop(clock, target), calendar("std")) is True
    with pytest.raises(Invalid, match="absolute"):
        deadline.extend(clock)


def test_a_target_that_had_passed_before_the_start_is_late_from_the_start() -> None:
    clock = deadline.start(Until(instant=local("2026-03-01T10:00:00")), calendar("std"), local("2026-03-09T10:00:00"))
    assert due(clock) == local("2026-03-01T10:00:00")
    assert deadline.light(clock, calendar("std"), local("2026-03-09T10:00:00")) == "red"
    assert deadline.on_time(deadline.stop(clock, local("2026-03-09T10:00:00")), calendar("std")) is False


STAGED = "现场围护3紧急工作时;修复8紧急工作时;路面恢复5工作日"


def test_each_stage_has_its_own_lateness() -> None:
    clock = clock_of(STAGED, "2026-10-04T23:00:00")
    clock = deadline.finish(clock, "现场围护", local("2026-10-05T02:00:01"))
    clock = deadline.stop(clock, local("2026-10-05T06:00:00"))
    assert deadline.on_time(clock, calendar("std")) is False
    last = clock.model_copy(update={"limit": read(STAGED, "late=last")})
    assert deadline.on_time(last, calendar("std")) is True


def test_a_finished_stage_no_longer_turns_the_light() -> None:
    clock = clock_of(STAGED, "2026-10-04T23:00:00")
    assert deadline.turns(clock, calendar("std")).red_at == local("2026-10-05T02:00:00")
    done = deadline.finish(clock, "现场围护", local("2026-10-05T01:00:00"))
    assert deadline.turns(done, calendar("std")).red_at == local("2026-10-05T07:00:00")
    assert deadline.light(done, calendar("std"), local("2026-10-05T03:00:00")) == "green"
    with pytest.raises(Invalid, match="现场围护"):
        deadline.finish(clock, "清运", local("2026-10-05T01:00:00"))


def test_outside_its_season_a_limit_may_wait_for_a_person() -> None:
    clock = clock_of("种植季节15工作日", "2026-07-10T09:00:00", "season=suspend")
    assert due(clock) is None
    assert deadline.light(clock, calendar("std"), local("2026-07-11T09:00:00")) == "none"
    going = deadline.resume(clock, calendar("std"), local("2026-10-19T08:00:00"))
    assert due(going) == local("2026-11-06T18:00:00")


def test_pausing_twice_resuming_twice_and_going_back_in_time_are_refused() -> None:
    clock = clock_of("4工作时", "2026-03-09T10:00:00")
    with pytest.raises(Conflict):
        deadline.resume(clock, calendar("std"), local("2026-03-09T11:00:00"))
    paused = deadline.pause(clock, local("2026-03-09T11:00:00"))
    with pytest.raises(Conflict):
        deadline.pause(paused, local("2026-03-09T12:00:00"))
    with pytest.raises(Invalid, match="before"):
        deadline.resume(paused, calendar("std"), local("2026-03-09T10:30:00"))


def test_what_was_counted_before_the_new_year_is_confirmed() -> None:
    cal = calendar("std")
    clock = deadline.start(read("1工作日"), cal, local("2026-12-30T08:00:00"))
    assert not deadline.due(clock, cal).provisional
    assert deadline.due(deadline.extend(deadline.extend(clock)), cal).provisional


def test_the_explanation_names_limit_calendar_start_and_what_moved_it() -> None:
    cal = calendar("std")
    clock = deadline.extend(clock_of("4工作时", "2026-03-09T10:00:00"))
    clock = deadline.resume(deadline.pause(clock, local("2026-03-09T11:00:00")), cal, local("2026-03-09T15:00:00"))
    said = deadline.explain(clock, cal)
    assert (
        said.zh == "时限 4工作时，自 2026-03-09 10:00 起，按“std”（08:00-12:00 14:00-18:00）计时，暂停 1 次，延期 1 次"
    )
    assert said.en.startswith("limit 4工作时 from 2026-03-09 10:00")
    absolute = deadline.start(Until(instant=local("2026-03-12T10:00:00")), cal, local("2026-03-09T10:00:00"))
    assert "2026-03-12 10:00" in deadline.explain(absolute, cal).zh


def test_a_department_may_close_for_a_day_or_open_on_a_holiday() -> None:
    days = (
        ExceptionDay(date=date(2026, 3, 10)),
        ExceptionDay(date=date(2026, 3, 14), slots=("09:00-12:00",)),
    )
    part = CalendarPart.model_validate({"title": "std", "timetables": TIMETABLES["std"], "exceptions": days})
    cal = Calendar("own", part, ZONE, DayTable({}, frozenset({2026})))
    clock = deadline.start(read("1工作日"), cal, local("2026-03-09T10:00:00"))
    assert deadline.due(clock, cal).at == local("2026-03-11T10:00:00")
    assert cal.works(date(2026, 3, 14))
    assert not cal.works(date(2026, 3, 15))


def test_years_far_from_the_table_are_counted_by_the_weekday_rule_and_provisional() -> None:
    part = CalendarPart.model_validate({"title": "std", "timetables": TIMETABLES["std"]})
    cal = Calendar("std", part, ZONE, DayTable({}, frozenset({2026})))
    for start, end in [("2011-07-01T09:00:00", "2011-07-04T09:00:00"), ("2040-03-09T09:00:00", "2040-03-12T09:00:00")]:
        result = deadline.due(deadline.start(read("1工作日"), cal, local(start)), cal)
        assert (result.at, result.provisional) == (local(end), True)
    with pytest.raises(Invalid, match="cannot count from 1969"):
        deadline.due(deadline.start(read("1工作日"), cal, datetime(1970, 1, 1, tzinfo=UTC)), cal)


def test_a_limit_of_centuries_is_refused_instead_of_searched_for_ever() -> None:
    part = CalendarPart.model_validate({"title": "std", "timetables": TIMETABLES["std"]})
    cal = Calendar("std", part, ZONE, DayTable())
    with pytest.raises(Invalid, match="cannot count"):
        deadline.due(deadline.start(read("90000工作日"), cal, local("2026-03-09T10:00:00")), cal)


def test_a_calendar_that_never_opens_is_refused_when_it_is_read() -> None:
    with pytest.raises(ValidationError, match="never open"):
        CalendarPart.model_validate({"title": "closed", "timetables": [{"slots": []}]})


def test_counting_begins_at_the_next_opening() -> None:
    assert instant_of(calendar("std").opening(ticks(local("2026-03-09T12:30:00")))) == local("2026-03-09T14:00:00")
    assert instant_of(calendar("std").opening(ticks(local("2026-03-09T08:00:00")))) == local("2026-03-09T08:00:00")
