"""Another standard at run time: between two commits, under pushes; nothing lost, no row half old half new."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest

from cityloop.core.errors import Conflict
from cityloop.standard.feeds import load_feeds
from cityloop.standard.mapping import FeedMapping
from cityloop.standard.service import Standard
from cityloop.standard.types import EntityType, Property
from tests.collect.small_town import NOON, PACKS, STEWARD, Town, air

TYPE = "AirQualityStation"


def changed(*properties: Property, **fields: Any) -> tuple[Standard, list[FeedMapping]]:
    """The packs' standard, with further properties of air stations and other keys of their feed."""
    standard = Standard.load(PACKS)
    old = standard.entity_types[TYPE]
    kept = [p for p in old.properties if p.id not in {new.id for new in properties}]
    standard.entity_types[TYPE] = EntityType.model_validate(
        {**old.model_dump(), "properties": [p.model_dump() for p in (*kept, *properties)]}
    )
    feeds = []
    for mapping in load_feeds(PACKS, standard):
        update = fields if mapping.id == "air-hourly" else {}
        declaration = mapping.declaration.model_dump(exclude_unset=True)
        declaration["properties"] = {**declaration["properties"], **update}
        feeds.append(FeedMapping(type(mapping.declaration).model_validate(declaration), mapping.entity_type))
    return standard, feeds


NOISE = Property.model_validate({"id": "noise", "title": {"zh": "噪声", "en": "Noise"}, "unit": "dB"})


def stored(town: Town, columns: str = "*") -> list[dict[str, Any]]:
    sql = f"SELECT {columns} FROM {TYPE} ORDER BY observed_at, entity"
    return list(town.lake.query(sql, [TYPE]).to_pylist())


def test_a_new_property_is_a_column_for_the_next_record_and_the_state_stays(town: Town) -> None:
    town.push([air(values={"PM2.5": 40})])
    town.collector.adopt(*changed(NOISE, noise={"field": "LAeq"}))
    assert town.collector.entity(STEWARD, "1001A").values["pm2_5"] == 40
    town.push([air("1002A", values={"PM2.5": 1, "LAeq": 55})])
    assert [row["noise"] for row in stored(town)] == [None, 55]
    assert town.collector.entity(STEWARD, "1002A").values["noise"] == 55
    assert town.push([air()]).duplicate == 1


def test_a_repaired_mapping_reads_other_fields_from_the_next_record_on(town: Town) -> None:
    town.collector.adopt(*changed(pm2_5={"field": "细颗粒物"}))
    receipt = town.push([air(values={"细颗粒物": 12}), air("1002A", values={"PM2.5": 5})])
    assert (receipt.accepted, receipt.quarantined) == (1, 1)
    assert stored(town, "pm2_5") == [{"pm2_5": 12.0}]


def test_a_change_the_lake_cannot_hold_is_refused_and_nothing_has_changed(town: Town) -> None:
    degrees = Property.model_validate({"id": "wind_direction", "title": "风向", "kind": "number"})
    with pytest.raises(Conflict, match="wind_direction in another type"):
        town.collector.adopt(*changed(degrees))
    assert town.push([air()]).accepted == 1


def test_pushes_go_on_through_twenty_changes_and_no_row_is_of_two_standards(town: Town) -> None:
    """Every row is read wholly by one mapping: by the first SO2 stays SO2, by the second both values change places."""
    other = {"so2": {"field": "NO2"}, "no2": {"field": "SO2"}}
    standards = [changed(NOISE), changed(NOISE, **other)]
    stop = threading.Event()

    def push(lane: int) -> int:
        accepted = n = 0
        while not stop.is_set() or n < 3:
            at = NOON - timedelta(hours=1 + lane, seconds=n)
            record = air(time=at.isoformat(), values={"PM2.5": 1, "SO2": 10.0, "NO2": 20.0})
            accepted += town.push([record, {**record, "station": "1002A"}]).accepted
            n += 1
        return accepted

    with ThreadPoolExecutor(6) as pool:
        lanes = [pool.submit(push, lane) for lane in range(6)]
        for n in range(20):
            town.collector.adopt(*standards[n % 2])
        stop.set()
        accepted = sum(lane.result(300) for lane in lanes)
    rows = stored(town, "so2, no2, record")
    assert len(rows) == accepted == len({row["record"] for row in rows})
    assert {(row["so2"], row["no2"]) for row in rows} <= {(10.0, 20.0), (20.0, 10.0)}
    batches: dict[str, set[float]] = {}
    for row in rows:
        batches.setdefault(row["record"].split(":")[0], set()).add(row["so2"])
    assert all(len(values) == 1 for values in batches.values())


def test_replays_go_on_where_they_were(town: Town) -> None:
    before = town.collector.replays()
    town.collector.adopt(*changed())
    assert [replay.app for replay in town.collector.replays()] == [replay.app for replay in before]
