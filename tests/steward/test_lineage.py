"""Lineage is complete for everything declared, runs in no circle, and shows what hangs on a source's column."""

from __future__ import annotations

from functools import cache

import pytest

from cityloop.analyse.content import load_model
from cityloop.analyse.model import TIME, Model
from cityloop.city.service import City
from cityloop.core.clock import SystemClock
from cityloop.lake.events import SCHEMAS
from cityloop.serve.content import Content, load_content
from cityloop.standard.feeds import feed_from
from cityloop.steward.boards import Board, load_boards
from cityloop.steward.declared import Declared
from cityloop.steward.graph import Graph
from cityloop.steward.lineage import build, column_id, read_by
from tests.steward.conftest import ROOT

CITIES = ("demo", "boston")


@cache
def told(city: str) -> tuple[Content, Declared, Graph, tuple[Board, ...], Model]:
    folder = City.load(ROOT / "cities" / city, SystemClock())
    content = load_content(folder)
    declared = Declared(content.standard, content.feeds)
    model = load_model(folder.packs, content.standard)
    boards = load_boards(folder.packs, model.metrics)
    return content, declared, build(declared, content.rules, model, boards, (), content.quality.plans), boards, model


@pytest.mark.parametrize("city", CITIES)
def test_every_declared_thing_is_in_the_graph(city: str) -> None:
    content, declared, graph, boards, model = told(city)
    tables = {kind.id: kind.schema for kind in declared.standard.entity_types.values()} | SCHEMAS
    expected = {column_id(table, column) for table, schema in tables.items() for column in schema.names}
    expected |= {f"rule:{rule.id}" for rule in content.rules} | {f"warning:{rule.id}" for rule in content.rules}
    expected |= {f"metric:{name}" for name in model.metrics} | {f"feed:{feed.id}" for feed in declared.feeds}
    expected |= {f"field:{feed.id}.{name}" for feed in declared.feeds for name in feed.text}
    expected |= {f"dimension:{name}" for name in model.dimensions if name != TIME}
    expected |= {f"tile:{board.id}.{tile.id}" for board in boards for tile in board.tiles}
    expected |= {f"inspection:{plan.id}" for plan in content.quality.plans}
    assert expected - set(graph.nodes) == set()


def test_a_planned_inspection_rests_on_the_feeds_it_examines() -> None:
    content, declared, graph, _, _ = told("demo")
    assert content.quality.plans
    for plan in content.quality.plans:
        above = [node.id for node in graph.all_above(f"inspection:{plan.id}") if node.kind == "feed"]
        assert set(above) == {f"feed:{name}" for name in plan.feeds or [feed.id for feed in declared.feeds]}


@pytest.mark.parametrize("city", CITIES)
def test_the_graph_has_no_circle(city: str) -> None:
    assert list(told(city)[2].circle()) == []


@pytest.mark.parametrize("city", CITIES)
def test_every_column_comes_from_somewhere(city: str) -> None:
    _, declared, graph, _, _ = told(city)
    filled = {mapping.entity_type.id for mapping in declared.feeds} | set(SCHEMAS)
    mapped = {column_id(m.entity_type.id, name) for m in declared.feeds for name in m.declaration.properties}
    for node in graph.nodes.values():
        if node.kind == "column" and (node.id in mapped or node.id.split(":")[1].split(".")[0] in SCHEMAS):
            roots = [above.kind for above in graph.all_above(node.id)]
            assert {"feed", "event"} & set(roots), node.id
    assert filled


@pytest.mark.parametrize("city", CITIES)
def test_every_rule_and_metric_leads_back_to_a_feed_or_an_event(city: str) -> None:
    content, _, graph, _, model = told(city)
    for name in [*(f"rule:{rule.id}" for rule in content.rules), *(f"metric:{metric}" for metric in model.metrics)]:
        assert {"feed", "event"} & {above.kind for above in graph.all_above(name)}, name


def test_a_change_in_a_source_column_shows_all_dependants() -> None:
    below = {node.id for node in told("demo")[2].all_below("field:air-hourly.PM2.5")}
    assert {
        "column:AirQualityStation.pm2_5",
        "dataset:AirQualityStation",
        "rule:air.pm2_5_hourly",
        "warning:air.pm2_5_hourly",
        "case:air.pm2_5_hourly",
        "metric:pm2_5_mean",
    } <= below
    assert not any(name.startswith(("column:MetroStation", "metric:metro")) for name in below)


def test_a_tile_leads_back_to_what_people_do() -> None:
    above = {node.id for node in told("demo")[2].all_above("tile:board.on_time")}
    assert {"metric:on_time_rate", "column:CaseEvent.on_time", "event:case"} <= above
    assert not any(name.startswith("feed:") for name in above)


def test_a_slice_ends_at_its_depth_and_says_so() -> None:
    graph = told("demo")[2]
    near = graph.reach("metric:pm2_5_mean", "up", 1)
    assert near.truncated
    assert {node.kind for node in near.nodes} == {"metric", "column"}
    whole = graph.reach("metric:pm2_5_mean", "up", 9)
    assert not whole.truncated
    assert "feed:air-hourly" in {node.id for node in whole.nodes}


def test_the_board_of_the_web_client_is_the_declared_one() -> None:
    """Lineage speaks of the tiles that people really see."""
    source = (ROOT / "web" / "src" / "analyse" / "query.ts").read_text(encoding="utf-8")
    shown = source.split("export const METRIC = {")[1].split("}")[0]
    board = next(board for board in told("demo")[3] if board.id == "board")
    assert {part.split("'")[1] for part in shown.split(",") if "'" in part} == {
        metric for tile in board.tiles for metric in tile.metrics
    }


FEED = """
id: noise
title: 噪声
entity_type: AirQualityStation
department: environment
fields:
  - {join: [路, 号], into: 站}
  - {expression: "气温F - 32", into: 差}
entity: {field: 站}
time: {field: 时刻, date_field: 日期, zone: Asia/Shanghai}
position: {lon: 经度, lat: 纬度, datum: gcj02}
properties:
  temperature: {field: 差, unit: Cel}
  pressure: {expression: "kPa * 10"}
  rain: {constant: 0}
"""


def test_a_column_leads_to_the_record_through_joins_and_expressions() -> None:
    read = read_by(feed_from(FEED))
    assert set(read["entity"]) >= {"路", "号"}
    assert set(read["observed_at"]) == {"时刻", "日期"}
    assert set(read["temperature"]) >= {"气温F"}
    assert read["pressure"] == ["kPa"]
    assert read["rain"] == []
    assert read["area"] == ["经度", "纬度"]


def test_a_figure_made_of_others_leads_back_to_their_fields() -> None:
    above = {node.id for node in told("demo")[2].all_above("column:AirQualityStation.aqi")}
    assert {"column:AirQualityStation.pm2_5", "field:air-hourly.PM2.5", "feed:air-hourly"} <= above
    distance = {node.id for node in told("demo")[2].all_above("column:HazmatVehicle.off_route")}
    assert {f"field:hazmat-positions.{name}" for name in ("lon", "lat", "route")} <= distance
