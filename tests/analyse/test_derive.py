"""Derived columns, conditions on figures, the year before, days and hours of the calendar: counted by hand."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from cityloop.analyse import expression, periods
from cityloop.analyse.periods import Shift
from cityloop.analyse.schemas import QueryRequest
from cityloop.analyse.service import Analyst
from cityloop.core.errors import Invalid
from cityloop.lake.service import Lake
from tests.analyse.conftest import START, Book, at
from tests.analyse.test_query import ask

ZONE = "Asia/Shanghai"
FOUR_DAYS: dict[str, Any] = {"start": START, "end": at(96)}


@pytest.fixture
def days(book: Book, lake: Lake, analyst: Analyst) -> Analyst:
    """Opened: three on Monday, one on Tuesday (both from the book), none on Wednesday, two on Thursday."""
    book.case("c5", opened=73)
    book.case("c6", opened=74, area="440305000000002")
    return analyst


def derived(analyst: Analyst, *items: dict[str, Any], **more: Any) -> list[list[Any]]:
    return ask(analyst, metrics=["cases_opened"], derive=[{"metric": "cases_opened", **i} for i in items], **more).rows


def test_running_figures_leave_a_gap_a_gap(days: Analyst) -> None:
    items: list[dict[str, Any]] = [
        {"as": "cumulative"},
        {"as": "moving_average", "window": 2},
        {"as": "change", "over": "time"},
        {"as": "share"},
    ]
    answer = derived(days, *items, grain="day", **FOUR_DAYS)
    assert [row[1:] for row in answer] == [
        [3, 3, 3.0, None, 0.5],
        [1, 4, 2.0, -2.0, pytest.approx(1 / 6)],
        [2, 6, 2.0, None, pytest.approx(1 / 3)],
    ]


def test_a_share_and_a_rank_run_across_the_named_dimension(days: Analyst) -> None:
    answer = derived(
        days, {"as": "share", "over": "district"}, {"as": "rank", "over": "district"},
        dimensions=["district"], grain="day", start=START, end=at(24),
    )  # fmt: skip
    assert [row[1:] for row in answer] == [
        ["440304", 2, pytest.approx(2 / 3), 1],
        ["440305", 1, pytest.approx(1 / 3), 2],
    ]


def test_the_first_of_each_day_is_a_condition_on_its_rank(days: Analyst) -> None:
    answer = derived(
        days, {"as": "rank", "over": "district"}, dimensions=["district"], grain="day", **FOUR_DAYS,
        having=[{"metric": "cases_opened__rank", "op": "lte", "value": 1}],
    )  # fmt: skip
    assert [row[1] for row in answer] == ["440304", "440305", "440304", "440305"]


def test_a_change_against_the_period_before_sorts_the_answer(days: Analyst) -> None:
    answer = ask(
        days, metrics=["cases_opened"], dimensions=["district"], start=at(24), end=at(48), compare="previous",
        derive=[{"metric": "cases_opened", "as": "change_rate"}, {"metric": "cases_opened", "as": "change"}],
        order=[{"by": "cases_opened__change_rate"}],
    )  # fmt: skip
    assert answer.rows == [["440305", 1, 1, 0.0, 0.0], ["440304", 0, 2, -1.0, -2.0]]
    assert [column.title.zh for column in answer.columns[3:]] == ["上报数环比", "上报数环比变化"]
    assert [column.of for column in answer.columns[1:]] == ["", *["cases_opened"] * 3]


@pytest.mark.parametrize(
    ("having", "left"),
    [
        ({"op": "gt", "value": 1}, [3, 2]),
        ({"op": "gte", "values": [3]}, [3]),
        ({"op": "between", "values": [1, 2]}, [1, 2]),
        ({"op": "above_mean"}, [3]),
        ({"op": "below_mean"}, [1]),
    ],
)
def test_conditions_on_figures_leave_rows(days: Analyst, having: dict[str, Any], left: list[int]) -> None:
    asked = [{"metric": "cases_opened", **having}]
    answer = ask(days, metrics=["cases_opened"], grain="day", having=asked, **FOUR_DAYS)
    assert [row[1] for row in answer.rows] == left


def test_the_same_period_a_year_earlier(book: Book, analyst: Analyst) -> None:
    year = -365 * 24
    book.case("old", opened=year + 3)
    answer = ask(analyst, metrics=["cases_opened"], start=START, end=at(24), compare="year", grain="day")
    assert [row[1:] for row in answer.rows] == [[3, 1]]
    assert answer.columns[2].title.zh == "上报数（去年同期）"


def test_a_whole_month_is_compared_with_the_month_before(book: Book, analyst: Analyst) -> None:
    first = (datetime(2026, 2, 1, tzinfo=UTC) - START).total_seconds() / 3600 - 8
    book.case("february", opened=first + 1)
    book.case("january", opened=first - 1)
    march: dict[str, Any] = {"start": "2026-03-01T00:00:00+08:00", "end": "2026-04-01T00:00:00+08:00"}
    answer = ask(analyst, metrics=["cases_opened"], compare="previous", grain="month", **march)
    assert [row[1:] for row in answer.rows] == [[4, 1]]


def test_the_earlier_word_for_the_previous_period_still_stands() -> None:
    asked = {"metrics": ["x"], "compare": "previous_period"}
    assert QueryRequest.model_validate(asked) == QueryRequest(metrics=["x"], compare="previous")


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        (["working_days"], 7),
        (["rest_days"], 2),
        (["working_days", "rest_days"], 9),
        (["holidays"], 1),
        (["morning_peak"], 3),
        (["morning_peak", "evening_peak"], 4),
        (["working_days", "morning_peak"], 2),
        (["holidays", "evening_peak"], 0),
    ],
)
def test_days_and_hours_of_the_city(book: Book, analyst: Analyst, parts: list[str], expected: int) -> None:
    """Beside the four cases on Monday and Tuesday: a make-up Saturday, a Sunday and a holiday on a Monday."""
    book.case("makeup", opened=-9 * 24 + 7.5)  # Saturday 28 February, 07:30
    book.case("sunday", opened=-24 + 8.75)
    book.case("holiday", opened=-14 * 24 + 12)  # Monday 23 February
    book.case("rush", opened=24 + 18.5)
    book.case("dawn", opened=24 + 7)
    assert ask(analyst, metrics=["cases_opened"], calendar=parts).rows == [[expected]]


def test_filters_speak_of_texts_hours_and_what_is_missing(analyst: Analyst) -> None:
    def count(**item: Any) -> Any:
        return ask(analyst, metrics=["cases_opened"], filters=[item]).rows[0][0]

    assert count(dimension="channel", op="contains", values=["itiz"]) == 1
    assert count(dimension="channel", op="starts_with", values=["hot"]) == 3
    assert count(dimension="series", op="empty") == 4
    assert count(dimension="series", op="present") == 0


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"derive": [{"metric": "cases_open", "as": "share"}]}, "not among"),
        ({"derive": [{"metric": "cases_opened", "as": "cumulative"}]}, "runs over time"),
        ({"derive": [{"metric": "cases_opened", "as": "change"}]}, "against something"),
        ({"derive": [{"metric": "cases_opened", "as": "share", "over": "district"}]}, "not cut by"),
        ({"metrics": ["on_time_rate"], "derive": [{"metric": "on_time_rate", "as": "share"}]}, "does not add up"),
        ({"derive": [{"metric": "cases_opened", "as": "rank"}] * 2}, "twice"),
        ({"having": [{"metric": "case_opened", "op": "gt", "value": 1}]}, "not a figure"),
        ({"having": [{"metric": "cases_opened", "op": "between", "value": 1}]}, "1 values"),
        ({"filters": [{"dimension": "channel", "op": "gt", "values": ["5"]}]}, "cannot be asked with"),
        ({"filters": [{"dimension": "channel", "op": "in", "values": []}]}, "0 values"),
        ({"metrics": ["cases_open"], "calendar": ["holidays"]}, "stock"),
    ],
)
def test_what_has_no_meaning_is_refused_in_words(analyst: Analyst, asked: dict[str, Any], told: str) -> None:
    with pytest.raises(Invalid) as refused:
        ask(analyst, **{"metrics": ["cases_opened"], **asked})
    assert told in str([str(fault) for fault in refused.value.faults])


def test_sums_add_up_and_rates_do_not() -> None:
    assert all(map(expression.additive, ["sum(a)", "count(*)", "coalesce(sum(a), 0) - count_if(b)", "sum(a) / 60"]))
    alone = ["avg(a)", "count(distinct a)", "max(a)", "sum(a) / count(b)", "quantile_cont(a, 0.9)"]
    assert not any(map(expression.additive, alone))


def test_a_month_back_ends_on_the_last_day_there_is() -> None:
    end = datetime(2026, 3, 31, 12, tzinfo=UTC)
    assert Shift(months=1).back(end, ZONE).day == 28
    assert Shift(months=12).back(datetime(2024, 2, 29, tzinfo=UTC), ZONE).date().isoformat() == "2023-02-28"


def test_only_whole_months_are_compared_by_the_month() -> None:
    def shift(start: str, end: str, **more: Any) -> Shift:
        request = QueryRequest.model_validate({"metrics": ["x"], "start": start, "end": end, **more})
        return periods.shift_of(request, ZONE)

    march = ("2026-03-01T00:00:00+08:00", "2026-04-01T00:00:00+08:00")
    assert shift(*march, compare="previous") == Shift(months=1)
    assert shift(*march, compare="year") == Shift(months=12)
    assert shift(*march, compare="year", grain="week") == Shift(seconds=364 * 86_400)
    assert shift(march[0], "2026-03-08T00:00:00+08:00", compare="previous") == Shift(seconds=7 * 86_400)
    assert shift(*march, compare="previous", grain="week") == Shift(seconds=31 * 86_400)
