"""Typed queries over a real lake, compared with figures counted by hand."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cityloop.access.actor import Actor
from cityloop.analyse.schemas import QueryRequest, QueryResult
from cityloop.analyse.service import Analyst
from cityloop.core.errors import AccessDenied, Invalid
from cityloop.core.values import Title
from cityloop.lake.service import Lake
from cityloop.standard.service import Standard
from tests.analyse.conftest import LEADER, PACKS, START, Book, at

DAY = {"start": START, "end": at(24)}


def actor(post: str, **more: Any) -> Actor:
    return Actor(id=post, name=Title(zh=post, en=post), posts=(post,), **more)


def ask(analyst: Analyst, who: Actor = LEADER, **asked: Any) -> QueryResult:
    return analyst.query(who, QueryRequest.model_validate(asked))


def one(analyst: Analyst, metric: str, **asked: Any) -> Any:
    return ask(analyst, metrics=[metric], **asked).rows[0][0]


@pytest.mark.parametrize(
    ("metric", "period", "expected"),
    [
        ("cases_opened", {}, 4),
        ("cases_opened", DAY, 3),
        ("cases_closed", {}, 3),
        ("cases_closed", DAY, 1),
        ("cases_open", {}, 1),
        ("cases_open", DAY, 2),
        ("cases_open", {"end": at(2.5)}, 2),
        ("on_time_rate", {}, 0.5),
        ("on_time_rate", DAY, 1.0),
        ("on_time_rate", {"start": at(200)}, None),
        ("median_handling_time", {}, 7200.0),
        ("median_handling_time", {"start": at(200)}, None),
        ("warnings_raised", {}, 2),
        ("warnings_raised", {"start": at(200)}, 0),
    ],
)
def test_every_metric_equals_the_count_by_hand(
    analyst: Analyst, metric: str, period: dict[str, Any], expected: float | None
) -> None:
    assert one(analyst, metric, **period) == expected


def test_metrics_of_different_tables_stand_side_by_side(analyst: Analyst) -> None:
    answer = ask(analyst, metrics=["cases_opened", "on_time_rate", "warnings_raised"], dimensions=["district"])
    assert [column.id for column in answer.columns] == ["district", "cases_opened", "on_time_rate", "warnings_raised"]
    assert sorted(answer.rows) == [["440304", 2, 0.5, 1], ["440305", 2, None, 1]]
    assert answer.labels["district"]["440304"].zh == "福田区"


def test_days_begin_at_midnight_of_the_city_and_weeks_on_monday(analyst: Analyst) -> None:
    days = ask(analyst, metrics=["cases_opened"], grain="day")
    assert [(row[0], row[1]) for row in days.rows] == [(START, 3), (at(24), 1)]
    weeks = ask(analyst, metrics=["cases_opened"], grain="week", dimensions=["time"])
    assert [row[0] for row in weeks.rows] == [START]
    months = ask(analyst, metrics=["cases_opened"], grain="month")
    assert [row[0] for row in months.rows] == [datetime(2026, 2, 28, 16, tzinfo=UTC)]


def test_the_previous_period_is_laid_over_the_present_one(analyst: Analyst) -> None:
    answer = ask(analyst, metrics=["cases_opened", "cases_open"], start=at(24), end=at(48), compare="previous_period")
    assert [column.role for column in answer.columns] == ["metric", "metric", "previous", "previous"]
    assert answer.rows == [[1, 1, 3, 2]]
    by_day = ask(analyst, metrics=["cases_opened"], start=at(24), end=at(48), compare="previous_period", grain="day")
    assert by_day.rows == [[at(24), 1, 3]]


def test_filters_take_areas_with_everything_below_them(analyst: Analyst) -> None:
    def count(**item: Any) -> Any:
        return one(analyst, "cases_opened", filters=[item])

    assert count(dimension="area", values=["440305"]) == 2
    assert count(dimension="area", values=["4403"]) == 4
    assert count(dimension="district", op="not_in", values=["440305"]) == 2
    assert count(dimension="channel", values=["citizen", "leader"]) == 1
    assert one(analyst, "cases_closed", filters=[{"dimension": "on_time", "values": ["true"]}]) == 1
    assert one(analyst, "cases_closed", filters=[{"dimension": "on_time", "op": "not_in", "values": ["true"]}]) == 2


def test_two_actors_get_different_rows_from_one_question(analyst: Analyst) -> None:
    asked: dict[str, Any] = {"metrics": ["cases_closed"], "dimensions": ["department"]}
    assert ask(analyst, LEADER, **asked).rows == [["urban", 2], ["transport", 1]]
    transport = actor("department", department="transport")
    assert ask(analyst, transport, **asked).rows == [["transport", 1]]
    assert ask(analyst, actor("collector", areas=("440304",)), **asked).rows == [["urban", 2]]
    assert ask(analyst, actor("department"), **asked).rows == []


def test_a_metric_whose_table_is_out_of_sight_is_refused(analyst: Analyst) -> None:
    with pytest.raises(AccessDenied):
        ask(analyst, actor("department", department="urban"), metrics=["cases_closed", "warnings_raised"])


def test_a_case_in_hand_is_counted_where_it_is_now(analyst: Analyst, book: Book, lake: Lake) -> None:
    book.case("c5", opened=40, department="transport")
    book.case("c5", opened=41, department="urban")
    transport, urban = (actor("department", department=name) for name in ("transport", "urban"))
    assert ask(analyst, transport, metrics=["cases_open"]).rows == [[1]]
    assert ask(analyst, urban, metrics=["cases_open"]).rows == [[1]]


def test_a_masked_column_shows_only_its_cover(analyst: Analyst) -> None:
    answer = ask(analyst, actor("masked"), metrics=["cases_opened"], dimensions=["channel"])
    assert answer.rows == [["***", 4]]


def test_a_new_event_is_counted_at_once_in_spite_of_the_cache(analyst: Analyst, book: Book) -> None:
    assert one(analyst, "cases_opened") == 4
    assert one(analyst, "cases_opened") == 4
    book.case("c9", opened=50)
    assert one(analyst, "cases_opened") == 5


def test_the_answer_carries_freshness_scope_and_sql(analyst: Analyst) -> None:
    answer = ask(analyst, metrics=["cases_opened"])
    assert answer.freshness == at(30.1)
    assert answer.scope == ["case by post leader"]
    assert "time_bucket" not in answer.sql
    assert "SELECT" in answer.sql


def test_order_and_limit_cut_the_answer_and_say_so(analyst: Analyst) -> None:
    asked = {"metrics": ["cases_closed"], "dimensions": ["department"], "limit": 1}
    answer = ask(analyst, LEADER, **asked)
    assert (answer.rows, answer.truncated) == ([["urban", 2]], True)
    up = ask(analyst, LEADER, **asked, order=[{"by": "cases_closed", "descending": False}])
    assert up.rows == [["transport", 1]]


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"metrics": ["case_opened"]}, "cases_opened"),
        ({"metrics": ["cases_opened"], "dimensions": ["districts"]}, "district"),
        ({"metrics": ["cases_opened"], "filters": [{"dimension": "chanel", "values": ["x"]}]}, "channel"),
        ({"metrics": ["cases_opened"], "filters": [{"dimension": "time", "values": ["x"]}]}, "start"),
        ({"metrics": ["cases_opened"], "dimensions": ["department"]}, "cut by"),
        ({"metrics": ["cases_opened"], "dimensions": ["time"]}, "grain"),
        ({"metrics": ["cases_open"], "grain": "day"}, "stock"),
        ({"metrics": ["cases_opened"], "start": at(1), "end": at(1)}, "empty"),
        ({"metrics": ["cases_opened"], "compare": "previous_period"}, "period"),
        ({"metrics": ["cases_opened"], "order": [{"by": "on_time_rate"}]}, "sort"),
        ({"metrics": ["cases_closed"], "filters": [{"dimension": "on_time", "values": ["maybe"]}]}, "true"),
    ],
)
def test_what_cannot_be_answered_is_refused_with_what_to_do(analyst: Analyst, asked: dict[str, Any], told: str) -> None:
    with pytest.raises(Invalid) as refused:
        ask(analyst, **asked)
    assert told in str(refused.value)


NASTY = ["'", '"; DROP TABLE CaseEvent; --', "x' OR '1'='1", "') OR true --", "\\", "%", "NULL", "\x00", "$1", "🏙"]


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.sampled_from(NASTY) | st.text(max_size=20), min_size=1, max_size=3))
def test_values_never_become_sql(analyst: Analyst, values: list[str]) -> None:
    texts = [value.encode("utf-8", "ignore").decode() or "x" for value in values]
    answer = ask(analyst, metrics=["cases_opened"], filters=[{"dimension": "channel", "values": texts}])
    assert answer.rows == [[0]]


def test_an_empty_lake_answers_nothing_and_no_figure(analyst: Analyst, tmp_path: Path, city: Any) -> None:
    empty = Lake(tmp_path / "empty", sync=False)
    kind = Standard.load(PACKS).entity_type("AirQualityStation")
    empty.ensure(kind.id, kind.schema)
    fresh = Analyst(lake=empty, model=analyst._model, door=analyst._door, city=city, clock=city.clock)
    answer = ask(fresh, metrics=["pm2_5_mean"], dimensions=["area"], grain="hour")
    assert (answer.rows, answer.freshness) == ([], None)
    empty.close()


def test_observations_are_measured_with_the_same_model(analyst: Analyst, lake: Lake) -> None:
    kind = Standard.load(PACKS).entity_type("AirQualityStation")
    lake.ensure(kind.id, kind.schema)
    base = {"entity": "1001A", "received_at": START, "feed": "air-hourly", "area": "440304000000001"}
    rows = [
        {**base, "observed_at": at(n), "date": at(n).date(), "record": f"b:{n}", "pm2_5": value}
        for n, value in enumerate([80.0, 100.0, None])
    ]
    lake.append(kind.id, pa.Table.from_pylist(rows, kind.schema))
    answer = ask(analyst, metrics=["pm2_5_mean"], dimensions=["station"])
    assert answer.rows == [["1001A", 90.0]]
    assert answer.labels["station"]["1001A"].zh == "万寿西宫"


def test_the_model_names_every_metric_and_dimension(analyst: Analyst) -> None:
    model = analyst.model()
    assert {"cases_opened", "cases_closed", "on_time_rate", "median_handling_time", "warnings_raised"} <= {
        metric.id for metric in model.metrics
    }
    assert {"time", "district", "department", "level"} <= {dimension.id for dimension in model.dimensions}
