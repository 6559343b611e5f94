"""Which chart an answer gets: pairs of question and chart, each with its reason."""

from __future__ import annotations

from typing import Any

import pytest

from cityloop.analyse.charts import choose
from cityloop.analyse.schemas import Column, QueryRequest, QueryResult

SHAPES: dict[str, dict[str, Any]] = {
    "time": {"role": "time", "format": "instant"},
    "district": {"role": "dimension", "format": "area"},
    "channel": {"role": "dimension", "format": "text"},
    "hour": {"role": "dimension", "format": "hour"},
    "weekday": {"role": "dimension", "format": "weekday"},
    "opened": {"role": "metric", "format": "integer", "adds_up": True},
    "peak": {"role": "metric", "format": "integer"},
    "rate": {"role": "metric", "format": "percent"},
    "opened__previous": {"role": "previous", "format": "integer", "of": "opened"},
    "opened__share": {"role": "derived", "format": "percent", "of": "opened"},
}


def result(names: str, rows: list[list[Any]]) -> QueryResult:
    """An answer with these columns."""
    columns = [Column.model_validate({"id": name, "title": name, "unit": "", **SHAPES[name]}) for name in names.split()]
    return QueryResult(columns=columns, rows=rows, labels={}, freshness=None, truncated=False, sql="", scope=[])


def days(count: int, *lines: str, value: float = 5) -> list[list[Any]]:
    """Rows for some days, for each of the ``lines`` if there are any."""
    return [[f"2026-03-{n + 1:02}", *([line] if line else []), value] for n in range(count) for line in lines or ("",)]


MANY_PLACES = [[f"4403{n:02}", n] for n in range(60)]
PAIRS = [
    ("opened", [[4]], "figure"),
    ("opened opened__previous", [[4, 3]], "figure"),
    ("time opened", days(7), "line"),
    ("time district opened", days(7, "a", "b"), "stacked"),
    ("time district opened", days(40, "a", "b")[:80], "line"),
    ("time district rate", days(7, "a", "b"), "line"),
    ("time district peak", days(7, "a", "b"), "line"),
    ("time district rate", days(7, *"abcdefghijk"), "heat"),
    ("time district channel opened", [["2026-03-01", "a", "x", 1]], "table"),
    ("district opened", [["a", 5], ["b", 3]], "bar"),
    ("district opened opened__share", [["a", 5, 0.6], ["b", 3, 0.4]], "bar"),
    ("district opened", MANY_PLACES, "map"),
    ("channel opened", MANY_PLACES, "table"),
    ("hour opened", [[str(n), n] for n in range(24)], "distribution"),
    ("weekday hour opened", [["1", "8", 4], ["2", "9", 4]], "heat"),
    ("district channel opened", [["a", "x", 4], ["b", "y", 4]], "stacked"),
    ("district channel rate", [["a", "x", 0.4], ["b", "y", 0.4]], "heat"),
    ("opened", [], "table"),
]


@pytest.mark.parametrize(("names", "rows", "kind"), PAIRS)
def test_each_answer_gets_the_right_chart_and_a_reason_in_both_languages(
    names: str, rows: list[list[Any]], kind: str
) -> None:
    chart = choose(result(names, rows))
    assert chart.kind == kind
    assert chart.why.zh and chart.why.en
    assert kind == "table" or "table" in chart.alternatives
    assert kind not in chart.alternatives


def test_the_top_of_a_series_is_a_ranking_and_no_line() -> None:
    request = QueryRequest.model_validate({"metrics": ["opened"], "grain": "day", "order": [{"by": "opened"}]})
    assert choose(result("time opened", days(5)), request).kind == "bar"


def test_bars_start_at_zero_always_and_a_line_says_when_it_does_not() -> None:
    close = choose(result("time rate", [["1", 0.91], ["2", 0.93]]))
    assert (close.zero, "不从零开始" in close.why.zh) == (False, True)
    assert choose(result("time rate", [["1", 0.2], ["2", 0.9]])).zero
    assert choose(result("time opened", [["1", 91], ["2", 93]])).zero
    assert choose(result("time rate", [["1", 0.91], ["2", 0.93]]), wish="bar").zero


def test_a_wish_is_fulfilled_where_the_answer_can_be_drawn_so() -> None:
    answer = result("district opened", [["a", 5], ["b", 3]])
    assert choose(answer, wish="map").kind == "map"
    assert choose(answer, wish="table").kind == "table"
    refused = choose(answer, wish="line")
    assert refused.kind == "bar"
    assert refused.why.zh.startswith("不能画成")


def test_a_share_stays_in_the_table_because_its_axis_is_another() -> None:
    assert choose(result("district opened opened__share", [["a", 5, 0.6]])).y == ["opened"]


def test_no_column_of_parts_hides_a_value_below_zero() -> None:
    rows = days(3, "a", "b", value=-1)
    assert choose(result("time district opened", rows)).kind == "line"
