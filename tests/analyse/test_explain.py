"""Why a figure changed: parts add up to the change exactly, in words and with what is behind them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cityloop.analyse import contributions
from cityloop.analyse.contributions import Side
from cityloop.analyse.explain_schemas import ExplainRequest, ExplainResult
from cityloop.analyse.explaining import Explainer
from cityloop.analyse.service import Analyst
from cityloop.core.errors import Invalid
from tests.analyse.conftest import LEADER, START, Book, at
from tests.analyse.test_query import actor

counts = st.integers(0, 50).flatmap(lambda under: st.tuples(st.integers(0, under), st.just(under)))
sides = st.dictionaries(st.sampled_from("abcdef"), counts.map(lambda pair: Side(float(pair[0]), float(pair[1]))))


@given(sides, sides)
def test_mix_and_rate_add_up_to_the_change_of_a_quotient(now: dict[Any, Side], before: dict[Any, Side]) -> None:
    parts = contributions.of_quotients(now, before)
    whole = [contributions.whole(side).figure for side in (now, before)]
    if whole[0] is None or whole[1] is None or not parts:
        return
    assert sum(part.total for part in parts) == pytest.approx(whole[0] - whole[1], abs=1e-9)


def test_a_part_of_one_period_changes_the_mix_alone() -> None:
    parts = contributions.of_quotients({"a": Side(8, 10), "b": Side(0, 10)}, {"a": Side(8, 10)})
    assert [(part.key, part.rate) for part in parts] == [("b", 0.0), ("a", 0.0)]
    assert sum(part.mix for part in parts) == pytest.approx(-0.4)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("avg(pm2_5)", ("sum(pm2_5)", "count(pm2_5)")),
        ("cast(count_if(on_time) as double) / count(on_time)", True),
        ("sum(opened)", None),
        ("median(a)", None),
        ("sum(a) / 60", None),
        ("max(a) / count(b)", None),
    ],
)
def test_only_quotients_of_sums_have_a_numerator_and_a_denominator(text: str, parts: Any) -> None:
    found = contributions.components(text)
    assert (found is not None) is (parts is not None)
    assert parts in (None, True) or found == parts


@pytest.fixture
def explainer(analyst: Analyst) -> Explainer:
    return Explainer(analyst)


def explain(explainer: Explainer, metric: str, who: Any = LEADER, **more: Any) -> ExplainResult:
    asked = {"metric": metric, "period": {"start": at(24), "end": at(48)}, **more}
    return explainer.explain(who, ExplainRequest.model_validate(asked))


def test_a_count_is_explained_by_its_parts_and_the_cases_behind_them(book: Book, explainer: Explainer) -> None:
    for number in range(6):
        book.case(f"n{number}", opened=30 + number, area="440305000000002", channel="citizen")
    found = explain(explainer, "cases_opened", dimensions=["district", "channel"])
    assert (found.now, found.before, found.change) == (7, 3, 4)
    by_district = next(split for split in found.splits if split.dimension == "district")
    assert [(part.title.zh, part.total) for part in by_district.parts] == [("南山区", 6), ("福田区", -2)]
    assert found.behind is not None and found.behind.kind == "case"
    assert set(found.behind.ids) >= {f"n{number}" for number in range(6)}
    assert found.words.zh.startswith("上报数从 3 升到 7（+4）。按")
    assert "rose from 3 to 7" in found.words.en


def test_a_rate_is_split_into_mix_and_rate(book: Book, explainer: Explainer) -> None:
    book.case("late", opened=25, closed=30, on_time=False, department="urban")
    book.case("fine", opened=25, closed=31, on_time=True, department="transport")
    found = explain(explainer, "on_time_rate", dimensions=["department"])
    assert found.before == 1.0
    assert found.now == pytest.approx(1 / 3)
    (split,) = found.splits
    assert sum(part.total for part in split.parts) + split.rest == pytest.approx(found.change)
    assert found.chart.y == ["mix", "rate"]
    assert "个百分点" in found.words.zh and "其中自身变化" in found.words.zh


def test_a_median_is_not_taken_apart_and_says_so(explainer: Explainer) -> None:
    found = explain(explainer, "median_handling_time")
    assert (found.splits, found.behind, found.chart.kind) == ([], None, "table")
    assert "不能拆成" in found.words.zh


def test_nothing_beyond_the_scope_is_told(book: Book, explainer: Explainer) -> None:
    book.case("secret", opened=30, area="440305000000002")
    futian = actor("collector", areas=("440304",))
    found = explain(explainer, "cases_opened", futian)
    assert (found.now, found.before) == (0, 2)
    assert "440305" not in found.model_dump_json() and "secret" not in found.model_dump_json()


def test_the_dimensions_are_chosen_where_none_is_named(explainer: Explainer) -> None:
    found = explain(explainer, "warnings_raised", against={"start": START, "end": at(24)})
    assert {split.dimension for split in found.splits} >= {"level", "district"}
    assert all(a.focus >= b.focus for a, b in zip(found.splits, found.splits[1:], strict=False))


@pytest.mark.parametrize(
    ("asked", "told"),
    [({"metric": "case_opened"}, "cases_opened"), ({"dimensions": ["level"]}, "cannot be cut"),
     ({"dimensions": ["time"]}, "cannot be cut")],
)  # fmt: skip
def test_unknown_names_are_met_with_the_nearest(explainer: Explainer, asked: dict[str, Any], told: str) -> None:
    with pytest.raises(Invalid) as refused:
        explain(explainer, **{"metric": "cases_opened", **asked})
    assert told in str([str(fault) for fault in refused.value.faults])
