"""What stands near a point: within reach, nearest first, no more than the actor may see."""

from __future__ import annotations

import pytest

from cityloop.access.actor import Actor
from cityloop.core.errors import AccessDenied, NotFound
from cityloop.core.values import Title
from tests.collect.small_town import MACHINE, STEWARD, Town, air

EAST = Actor(id="wang", name=Title(zh="王", en="Wang"), posts=("collector",), areas=("440304",))


@pytest.fixture
def town_with_air(town: Town) -> Town:
    town.push([air("1001A", values={"PM2.5": 60, "wd": "N"}), air("1002A", values={"PM2.5": 70})])
    return town


def near(town: Town, actor: Actor, metres: float, kind: str | None = None, size: int = 9) -> list[tuple[str, float]]:
    return [(one.id, one.metres) for one in town.collector.near(actor, 114.051, 22.55, metres, kind, size)]


def test_the_nearest_comes_first_with_its_metres(town_with_air: Town) -> None:
    assert near(town_with_air, STEWARD, 500) == [("1001A", 102.7)]
    assert [name for name, _ in near(town_with_air, STEWARD, 20_000)] == ["1001A", "s00", "1002A"]
    assert [name for name, _ in near(town_with_air, STEWARD, 20_000, size=1)] == ["1001A"]
    assert near(town_with_air, STEWARD, 20_000, "MetroStation") == [("s00", 7_500.0)]
    assert near(town_with_air, STEWARD, 50) == []


def test_latest_values_come_along_with_the_titles_of_codes(town_with_air: Town) -> None:
    [station] = town_with_air.collector.near(STEWARD, 114.05, 22.55, 10)
    assert station.values["pm2_5"] == 60.0 and station.metres == 0
    assert (station.code, station.owner) == (None, None)


def test_only_what_the_actor_may_see_is_near(town_with_air: Town) -> None:
    assert [name for name, _ in near(town_with_air, EAST, 20_000)] == ["1001A", "s00"]
    with pytest.raises(AccessDenied):
        near(town_with_air, MACHINE, 500)
    with pytest.raises(NotFound, match="no entity type 'Tree'"):
        near(town_with_air, STEWARD, 500, "Tree")


def test_the_card_of_a_thing_that_nobody_may_see_is_no_title(town_with_air: Town) -> None:
    collector = town_with_air.collector
    assert collector.title_of(STEWARD, "1002A") == Title(zh="定陵", en="Dingling")
    assert collector.title_of(EAST, "1002A") is None and collector.title_of(STEWARD, "nothing") is None
    assert collector.title_of(MACHINE, "1001A") is None
