"""Mappings: what a record says arrives in the standard's unit and type, and what breaks it is named."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cityloop.standard.declarations import EntityField, FeedDeclaration, PropertyField, TimeField
from cityloop.standard.feeds import load_feeds
from cityloop.standard.mapped import INDEX, Mapped
from cityloop.standard.mapping import FeedMapping
from cityloop.standard.service import Standard
from cityloop.standard.types import EntityType, Property

PACKS = [Path(__file__).parents[2] / "packs" / name for name in ("air", "metro", "sanitation")]
STANDARD = Standard.load(PACKS)
AIR = next(feed for feed in load_feeds(PACKS, STANDARD) if feed.id == "air-hourly")
METRO = next(feed for feed in load_feeds(PACKS, STANDARD) if feed.id == "metro-entries")
NOW = datetime(2026, 3, 9, 4, 0, tzinfo=UTC)
TIME = "2026-03-09T11:00:00+08:00"
TYPE = EntityType(
    id="Sensor",
    title="Sensor",
    properties=(
        Property(id="temperature", title="t", unit="Cel", min=-60, max=60),
        Property(id="visits", title="v", kind="integer", min=0),
        Property(id="open", title="o", kind="flag"),
        Property(id="state", title="s", kind="text", enum=("ok", "broken")),
        Property(id="speed", title="s", unit="m/s"),
    ),
)


def mapping(**properties: Any) -> FeedMapping:
    declared = {name: PropertyField.model_validate(value) for name, value in properties.items()}
    return FeedMapping(
        FeedDeclaration(
            id="sensors",
            title="Sensors",
            entity_type="Sensor",
            department="centre",
            entity=EntityField(field="id"),
            time=TimeField(field="at"),
            properties=declared,
        ),
        TYPE,
    )


def apply(feed: FeedMapping, *records: dict[str, Any], text: bool = False) -> Mapped:
    shape = feed.text if text else feed.typed
    rows = [
        {n: str(v) if (text or d == pl.String) and (v := r.get(n)) is not None else r.get(n) for n, d in shape.items()}
        for r in records
    ]
    return feed.apply(pl.DataFrame(rows, schema=shape), NOW, {"a", "b", "1001A", "s00"})


def rules(found: Mapped, index: int = 0) -> list[str]:
    return [refusal.rule for refusal in found.refusals.get(index, [])]


def one(found: Mapped) -> dict[str, Any]:
    assert found.refusals == {}
    return found.rows.to_dicts()[0]


@pytest.mark.parametrize("text", [False, True])
def test_fields_are_renamed_and_units_converted(text: bool) -> None:
    feed = mapping(temperature={"field": "T", "unit": "[degF]"}, speed={"field": "v", "unit": "km/h"}, visits="n")
    row = one(apply(feed, {"id": "a", "at": TIME, "T": 212 - 112, "v": 36, "n": 7}, text=text))
    assert row["entity"] == "a"
    assert row["observed_at"] == datetime(2026, 3, 9, 3, tzinfo=UTC)
    assert row["temperature"] == pytest.approx(37.7777777)
    assert (row["speed"], row["visits"]) == (10.0, 7)


def test_codes_flags_and_constants_become_values_of_the_standard() -> None:
    feed = mapping(open={"field": "o", "codes": {"开": True, "关": False}}, state={"constant": "ok"})
    assert one(apply(feed, {"id": "a", "at": TIME, "o": "开"}))["open"] is True
    assert one(apply(feed, {"id": "a", "at": TIME, "o": "关"}))["state"] == "ok"
    assert rules(apply(feed, {"id": "a", "at": TIME, "o": "半开"})) == ["code"]
    flag = mapping(open="o")
    assert one(apply(flag, {"id": "a", "at": TIME, "o": "TRUE"}))["open"] is True
    assert rules(apply(flag, {"id": "a", "at": TIME, "o": "maybe"})) == ["flag"]


@pytest.mark.parametrize("text", [False, True])
def test_a_record_may_carry_its_own_unit(text: bool) -> None:
    found = apply(AIR, {"station": "1001A", "time": TIME, "PM2.5": 0.035, "CO": 1.5, "unit": "mg/m³"}, text=text)
    assert one(found)["pm2_5"] == 35.0
    assert one(found)["co"] == 1500.0


@pytest.mark.parametrize("sent", ["ppm", "kg", "furlong"])
def test_a_wrong_unit_is_refused_with_the_units_that_would_do(sent: str) -> None:
    found = apply(AIR, {"station": "1001A", "time": TIME, "PM2.5": 0.035, "unit": sent})
    assert rules(found) == ["unit"]
    refusal = found.refusals[0][0]
    assert refusal.column == "unit"
    assert sent in refusal.reason
    assert "mg/m3" in refusal.reason


def test_only_the_records_that_name_a_unit_are_converted_by_it() -> None:
    sent = [
        {"station": "1001A", "time": TIME, "PM2.5": 35.0},
        {"station": "1001A", "time": TIME, "PM2.5": 0.035, "unit": "mg/m3"},
    ]
    assert apply(AIR, *sent).rows["pm2_5"].to_list() == [35.0, 35.0]


@pytest.mark.parametrize(("field", "value"), [("PM2.5", -1), ("PM2.5", 2001), ("TEMP", 999), ("PRES", 10)])
def test_an_impossible_value_is_refused_with_value_bound_and_unit(field: str, value: float) -> None:
    found = apply(AIR, {"station": "1001A", "time": TIME, field: value})
    assert rules(found) == ["range"]
    assert f"{value:g} " in found.refusals[0][0].reason


def test_the_range_holds_for_the_converted_value() -> None:
    found = apply(AIR, {"station": "1001A", "time": TIME, "PM2.5": 35, "unit": "mg/m3"})
    assert "35000 µg/m³ is above the highest possible 2000 µg/m³" in found.refusals[0][0].reason


def test_text_that_is_no_number_and_fractions_of_persons_are_refused() -> None:
    assert rules(apply(AIR, {"station": "1001A", "time": TIME, "PM2.5": "much"}, text=True)) == ["number"]
    assert rules(apply(METRO, {"station": "s00", "time": TIME, "entries": 3.5})) == ["integer"]
    assert rules(apply(AIR, {"station": "1001A", "time": TIME, "PM2.5": "1e999"}, text=True)) == ["number"]


def test_numbers_sent_as_text_and_words_for_missing_are_understood() -> None:
    row = one(apply(AIR, {"station": "1001A", "time": TIME, "PM2.5": " 35.5 ", "PM10": "NA", "SO2": ""}, text=True))
    assert (row["pm2_5"], row["pm10"], row["so2"]) == (35.5, None, None)


def test_time_must_be_there_readable_and_not_ahead_of_the_city() -> None:
    base = {"station": "1001A", "PM2.5": 1.0}
    found = apply(AIR, base, {**base, "time": "noon"}, {**base, "time": "2026-03-09T12:06:00+08:00"},
                  {**base, "time": "2026-03-09T12:04:00+08:00"})  # fmt: skip
    assert [rules(found, index) for index in range(4)] == [["required"], ["time"], ["future"], []]


def test_an_unknown_entity_is_refused_and_named() -> None:
    found = apply(AIR, {"station": "9999Z", "time": TIME, "PM2.5": 1.0})
    assert rules(found) == ["entity"]
    assert "'9999Z'" in found.refusals[0][0].reason


def test_a_record_without_any_value_is_refused() -> None:
    assert rules(apply(AIR, {"station": "1001A", "time": TIME, "wd": "N"})) == ["empty"]


def test_a_required_field_and_an_enumeration_are_enforced() -> None:
    feed = mapping(visits={"field": "n", "required": True}, state="s")
    assert rules(apply(feed, {"id": "a", "at": TIME, "s": "ok"})) == ["empty", "required"]
    assert rules(apply(feed, {"id": "a", "at": TIME, "n": 1, "s": "fine"})) == ["enum"]


def test_a_record_that_breaks_several_rules_is_told_all_of_them() -> None:
    found = apply(AIR, {"station": "zz", "time": "x", "PM2.5": -5, "wd": "up"})
    assert rules(found) == ["entity", "time", "range", "enum"]


def test_good_records_stay_when_others_are_bad() -> None:
    found = apply(AIR, *[{"station": "1001A" if n % 3 else "zz", "time": TIME, "PM2.5": float(n)} for n in range(30)])
    assert found.rows[INDEX].to_list() == [n for n in range(30) if n % 3]
    assert sorted(found.refusals) == [n for n in range(30) if n % 3 == 0]


def test_no_records_give_no_rows_with_all_columns() -> None:
    found = AIR.apply(pl.DataFrame(schema=AIR.typed), NOW, {})
    assert found.rows.is_empty()
    assert {"entity", "observed_at", "pm2_5", "wind_direction"} <= set(found.rows.columns)


@given(
    records=st.lists(
        st.fixed_dictionaries(
            {
                "station": st.sampled_from(["1001A", "zz", " 1001A "]),
                "time": st.sampled_from([TIME, "x", "2027-01-01T00:00:00Z"]),
            },
            optional={
                "PM2.5": st.floats(-10, 3000, allow_nan=False),
                "TEMP": st.floats(-100, 100),
                "unit": st.sampled_from(["mg/m3", "ug/m3", "ppm"]),
                "wd": st.sampled_from(["N", "NW", "up"]),
            },
        ),
        min_size=1,
        max_size=20,
    )
)
def test_numbers_and_texts_lead_to_the_same_verdicts_and_every_record_has_exactly_one(
    records: list[dict[str, Any]],
) -> None:
    typed, text = apply(AIR, *records), apply(AIR, *records, text=True)
    assert typed.rows.equals(text.rows)
    assert {i: rules(typed, i) for i in typed.refusals} == {i: rules(text, i) for i in text.refusals}
    assert sorted([*typed.rows[INDEX].to_list(), *typed.refusals]) == list(range(len(records)))
    assert typed.rows.filter((pl.col("pm2_5") < 0) | (pl.col("pm2_5") > 2000)).is_empty()
