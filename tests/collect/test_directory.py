"""The entity directory: files of the city, entities that feeds create, and mistakes told at their line."""

from __future__ import annotations

from pathlib import Path

import pytest

from cityloop.collect.directory import Directory
from cityloop.core.database import Database
from cityloop.core.errors import ContentError
from tests.collect.small_town import NOON, PACKS, STEWARD, Town, TownMaker, TwoDistricts, air, write_entities

HEAD = "id,title_zh,title_en,lon,lat\n"
FEED = """\
feeds:
  - id: benches
    title: Benches
    entity_type: Bench
    department: urban
    entity: {field: bench, create: true, title_field: name, lon_field: x, lat_field: y}
    time: {field: time}
    properties: {people: n}
"""
STANDARD = """\
entity_types:
  - id: Bench
    title: Bench
    properties: [{id: people, title: People, kind: integer, min: 0}]
"""


@pytest.fixture
def park(make_town: TownMaker, tmp_path: Path) -> Town:
    pack = tmp_path / "park"
    pack.mkdir()
    (pack / "standard.yaml").write_text(STANDARD)
    (pack / "feeds.yaml").write_text(FEED)
    return make_town([*PACKS, pack])


def load(tmp_path: Path, text: str, name: str = "AirQualityStation") -> list[str]:
    write_entities(tmp_path)
    (tmp_path / "entities" / f"{name}.csv").write_text(text, encoding="utf-8")
    database = Database(f"sqlite:///{tmp_path / 'x.db'}")
    with pytest.raises(ContentError) as error:
        Directory(database, TwoDistricts()).load(
            tmp_path / "entities", dict.fromkeys(("AirQualityStation", "MetroStation", "WasteContainer"))
        )
    database.close()
    return [str(fault) for fault in error.value.faults]


@pytest.mark.parametrize(
    ("text", "line", "what"),
    [
        ("id,title_zh,lon,lat\n", 1, "column title_en is missing"),
        (HEAD + "a,甲,A,114,22\na,乙,B,114,22\n", 3, "'a' is listed twice"),
        (HEAD + "a,甲,A,east,22\n", 2, "'east' is no degree between -180 and 180"),
        (HEAD + "a,甲,A,114,122\n", 2, "'122' is no degree between -90 and 90"),
        (HEAD + ",甲,A,114,22\n", 2, "the id is empty"),
    ],
)
def test_a_mistake_in_an_entity_file_is_found_at_its_line(tmp_path: Path, text: str, line: int, what: str) -> None:
    (fault,) = load(tmp_path, text)
    assert f"AirQualityStation.csv:{line}" in fault
    assert what in fault


def test_a_file_of_a_type_that_no_feed_fills_is_a_fault(tmp_path: Path) -> None:
    (fault,) = load(tmp_path, HEAD, "Treehouse")
    assert "no feed of this city fills the entity type 'Treehouse'" in fault


def test_a_feed_that_may_create_entities_does_so_once_with_title_and_place(park: Town) -> None:
    sent = {"bench": "b1", "name": "Lake bench", "time": "2026-03-09T11:00:00+08:00", "n": 2, "x": 114.2, "y": 22.5}
    receipt = park.push([sent, {**sent, "bench": "b2", "x": None}, {**sent, "bench": "b3", "n": -1}], "benches")
    assert (receipt.accepted, receipt.quarantined) == (2, 1)
    view = park.collector.entity(STEWARD, "b1")
    assert (view.title.zh, view.area, view.lon, view.values) == ("Lake bench", "440304000000001", 114.2, {"people": 2})
    assert park.collector.entity(STEWARD, "b2").area is None
    assert park.collector.describe("Bench", "b3") is None
    rows = park.lake.query('SELECT area FROM "Bench" ORDER BY entity', ["Bench"])
    assert rows["area"].to_pylist() == ["440304000000001", None]


def test_created_entities_survive_a_restart(park: Town) -> None:
    sent = {"bench": "b1", "name": "Lake bench", "time": "2026-03-09T11:00:00+08:00", "n": 2}
    park.push([sent], "benches")
    park.restart()
    assert park.collector.entity(STEWARD, "b1").values == {"people": 2}
    assert park.push([{**sent, "time": NOON.isoformat()}], "benches").accepted == 1


def test_other_feeds_do_not_create(park: Town) -> None:
    park.push([air("new")])
    assert park.collector.describe("AirQualityStation", "new") is None


def test_a_later_survey_moves_what_its_feed_made_and_an_older_one_does_not(
    make_town: TownMaker, tmp_path: Path
) -> None:
    pack = tmp_path / "park"
    pack.mkdir()
    (pack / "standard.yaml").write_text(STANDARD)
    (pack / "feeds.yaml").write_text(FEED.replace("create: true,", "create: true, follow: true,"))
    park = make_town([*PACKS, pack])
    sent = {"bench": "b1", "name": "Lake bench", "time": "2026-03-09T11:00:00+08:00", "n": 2, "x": 114.2, "y": 22.5}
    park.push([sent], "benches")
    assert [one.id for one in park.collector.near(STEWARD, 114.2, 22.5, 10)] == ["b1"]
    park.push([{**sent, "name": "Hill bench", "time": "2026-03-09T11:30:00+08:00", "x": 113.9}], "benches")
    park.push([{**sent, "name": "Old bench", "time": "2026-03-09T10:00:00+08:00", "x": 114.4}], "benches")
    for _ in range(2):
        view = park.collector.entity(STEWARD, "b1")
        assert (view.title.zh, view.lon, view.area) == ("Hill bench", 113.9, "440305000000001")
        assert park.collector.near(STEWARD, 114.2, 22.5, 10) == []
        assert [one.id for one in park.collector.near(STEWARD, 113.9, 22.5, 10)] == ["b1"]
        park.restart()
