"""Indices by a table: sub-indices between points, rounding, editions, and the faults of a wrong table."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from cityloop.core.errors import ContentError
from cityloop.standard.indices import Scale, indexed
from cityloop.standard.service import Standard
from cityloop.standard.types import EntityType

ROOT = Path(__file__).parents[2]
AIR = ROOT / "packs" / "air"
SNAPSHOT = ROOT.parent / "shared" / "data" / "air_cnemc_snapshot" / "cnemc_20180220T07.csv.gz"
POLLUTANTS = ("pm2_5", "pm10", "so2", "no2", "co", "o3")


def station(edition: str = "hj633-2012") -> EntityType:
    return Standard.load([AIR], {"aqi": edition}).entity_type("AirQualityStation")


OLD, NEW = station(), station("hj633-2026")


def index(kind: EntityType, **values: float | None) -> dict[str, Any]:
    """What the index makes of one row; concentrations in µg/m³."""
    row = pl.DataFrame({name: [values.get(name)] for name in POLLUTANTS}, schema=dict.fromkeys(POLLUTANTS, pl.Float64))
    return indexed(row, kind).drop(POLLUTANTS).row(0, named=True)


@pytest.mark.parametrize(
    ("values", "old", "new"),
    [
        ({"pm2_5": 0.0}, 0, 0),
        ({"pm2_5": 35.0}, 50, 50),
        ({"pm2_5": 35.1}, 51, 51),
        ({"pm2_5": 60.0}, 82, 100),
        ({"pm2_5": 75.0}, 100, 114),
        ({"pm2_5": 115.0}, 150, 150),
        ({"pm2_5": 500.0}, 500, 500),
        ({"pm2_5": 1200.0}, 500, 500),
        ({"pm10": 120.0}, 85, 100),
        ({"pm10": 150.0}, 100, 112),
        ({"so2": 800.0}, 200, 200),
        ({"so2": 801.0}, None, None),
        ({"so2": 900.0, "pm2_5": 35.0}, 50, 50),
        ({"co": 10_000.0}, 100, 100),
        ({"co": 5_100.0}, 51, 51),
        ({"no2": 200.0}, 100, 100),
        ({"o3": 300.0}, 150, 150),
        ({"o3": 250.0, "pm2_5": 20.0}, 125, 125),
        ({}, None, None),
    ],
)
def test_the_two_editions_of_hj_633(values: dict[str, float], old: int | None, new: int | None) -> None:
    assert (index(OLD, **values)["aqi"], index(NEW, **values)["aqi"]) == (old, new)


def test_the_leading_pollutants_are_named_above_fifty_and_the_edition_that_served() -> None:
    assert index(NEW, pm2_5=60.0, pm10=120.0, o3=100.0) == {
        "aqi": 100, "aqi_leading": "pm2_5,pm10", "aqi_edition": "hj633-2026",
    }  # fmt: skip
    assert index(NEW, pm2_5=35.0, pm10=50.0)["aqi_leading"] is None
    assert index(NEW)["aqi_edition"] is None


@given(st.floats(0, 1000), st.floats(0, 1000))
def test_more_of_a_pollutant_never_lowers_the_index(first: float, second: float) -> None:
    for kind in (OLD, NEW):
        low, high = (index(kind, pm2_5=value)["aqi"] for value in sorted((first, second)))
        assert low <= high


@pytest.mark.parametrize("edition", ["hj633-2012", "hj633-2026"])
def test_every_point_of_the_table_gives_its_own_sub_index(edition: str) -> None:
    kind = station(edition)
    for name, scale in kind.indices[0].serving.scales.items():
        factor = 1000.0 if scale.unit == "mg/m3" else 1.0
        for value, sub in scale.points:
            assert index(kind, **{name: value * factor})["aqi"] == sub, (name, value)


@pytest.mark.skipif(not SNAPSHOT.exists(), reason="the snapshot of Chinese stations is not here")
def test_the_index_agrees_with_the_one_that_was_published_for_1475_stations() -> None:
    """One hour of February 2018, under HJ 633-2012. The source writes the hour's ozone in its column ``o3_24h``."""
    rows = pl.read_csv(SNAPSHOT, infer_schema_length=5000).with_columns(pl.col("co") * 1000, o3="o3_24h")
    made = indexed(rows.select(*POLLUTANTS, published="aqi"), OLD).drop_nulls(["published", "aqi"])
    assert made.height == 1475
    assert (made["published"] == made["aqi"]).all()


def test_a_city_that_chooses_what_no_pack_has_is_told_what_there_is() -> None:
    with pytest.raises(ContentError, match="no edition 'hj633-1996'") as refused:
        Standard.load([AIR], {"aqi": "hj633-1996"})
    assert "hj633-2012, hj633-2026" in str(refused.value)
    with pytest.raises(ContentError, match="no index 'water'"):
        Standard.load([AIR], {"water": "x"})


@pytest.mark.parametrize(
    ("right", "wrong", "told"),
    [
        ("        property: aqi\n", "        property: wind_direction\n", "'wind_direction' is a text"),
        ("leading: aqi_leading", "leading: aqi", "'aqi' is a integer"),
        ("edition: hj633-2026\n", "edition: hj633-2030\n", "no edition 'hj633-2030'"),
        ("unit: mg/m3, points", "unit: km, points", "'km' is no unit of 'co'"),
        ("[0, 0], [35, 50], [60, 100]", "[0, 0], [60, 50], [35, 100]", "do not rise"),
        ("              pm2_5: {points", "              pm2: {points", "no numeric property 'pm2'"),
    ],
)
def test_a_fault_of_a_table_names_its_key(tmp_path: Path, right: str, wrong: str, told: str) -> None:
    text = (AIR / "standard.yaml").read_text(encoding="utf-8")
    assert right in text
    (tmp_path / "standard.yaml").write_text(text.replace(right, wrong, 1), encoding="utf-8")
    with pytest.raises(ContentError, match="indices") as refused:
        Standard.load([tmp_path])
    assert told in str(refused.value)


def test_a_value_that_is_no_number_has_no_index() -> None:
    assert index(NEW, pm2_5=math.nan)["aqi"] is None
    with pytest.raises(ValidationError, match="at least 2"):
        Scale(points=((0, 0),))
