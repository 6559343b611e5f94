"""Suggestions of mappings: files as departments send them, each with the mapping that a person would write."""

from __future__ import annotations

import io
import itertools
import json
import random
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cityloop.city.datum import convert
from cityloop.core.values import Title
from cityloop.standard.assignment import best_pairs
from cityloop.standard.batch import EntityCard
from cityloop.standard.feeds import compile_feed, feed_from
from cityloop.standard.headings import heading
from cityloop.standard.service import Standard
from cityloop.standard.suggest import Around, Suggestion, suggest
from cityloop.standard.tables import read_table
from cityloop.standard.trial import try_mapping

PACKS = [Path(__file__).parents[2] / "packs" / name for name in ("air", "metro", "sanitation")]
STANDARD = Standard.load(PACKS)
RNG = random.Random(5)
STATIONS = [("1001A", "万寿西宫", 114.05, 22.55), ("1002A", "定陵", 113.92, 22.53), ("1003A", "东四", 114.20, 22.60)]
KNOWN = {
    code: EntityCard(code, "AirQualityStation", Title(zh=name, en=code), lon=lon, lat=lat)
    for code, name, lon, lat in STATIONS
}
HOURS = [datetime(2026, 3, 9, hour, tzinfo=UTC) for hour in range(3)]
WIND = ["N", "NE", "SSW", "W", "NW"]


def value(low: float, high: float, places: int = 1) -> float:
    return round(RNG.uniform(low, high), places)


@dataclass(frozen=True)
class Example:
    """A file, what it is, and which column belongs to which target."""

    name: str
    body: bytes
    expected: dict[str, str]
    entity_type: str = "AirQualityStation"
    known: dict[str, EntityCard] = field(default_factory=lambda: KNOWN)
    datum: str | None = None
    units: dict[str, str] = field(default_factory=dict)


def csv(lines: list[list[Any]], encoding: str = "utf-8") -> bytes:
    return "\n".join(",".join(str(cell) for cell in line) for line in lines).encode(encoding)


def environment_csv() -> Example:
    """GB18030, units in headings, missing values as dashes."""
    head = ["监测点编码", "监测点名称", "监测时间", "PM2.5(μg/m³)", "PM10(μg/m³)", "二氧化硫(μg/m3)", "一氧化碳(mg/m³)",
            "臭氧(μg/m³)", "备注"]  # fmt: skip
    rows = [
        [
            code,
            name,
            at.strftime("%Y-%m-%d %H:%M:%S"),
            value(5, 90),
            value(10, 200),
            "—",
            value(0.2, 2),
            value(10, 160),
            "",
        ]
        for at, (code, name, *_) in itertools.product(HOURS, STATIONS)
    ]
    expected = {"entity": head[0], "time": head[2], "pm2_5": head[3], "pm10": head[4], "so2": head[5], "co": head[6],
                "o3": head[7], "title": head[1]}  # fmt: skip
    return Example(
        "空气质量小时值.csv", csv([head, *rows], "gb18030"), expected, units={"co": "mg/m3", "pm10": "ug/m3"}
    )


def weather_json() -> Example:
    """English short names in a nested answer, kelvin without saying so, GCJ-02 positions."""
    rows = []
    for at, (code, _, lon, lat) in itertools.product(HOURS, STATIONS):
        x, y = convert(lon, lat, "wgs84", "gcj02")
        rows.append({"station": code, "ts": int(at.timestamp()), "temp": value(280, 300), "pres": value(99, 102),
                     "wspm": value(0, 9), "wd": RNG.choice(WIND), "rain": value(0, 5), "lng": x, "lat": y})  # fmt: skip
    expected = {"entity": "station", "time": "ts", "temperature": "temp", "pressure": "pres", "wind_speed": "wspm",
                "wind_direction": "wd", "rain": "rain", "lon": "lng", "lat": "lat"}  # fmt: skip
    body = json.dumps({"code": 0, "data": {"list": rows}}).encode()
    return Example("weather.json", body, expected, datum="gcj02", units={"temperature": "K", "pressure": "kPa"})


def merged_sheet() -> Example:
    """A workbook with a title, merged headings and Chinese times; the station is named, not coded."""
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["某区空气自动站日报", *[None] * 6])
    sheet.append(["站点", "时间", "颗粒物", None, "气象", None, "填报人"])
    sheet.append([None, None, "PM2.5(μg/m³)", "PM10(μg/m³)", "风向", "风速(km/h)", None])
    for merge in ("A1:G1", "A2:A3", "B2:B3", "C2:D2", "E2:F2", "G2:G3"):
        sheet.merge_cells(merge)
    for at, (_, name, *_) in itertools.product(HOURS, STATIONS):
        sheet.append(
            [name, f"2026年3月9日{at.hour}时", value(5, 90), value(10, 200), RNG.choice(WIND), value(0, 40), "王"]
        )
    out = io.BytesIO()
    book.save(out)
    expected = {"entity": "站点", "time": "时间", "pm2_5": "颗粒物/PM2.5(μg/m³)", "pm10": "颗粒物/PM10(μg/m³)",
                "wind_direction": "气象/风向", "wind_speed": "气象/风速(km/h)"}  # fmt: skip
    return Example("日报.xlsx", out.getvalue(), expected, units={"wind_speed": "km/h"})


def split_time_csv() -> Example:
    """Day and hour in columns of their own, names without units, full-width digits."""
    head = ["设备编号", "日期", "小时", "温度", "露点温度", "雨量", "气压"]
    rows = [
        [code, "2026/03/09", at.hour, value(10, 25), value(-5, 9), value(0, 3), "１０１３．２"]
        for at, (code, *_) in itertools.product(HOURS, STATIONS)
    ]
    expected = {"entity": head[0], "date": head[1], "time": head[2], "temperature": head[3], "dew_point": head[4],
                "rain": head[5], "pressure": head[6]}  # fmt: skip
    return Example("qixiang_0309.csv", csv([head, *rows], "utf-8-sig"), expected)


def metro_csv() -> Example:
    """Another type; nothing is known of its stations."""
    head = ["站点编码", "站点名称", "采集时间", "进站人数", "出站人数", "经度", "纬度"]
    rows = [
        [f"s{n:02}", f"第{n}站", f"2026-03-09T08:{10 * k:02}:00+08:00", RNG.randint(0, 900), RNG.randint(0, 900),
         114 + n / 100, 22.5 + n / 200]
        for n, k in itertools.product(range(5), range(4))
    ]  # fmt: skip
    expected = {
        "entity": head[0],
        "title": head[1],
        "time": head[2],
        "entries": head[3],
        "lon": head[5],
        "lat": head[6],
    }
    return Example("metro.csv", csv([head, *rows]), expected, "MetroStation", {})


def bins_csv() -> Example:
    """Sanitation: percent and litres, coordinates in one column, kilograms spelt out."""
    head = ["垃圾桶编号", "收运时间", "收运前满溢度(%)", "收运后满溢度(%)", "体积(升)", "重量(公斤)", "坐标", "司机"]
    rows = [
        [f"B{n}", f"2026-03-0{1 + k} 09:30", RNG.randint(20, 100), RNG.randint(0, 10), value(20, 200), value(5, 60),
         f"{114 + n / 100};{22.5 + n / 100}", "李"]
        for n, k in itertools.product(range(6), range(3))
    ]  # fmt: skip
    expected = {"entity": head[0], "time": head[1], "fill_before": head[2], "fill_after": head[3], "volume_l": head[4],
                "weight_kg": head[5], "point": head[6]}  # fmt: skip
    return Example("bins.csv", csv([head, *rows]), expected, "WasteContainer", {}, units={"weight_kg": "kg"})


EXAMPLES = [environment_csv(), weather_json(), merged_sheet(), split_time_csv(), metro_csv(), bins_csv()]


def suggested(example: Example) -> Suggestion:
    table = read_table(example.name, example.body)
    around = Around(example.known, department="environment")
    return suggest(example.name, table, STANDARD.entity_type(example.entity_type), STANDARD, around)


def pairs(found: Suggestion) -> dict[str, str]:
    return {item.target: item.column for item in found.fields if item.column is not None}


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda e: e.name)
def test_a_departments_file_gets_the_mapping_a_person_would_write(example: Example) -> None:
    found = suggested(example)
    assert pairs(found) == example.expected
    properties = found.declaration["properties"]
    assert {name: properties[name]["unit"] for name in example.units} == example.units
    if example.datum:
        assert found.datum.datum == example.datum
        assert found.datum.confidence > 0.8


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda e: e.name)
def test_what_is_proposed_works_as_it_stands(example: Example) -> None:
    found = suggested(example)
    mapping = compile_feed(feed_from(found.yaml), STANDARD)
    trial = try_mapping(mapping, read_table(example.name, example.body), HOURS[-1] + timedelta(days=1), example.known)
    refused = {reason.rule for reason in trial.refusals}
    assert trial.accepted == trial.received, refused


def test_precision_and_recall_over_all_files() -> None:
    right = wrong = missed = 0
    for example in EXAMPLES:
        found = pairs(suggested(example))
        right += sum(example.expected.get(target) == column for target, column in found.items())
        wrong += sum(example.expected.get(target) != column for target, column in found.items())
        missed += sum(found.get(target) != column for target, column in example.expected.items())
    assert right / (right + wrong) >= 0.95
    assert right / (right + missed) >= 0.95


def test_columns_that_say_nothing_are_left_alone() -> None:
    body = csv([["甲", "乙", "备注"], ["x", "3", "好"], ["y", "4", "坏"]])
    found = suggested(Example("x.csv", body, {}, known={}))
    assert [item.target for item in found.fields if item.column] == []
    assert found.unused == ["甲", "乙", "备注"]


def test_a_heading_in_another_dimension_is_not_taken_for_the_property() -> None:
    body = csv([["站点编号", "时间", "PM2.5(%)", "温度(℃)"], ["1001A", "2026-03-09 08:00:00", "3", "20"]])
    found = pairs(suggested(Example("x.csv", body, {})))
    assert "pm2_5" not in found
    assert found["temperature"] == "温度(℃)"


@pytest.mark.parametrize(
    ("text", "name", "code"),
    [
        ("PM2.5(μg/m³)", "pm25", "ug/m3"),
        ("温度（℃）", "温度", "Cel"),
        ("风速 m/s", "风速m/s".replace("/", ""), "m/s"),
        ("Wind Speed [km/h]", "windspeed", "km/h"),
        ("PM2.5/小时均值", "pm25小时均值", None),
    ],
)
def test_headings_are_taken_apart(text: str, name: str, code: str | None) -> None:
    found = heading(text)
    assert found.names[0] == name
    assert (found.unit.code if found.unit else None) == code


@given(st.lists(st.lists(st.sampled_from([0.0, 0.3, 0.5, 0.9, 1.0]), min_size=4, max_size=4), min_size=1, max_size=5))
def test_the_matching_is_the_best_of_all(scores: list[list[float]]) -> None:
    height, width = len(scores), 4
    size = min(height, width)
    best = max(
        sum(scores[row][column] for row, column in zip(rows, columns, strict=True))
        for rows in itertools.combinations(range(height), size)
        for columns in itertools.permutations(range(width), size)
    )
    found = best_pairs(scores)
    assert sum(scores[row][column] for row, column in found) == pytest.approx(best)
    assert len({row for row, _ in found}) == len({column for _, column in found}) == len(found)
