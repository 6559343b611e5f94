"""Coordinates of phones and map providers."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cityloop.city.datum import Datum, convert

# latitude, longitude: as computed by three independent implementations that agree to 1e-7 degree
PLACES = [
    ("北京", (39.915, 116.404), (39.916404, 116.410244), (39.922700, 116.416627)),
    ("杭州", (30.25, 120.16), (30.247660, 120.164678), (30.253412, 120.171249)),
    ("深圳", (22.543, 114.058), (22.540283, 114.063114), (22.545942, 114.069664)),
]
DATUMS: list[Datum] = ["wgs84", "gcj02", "bd09"]


@pytest.mark.parametrize(("_name", "wgs", "gcj", "baidu"), PLACES)
def test_known_places_are_shifted_as_published(
    _name: str, wgs: tuple[float, float], gcj: tuple[float, float], baidu: tuple[float, float]
) -> None:
    for target, (lat, lon) in zip(DATUMS, (wgs, gcj, baidu), strict=True):
        assert convert(wgs[1], wgs[0], "wgs84", target) == pytest.approx((lon, lat), abs=1e-6)


@given(st.floats(73.5, 135.0), st.floats(3.9, 53.5), st.sampled_from(DATUMS), st.sampled_from(DATUMS))
def test_the_way_there_and_back_closes(lon: float, lat: float, source: Datum, target: Datum) -> None:
    there = convert(lon, lat, source, target)
    assert convert(*there, target, source) == pytest.approx((lon, lat), abs=1e-6)


@pytest.mark.parametrize("target", DATUMS)
def test_nothing_is_shifted_abroad(target: Datum) -> None:
    assert convert(-71.0589, 42.3601, "wgs84", target) == (-71.0589, 42.3601)
    assert convert(-71.0589, 42.3601, target, "wgs84") == (-71.0589, 42.3601)
