"""Whoever reports a case sees it, wherever it lies; and the cases about one thing are found by that thing."""

from __future__ import annotations

from pathlib import Path

import pytest

from cityloop.cases.schemas import CaseFilter
from cityloop.city.schemas import Position
from cityloop.core.errors import NotFound
from tests.cases.support import COLLECTOR, FUTIAN, LEADER, Room, open_room, person

ELSEWHERE = person("collector.luo", "collector", areas=["440303"])
NANSHAN = Position(lon=113.93, lat=22.53)


@pytest.fixture
def room(tmp_path: Path) -> Room:
    return open_room(tmp_path, things=("E-1", "E-2"))


def test_a_collector_sees_what_he_reported_outside_his_areas(room: Room) -> None:
    mine = room.report(COLLECTOR, position=NANSHAN)
    assert mine.area is not None and not mine.area.startswith("440304") and mine.reporter == COLLECTOR.id
    assert [case.id for case in room.listed(COLLECTOR).items] == [mine.id]
    assert room.desk.get(COLLECTOR, mine.id).id == mine.id
    assert room.listed(ELSEWHERE).total == 0
    with pytest.raises(NotFound):
        room.desk.get(ELSEWHERE, mine.id)


def test_he_hears_of_it_on_the_live_stream(room: Room) -> None:
    room.report(COLLECTOR, position=NANSHAN)
    event = room.events()[-1]
    assert event.data["case"]["reporter"] == COLLECTOR.id
    assert room.door.scope(COLLECTOR, "case").lets(event.data["case"])
    assert not room.door.scope(ELSEWHERE, "case").lets(event.data["case"])


def test_cases_about_one_thing_are_found_by_it(room: Room) -> None:
    about = room.report(position=FUTIAN, entity="E-1")
    room.report(position=FUTIAN, entity="E-2")
    assert [case.id for case in room.listed(LEADER, entity="E-1").items] == [about.id]
    points = room.desk.geojson(LEADER, CaseFilter(entity="E-1"))["features"]
    assert [point["properties"]["id"] for point in points] == [about.id]
