"""docs/new-city.md, followed to the letter: its files, its sheet, its commands, and the two reports at its end."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from openpyxl import Workbook
from typer.testing import CliRunner

from cityloop.access.actor import SYSTEM
from cityloop.cases.schemas import CaseDetail, CaseReport
from cityloop.city.schemas import Position
from cityloop.cli import app
from cityloop.core.settings import Settings
from cityloop.serve.house import House

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "new-city.md").read_text(encoding="utf-8")
EAST, WEST = Position(lon=114.2, lat=23.0), Position(lon=114.0, lat=23.0)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the packs, the demo city's posts, and what the page says to write."""
    found = tmp_path_factory.mktemp("office")
    (found / "packs").symlink_to(ROOT / "packs")
    (found / "cities" / "demo").mkdir(parents=True)
    shutil.copy(ROOT / "cities" / "demo" / "policy.yaml", found / "cities" / "demo")
    for name, text in re.findall(r"```(?:yaml|csv|json)\n# (\S+)\n(.*?)```", PAGE, re.DOTALL):
        path = found / "cities" / "lushan" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    shutil.copy(ROOT / "cities" / "demo" / "policy.yaml", found / "cities" / "lushan")
    book = Workbook()
    assert book.active is not None
    for line in re.findall(r"^\| (?:类别|事件|部件) .*$", PAGE, re.MULTILINE):
        book.active.append([cell.strip() for cell in line.strip("|").split("|")])
    book.save(found / "sheet.xlsx")
    return found


@pytest.fixture(scope="module")
def house(folder: Path) -> Iterator[House]:
    """The city after every command of the page."""
    patch = pytest.MonkeyPatch()
    patch.chdir(folder)
    patch.setenv("CITYLOOP_PASSWORD", "a long enough password")
    commands = [line for block in re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL) for line in block.splitlines()]
    for command in commands:
        name, *arguments = command.split()
        if name == "cityloop":
            told = CliRunner().invoke(app, arguments)
            assert told.exit_code == 0, f"{command}: {told.output}"
    found = House(Settings(city=Path("cities/lushan"), data=Path("data/lushan")))
    yield found
    found.close()
    patch.undo()


def reported(house: House, matter: str, at: Position) -> CaseDetail:
    told = CaseReport(title="市民反映", matter=f"gb47678:matter:{matter}", position=at, channel="hotline")
    return house.desk.report(SYSTEM, told)[0]


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


def test_conditions_and_accounts_are_there(house: House) -> None:
    lines = house.city.limits.conditions("gb47678:matter:06010")
    assert [line.filing for line in lines] == ["零星垃圾", "成堆垃圾", "成堆垃圾且有异味"]
    assert house.city.limit_for(house.city.catalogue.get("gb47678:matter:01001").key) == "2紧急工作时"
    assert house.accounts.get("wang").posts == ("shift_leader", "acceptor")
