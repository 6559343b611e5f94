"""Units: known spellings, conversions there and back, and what does not convert."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cityloop.standard.units import _UNITS, conversion, spellings, unit

PAIRS = [(a, b) for a in _UNITS for b in _UNITS if a.dimension == b.dimension]
# Reference values: the definitions of the units (NIST SP 811), worked out by hand.
KNOWN = [
    (0.035, "mg/m3", "ug/m3", 35.0),
    (25, "Cel", "K", 298.15),
    (212, "[degF]", "Cel", 100.0),
    (-40, "[degF]", "Cel", -40.0),
    (101.325, "kPa", "hPa", 1013.25),
    (760, "mm[Hg]", "hPa", 1013.25),
    (36, "km/h", "m/s", 10.0),
    (10, "[kn_i]", "km/h", 18.52),
    (2.5, "m3", "L", 2500.0),
    (1.2, "t", "kg", 1200.0),
    (60, "{persons}/h", "{persons}/10min", 10.0),
    (0.5, "1", "%", 50.0),
    (1, "[in_i]", "mm", 25.4),
]


@pytest.mark.parametrize(("value", "source", "target", "expected"), KNOWN)
def test_a_value_keeps_its_meaning_in_another_unit(value: float, source: str, target: str, expected: float) -> None:
    a, b = unit(source), unit(target)
    assert a and b
    way = conversion(a, b)
    assert way
    assert way.apply(value) == pytest.approx(expected, rel=1e-6)


@given(pair=st.sampled_from(PAIRS), value=st.floats(-1e6, 1e6))
def test_conversion_there_and_back_gives_the_same_value(pair: tuple[object, object], value: float) -> None:
    a, b = pair
    there, back = conversion(a, b), conversion(b, a)  # type: ignore[arg-type]
    assert there and back
    assert back.apply(there.apply(value)) == pytest.approx(value, rel=1e-9, abs=1e-6)


@pytest.mark.parametrize("a", _UNITS, ids=lambda item: item.code)
def test_units_of_different_dimensions_do_not_convert(a: object) -> None:
    others = [b for b in _UNITS if b.dimension != a.dimension]  # type: ignore[attr-defined]
    assert all(conversion(a, b) is None for b in others)  # type: ignore[arg-type]


@pytest.mark.parametrize("text", ["ug/m3", "µg/m³", "μg/m3", "µg / m³", "ug／m3"])
def test_the_microgram_is_known_in_every_spelling(text: str) -> None:
    found = unit(text)
    assert found is not None
    assert found.code == "ug/m3"


def test_an_unknown_unit_is_not_guessed() -> None:
    assert unit("ppm/m3") is None
    assert unit("") is None


def test_milli_and_mega_are_told_apart() -> None:
    assert unit("mW") is None
    assert unit("MG") is None


def test_every_code_and_symbol_is_found_again() -> None:
    for item in _UNITS:
        assert unit(item.code) is item
        found = unit(item.symbol)
        assert found is not None
        assert found.dimension == item.dimension
        assert item.code in dict(spellings(item))
