"""Sheets of a city with everything that goes wrong in them: each cell is named, and how to mend it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from openpyxl import load_workbook
from typer.testing import CliRunner

from cityloop.access.actor import SYSTEM
from cityloop.city.service import City
from cityloop.city.sheet import SheetPlan
from cityloop.cli import app
from cityloop.core.clock import SystemClock
from cityloop.core.errors import Invalid, NotFound
from cityloop.core.settings import Settings
from cityloop.serve.house import House
from cityloop.serve.importing.accounts import read_staff
from cityloop.serve.importing.addresses import read_address_sheet
from cityloop.serve.importing.areas import read_area_sheet
from cityloop.serve.importing.components import Pushed, read_survey
from cityloop.serve.importing.departments import read_departments
from cityloop.serve.importing.kinds import KINDS
from cityloop.serve.importing.plans import Draft
from cityloop.serve.importing.responsibility import read_responsibility
from cityloop.serve.importing.rows import sheet_lines, table_of
from cityloop.serve.importing.sent import Sent
from cityloop.serve.users import open_accounts
from cityloop.standard.declarations import DatumName
from tests.serve.office import furnish, write_sheet

Cells = list[str | int | float | None]

EAST_STREET = "POLYGON ((114.1 22.9, 114.2 22.9, 114.2 23.1, 114.1 23.1, 114.1 22.9))"
WIDE_STREET = "POLYGON ((114.19 22.9, 114.3 22.9, 114.3 23.1, 114.19 23.1, 114.19 22.9))"
NARROW_STREET = "POLYGON ((114.21 22.9, 114.3 22.9, 114.3 23.1, 114.21 23.1, 114.21 22.9))"


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The county of docs/new-city.md with its districts and departments, before anything else is imported."""
    folder = tmp_path_factory.mktemp("office")
    furnish(folder)
    patch = pytest.MonkeyPatch()
    patch.chdir(folder)
    city = folder / "cities" / "lushan"
    shutil.copy(folder / "cities" / "demo" / "policy.yaml", city)
    districts = table_rows(folder / "areas.xlsx")[:3]
    draft(read_area_sheet, city, write_sheet(folder / "districts.xlsx", districts), write=True)
    draft(read_departments, city, folder / "departments.xlsx", write=True)
    yield folder
    patch.undo()


@pytest.fixture
def city(office: Path) -> Path:
    return office / "cities" / "lushan"


def table_rows(file: Path) -> list[Cells]:
    table = table_of(Sent.at(file))
    return [list(table.frame.columns), *[list(row) for row in table.frame.rows()]]


def draft(
    read: Callable[[Path, Sent], Draft], city: Path, file: Path, *, datum: DatumName = "wgs84", write: bool = False
) -> tuple[SheetPlan, list[Path]]:
    """The plan of a sheet that becomes files of the city, and those that were written."""
    found = read(city, Sent.at(file, datum=datum))
    return found.plan, found.write(file.name) if write else []


def surveyed(settings: Settings, file: Path) -> tuple[SheetPlan, Pushed]:
    """A survey that is carried out."""
    house = House(settings)
    try:
        survey = read_survey(house.city, house.collector, Sent.at(file))
        return survey.plan, survey.push(house.collector)
    finally:
        house.stop()


def told(plan: SheetPlan) -> list[tuple[str, str]]:
    return [(fault.where.rpartition("!")[2], fault.what) for fault in plan.faults]


def streets(office: Path, *rows: tuple[str, str, str]) -> SheetPlan:
    sheet = [["某县街道一览", "", ""], ["编码", "名称", "范围"], *map(list, rows)]
    file = write_sheet(office / "streets.xlsx", sheet, ["A1:C1"])
    return draft(read_area_sheet, office / "cities" / "lushan", file)[0]


def test_an_overlap_is_told_with_both_streets_and_its_square_metres(office: Path) -> None:
    plan = streets(office, ("449901001", "甲街道", EAST_STREET), ("449901002", "乙街道", WIDE_STREET))
    [(where, what)] = told(plan)
    assert where.startswith("A3") and what.startswith("street 449901001 overlaps 449901002 by 22,762,848 m²")
    assert any("heading in" in note.en for note in plan.notes)


def test_a_gap_is_told_with_the_streets_beside_it(office: Path) -> None:
    plan = streets(office, ("449901001", "甲街道", EAST_STREET), ("449901002", "乙街道", NARROW_STREET))
    [(_, what)] = told(plan)
    assert what.startswith("22,762,848 m²") and "beside it: 449901001 and 449901002" in what


def test_codes_are_checked_by_level(office: Path) -> None:
    plan = streets(
        office,
        ("44990100100101", "老网格", EAST_STREET),
        ("4499010017", "自编", EAST_STREET),
        ("", "没有编码", EAST_STREET),
        ("449901001", "", EAST_STREET),
        ("449901002", "没有边界", ""),
        ("449901003", "乱画", "POLYGON 114.1 22.9"),
    )
    assert [(where.split(" ")[0], what) for where, what in told(plan)][:6] == [
        ("A3", "'44990100100101' has 14 characters: no level has such a code"),
        ("A4", "'4499010017' has 10 characters: no level has such a code"),
        ("A5", "the cell is empty"),
        ("B6", "the cell is empty"),
        ("C7", "the area has neither boundary nor centre"),
        ("C8", "'POLYGON 114.1 22.9' is no WKT"),
    ]
    assert "CJ/T 213-2005" in plan.faults[0].mend


def test_geojson_in_another_datum_is_moved_and_a_second_import_changes_nothing(office: Path, tmp_path: Path) -> None:
    city = tmp_path / "cities" / "lushan"
    shutil.copytree(office / "cities" / "lushan", city)
    street = {"code": "449901001", "name": "甲街道"}
    geometry = {"type": "Point", "coordinates": [114.2, 23.0]}
    feature = {"type": "Feature", "properties": street, "geometry": geometry}
    file = tmp_path / "streets.geojson"
    file.write_text(json.dumps({"type": "FeatureCollection", "features": [feature]}), encoding="utf-8")
    plan, written = draft(read_area_sheet, city, file, datum="gcj02", write=True)
    assert [(change.key, change.change) for change in plan.changes] == [("449901001", "new")] and plan.kept == 2
    text = written[0].read_text(encoding="utf-8")
    assert text.index('"449902"') < text.index('"449901001"') and '"coordinates": [114.19' in text
    again = draft(read_area_sheet, city, file, datum="gcj02")[0]
    assert (again.same, again.changes) == (1, [])
    with pytest.raises(Invalid, match="no GeoJSON"):
        bad = tmp_path / "bad.geojson"
        bad.write_text("[]", encoding="utf-8")
        draft(read_area_sheet, city, bad)


def test_departments_with_faults_leave_the_file_as_it_was(office: Path, city: Path) -> None:
    sheet = [
        ["编号", "名称", "统一社会信用代码", "类型", "日历"],
        ["Water", "水务所", "", "", ""],
        ["parks", "园林所", "91350100M000100Y44", "", ""],
        ["fire", "消防所", "", "公司", "night"],
        ["water", "", "", "", ""],
    ]
    file, before = write_sheet(office / "more.xlsx", sheet), (city / "departments.yaml").read_text(encoding="utf-8")
    plan = draft(read_departments, city, file)[0]
    assert [where for where, _ in told(plan)] == ["A2", "C3", "D4", "E4", "B5"]
    with pytest.raises(Invalid, match="nothing was written"):
        draft(read_departments, city, file, write=True)
    assert (city / "departments.yaml").read_text(encoding="utf-8") == before


def test_a_department_is_changed_in_its_place_and_the_others_stay(office: Path, tmp_path: Path) -> None:
    city = tmp_path / "lushan"
    shutil.copytree(office / "cities" / "lushan", city)
    sheet = [["编号", "名称", "信用代码"], ["roads", "市政道路所", "91350100M000100Y43"], ["water", "水务所", ""]]
    plan, _ = draft(read_departments, city, write_sheet(tmp_path / "d.xlsx", sheet), write=True)
    assert next((one.key, one.change, one.before) for one in plan.changes) == (
        "roads", "changed", {"name": "市政设施管理所", "english": "Public works", "code": ""}
    )  # fmt: skip
    text = (city / "departments.yaml").read_text(encoding="utf-8")
    assert [text.index(f"id: {name}") for name in ("sanitation", "roads", "east", "water")] == sorted(
        text.index(f"id: {name}") for name in ("sanitation", "roads", "east", "water")
    )
    assert "简称" not in text and "市政所" in text, "what the sheet does not say stays"


def test_words_of_the_table_of_duties_that_mean_nothing_are_named(office: Path, city: Path) -> None:
    sheet = [
        ["说明", "事项", "辖区", "时段", "星期", "来源", "主办部门", "协办部门"],
        ["垃圾", "06010、没有的事", "北区", "晚上", "8", "飞鸽", "没有的局", "环卫所"],
        ["中心不办案", "", "", "", "", "", "城运中心", ""],
        ["空", "", "", "", "", "", "", ""],
        ["夜间", "供水井盖", "东区", "20:00 至 8:00", "6、7", "热线", "市政所", "市政所"],
    ]
    plan = draft(read_responsibility, city, write_sheet(office / "duties.xlsx", sheet))[0]
    assert [where for where, _ in told(plan)] == ["G2", "B2", "C2", "F2", "E2", "D2", "G4", "G3", "H5"]
    assert any("'城运中心'" in what or "'centre' is a centre" in what for _, what in told(plan))


def test_the_sheet_is_the_whole_table_of_responsibility(office: Path, tmp_path: Path) -> None:
    city = tmp_path / "cities" / "lushan"
    shutil.copytree(office / "cities" / "lushan", city)
    (tmp_path / "packs").symlink_to(office / "packs")
    sheet = [
        ["编号", "说明", "事项", "主办部门"],
        ["all", "全部", "全部", "市政所、环卫所"],
        ["covers", "井盖", "供水井盖", "市政所"],
    ]
    draft(read_responsibility, city, write_sheet(tmp_path / "a.xlsx", sheet), write=True)
    shorter = write_sheet(tmp_path / "b.xlsx", [sheet[0], sheet[2]])
    plan, [path] = draft(read_responsibility, city, shorter, write=True)
    assert [(one.key, one.change) for one in plan.changes] == [("all", "removed")] and plan.kept == 0
    text = path.read_text(encoding="utf-8")
    assert "version: '2'" in text and "gb47678:matter:01001" in text and "candidates" not in text


def test_addresses_outside_the_city_or_twice_are_named(office: Path, city: Path) -> None:
    sheet: list[Cells] = [
        ["标准地址", "经度", "纬度"],
        ["示例路0号", 114.2, 23.0],
        ["示例路 ０ 号", 114.2, 23.0],
        ["远处", 120.0, 30.0],
        ["没有坐标", "", ""],
        ["乱写", "东经", 23.0],
    ]
    plan = draft(read_address_sheet, city, write_sheet(office / "addresses2.xlsx", sheet))[0]
    assert [where for where, _ in told(plan)] == ["B5", "C5", "B6", "A3", "B4"]
    assert "outside the city" in plan.faults[4].what and plan.understood == 1


def test_addresses_come_as_csv_of_a_chinese_windows_and_as_geojson_too(city: Path, tmp_path: Path) -> None:
    file = tmp_path / "addresses.csv"
    file.write_bytes("标准地址,东经,北纬\n示例路0号,114.2,23.0\n".encode("gb18030"))
    by_csv = draft(read_address_sheet, city, file)[0]
    features = [
        {"type": "Feature", "properties": {"地址": "示例路0号"}, "geometry": {"type": "Point", "coordinates": at}}
        for at in ([114.2, 23.0], [1.0, 1.0])
    ]
    file = tmp_path / "addresses.geojson"
    file.write_text(json.dumps({"type": "FeatureCollection", "features": features}), encoding="utf-8")
    by_map = draft(read_address_sheet, city, file)[0]
    assert by_csv.faults == [] and by_csv.first == by_map.first
    assert [fault.where for fault in by_map.faults] == ["feature 2 lon"]


def test_accounts_name_posts_departments_and_areas_of_the_city(office: Path, city: Path, tmp_path: Path) -> None:
    sheet = [
        ["账号", "姓名", "岗位", "部门", "辖区"],
        ["王", "王", "值班长", "", ""],
        ["li", "李", "船长", "没有的局", "北区"],
        ["chen", "陈", "监督员", "", "东区"],
        ["chen", "陈二", "监督员", "", ""],
    ]
    file = write_sheet(office / "staff.xlsx", sheet)
    accounts = open_accounts(Settings(city=city, data=tmp_path))
    staff = read_staff(City.load(city, SystemClock()), accounts, Sent.at(file))
    assert [where for where, _ in told(staff.plan)] == ["A2", "C3", "D3", "E3", "A5"]
    with pytest.raises(Invalid, match="nothing was written"):
        staff.enrol(accounts, SYSTEM, file.name)


def test_components_that_the_feed_refuses_lie_in_quarantine_and_a_survey_moves_the_others(
    office: Path, tmp_path: Path
) -> None:
    settings = Settings(city=office / "cities" / "lushan", data=tmp_path)
    (office / "cities" / "lushan" / "responsibility.yaml").write_text(
        "version: '1'\nrows:\n  - {id: all, title: 全部, department: roads}\n", encoding="utf-8"
    )
    head: Cells = ["标识码", "名称", "权属单位代码", "主管部门", "状态", "经度", "纬度"]
    rows: list[Cells] = [
        head,
        ["44990101001000001", "示例一", "", "市政所", "完好", 114.25, 23.0],
        [44990101001000002, "数字", "", "市政所", "完好", 114.25, 23.0],
        ["44990199999000003", "没有的小类", "", "市政所", "完好", 114.25, 23.0],
        ["44990101001000004", "没有的单位", "", "没有的单位", "完好", 114.25, 23.0],
        ["44990101001000005", "城外", "", "市政所", "完好", 120.0, 30.0],
        ["44990201001000006", "邻区的码", "", "市政所", "坏了", 114.25, 23.0],
        ["44990201001000007", "邻区的码", "", "市政所", "完好", 114.25, 23.0],
    ]
    file = write_sheet(office / "survey.xlsx", rows)
    plan, pushed = surveyed(settings, file)
    assert [where for where, _ in told(plan)] == ["A3", "A4", "D5", "F6", "E7", "A7"]
    assert "15 digits" in plan.faults[0].mend and any(
        "44990201001000007" in note.en or "A8" in note.en for note in plan.notes
    )
    assert (pushed.accepted, pushed.quarantined) == (2, 5)
    moved = write_sheet(
        office / "moved.xlsx", [head, ["44990101001000001", "示例一", "", "市政所", "破损", 114.26, 23.01]]
    )
    plan, pushed = surveyed(settings, moved)
    [change] = plan.changes
    assert change.before == {"lon": "114.250000", "lat": "23.000000", "state": "intact"} and pushed.accepted == 1
    assert surveyed(settings, moved)[1].accepted == 0
    house = House(settings)
    try:
        [view] = house.collector.near(SYSTEM, 114.26, 23.01, 10)
        assert (view.lon, view.lat, view.values["state"], view.owner) == (114.26, 23.01, "damaged", "roads")
    finally:
        house.stop()


@pytest.mark.parametrize("name", KINDS)
def test_an_empty_sheet_is_read_as_empty_and_says_how_to_fill_it(name: str, tmp_path: Path) -> None:
    file = tmp_path / "empty.xlsx"
    said = CliRunner().invoke(app, ["import", name, "--template", str(file)])
    assert said.exit_code == 0, said.output
    lines, notes = sheet_lines(table_of(Sent.at(file)), KINDS[name])
    assert lines == [] and "the example row of the template was left out" in [note.en for note in notes]
    [heading, *rows] = table_rows_of(file, "说明 Notes")
    assert heading[1] == "English" and len(rows) == len(KINDS[name].columns) + 1


def table_rows_of(file: Path, sheet: str) -> list[list[object]]:
    return [list(row) for row in load_workbook(file)[sheet].iter_rows(values_only=True)]


def test_a_sheet_without_its_columns_is_refused_with_their_headings(office: Path, city: Path) -> None:
    file = write_sheet(office / "odd.xlsx", [["甲", "乙"], ["1", "2"]])
    with pytest.raises(Invalid) as refused:
        draft(read_departments, city, file)
    assert [fault.where for fault in refused.value.faults] == ["id", "name"]
    assert "部门编号" in refused.value.faults[0].mend
    with pytest.raises(NotFound, match="no file"):
        draft(read_departments, city, office / "nothing.xlsx")


def test_the_command_tells_how_when_nothing_is_named() -> None:
    said = CliRunner().invoke(app, ["import", "areas"])
    assert said.exit_code == 1 and "--template" in said.output
