"""The mapping language: what departments send arrives in the standard, whatever they call, code, place and time it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import polars as pl
import pytest

from cityloop.city.datum import convert
from cityloop.city.schemas import Area, Place
from cityloop.core.errors import Invalid
from cityloop.core.values import Title
from cityloop.standard.batch import EntityCard
from cityloop.standard.code_lists import CodeList
from cityloop.standard.feeds import compile_feed, feed_from
from cityloop.standard.mapped import Mapped
from cityloop.standard.service import Standard
from cityloop.standard.types import EntityType
from cityloop.standard.world import NOWHERE, World

NOW = datetime(2026, 3, 9, 4, 0, tzinfo=UTC)
WIND = CodeList.model_validate(
    {
        "id": "wind",
        "title": "Wind",
        "codes": [
            {"code": "N", "title": {"zh": "北", "en": "North"}, "synonyms": ["北风"]},
            {"code": "S", "title": {"zh": "南", "en": "South"}, "valid_to": "2026-01-01"},
            {"code": "S2", "title": {"zh": "南", "en": "South"}, "valid_from": "2026-01-01"},
            {"code": "NNE", "title": {"zh": "北东北", "en": "North-north-east"}, "parent": "N"},
        ],
    }
)
KIND = EntityType.model_validate(
    {
        "id": "Sensor",
        "title": "Sensor",
        "keys": ["old_code"],
        "properties": [
            {"id": "o3", "title": "O3", "unit": "ug/m3", "molar_mass": 48.0, "min": 0, "max": 2000},
            {"id": "pm10", "title": "PM10", "unit": "ug/m3"},
            {"id": "share", "title": "share", "unit": "%"},
            {"id": "visits", "title": "visits", "kind": "integer"},
            {"id": "wind", "title": "wind", "kind": "text", "code_list": "wind"},
            {"id": "serial", "title": "serial", "kind": "text", "pattern": "[A-Z]{2}[0-9]+"},
            {"id": "road", "title": "road", "kind": "text"},
            {"id": "cell", "title": "cell", "kind": "text"},
            {"id": "open", "title": "open", "kind": "flag"},
        ],
        "relations": [{"id": "on", "title": "on", "target": "Road", "property": "road", "cardinality": "many"}],
    }
)
ROAD = EntityType.model_validate({"id": "Road", "title": "Road", "properties": [{"id": "speed", "title": "v"}]})
STANDARD = Standard({"Sensor": KIND, "Road": ROAD}, {"wind": WIND})


def card(identity: str, zh: str, lon: float, lat: float, code: str = "") -> EntityCard:
    attributes = {"old_code": code} if code else {}
    return EntityCard(identity, "Sensor", Title(zh=zh, en=zh), lon=lon, lat=lat, attributes=attributes)


CARDS = {
    "a": card("a", "万寿西宫", 114.05, 22.55, "X-1"),
    "b": card("b", "定陵", 114.06, 22.55, "X-2"),
    "c": card("c", "定陵", 114.20, 22.60),
}
ROADS = {"r1": EntityCard("r1", "Road", Title(zh="路", en="Road"))}


def locate(lons: Any, lats: Any) -> list[Place | None]:
    return [Place(area="440304000000001", district="440304") if 114 < lon < 114.3 else None for lon in lons]


WORLD = World(of=lambda name: {"Sensor": CARDS, "Road": ROADS}.get(name, {}), locate=locate)


def declared(**changed: Any) -> dict[str, Any]:
    base: dict[str, Any] = {
        "id": "sensors",
        "title": "Sensors",
        "entity_type": "Sensor",
        "department": "centre",
        "entity": {"field": "id"},
        "time": {"field": "at", "zone": "Asia/Shanghai"},
        "properties": {"pm10": "v"},
    }
    return {**base, **changed}


def apply(feed: dict[str, Any], *records: dict[str, Any], world: World = NOWHERE) -> Mapped:
    mapping = compile_feed(feed_from(feed), STANDARD)
    rows = [{"id": "a", "at": "2026-03-09 11:00:00", "v": "1", **record} for record in records]
    frame = pl.DataFrame(
        [{k: None if v is None else str(v) for k, v in row.items()} for row in rows], infer_schema_length=None
    )
    return mapping.apply(mapping.fit(frame), NOW, CARDS, world)


def one(found: Mapped) -> dict[str, Any]:
    assert found.refusals == {}, found.refusals
    return found.rows.to_dicts()[0]


def rules(found: Mapped, index: int = 0) -> list[str]:
    return [refusal.rule for refusal in found.refusals.get(index, [])]


def reasons(found: Mapped, index: int = 0) -> str:
    return " ".join(refusal.reason for refusal in found.refusals[index])


# Fields


def test_a_field_is_split_by_a_separator_or_a_pattern_and_joined_again() -> None:
    feed = declared(
        fields=[
            {"split": "pos", "separator": ",", "into": ["x", "y"]},
            {"split": "code", "pattern": r"(\d{3})-(\w+)", "into": ["district", "who"]},
            {"join": ["district", "who"], "separator": "/", "into": "both"},
        ],
        entity={"field": "who"},
        properties={"pm10": "x", "share": "y", "cell": "both"},
    )
    row = one(apply(feed, {"pos": "12.5, 30", "code": "304-a"}))
    assert (row["entity"], row["pm10"], row["share"], row["cell"]) == ("a", 12.5, 30.0, "304/a")
    assert "required" in rules(apply(feed, {"pos": "12.5,30,9", "code": "bad"}))


def test_values_are_derived_from_fields_by_expressions() -> None:
    feed = declared(
        fields=[{"expression": 'concat(upper case(p), "-", `编号 1`)', "into": "serial_no"}],
        properties={
            "pm10": {"expression": "(hi + lo) / 2", "unit": "mg/m3"},
            "visits": {"expression": "round(hi * 10)"},
            "open": {"expression": 'state = "开" or hi > 5'},
            "cell": "serial_no",
        },
    )
    row = one(apply(feed, {"hi": "0.3", "lo": "0.1", "state": "开", "p": "ab", "编号 1": "7"}))
    assert row["pm10"] == pytest.approx(200)
    assert (row["visits"], row["open"], row["cell"]) == (3, True, "AB-7")


def test_full_width_signs_are_read_when_the_feed_says_so() -> None:
    feed = declared(fold_width=True)
    row = one(apply(feed, {"id": "ａ", "at": "２０２６-０３-０９ １１：００：００", "v": "３５．５"}))
    assert (row["entity"], row["pm10"], row["observed_at"]) == ("a", 35.5, datetime(2026, 3, 9, 3, tzinfo=UTC))
    assert rules(apply(declared(), {"v": "３５"})) == ["number"]


# Units


def test_a_fraction_of_a_gas_becomes_a_concentration_by_its_molar_mass() -> None:
    feed = declared(properties={"o3": {"field": "v", "unit": "ppb"}})
    assert one(apply(feed, {"v": "100"}))["o3"] == pytest.approx(196.2, abs=0.1)
    by_name = declared(properties={"o3": {"field": "v", "unit_field": "u"}})
    found = apply(by_name, {"v": "0.1", "u": "ppm"}, {"v": "196.2", "u": "μg/m³"}, {"v": "1", "u": "kg"})
    assert found.rows["o3"].to_list() == [pytest.approx(196.2, abs=0.1), 196.2]
    assert rules(found, 2) == ["unit"]
    with pytest.raises(Invalid) as refused:
        compile_feed(feed_from(declared(properties={"pm10": {"field": "v", "unit": "ppb"}})), STANDARD)
    assert refused.value.faults[0].where == "properties.pm10.unit"


# Codes


@pytest.mark.parametrize(
    ("sent", "code"), [("N", "N"), ("北", "N"), (" 北风 ", "N"), ("ｎｏｒｔｈ", "N"), ("南", "S2")]
)
def test_codes_are_found_by_code_title_or_synonym(sent: str, code: str) -> None:
    assert one(apply(declared(properties={"wind": "w", "pm10": "v"}), {"w": sent}))["wind"] == code


def test_a_code_counts_as_it_was_in_force_at_the_records_own_time() -> None:
    feed = declared(properties={"wind": "w", "pm10": "v"})
    found = apply(feed, {"w": "南", "at": "2025-12-31 23:00:00"}, {"w": "S"}, {"w": "上"})
    assert found.rows["wind"].to_list() == ["S"]
    assert rules(found, 1) == ["code"]
    assert "until 2026-01-01, not on 2026-03-09" in reasons(found, 1)
    assert "not in the code list" in reasons(found, 2)


def test_a_feed_may_say_what_its_source_sends_of_a_list_and_translate_its_own_codes() -> None:
    by_title = declared(properties={"wind": {"field": "w", "match": ["title"]}, "pm10": "v"})
    assert rules(apply(by_title, {"w": "N"})) == ["code"]
    own = declared(properties={"wind": {"field": "w", "codes": {"1": "N"}}, "pm10": "v"})
    assert one(apply(own, {"w": "1"}))["wind"] == "N"


# Positions


@pytest.mark.parametrize("datum", ["wgs84", "cgcs2000", "gcj02", "bd09"])
def test_a_position_in_any_datum_finds_its_area(datum: str) -> None:
    source = "wgs84" if datum == "cgcs2000" else datum
    lon, lat = convert(114.06, 22.54, "wgs84", source)  # type: ignore[arg-type]
    feed = declared(
        position={"lon": "x", "lat": "y", "datum": datum, "area": True},
        properties={"pm10": "v", "cell": {"area": "district"}},
    )
    found = apply(feed, {"x": lon, "y": lat}, world=WORLD)
    assert one(found)["cell"] == "440304"
    head = found.head.to_dicts()[0]
    assert head["area"] == "440304000000001"
    assert (head["lon"], head["lat"]) == (pytest.approx(114.06, abs=1e-6), pytest.approx(22.54, abs=1e-6))


def test_metres_of_the_national_grid_are_read_and_local_ones_refused() -> None:
    place = {"east": "x", "north": "y", "crs": "EPSG:4547"}
    feed = declared(position={**place, "area": True})
    found = apply(feed, {"x": "505966.1", "y": "2493930.2"}, {"x": "5966", "y": "24939302"}, world=WORLD)
    assert found.head["lon"].to_list() == [pytest.approx(114.058, abs=1e-6)]
    assert rules(found, 1) == ["position"]
    with pytest.raises(Invalid) as refused:
        compile_feed(feed_from(declared(position={**place, "crs": "深圳独立坐标系"})), STANDARD)
    assert "cannot be converted without parameters" in refused.value.faults[0].what


def test_a_point_outside_of_the_city_is_refused_or_flagged() -> None:
    place = {"lon": "x", "lat": "y", "area": True}
    record = {"x": "22.5", "y": "88"}
    found = apply(declared(position=place), record, world=WORLD)
    assert rules(found) == ["area"]
    assert "lies in no area of the city; check" in found.refusals[0][0].reason
    cell = Area(code="440304000000001", title=Title(zh="一格", en="First cell"), level="cell")
    near = apply(declared(position=place), record, world=replace(WORLD, nearest=lambda lon, lat: (cell, 1200.4)))
    assert "nearest is First cell (440304000000001), 1200 m off" in near.refusals[0][0].reason
    flagged = apply(declared(position={**place, "outside": "flag"}), record, world=WORLD)
    assert flagged.rows["quality"].to_list() == ["area:position"]
    assert rules(apply(declared(position=place), {"x": "22.5", "y": "114"}, world=WORLD)) == ["position"]


# Entities


def test_an_entity_is_found_by_title_by_key_or_as_the_nearest() -> None:
    by_title = declared(entity={"field": "id", "lookup": {"by": "title"}})
    found = apply(by_title, {"id": "万寿西宫"}, {"id": "定陵"}, {"id": "无此站"})
    assert found.rows["entity"].to_list() == ["a"]
    assert "several Sensor have the title '定陵'" in reasons(found, 1)
    assert "no Sensor has the title" in reasons(found, 2)
    by_key = declared(entity={"field": "id", "lookup": {"by": "key", "key": "old_code"}})
    assert apply(by_key, {"id": "x-2"}).rows["entity"].to_list() == ["b"]
    nearest = declared(entity={"lookup": {"by": "nearest", "metres": 60}}, position={"lon": "x", "lat": "y"})
    found = apply(nearest, {"x": "114.0505", "y": "22.55"}, {"x": "114.052", "y": "22.55"})
    assert found.rows["entity"].to_list() == ["a"]
    assert "within 60 m" in reasons(found, 1)


def test_an_entity_may_be_created_with_its_title_and_place() -> None:
    feed = declared(
        entity={"field": "id", "create": True, "title_field": "名称", "lookup": {"by": "title"}},
        position={"lon": "x", "lat": "y", "datum": "gcj02"},
    )
    found = apply(feed, {"id": "新站", "名称": "新监测站", "x": "114.063114", "y": "22.540283"})
    assert found.rows["entity"].to_list() == ["新站"]
    head = found.head.to_dicts()[0]
    assert head["title"] == "新监测站"
    assert head["lon"] == pytest.approx(114.058, abs=1e-5)


def test_related_entities_must_exist() -> None:
    feed = declared(properties={"pm10": "v", "road": "r"})
    found = apply(feed, {"r": "r1"}, {"r": "r1，r9"}, world=WORLD)
    assert found.rows["road"].to_list() == ["r1"]
    assert rules(found, 1) == ["reference"]
    assert "'r9' is no known Road" in reasons(found, 1)


# Times


@pytest.mark.parametrize(
    ("time", "record"),
    [
        ({"field": "t", "format": "chinese", "zone": "Asia/Shanghai"}, {"t": "2026年3月9日 8时"}),
        ({"field": "t", "format": "chinese", "zone": "Asia/Shanghai"}, {"t": "2026年03月09日8点00分00秒"}),
        ({"field": "t", "format": "excel", "zone": "Asia/Shanghai"}, {"t": "46090.333333333336"}),
        ({"field": "t", "format": "epoch_ms"}, {"t": "1773014400000"}),
        ({"field": "t", "date_field": "d", "zone": "Asia/Shanghai"}, {"d": "2026-03-09", "t": "08:00:00"}),
        ({"field": "t", "date_field": "d", "zone": "Asia/Shanghai"}, {"d": "2026-03-09T00:00:00", "t": "08:00"}),
        (
            {"field": "t", "date_field": "d", "format": "%Y/%m/%d %H", "zone": "Asia/Shanghai"},
            {"d": "2026/3/9", "t": "8"},
        ),
        ({"field": "t", "format": ["iso", "chinese"], "zone": "Asia/Shanghai"}, {"t": "2026年3月9日 上午8时"}),
        ({"field": "t", "format": ["%Y%m%d%H", "iso"], "zone": "Asia/Shanghai"}, {"t": "2026-03-09T00:00:00Z"}),
    ],
)
def test_times_are_read_as_departments_write_them(time: dict[str, Any], record: dict[str, Any]) -> None:
    assert one(apply(declared(time=time), record))["observed_at"] == datetime(2026, 3, 9, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("sent", "hour"), [("下午3时半", 15.5), ("24时", 24), ("12时05分", 12 + 5 / 60), ("晚上8点", 20)]
)
def test_chinese_hours(sent: str, hour: float) -> None:
    time = {"field": "t", "format": "chinese", "zone": "UTC"}
    found = one(apply(declared(time=time), {"t": f"2026年3月1日{sent}"}))["observed_at"]
    assert (found - datetime(2026, 3, 1, tzinfo=UTC)).total_seconds() == pytest.approx(hour * 3600)


@pytest.mark.parametrize("sent", ["2026年2月30日", "2026年3月9日25时", "2026年3月9日8时61分", "三月九日"])
def test_impossible_chinese_times_are_refused(sent: str) -> None:
    assert rules(apply(declared(time={"field": "t", "format": "chinese", "zone": "UTC"}), {"t": sent})) == ["time"]


# Checks


def test_a_flag_keeps_the_record_with_the_checks_name() -> None:
    feed = declared(
        properties={"pm10": "v", "share": "s"},
        checks=[
            {"rule": "range", "property": "pm10", "max": 100},
            {"rule": "cross", "holds": "share <= pm10", "severity": "flag", "title": {"zh": "份额", "en": "share"}},
        ],
    )
    found = apply(feed, {"v": "150", "s": "1"}, {"v": "150", "s": "200"}, {"v": "5", "s": "5"}, {"v": "5"})
    assert found.refusals == {}
    assert found.rows["quality"].to_list() == ["range:pm10", "range:pm10,cross:pm10+share", None, None]
    assert "150 µg/m³ is outside of the usual" in found.flags[0][0].reason
    assert "share = 200.0" in found.flags[1][1].reason
    assert "(share)" in found.flags[1][1].reason


def test_patterns_required_values_and_enumerations_of_a_feed_refuse() -> None:
    feed = declared(
        properties={"serial": "n", "pm10": "v", "cell": "c"},
        checks=[{"rule": "required", "property": "serial"}, {"rule": "enum", "property": "cell", "values": ["x"]}],
    )
    found = apply(feed, {"n": "AB1", "c": "x"}, {"n": "ab1"}, {"n": None}, {"n": "AB1", "c": "y"})
    assert [rules(found, n) for n in range(4)] == [[], ["pattern"], ["required"], ["enum"]]


def test_equal_values_in_one_batch_are_refused_unless_the_record_is_the_same() -> None:
    feed = declared(properties={"serial": "n", "pm10": "v"}, checks=[{"rule": "unique", "properties": ["serial"]}])
    found = apply(feed, {"n": "AB1"}, {"n": "AB1", "id": "b"}, {"n": "AB1"}, {"n": "AB2"}, {})
    assert sorted(found.refusals) == [1]
    assert rules(found, 1) == ["unique"]


# Faults


@pytest.mark.parametrize(
    ("changed", "where", "what"),
    [
        ({"properties": {"pm10": {"expression": "v +"}}}, "properties.pm10.expression", "expected a value"),
        ({"properties": {"pm10": {"expression": '"a"'}}}, "properties.pm10.expression", "gives a text, not a number"),
        ({"properties": {"pm10": {"expression": "foo(v)"}}}, "properties.pm10.expression", "no function 'foo'"),
        ({"checks": [{"rule": "cross", "holds": "pm10 > x"}]}, "checks.0.holds", "no property 'x'"),
        ({"checks": [{"rule": "cross", "holds": "pm10 > serial"}]}, "checks.0.holds", "must be of one kind"),
        ({"checks": [{"rule": "jump", "property": "serial", "change": 1, "per": "1h"}]}, "checks.0.property", "judges"),
        ({"checks": [{"rule": "jumps", "property": "pm10"}]}, "checks.0", "does not match any of the expected tags"),
        ({"checks": [{"rule": "stuck", "property": "pm10"}]}, "checks.0.stuck", "either readings or lasting"),
        ({"checks": [{"rule": "jump", "property": "pm10", "change": 1, "per": "1 week"}]}, "checks.0.jump.per", "span"),
        ({"fields": [{"split": "a", "into": ["b"]}]}, "fields.0", "a separator or a pattern"),
        ({"fields": [{"split": "a", "pattern": "(a)", "into": ["b", "c"]}]}, "fields.0", "1 groups"),
        ({"entity": {"field": "id", "lookup": {"by": "key", "key": "zz"}}}, "entity.lookup.key", "no key of Sensor"),
        ({"entity": {"lookup": {"by": "nearest", "metres": 5}}}, "(whole feed)", "needs a position"),
        ({"position": {"lon": "x"}}, "position", "either lon and lat, or"),
        ({"time": {"field": "t", "format": "excel"}}, "time", "needs a zone"),
        ({"properties": {"wind": {"constant": "Q"}}}, "properties.wind.constant", "no code of 'wind'"),
    ],
)
def test_a_faulty_feed_is_refused_at_its_key(changed: dict[str, Any], where: str, what: str) -> None:
    with pytest.raises(Invalid) as refused:
        compile_feed(feed_from(declared(**changed)), STANDARD)
    assert any(fault.where.startswith(where) and what in fault.what for fault in refused.value.faults), [
        str(fault) for fault in refused.value.faults
    ]
