"""Checks against the past hold over restarts: what is durable decides."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

import yaml

from tests.collect.small_town import NOON, PACKS, Town, TownMaker, air

FEEDS = PACKS[0] / "feeds.yaml"


def pack(folder: Path, *checks: Mapping[str, object]) -> list[Path]:
    """The air pack with further checks in its feed."""
    folder.mkdir()
    for path in PACKS[0].glob("*.yaml"):
        (folder / path.name).write_text(path.read_text(encoding="utf-8"), encoding="utf-8")
    feeds = yaml.safe_load(FEEDS.read_text(encoding="utf-8"))
    feeds["feeds"][0]["checks"] = list(checks)
    (folder / "feeds.yaml").write_text(yaml.safe_dump(feeds, allow_unicode=True), encoding="utf-8")
    return [folder, *PACKS[1:]]


def at(minutes: int) -> str:
    return (NOON - timedelta(hours=5) + timedelta(minutes=minutes)).isoformat()


def marks(town: Town) -> list[str | None]:
    rows = town.lake.query('SELECT quality FROM "AirQualityStation" ORDER BY observed_at', ["AirQualityStation"])
    return [row["quality"] for row in rows.to_pylist()]


def test_a_stuck_sensor_is_found_across_pushes_and_restarts(make_town: TownMaker, tmp_path: Path) -> None:
    check = {"rule": "stuck", "property": "pm2_5", "readings": 4}
    town = make_town(packs=pack(tmp_path / "air", check))
    for minute in range(2):
        town.push([air(time=at(minute))])
    town.restart()
    town.push([air(time=at(2))])
    town.restart()
    receipt = town.push([air(time=at(3)), air(time=at(4), values={"PM2.5": 36})])
    assert receipt.accepted == 2
    assert marks(town) == [None, None, None, "stuck:pm2_5", None]


def test_a_refused_jump_lies_in_quarantine_with_its_reason(make_town: TownMaker, tmp_path: Path) -> None:
    check = {"rule": "jump", "property": "pm2_5", "change": 100, "per": "1h", "severity": "refuse"}
    town = make_town(packs=pack(tmp_path / "air", check))
    town.push([air(time=at(0))])
    town.restart()
    receipt = town.push([air(time=at(60), values={"PM2.5": 900}), air(time=at(120), values={"PM2.5": 50})])
    assert (receipt.accepted, receipt.quarantined) == (1, 1)
    assert receipt.rejections[0].rule == "jump"
    assert "900 µg/m³ after 35 µg/m³" in receipt.rejections[0].reason


def test_a_value_that_must_be_unique_is_held_against_what_is_stored(make_town: TownMaker, tmp_path: Path) -> None:
    check = {"rule": "unique", "properties": ["measured_at"], "within": "30d"}
    town = make_town(packs=pack(tmp_path / "air", check))
    first = {**air(time=at(0)), "measured_at": "W-1"}
    assert town.push([first]).accepted == 1
    other = {**air(time=at(1)), "measured_at": "W-1"}
    assert town.push([first]).duplicate == 1
    receipt = town.push([other, {**air(time=at(2)), "measured_at": "W-2"}])
    assert (receipt.accepted, receipt.quarantined) == (1, 1)
    assert "belongs to 1001A already" in receipt.rejections[0].reason


def test_a_record_of_a_moving_thing_has_the_area_of_its_own_position(make_town: TownMaker, tmp_path: Path) -> None:
    packs = pack(tmp_path / "air")
    feeds = yaml.safe_load((packs[0] / "feeds.yaml").read_text(encoding="utf-8"))
    feeds["feeds"][0]["position"] = {"lon": "x", "lat": "y", "area": True}
    (packs[0] / "feeds.yaml").write_text(yaml.safe_dump(feeds, allow_unicode=True), encoding="utf-8")
    town = make_town(packs=packs)
    town.push([{**air(time=at(0)), "x": 113.5, "y": 22.5}, air(time=at(1))])
    rows = town.lake.query('SELECT area FROM "AirQualityStation" ORDER BY observed_at', ["AirQualityStation"])
    assert [row["area"] for row in rows.to_pylist()] == ["440305000000001", "440304000000001"]
