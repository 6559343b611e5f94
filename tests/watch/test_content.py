"""rules.yaml: what is wrong is named with file, line, key and what to do; what the packs ship is right and speaks."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pyarrow as pa
import pytest

from cityloop.core.errors import ContentError
from cityloop.lake.events import SCHEMAS
from cityloop.standard.service import Standard
from cityloop.watch.checking import PLACEHOLDERS
from cityloop.watch.content import load_rules
from cityloop.watch.guard import Guard
from cityloop.watch.rules import Clear, Rule

ROOT = Path(__file__).parents[2]
PACKS = [
    ROOT / "packs" / name
    for name in ("urban", "air", "metro", "sanitation", "complaints", "iot", "traffic", "hazmat", "lamp")
]
GOOD = """\
rules:
  - id: air.test
    version: "1"
    title: 测试
    description: 测试
    message: "{entity} {value}"
    entity_type: AirQualityStation
    property: pm2_5
    unit: ug/m3
    match: {wind_direction: [N]}
    aggregate: mean
    window: 1h
    bucket: 10min
    levels: {blue: 75, red: 150}
    clear: {margin: 5, hold: 10min}
    department: environment
    respond: case
    matter: gb47678:matter:08004
"""


@pytest.fixture(scope="module")
def standard() -> Standard:
    return Standard.load(PACKS)


def load(folder: Path, standard: Standard, text: str) -> tuple[Rule, ...]:
    (folder / "rules.yaml").write_text(text, encoding="utf-8")
    return load_rules([folder], standard, ["environment"], ["gb47678:matter:08004"])


def test_a_right_file_is_read_with_durations_in_seconds(tmp_path: Path, standard: Standard) -> None:
    (rule,) = load(tmp_path, standard, GOOD)
    assert (rule.window, rule.bucket, rule.clear.hold, rule.unit) == (3600, 600, 600, "µg/m³")
    assert rule.ladder == (("blue", 75.0), ("red", 150.0))


@pytest.mark.parametrize(
    ("right", "wrong", "where", "told"),
    [
        ("AirQualityStation", "AirStation", ":7 rules.0.entity_type", "did you mean AirQualityStation"),
        ("property: pm2_5", "property: pm25", ":8 rules.0.property", "pm2_5"),
        ("property: pm2_5", "property: wind_direction", ":8 rules.0.property", "numeric"),
        ("unit: ug/m3", "unit: mg/m3", ":9 rules.0.unit", "standard's unit"),
        ("unit: ug/m3", "unit: bananas", ":9 rules.0.unit", "standard's unit"),
        ("wind_direction: [N]", "wind: [N]", ":10 rules.0.match.wind", "unknown column"),
        ("wind_direction: [N]", "wind_direction: []", ":10", "empty match"),
        ("aggregate: mean", "aggregate: average", ":11 rules.0.aggregate", "mean"),
        ("window: 1h", "window: 1 hour", ":12 rules.0.window", "10min"),
        ("window: 1h", "window: 0", ":12", "greater than 0"),
        ("window: 1h", "window: 25min", ":12", "multiple"),
        ("bucket: 10min", "bucket: 1s", ":13 rules.0.bucket", "larger bucket"),
        ("red: 150", "red: 75", ":14 rules.0.levels.red", "contradict"),
        ("red: 150", "red: 70", ":14 rules.0.levels.red", "contradict"),
        ("red: 150", "pink: 150", ":14", "blue"),
        ("red: 150", "red: .inf", ":14", "finite"),
        ("{blue: 75, red: 150}", "{}", ":14", "at least 1"),
        ("margin: 5", "margin: -5", ":15 rules.0.clear.margin", "greater than or equal to 0"),
        ("department: environment", "department: enviroment", ":16 rules.0.department", "environment"),
        ("matter:08004", "matter:08005", ":18 rules.0.matter", "08004"),
        ("respond: case", "respond: none", ":17 rules.0.respond", "no_case_because"),
        ("    matter: gb47678:matter:08004\n", "", ":17 rules.0.respond", "matter"),
        ("{value}", "{valeu}", ":6 rules.0.message.zh", "unknown placeholder"),
        ("{value}", "{value.__class__}", ":6", "unknown placeholder"),
        ("{value}", "{value:>9}", ":6", "without a format"),
        ("{value}", "{", ":6", "broken placeholder"),
        ('version: "1"', 'version: "1"\n    hodl: 3', ":4 rules.0.hodl", "unknown key"),
        ("rules:", "rule:", ":1", "one key"),
        ("aggregate: mean", "aggregate: percentile", ":11 rules.0.aggregate", "percentile: 95"),
        ("aggregate: mean", "aggregate: agree", ":11 rules.0.aggregate", "need each other"),
        ("aggregate: mean", "aggregate: silence", ":8 rules.0.property", "leave 'property' out"),
        ("aggregate: mean", "aggregate: roam", ":7 rules.0.entity_type", "tell their position"),
        ("window: 1h", "by: [wind]\n    window: 1h", ":12 rules.0.by", "unknown column"),
        ("window: 1h", "holds: {orange: 5min}\n    window: 1h", ":12 rules.0.holds.orange", "no level orange"),
        ("red: 150}", "red: 75}\n    holds: {blue: 10min}", ":14 rules.0.levels.red", "contradict"),
        ("window: 1h", "active: [{days: funday}]\n    window: 1h", ":12 rules.0.active.0.days", "mon"),
        ("window: 1h", "fence: {areas: []}\n    window: 1h", ":12 rules.0.fence", "empty fence"),
        ("window: 1h", "depends: [{rule: air.tset}]\n    window: 1h", ":12 rules.0.depends.0.rule", "air.test"),
        ("window: 1h", "depends: [{rule: air.test}]\n    window: 1h", ":12 rules.0.depends", "air.test → air.test"),
        (
            "window: 1h",
            "escalate: [{after: 1h, to: nobody}]\n    window: 1h",
            ":12 rules.0.escalate.0.to",
            "department",
        ),
        ("window: 1h", "remind: {every: 0}\n    window: 1h", ":12 rules.0.remind.every", "greater than 0"),
    ],
)
def test_a_fault_names_its_place_and_what_to_do(
    tmp_path: Path, standard: Standard, right: str, wrong: str, where: str, told: str
) -> None:
    text = GOOD.replace(right, wrong, 1)
    if wrong == "bucket: 1s":
        text = text.replace("margin: 5, hold: 10min", "margin: 5, hold: 1h")
    with pytest.raises(ContentError) as refused:
        load(tmp_path, standard, text)
    assert where in str(refused.value)
    assert told in str(refused.value)


def test_two_rules_of_one_name_are_refused(tmp_path: Path, standard: Standard) -> None:
    with pytest.raises(ContentError, match="declared twice"):
        load(tmp_path, standard, GOOD + GOOD.removeprefix("rules:\n"))


def test_rules_that_rest_on_each_other_in_a_circle_are_refused_with_the_way_around(
    tmp_path: Path, standard: Standard
) -> None:
    joint = GOOD.removeprefix("rules:\n").replace("aggregate: mean", "aggregate: agree")
    for line in ("property: pm2_5", "unit: ug/m3", "match: {wind_direction: [N]}", "window: 1h", "bucket: 10min"):
        joint = joint.replace(f"    {line}\n", "")
    joint = joint.replace("{blue: 75, red: 150}", "{blue: 1}\n    conditions: [{rule: air.%s}]")
    one = joint.replace("id: air.test", "id: air.one") % "two"
    two = joint.replace("id: air.test", "id: air.two") % "one"
    with pytest.raises(ContentError, match=r"air\.one → air\.two → air\.one"):
        load(tmp_path, standard, f"rules:\n{one}{two}")
    with pytest.raises(ContentError, match="never reaches red"):
        load(tmp_path, standard, f"rules:\n{joint % 'one, at: red'}{one.replace('air.two', 'air.three')}")


def test_thresholds_fall_where_small_values_are_bad(tmp_path: Path, standard: Standard) -> None:
    text = GOOD.replace("levels: {blue: 75, red: 150}", "levels: {blue: 75, red: 15}\n    direction: below")
    assert load(tmp_path, standard, text)[0].ladder == (("blue", 75.0), ("red", 15.0))


def test_the_packs_of_the_house_are_without_fault(standard: Standard) -> None:
    rules = load_rules(PACKS, standard)
    types = {"AirQualityStation", "MetroStation", "WasteContainer", "CaseEvent", "Device"}
    types |= {"RoadSegment", "HazmatVehicle", "LampPole"}
    assert {rule.entity_type for rule in rules} == types
    assert all(rule.description.zh and rule.description.en for rule in rules)


@pytest.mark.parametrize(
    ("series", "pack", "kind", "columns"),
    [
        ("air-hourly", "air", "AirQualityStation", {"station": "entity", "PM2.5": "pm2_5"}),
        ("metro-entries", "metro", "MetroStation", {"station": "entity", "entries": "entries"}),
        ("bin-emptying", "sanitation", "WasteContainer", {"bin": "entity", "fill_before_pct": "fill_before"}),
    ],
)
def test_every_series_warns_within_two_hours_of_the_demo(
    standard: Standard, series: str, pack: str, kind: str, columns: dict[str, str]
) -> None:
    path = ROOT / "cities" / "demo" / "series" / f"{series}.parquet"
    if not path.exists():
        pytest.skip("the series of the demo city are not here")
    frame = pl.read_parquet(path).rename(columns)
    begin = pl.datetime(2026, 3, 8, 22, 30, time_zone="UTC")
    frame = frame.filter(pl.col("time").is_between(begin, begin + timedelta(hours=2))).sort("time")
    base = frame.select(
        pl.col("entity").cast(pl.String),
        pl.col("time").alias("observed_at"),
        pl.col("time").alias("received_at"),
        pl.int_range(pl.len()).cast(pl.String).alias("record"),
        pl.lit(None, pl.String).alias("area"),
        pl.col(list(columns.values())[1]),
    )
    mapped = list(columns.values())[1]
    rules = [rule for rule in load_rules([ROOT / "packs" / pack], standard) if _looks_at(rule, kind, mapped)]
    (verdict,) = Guard(kind, rules).take(base.to_arrow(), max(frame["time"].to_list()))
    assert verdict.decisions


def _looks_at(rule: Rule, kind: str, name: str) -> bool:
    return (rule.entity_type, rule.property) == (kind, name) and rule.aggregate not in ("forecast", "anomaly")


def documented() -> str:
    return (ROOT / "docs" / "rules.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("key", [*Rule.model_fields, *Clear.model_fields])
def test_every_key_of_a_rule_is_documented(key: str) -> None:
    assert f"`{key}`" in documented()


def test_every_placeholder_is_documented() -> None:
    assert all(f"`{{{name}}}`" in documented() for name in PLACEHOLDERS)


def test_case_events_can_be_watched() -> None:
    assert "opened" in SCHEMAS["CaseEvent"].names


def test_the_iot_pack_hears_silence_stuck_readings_and_theft(standard: Standard) -> None:
    rules = [rule for rule in load_rules(PACKS, standard) if rule.entity_type == "Device"]
    guard = Guard("Device", rules)
    begin = datetime(2026, 3, 9, tzinfo=UTC)

    def rows(hour: int, place: float = 114.0) -> pa.Table:
        found = [
            {"entity": "d1", "observed_at": at, "received_at": at, "feed": "lamps", "record": str(at), "area": None,
             "date": at.date(), "reading": 7.0, "battery": 50.0, "lon": place, "lat": 22.5}
            for at in (begin + timedelta(hours=hour, minutes=10 * n) for n in range(6))
        ]  # fmt: skip
        return pa.Table.from_pylist(found, standard.entity_types["Device"].schema)

    said = []
    for hour in range(8):
        verdicts = guard.take(rows(hour, 114.1 if hour == 7 else 114.0), begin + timedelta(hours=hour + 1))
        said += [(decision.rule, decision.level) for verdict in verdicts for decision in verdict.decisions]
    assert said == [("iot.reading_stuck", "yellow"), ("iot.device_moved", "red")]
    late = guard.tick(begin + timedelta(hours=8, minutes=40))
    assert [(d.rule, d.entity, d.level) for verdict in late for d in verdict.decisions] == [
        ("iot.device_silent", "d1", "blue"),
        ("iot.feed_silent", "lamps", "yellow"),
    ]
