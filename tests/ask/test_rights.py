"""No value outside an asker's scope is matched, offered, corrected to, or named."""

from __future__ import annotations

import pytest

from cityloop.access.actor import Actor
from cityloop.access.door import Door, Protected
from cityloop.ask.offers import Sight
from cityloop.core.values import Title
from tests.ask.parts import city, lexicon, pieces


def sight(post: str, department: str | None = None, areas: tuple[str, ...] = ()) -> Sight:
    """What somebody of a post of the demo city may know of."""
    door = Door(city().policy)
    door.register(Protected(entity="case", department="department", area="area", owners=("handler",)))
    door.register(Protected(entity="warning", department="department", area="area"))
    door.register(Protected(entity="observation", area="area"))
    door.register(Protected(entity="entity", area="area"))
    name = Title(zh=post, en=post)
    return Sight(Actor(id="a", name=name, posts=(post,), department=department, areas=areas), door, lexicon())


def named(question: str, sees: Sight) -> list[tuple[str, str]]:
    """The values that a question is found to name."""
    found = [term for piece in pieces(question, sees) for term in piece.of("value")]
    return [(term.dimension, term.id) for term in found]


LEADER = sight("leader")
COLLECTOR = sight("collector", "centre", ("440304",))
URBAN = sight("department", "urban")


@pytest.mark.parametrize("said", ["南山区", "南山", "nanshan", "南山曲", "Nanshan", "Nanshn"])
def test_a_collector_of_one_district_cannot_name_another_in_any_way(said: str) -> None:
    question = f"{said}上报数"
    assert ("district", "440305") in named(question, LEADER)
    assert named(question, COLLECTOR) == []


def test_a_collector_names_the_own_district_and_its_cells() -> None:
    assert ("district", "440304") in named("福田区上报数", COLLECTOR)
    assert ("area", "440304000000003") in named("福田 3 号网格上报数", COLLECTOR)
    assert named("罗湖 1 号网格上报数", COLLECTOR) == []


@pytest.mark.parametrize("said", ["水务局", "水务", "生态环境局", "环保"])
def test_a_department_names_no_other(said: str) -> None:
    assert all(dimension != "department" for dimension, _ in named(f"{said}结案数", URBAN))


def test_a_department_names_itself() -> None:
    assert ("department", "urban") in named("城管局结案数", URBAN)


def test_somebody_without_sight_of_anything_names_no_value() -> None:
    nobody = sight("security_administrator")
    assert named("南山区城管局暴露垃圾万柳站热线红色预警", nobody) == []


def test_what_may_not_be_named_is_met_like_a_word_that_does_not_exist() -> None:
    hidden, made_up = (
        [(piece.tag, len(piece.terms)) for piece in pieces(f"{said}昨天上报数", COLLECTOR)] for said in ("盐田", "火星")
    )
    assert hidden == made_up
