"""The catalogue tells everybody what there is, and nobody more of it than the door lets through."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest

from tests.steward.conftest import Town


@pytest.fixture(scope="module")
def emptied(town: Town) -> list[str]:
    """Two bins, one of them emptied without a weight."""
    cards = list(town.house.collector._directory.of("WasteContainer").values())[:2]
    records: list[dict[str, Any]] = [
        {"bin": cards[0].id, "time": "2026-03-09T11:00:00+08:00", "fill_before_pct": 80, "weight_kg": 7.5},
        {"bin": cards[1].id, "time": "2026-03-09T10:00:00+08:00", "fill_before_pct": 20},
    ]
    assert town.push("bin-emptying", records)["accepted"] == 2
    return [card.id for card in cards]


def asked(town: Town, path: str, account: str = "lingdao") -> Any:
    answer = town.client(account).get(f"/api/v1{path}")
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_every_table_feed_and_event_table_is_listed_with_its_owner(town: Town, emptied: list[str]) -> None:
    page = asked(town, "/datasets?size=500")
    found = {item["id"]: item for item in page["items"]}
    assert {"AirQualityStation", "MetroStation", "WasteContainer", "CaseEvent", "WarningEvent"} <= set(found)
    assert {"feed:air-hourly", "feed:bin-emptying"} <= set(found)
    bins = found["WasteContainer"]
    assert (bins["departments"], bins["sensitivity"], bins["rows"], bins["files"]) == (
        ["sanitation"],
        "sensitive",
        2,
        1,
    )
    assert bins["fresh_at"] == "2026-03-09T03:00:00Z"
    assert found["CaseEvent"]["departments"] == ["centre"]
    assert bins["quality"] is None


def test_the_list_is_filtered_sorted_paged_and_exported(town: Town, emptied: list[str]) -> None:
    tables = asked(town, "/datasets?kind=table&sort=-rows")
    assert tables["items"][0]["id"] == "WasteContainer"
    own = {d["id"] for d in asked(town, "/datasets?department=sanitation")["items"]}
    assert own >= {"WasteContainer", "feed:bin-emptying"} and "AirQualityStation" not in own
    assert asked(town, "/datasets?sensitivity=sensitive&kind=table")["total"] == 1
    assert [d["id"] for d in asked(town, "/datasets?text=空气质量监测站")["items"]] == ["AirQualityStation"]
    assert len(asked(town, "/datasets?size=2&page=2")["items"]) == 2
    assert town.client("lingdao").get("/api/v1/datasets?sort=colour").status_code == 422
    answer = town.client("lingdao").get("/api/v1/datasets/export?format=csv&kind=table")
    lines = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert lines[0][0] == "标识"
    assert "WasteContainer" in [line[0] for line in lines]


def test_columns_carry_title_unit_gaps_bounds_and_uses(town: Town, emptied: list[str]) -> None:
    columns = {column["id"]: column for column in asked(town, "/datasets/WasteContainer")["columns"]}
    weight, fill = columns["weight_kg"], columns["fill_before"]
    assert (weight["unit"], weight["sensitivity"], weight["nulls"], weight["max"]) == ("kg", "sensitive", 0.5, 7.5)
    assert (fill["min"], fill["max"], fill["nulls"]) == (20.0, 80.0, 0.0)
    assert {("rule", "sanitation.bin_overflow"), ("metric", "full_when_emptied_rate"), ("feed", "bin-emptying")} <= {
        (use["kind"], use["id"]) for use in fill["used_by"]
    }
    detail = asked(town, "/datasets/feed:bin-emptying")
    assert "fill_before_pct" in [column["id"] for column in detail["columns"]]


def test_bounds_of_a_covered_column_and_counts_of_rows_out_of_sight_are_not_told(
    town: Town, emptied: list[str]
) -> None:
    columns = {c["id"]: c for c in asked(town, "/datasets/WasteContainer", "transport")["columns"]}
    assert (columns["weight_kg"]["masked"], columns["weight_kg"]["max"], columns["weight_kg"]["nulls"]) == (
        True,
        None,
        None,
    )
    assert columns["fill_before"]["max"] == 80.0
    events = asked(town, "/datasets/CaseEvent", "transport")
    assert events["rows"] is None
    assert all(column["max"] is None for column in events["columns"])


def test_a_sample_shows_covered_columns_covered(town: Town, emptied: list[str]) -> None:
    def weights(account: str) -> set[Any]:
        sample = asked(town, "/datasets/WasteContainer/sample", account)
        place = sample["columns"].index("weight_kg")
        return {row[place] for row in sample["rows"]}

    assert weights("sanitation") == {7.5, None}
    assert weights("transport") == {"***", None}
    assert asked(town, "/datasets/feed:air-hourly/sample")["rows"] == []
    assert town.client("xitong").get("/api/v1/datasets/WasteContainer/sample").status_code == 403


def test_an_unknown_dataset_and_a_post_without_sight_are_refused(town: Town) -> None:
    assert town.client("lingdao").get("/api/v1/datasets/Nothing").status_code == 404
    assert town.client("shouli").get("/api/v1/datasets").status_code == 403
