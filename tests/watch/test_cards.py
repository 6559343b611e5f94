"""Districts speak with their own names in warnings about cases."""

from __future__ import annotations

from pathlib import Path

from cityloop.city.service import City
from cityloop.core.clock import ManualClock
from cityloop.core.values import Title
from cityloop.standard.batch import EntityCard
from cityloop.watch.cards import with_areas
from tests.watch.naive import START


def test_a_warning_about_a_district_names_it_and_a_thing_keeps_its_own_card() -> None:
    city = City.load(Path(__file__).parents[2] / "cities" / "demo", ManualClock(START))
    bin_card = EntityCard("324925", "WasteContainer", Title(zh="果皮箱", en="Bin"))
    find = with_areas(lambda kind, _: bin_card if kind == "WasteContainer" else None, city.areas)
    assert find("WasteContainer", "324925") is bin_card
    futian = find("CaseEvent", "440304")
    assert futian is not None
    assert (futian.title.zh, futian.area, futian.district) == ("福田区", "440304", "440304")
    assert find("CaseEvent", "999999") is None
