"""From a figure to the raw batches with who sent them, and from a record to the warning and metrics made of it."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

import pytest

from tests.steward.conftest import Town


@pytest.fixture(scope="module")
def station(town: Town) -> str:
    """A station with two pushes, the second one grave; its warning is raised."""
    card = next(iter(town.house.collector._directory.of("AirQualityStation").values()))
    for minute, value in (("10:00", 20), ("11:30", 320)):
        record = {"station": card.id, "time": f"2026-03-09T{minute}:00+08:00", "PM2.5": value}
        assert town.push("air-hourly", [record])["accepted"] == 1
    town.house.watch.tick(town.clock.now())
    town.house.collector._tallies.write()
    return card.id


def asked(town: Town, path: str, account: str = "lingdao") -> Any:
    answer = town.client(account).get(f"/api/v1{path}")
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_a_figure_leads_to_its_raw_batches_and_who_sent_them(town: Town, station: str) -> None:
    filters = quote(json.dumps([{"dimension": "station", "values": [station]}]))
    page = asked(town, f"/lineage/batches?metric=pm2_5_mean&filters={filters}")
    assert page["total"] == 2
    newest = page["items"][0]
    assert (newest["feed"], newest["dataset"], newest["rows"], newest["by"]) == (
        "air-hourly",
        "AirQualityStation",
        1,
        ["shuju"],
    )
    assert asked(town, f"/records/{newest['example']}")["pm2_5"] in (20.0, 320.0)
    later = asked(town, f"/lineage/batches?metric=pm2_5_mean&filters={filters}&start=2026-03-09T03:00:00Z")
    assert later["total"] == 1


def test_a_column_leads_to_the_batches_that_filled_it(town: Town, station: str) -> None:
    assert asked(town, "/lineage/batches?dataset=AirQualityStation&column=pm2_5")["total"] == 2
    assert asked(town, "/lineage/batches?dataset=AirQualityStation&column=rain")["total"] == 0
    assert town.client("lingdao").get("/api/v1/lineage/batches?dataset=Nothing").status_code == 404


def test_a_record_leads_to_its_metrics_and_to_the_warning_with_its_case(town: Town, station: str) -> None:
    page = asked(town, "/lineage/batches?dataset=AirQualityStation&column=pm2_5")
    uses = [asked(town, f"/lineage/uses?record={item['example']}") for item in page["items"]]
    assert all("pm2_5_mean" in [use["id"] for use in told["metrics"]] for told in uses)
    grave = next(told for told in uses if asked(town, f"/records/{told['record']}")["pm2_5"] == 320.0)
    assert {tuple(warning["records"]) for warning in grave["warnings"]} == {(grave["record"],)}
    whole = asked(town, f"/lineage/uses?batch={grave['record'].rpartition(':')[0]}")
    assert [w["id"] for w in whole["warnings"]] == [w["id"] for w in grave["warnings"]]
    assert (whole["rows"], whole["by"]) == (1, ["shuju"])


def test_a_batch_out_of_sight_is_not_there(town: Town, station: str) -> None:
    town.house.accounts.put(town.house.accounts.get("jiandu").model_copy(update={"id": "far", "areas": ("999",)}))
    example = asked(town, "/lineage/batches?dataset=AirQualityStation")["items"][0]["example"]
    assert town.client("far").get(f"/api/v1/lineage/uses?record={example}").status_code == 404
    assert asked(town, "/lineage/batches?dataset=AirQualityStation", "far")["total"] == 0


def test_the_graph_is_served_around_a_node_and_found_by_text(town: Town) -> None:
    around = asked(town, "/lineage?node=metric:on_time_rate&direction=up&depth=3")
    assert {"event:case", "column:CaseEvent.on_time"} <= {node["id"] for node in around["nodes"]}
    assert {"source": "column:CaseEvent.on_time", "target": "metric:on_time_rate"} in around["edges"]
    assert "column:AirQualityStation.pm2_5" in [node["id"] for node in asked(town, "/lineage/nodes?text=pm2_5")]
    assert town.client("lingdao").get("/api/v1/lineage?node=metric:none").status_code == 404
    assert town.client("shouli").get("/api/v1/lineage?node=metric:on_time_rate").status_code == 403
