"""docs/new-city.md, followed to the letter: its files, its seven sheets, its commands, and the reports at its end."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cityloop.access.actor import SYSTEM, Actor
from cityloop.cases.schemas import CaseDetail, CaseReport
from cityloop.city.schemas import Position
from cityloop.cli import app
from cityloop.core.errors import PasswordDue
from cityloop.core.settings import Settings
from cityloop.core.values import Title
from cityloop.serve.house import House
from cityloop.serve.importing.kinds import KINDS
from tests.serve.office import COMMANDS, SHEETS, furnish

EAST, WEST = Position(lon=114.25, lat=23.0), Position(lon=114.0, lat=23.0)


@dataclass(frozen=True)
class Office:
    """The city after every command of the page, and what the commands said."""

    house: House
    said: dict[str, str]


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    folder = tmp_path_factory.mktemp("office")
    furnish(folder)
    patch = pytest.MonkeyPatch()
    patch.chdir(folder)
    said = {}
    for command in COMMANDS:
        name, *arguments = command.split()
        if name == "cp":
            shutil.copy(*arguments)
            continue
        told = CliRunner().invoke(app, arguments)
        assert told.exit_code == 0, f"{command}: {told.output}"
        said[" ".join(arguments)] = told.output
    house = House(Settings(city=Path("cities/lushan"), data=Path("data/lushan")))
    yield Office(house, said)
    house.stop()
    patch.undo()


@pytest.fixture
def house(office: Office) -> House:
    return office.house


def reported(house: House, matter: str, at: Position, entity: str | None = None) -> CaseDetail:
    told = CaseReport(
        title="市民反映", matter=f"gb47678:matter:{matter}", position=at, channel="hotline", entity=entity
    )
    return house.desk.report(SYSTEM, told)[0]


def test_the_page_has_a_sheet_for_every_kind_of_import() -> None:
    assert {name.removesuffix(".xlsx") for name, _ in SHEETS} == set(KINDS)


def test_areas_go_down_to_the_cell_and_say_what_was_understood(office: Office) -> None:
    areas = office.house.city.areas
    assert [area.level for area in areas.list()] == [
        "city",
        "district",
        "district",
        "street",
        "community",
        "cell",
        "cell",
    ]
    place = areas.locate(114.25, 23.0)
    assert place is not None and (place.area, place.district) == ("449901001001002", "449901")
    dry = office.said["import areas areas.xlsx --city cities/lushan"]
    assert "6 rows, 6 understood, 6 changes, 0 the same, 0 kept, 0 faults" in dry and "nothing was written" in dry


def test_litter_in_the_east_goes_to_sanitation_by_the_usual_limit(house: House) -> None:
    case = reported(house, "06010", EAST)
    assert (case.state, case.department, case.district) == ("to_handle", "sanitation", "449901")
    assert case.deadline is not None and case.deadline.limit_text == "4工作时"
    assert case.dispatch_reason is not None and "责任表第 1 行（refuse）" in case.dispatch_reason.zh


def test_a_broken_road_in_the_west_has_a_co_handler(house: House) -> None:
    case = reported(house, "06013", WEST)
    assert (case.department, [part.department for part in case.tasks]) == ("roads", ["sanitation"])
    assert case.due_at is not None and case.due_at - case.opened_at > timedelta(days=2)


def test_all_else_falls_back_to_the_territory(house: House) -> None:
    assert [reported(house, "09009", at).department for at in (EAST, WEST)] == ["east", "west"]


def test_conditions_are_there(house: House) -> None:
    lines = house.city.limits.conditions("gb47678:matter:06010")
    assert [line.filing for line in lines] == ["零星垃圾", "成堆垃圾", "成堆垃圾且有异味"]
    assert house.city.limit_for(house.city.catalogue.get("gb47678:matter:01001").key) == "2紧急工作时"


def test_the_owner_of_the_component_decides_who_handles_its_case(house: House) -> None:
    named = reported(house, "01001", EAST, entity="44990101001000002")
    assert (named.department, named.entity) == ("sanitation", "44990101001000002")
    assert named.entity_title == Title(zh="示例供水井盖二", en="示例供水井盖二")
    assert reported(house, "01001", EAST, entity="44990101001000001").department == "roads"


def test_components_near_a_collector_have_class_owner_and_distance(house: House) -> None:
    collector = house.accounts.get("chen")
    assert collector.areas == ("449901",)
    near = house.collector.near(collector, 114.25, 23.0001, metres=60)
    assert [(one.id[-2:], one.metres, one.code, one.owner) for one in near] == [
        ("01", 10.2, "01001", "roads"),
        ("02", 30.7, "01001", "sanitation"),
    ]
    old = house.collector.near(collector, 114.251, 23.0001, metres=5)
    assert (old[0].code, old[0].words["state"].zh, old[0].words["class_code"].zh) == ("01001", "破损", "供水井盖")


def test_addresses_are_found_by_part_by_letters_and_in_wide_figures(house: House) -> None:
    found = [
        house.city.find_addresses(text, None, 8)[0].address for text in ("西区 0号", "sll0h", "示例大厦", "路００号")
    ]
    assert found == ["鹭山县西区样板街0号", "鹭山县东区示例路0号", "鹭山县东区示例路0号", "鹭山县东区示例路00号"]


def test_a_new_account_chooses_its_own_password_first(office: Office) -> None:
    told = office.said["import accounts accounts.xlsx --city cities/lushan --data data/lushan --write"]
    first = dict(re.findall(r"^(\w+)\t(\S+)$", told, re.MULTILINE))
    assert set(first) == {"wang", "li", "chen"}
    accounts = office.house.accounts
    with pytest.raises(PasswordDue):
        accounts.sign_in("wang", first["wang"])
    actor, _ = accounts.change_password("wang", first["wang"], "a password of my own")
    assert isinstance(actor, Actor) and actor.posts == ("shift_leader", "acceptor")
    assert accounts.sign_in("wang", "a password of my own")[0].department == "centre"
