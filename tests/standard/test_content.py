"""Packs: the shipped ones load, and every mistake is named with file, line, key and what to do."""

from __future__ import annotations

from pathlib import Path

import pytest

from cityloop.core.content import load
from cityloop.core.errors import ContentError, NotFound
from cityloop.standard.feeds import load_feeds
from cityloop.standard.service import Standard
from cityloop.standard.types import PackManifest

PACKS = [Path(__file__).parents[2] / "packs" / name for name in ("air", "metro", "sanitation")]
TYPE = """\
entity_types:
  - id: Sensor
    title: Sensor
    properties:
      - {id: temperature, title: Temperature, unit: Cel, min: -60, max: 60}
      - {id: open, title: Open, kind: flag}
"""
FEED = """\
feeds:
  - id: sensors
    title: Sensors
    entity_type: Sensor
    department: centre
    entity: {field: id}
    time: {field: at}
    properties:
      temperature: {field: T, unit: K}
"""


def pack(folder: Path, standard: str = TYPE, feeds: str = FEED) -> list[Path]:
    (folder / "standard.yaml").write_text(standard, encoding="utf-8")
    (folder / "feeds.yaml").write_text(feeds, encoding="utf-8")
    return [folder]


def faults(error: ContentError) -> list[str]:
    return [str(fault) for fault in error.faults]


def test_the_shipped_packs_hold_their_entity_types_and_feeds() -> None:
    standard = Standard.load(PACKS)
    feeds = load_feeds(PACKS, standard, {"environment", "transport", "sanitation"})
    observed, devices = {"AirQualityStation", "MetroStation", "WasteContainer"}, {"EmissionSource", "MetroGate"}
    assert set(standard.entity_types) == observed | devices | {"SanitationCrew", "SanitationVehicle"}
    assert [feed.id for feed in feeds] == [
        "air-hourly", "source-states", "metro-entries", "gate-states", "bin-emptying", "vehicle-states", "crew-states"
    ]  # fmt: skip


@pytest.mark.parametrize("folder", PACKS, ids=lambda path: path.name)
def test_every_pack_says_what_it_is(folder: Path) -> None:
    assert load(folder / "pack.yaml", PackManifest).id == folder.name


def test_an_unknown_entity_type_is_answered_with_near_ones() -> None:
    with pytest.raises(NotFound, match="AirQualityStation"):
        Standard.load(PACKS).entity_type("AirQualityStations")


@pytest.mark.parametrize(
    ("old", "new", "line", "what"),
    [
        ("unit: Cel", "unit: Celsiusse", 5, "unknown unit 'Celsiusse'"),
        ("min: -60", "min: 90", 5, "min 90.0 is above max 60.0"),
        ("id: open", "id: record", 6, "is a column that every table has"),
        ("id: open", "id: temperature", 2, "property declared twice"),
        ("kind: flag", "kind: flagg", 6, "Input should be"),
        ("kind: flag", "kind: flag, unit: K", 6, "a flag has no unit"),
        ("id: Sensor", "id: sensor", 2, "String should match pattern"),
        ("title: Open", "titel: Open", 6, "unknown key"),
    ],
)
def test_a_mistake_in_the_standard_is_found_at_its_line(
    tmp_path: Path, old: str, new: str, line: int, what: str
) -> None:
    with pytest.raises(ContentError) as error:
        Standard.load(pack(tmp_path, TYPE.replace(old, new)))
    assert any(f"standard.yaml:{line}" in fault and what in fault for fault in faults(error.value)), faults(error.value)


@pytest.mark.parametrize(
    ("old", "new", "line", "what"),
    [
        ("entity_type: Sensor", "entity_type: Senser", 4, "no entity type 'Senser' (known: Sensor)"),
        ("department: centre", "department: central", 5, "no department 'central'"),
        ("unit: K", "unit: hPa", 9, "measures pressure, the property temperature"),
        ("unit: K", "unit: Q", 9, "unknown unit 'Q'"),
        ("temperature:", "temprature:", 9, "has no property 'temprature'"),
        ("{field: T, unit: K}", "{constant: warm}", 9, "'warm' is not a number"),
        ("{field: T, unit: K}", "{unit: K}", 9, "either a field or a constant"),
        ("{field: at}", "{field: at, zone: Asia/Schenzhen}", 7, "unknown time zone"),
        ("{field: at}", "{field: at, format: '%Y'}", 7, "needs a zone"),
        ("{field: at}", "{field: at, format: unix}", 7, "neither iso"),
    ],
)
def test_a_mistake_in_a_feed_is_found_at_its_line(tmp_path: Path, old: str, new: str, line: int, what: str) -> None:
    packs = pack(tmp_path, TYPE, FEED.replace(old, new))
    with pytest.raises(ContentError) as error:
        load_feeds(packs, Standard.load(packs), {"centre"})
    assert any(f"feeds.yaml:{line}" in fault and what in fault for fault in faults(error.value)), faults(error.value)


def test_the_faults_of_all_files_are_told_together(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    packs = pack(tmp_path / "a", TYPE.replace("Cel", "X")) + pack(tmp_path / "b", TYPE.replace("flag", "flug"))
    with pytest.raises(ContentError) as error:
        Standard.load(packs)
    assert len(faults(error.value)) == 2


def test_an_entity_type_in_two_packs_is_a_fault(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    with pytest.raises(ContentError, match="declared by another pack too"):
        Standard.load(pack(tmp_path / "a") + pack(tmp_path / "b"))
