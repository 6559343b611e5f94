"""What plans find, and the rounds that they plan: the measured bins of the demo, through the plan's own expressions."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, cast

import pytest

from cityloop.access.actor import Actor
from cityloop.collect.schemas import EntityView, NearEntity
from cityloop.core.database import Transaction
from cityloop.core.errors import Invalid
from cityloop.core.values import Page, Title
from cityloop.core.web import Paging
from cityloop.linkage.drawing import read
from cityloop.linkage.elements import feel
from cityloop.linkage.finding import Find, Route
from cityloop.linkage.ports import Occasion
from cityloop.linkage.steps import Steps
from cityloop.standard.batch import EntityCard
from tests.linkage.bin_rounds import bins
from tests.linkage.scenes import FILES

NOW = datetime(2026, 3, 10, 1, 0, tzinfo=UTC)
OCCASION = Occasion("run-1", "step-1", Title(zh="清运", en="rounds"), "440304", "演练", NOW)
NO_TX = cast(Transaction, None)


class Town:
    """A directory of the measured bins and two crews."""

    def __init__(self) -> None:
        self.cards = {one.id: self._card("WasteContainer", one.id, one.lon, one.lat) for one in bins(30)}
        crews = {"C1": "8000", "C2": "6000"}
        self.crews = {
            name: self._card("SanitationCrew", name, 114.02, 22.6, {"capacity": litres})
            for name, litres in crews.items()
        }

    def known(self, entity_type: str) -> Mapping[str, EntityCard]:
        return self.crews if entity_type == "SanitationCrew" else self.cards

    def entities(
        self, actor: Actor, paged: Paging, *, entity_type: str | None, area: str | None, text: str | None
    ) -> Page[EntityView]:
        found = [self._view(card, n) for n, card in enumerate(self.known(str(entity_type)).values())]
        return Page(items=found, total=len(found), page=1, size=len(found))

    def near(
        self, actor: Actor, lon: float, lat: float, metres: float, entity_type: str | None, size: int
    ) -> list[NearEntity]:
        return [
            NearEntity(**dict(self._view(card, 0)), metres=1, code=None, owner=None) for card in self.crews.values()
        ]

    def _card(
        self, kind: str, name: str, lon: float, lat: float, attributes: Mapping[str, str] | None = None
    ) -> EntityCard:
        return EntityCard(name, kind, Title(zh=name, en=name), "440304", lon=lon, lat=lat, attributes=attributes or {})

    def _view(self, card: EntityCard, number: int) -> EntityView:
        values = {"hours_to_full": 6.0 * number, "fill_before": 80.0} if card.entity_type == "WasteContainer" else {}
        return EntityView(
            id=card.id,
            entity_type=card.entity_type,
            title=card.title,
            area=card.area,
            lon=card.lon,
            lat=card.lat,
            observed_at=NOW,
            values=values,
            series=None,
        )


def do(service: Any, **inputs: Any) -> Any:
    return service.do(NO_TX, inputs, OCCASION).result


def test_the_plan_of_sanitation_plans_rounds_for_the_bins_that_will_be_full() -> None:
    """Find, find, route: each with the inputs that stand in the diagram."""
    steps = Steps(read(FILES["sanitation"].read_text(encoding="utf-8"))).service
    facts: dict[str, Any] = {"area": "440304"}
    for element, service in (("bins", Find(Town())), ("crews", Find(Town())), ("rounds", Route())):
        texts = steps[element].inputs
        inputs = {name: feel(text, facts) if text.startswith("=") else text for name, text in texts.items()}
        facts[steps[element].result] = do(service, **inputs)
    assert len(facts["bins"]) == 5
    served = {visit["stop"] for found in facts["rounds"]["rounds"] for visit in found["visits"]}
    assert served == {item["entity"] for item in facts["bins"]}
    assert facts["rounds"]["left_out"] == []


def test_things_are_found_by_attribute_place_and_id() -> None:
    find = Find(Town())
    found = do(find, entity_type="SanitationCrew", attribute="capacity", value="6000")
    assert [item["entity"] for item in found] == ["C2"]
    assert [item["entity"] for item in do(find, entity_type="SanitationCrew", lon=114.0, lat=22.5, most="1")] == ["C1"]
    first = next(iter(Town().cards))
    assert [item["entity"] for item in do(find, entity_type="WasteContainer", ids=[first])] == [first]
    assert do(find, entity_type="WasteContainer", where="state.missing > 3") == []


def test_looking_leaves_nothing_to_undo() -> None:
    assert "没有可撤销" in Find(Town()).undo(NO_TX, cast(Any, None), {}, cast(Actor, None), OCCASION).zh


@pytest.mark.parametrize(
    ("inputs", "match"),
    [
        ({"entity_type": "WasteContainer", "most": "0"}, "most"),
        ({"entity_type": "WasteContainer", "most": "many"}, "most"),
        ({"entity_type": "WasteContainer", "lon": "east", "lat": "22"}, "lon"),
    ],
)
def test_what_cannot_be_looked_for_says_why(inputs: dict[str, Any], match: str) -> None:
    with pytest.raises(Invalid, match=match):
        do(Find(Town()), **inputs)


def test_stops_that_are_none_are_refused_with_their_key() -> None:
    with pytest.raises(Invalid, match="no list"):
        do(Route(), stops="here", crews=[])
    with pytest.raises(Invalid) as refused:
        do(Route(), stops=[{"id": "a", "lon": 114}], crews=[])
    assert [fault.where for fault in refused.value.faults] == ["stops.lat"]
