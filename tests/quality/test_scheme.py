"""What a score is: weights, missing samples, bands."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from cityloop.quality.scheme import DIMENSIONS, Band, Counts, Scheme, parts, score

few = st.integers(0, 500)
counts = st.builds(
    lambda e, r, a, q, d, late, odd: Counts(e, min(r, e), a, q, d, min(late, a), min(odd, a + q), 0),
    few,
    few,
    few,
    few,
    few,
    few,
    few,
)


def test_a_score_is_the_weighted_mean_of_its_shares() -> None:
    counted = Counts(expected=100, received=90, accepted=80, quarantined=20, duplicate=20, late=8, inconsistent=10)
    shares = {part.dimension: part.share for part in parts(Scheme(), counted)}
    assert shares == {
        "completeness": 0.9,
        "validity": 0.8,
        "timeliness": 0.9,
        "consistency": 0.9,
        "uniqueness": 0.8,
    }
    assert score(parts(Scheme(), counted)) == pytest.approx(30 * 0.9 + 25 * 0.8 + 20 * 0.9 + 15 * 0.9 + 10 * 0.8)


def test_a_dimension_without_enough_cases_leaves_its_weight_to_the_others() -> None:
    nothing_expected = Counts(accepted=100, late=50)
    found = parts(Scheme(), nothing_expected)
    assert not next(part for part in found if part.dimension == "completeness").enough
    assert score(found) == pytest.approx(100 * (25 + 20 * 0.5 + 15 + 10) / 70)


def test_nothing_measured_is_no_score() -> None:
    assert score(parts(Scheme(), Counts(expected=19, received=19, accepted=19))) is None
    assert Scheme().grade(None) is None


@given(counts, counts)
def test_counts_of_stretches_add_up(one: Counts, other: Counts) -> None:
    for dimension in DIMENSIONS:
        apart = [one.part(dimension), other.part(dimension)]
        assert (one + other).part(dimension) == (sum(a for a, _ in apart), sum(b for _, b in apart))


@given(counts)
def test_a_score_lies_between_0_and_100(counted: Counts) -> None:
    value = score(parts(Scheme(), counted))
    assert value is None or 0 <= value <= 100


@pytest.mark.parametrize(("value", "grade"), [(100, "A"), (95, "A"), (94.99, "B"), (85, "B"), (70, "C"), (0, "D")])
def test_a_band_begins_at_its_bound(value: float, grade: str) -> None:
    assert Scheme().grade(value) == grade


def test_bands_out_of_order_are_refused() -> None:
    bands = [Band.model_validate({"grade": "A", "from": 50}), Band.model_validate({"grade": "B", "from": 60})]
    with pytest.raises(ValidationError, match="from the highest to the lowest"):
        Scheme(bands=tuple(bands))


def test_the_bound_of_a_feed_takes_the_place_of_the_citys_for_completeness_alone() -> None:
    assert Scheme().least("completeness", 0.5) == 0.5
    assert Scheme().least("validity", 0.5) == 0.98
    assert (Scheme().least("freshness"), Scheme().least("values"), Scheme().least("sample")) == (1.0, 0.95, 1.0)
