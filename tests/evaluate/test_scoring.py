"""Points, sums, ranks and grades: properties that must hold for every scheme."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cityloop.evaluate.declarations import GradeDef
from cityloop.evaluate.scoring import Scored, exact, grade, points, ranks, rate, rounded, score, shown
from tests.evaluate.support import T, figures, scheme

RATES = st.tuples(st.integers(0, 50), st.integers(1, 50)).map(lambda two: (min(two), max(two)))
WAYS: list[dict[str, Any]] = [
    {"points": 40},
    {"points": 40, "threshold": {"full_at": 0.7, "per_point": 0.5}},
    {"points": 40, "threshold": {"full_at": 0.9, "per_point": 2, "whole": True}},
    {"points": 40, "formula": "40 * value", "cap": 30, "floor": 5},
    {"points": 40, "bands": [{"below": 0.5, "score": 10}, {"below": 0.9, "score": 30}, {"score": 40}]},
]


def worth(way: dict[str, Any], top: int, bottom: int, better: str = "higher") -> Fraction:
    document = scheme([{"indicator": "x", **way}], {"x": ("a", "b")})
    found = points(document.scheme.items[0], better, rate(document.indicators["x"], figures(a=top, b=bottom)), {})[0]
    assert found is not None
    return found


@given(st.sampled_from(WAYS), RATES, RATES)
def test_a_better_value_never_earns_less(way: dict[str, Any], one: tuple[int, int], other: tuple[int, int]) -> None:
    low, high = sorted([one, other], key=lambda pair: Fraction(pair[0], pair[1]))
    assert worth(way, *low) <= worth(way, *high)
    assert worth({"points": 40}, *low, better="lower") >= worth({"points": 40}, *high, better="lower")
    assert worth({"points": 40, "deduct": {"each": 3, "cap": 9}}, *low) >= worth(
        {"points": 40, "deduct": {"each": 3, "cap": 9}}, *high
    )


@given(st.lists(st.integers(1, 40), min_size=1, max_size=6), st.data())
def test_the_total_is_the_sum_of_its_addends_and_never_more_than_the_weights(weights: list[int], data: Any) -> None:
    names = [f"x{n}" for n in range(len(weights))]
    items = [{"indicator": name, "points": weight} for name, weight in zip(names, weights, strict=True)]
    known: dict[str, int] = {}
    for name in names:
        known |= dict(zip((f"a{name}", f"b{name}"), data.draw(RATES), strict=True))
    document = scheme(items, {name: (f"a{name}", f"b{name}") for name in names}, total=sum(weights))
    found = score(document, figures(**known))
    assert found.score == sum(item.score for item in found.items if item.score is not None)
    assert 0 <= found.score <= sum(weights)


@given(st.lists(st.integers(1, 40), min_size=2, max_size=6), RATES)
def test_an_undefined_item_is_left_out_and_the_rest_scaled_to_the_total(
    weights: list[int], pair: tuple[int, int]
) -> None:
    items = [{"indicator": f"x{n}", "points": weight} for n, weight in enumerate(weights)]
    formulas = {f"x{n}": ("a", "b") if n else ("none", "nothing") for n in range(len(weights))}
    known = figures(a=pair[0], b=pair[1], none=0, nothing=0)
    found = score(scheme(items, formulas, total=sum(weights)), known)
    assert found.score == sum(weights) * Fraction(*pair)
    lost = score(scheme(items, formulas, total=sum(weights), undefined="leave_out"), known)
    assert lost.score == sum(weights[1:]) * Fraction(*pair)


def sheet(values: dict[str, int]) -> dict[str, Scored]:
    return {name: Scored((), Fraction(value), True) for name, value in values.items()}


NAMED = st.dictionaries(st.text("abcdef", min_size=1, max_size=3), st.integers(0, 5), min_size=1, max_size=12)


@given(NAMED, st.data())
def test_ranks_do_not_depend_on_the_order_and_equals_share_one(values: dict[str, int], data: Any) -> None:
    names = list(values)
    shuffled = data.draw(st.permutations(names))
    ties = {name: [Fraction(len(name))] for name in names}
    found = ranks(sheet(values), ties)
    assert found == ranks(sheet({name: values[name] for name in shuffled}), ties)
    for one in names:
        better = [other for other in names if (values[other], len(other)) > (values[one], len(one))]
        equal = [other for other in names if (values[other], len(other)) == (values[one], len(one))]
        assert found[one].rank == len(better) + 1
        assert found[one].shared == (len(equal) > 1)


@given(NAMED, st.integers(0, 5))
def test_an_unranked_object_moves_nobody(values: dict[str, int], extra: int) -> None:
    before = ranks(sheet(values), {})
    after = ranks({**sheet(values), "zz": Scored((), Fraction(extra), False), "yy": Scored((), None, False)}, {})
    assert after == before


def test_a_tie_is_decided_by_the_declared_order_before_it_is_shared() -> None:
    ties = {"a": [Fraction(10)], "b": [Fraction(12)], "c": [Fraction(10)], "d": [Fraction(99)]}
    found = ranks(sheet({"a": 90, "b": 90, "c": 90, "d": 80}), ties)
    assert {name: (place.rank, place.shared) for name, place in found.items()} == {
        "b": (1, False),
        "a": (2, True),
        "c": (2, True),
        "d": (4, False),
    }


def test_a_grade_is_reached_by_the_exact_score_and_not_by_a_rounded_one() -> None:
    grades = [GradeDef(id=n, title=T, least=b, colour="red") for n, b in (("good", 90), ("bad", 0))]
    found = [grade(grades, exact(value)) for value in (90, 89.999, 0)]
    assert [g.id if g else None for g in found] == ["good", "bad", "bad"]
    assert grade(grades, Fraction(-1)) is None
    assert grade(grades, None) is None


@pytest.mark.parametrize(("value", "expected"), [("0.005", 0.01), ("0.015", 0.02), ("-0.005", -0.01), ("2.675", 2.68)])
def test_rounding_is_half_up(value: str, expected: float) -> None:
    assert rounded(Fraction(value)) == expected


def test_a_value_is_shown_with_its_unit() -> None:
    assert [shown(Fraction(3, 2), unit) for unit in ("%", "1", "h")] == ["150.00%", "1.50", "1.50 h"]
