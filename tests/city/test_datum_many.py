"""Datums and projections in bulk, held against single points and against other people's implementations."""

from __future__ import annotations

from typing import get_args

import eviltransform
import numpy as np
import prcoords
import pyproj
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cityloop.city.datum import Datum, convert, convert_many
from cityloop.city.projection import zone
from cityloop.core.errors import Invalid

POINTS = st.lists(st.tuples(st.floats(75, 134), st.floats(18, 53)), min_size=1, max_size=20)
RNG = np.random.default_rng(7)
LONS, LATS = RNG.uniform(98, 125, 300), RNG.uniform(20, 45, 300)
CLOSE = 1e-6


def arrays(points: list[tuple[float, float]]) -> tuple[np.ndarray, np.ndarray]:
    lons, lats = zip(*points, strict=True)
    return np.array(lons), np.array(lats)


@pytest.mark.parametrize("source", get_args(Datum))
@pytest.mark.parametrize("target", get_args(Datum))
def test_many_points_move_like_single_ones(source: Datum, target: Datum) -> None:
    lons, lats = convert_many(LONS, LATS, source, target)
    single = [convert(lon, lat, source, target) for lon, lat in zip(LONS, LATS, strict=True)]
    assert np.allclose(np.column_stack([lons, lats]), single, rtol=0, atol=1e-9)


@given(points=POINTS, way=st.tuples(st.sampled_from(get_args(Datum)), st.sampled_from(get_args(Datum))))
@settings(max_examples=60)
def test_there_and_back_closes(points: list[tuple[float, float]], way: tuple[Datum, Datum]) -> None:
    lons, lats = arrays(points)
    back = convert_many(*convert_many(lons, lats, *way), way[1], way[0])
    assert np.abs(back[0] - lons).max() < CLOSE
    assert np.abs(back[1] - lats).max() < CLOSE


def test_two_public_implementations_agree_in_both_directions() -> None:
    for target, evil, prc in (
        ("gcj02", eviltransform.wgs2gcj, prcoords.wgs_gcj),
        ("bd09", eviltransform.wgs2bd, prcoords.wgs_bd),
    ):
        ours = np.column_stack(convert_many(LONS, LATS, "wgs84", target))
        for (lon, lat), point in zip(ours, zip(LONS, LATS, strict=True), strict=True):
            for there in (evil(point[1], point[0]), prc(prcoords.Coords(point[1], point[0]))):
                assert abs(there[0] - lat) < CLOSE
                assert abs(there[1] - lon) < CLOSE
    for source, evil, prc in (
        ("gcj02", eviltransform.wgs2gcj, prcoords.wgs_gcj),
        ("bd09", eviltransform.wgs2bd, prcoords.wgs_bd),
    ):
        # Their own inverses stop early; ours is right when their way forward leads to where we came from.
        ours = np.column_stack(convert_many(LONS, LATS, source, "wgs84"))
        for (lon, lat), point in zip(ours, zip(LONS, LATS, strict=True), strict=True):
            for there in (evil(lat, lon), prc(prcoords.Coords(lat, lon))):
                assert abs(there[0] - point[1]) < CLOSE
                assert abs(there[1] - point[0]) < CLOSE


def test_missing_points_stay_missing_and_foreign_ones_stay_where_they_are() -> None:
    lons, lats = convert_many(np.array([np.nan, -71.06, 114.0]), np.array([np.nan, 42.36, 22.5]), "gcj02", "wgs84")
    assert np.isnan(lons[0])
    assert (lons[1], lats[1]) == (-71.06, 42.36)
    assert 0.003 < 114.0 - lons[2] < 0.007


def test_shenzhen_lies_where_the_national_grid_says() -> None:
    lons, lats = zone("EPSG:4547").degrees(np.array([505966.1]), np.array([2493930.2]))
    assert lons[0] == pytest.approx(114.058, abs=1e-6)
    assert lats[0] == pytest.approx(22.543, abs=1e-6)


@pytest.mark.parametrize("crs", ["EPSG:4547", "EPSG:4549", "EPSG:4526", "4540"])
def test_projections_agree_with_proj_in_both_directions(crs: str) -> None:
    ours = zone(crs)
    lons = ours.meridian + RNG.uniform(-3, 3, 200)
    other = pyproj.Transformer.from_crs("EPSG:4490", f"EPSG:{crs.strip().removeprefix('EPSG:')}", always_xy=True)
    east, north = ours.metres(lons, LATS[:200])
    expected = other.transform(lons, LATS[:200])
    assert np.abs(east - expected[0]).max() < 0.001
    assert np.abs(north - expected[1]).max() < 0.001
    back = ours.degrees(east, north)
    assert np.abs(back[0] - lons).max() < 1e-9
    assert np.abs(back[1] - LATS[:200]).max() < 1e-9


@pytest.mark.parametrize("crs", ["EPSG:3857", "EPSG:2437", "shenzhen-local", "", "EPSG:4490"])
def test_other_systems_are_refused(crs: str) -> None:
    with pytest.raises(Invalid, match="cannot be converted without parameters"):
        zone(crs)


def test_metres_far_outside_of_the_zone_have_no_degrees() -> None:
    lons, _ = zone("EPSG:4547").degrees(np.array([38505966.1, 505966.1]), np.array([2493930.2, 40.0e6]))
    assert np.isnan(lons).all()
