"""A city folder with errors: each is named with file, line and what to do, all in one go."""

from __future__ import annotations

from pathlib import Path

import pytest

from cityloop.city.check import check_folder
from cityloop.city.service import City
from cityloop.core.clock import SystemClock
from cityloop.core.errors import ContentError

from .conftest import FILES, ROOT

Spoil = tuple[str, str, str]
"""A file, a text in it, and what takes its place."""

CITY, AREAS = "city.yaml", "areas.geojson"
CASES: list[tuple[str, Spoil, str, str, str]] = [
    ("unknown pack", (CITY, "[works]", "[works, water]"), "city.yaml:5 packs.1", "'water'", "pack.yaml"),
    ("wrong zone", (CITY, "Asia/Shanghai", "Asia/Shenzhen"), "city.yaml:3 timezone", "Asia/Shenzhen", ""),
    ("unknown key", (CITY, "series: []", "serie: []"), "city.yaml:28 serie", "unknown key", "spelling"),
    ("misspelt key", (CITY, "language: zh\n", "lang: zh\n"), "city.yaml:4 lang", "unknown key", "spelling"),
    ("no bounds", (CITY, "west: 114.0, ", ""), "city.yaml:6 map", "Field required", ""),
    ("slot", (CITY, "14:00-18:00", "14:00-12:00"), "city.yaml:20 calendars.std", "does not end after", ""),
    ("slots", (CITY, "14:00-18:00", "11:00-18:00"), "city.yaml:20 calendars.std", "overlap", ""),
    ("window", (CITY, "04-15..10-15", "April"), "city.yaml:23 seasons", "05-01..09-30", ""),
    ("no words", (CITY, "[汛期]", "[]"), "city.yaml:22 seasons.0.words", "the list is empty", ""),
    ("profile", (CITY, "day=8h", "day=9h"), "city.yaml:25 deadlines.profile", "day=9h", "day=8h|close|office"),
    ("calendar", (CITY, "calendar: std", "calendar: own"), "city.yaml:26 deadlines.calendar", "'own'", "std"),
    ("catalogue", (CITY, "in_force: own", "in_force: gb"), "city.yaml:12 catalogue", "'gb'", "own"),
    ("limits file", (CITY, "limits.yaml", "limit.yaml"), "limit.yaml", "cannot be read", "create the file"),
    ("days file", (CITY, "days.csv", "day.csv"), "day.csv", "missing", "create it"),
    ("area file", (CITY, "[areas.geojson]", "[area.geojson]"), "area.geojson", "missing", "areas.files"),
    ("day", ("days.csv", "2026-05-01", "1 May"), "days.csv:2 date", "1 May", "2026-01-31"),
    ("weekday", ("days.csv", "Fri", "Mon"), "days.csv:2 weekday", "is a Fri", "correct"),
    ("kind of day", ("days.csv", "holiday", "feast"), "days.csv:2 kind", "feast", "makeup_workday"),
    ("day columns", ("days.csv", "kind", "sort"), "days.csv:1", "columns are missing: kind", "header"),
    ("twice", ("departments.yaml", "id: water", "id: works"), "departments.yaml:4", "written twice", "keep one"),
    ("night", ("departments.yaml", "    exc", "    calendar: night\n    exc"), "departments.yaml:6", "'night'", "std"),
    (
        "code",
        ("departments.yaml", "Works}", "Works}\n    code: 91350100M000100Y44"),
        "departments.yaml:4",
        "credit",
        "18",
    ),
    ("row rule", ("policy.yaml", "[all]", "[everything]"), "policy.yaml:6", "own_department", ""),
    ("matter", ("limits.yaml", "matter:01", "matter:03"), "limits.yaml:3", "own:matter:03", "own:matter:0"),
    ("class", ("limits.yaml", "matter:A", "matter:B"), "limits.yaml:5", "own:matter:B", "own:matter:A"),
    ("limit text", ("limits.yaml", "2天", "及时"), "limits.yaml:5", "no figure", "4工作时"),
    ("kind", ("catalogue/own.csv", "matter,A,道路,Roads,02", "thing,A,,,02"), "own.csv:3 kind", "thing", "component"),
    ("entry twice", ("catalogue/own.csv", ",02,", ",01,"), "own.csv:3 code", "written twice", "keep one"),
    ("area twice", (AREAS, '"9902"', '"9901"'), "areas.geojson:3 9901", "written twice", "never reused"),
    ("parent", (AREAS, '"9902","parent":"99"', '"9902","parent":"98"'), "areas.geojson:3 9902", "'98'", "add"),
    ("nesting", (AREAS, '"9902"', '"8802"'), "areas.geojson:3 8802", "not nested", "begin it"),
    ("prefix", (AREAS, '"9902"', '"990102"'), "areas.geojson:3 990102", "does not hold it", "none begins"),
    ("level", (AREAS, 'district","zh":"东区"', 'city","zh":"东区"'), "areas.geojson:3 9902", "cannot lie", "levels"),
    ("property", (AREAS, '"zh":"东区",', ""), "areas.geojson:3 zh", "Field required", "properties are"),
    ("metres", (AREAS, "[114.1,22.0]", "[500000,22.0]"), "areas.geojson:3 9902", "no degrees", "WGS 84"),
    ("open ring", (AREAS, "[[[114.1,22.0]", "[[[114.0,22.0]"), "areas.geojson:3 9902", "no readable", "Polygon"),
    ("no json", (AREAS, "]}\n", ""), "areas.geojson", "GeoJSON", "RFC 7946"),
    ("bow tie", (AREAS, "22.0],[114.2,22.1]", "22.1],[114.2,22.0]"), "areas.geojson:3 9902", "not valid", "GIS"),
]


def spoil(city: Path, change: Spoil) -> None:
    path = city / change[0]
    text = path.read_text(encoding="utf-8")
    assert change[1] in text
    path.write_text(text.replace(change[1], change[2]), encoding="utf-8")


def test_a_sound_city_has_no_faults(small: Path) -> None:
    assert check_folder(small) == []
    city = City.load(small, SystemClock())
    assert [path.name for path in city.packs] == ["works"]
    assert city.limit_for("own:matter:01") == "4工作时"
    assert city.limit_for("own:matter:02") == "2天"
    assert city.calendars.of("water").id == "std.water"
    assert city.calendars.of("works").id == city.calendars.of(None).id == "std"


@pytest.mark.parametrize(("change", "where", "what", "mend"), [case[1:] for case in CASES], ids=[c[0] for c in CASES])
def test_an_error_is_named_at_its_place(small: Path, change: Spoil, where: str, what: str, mend: str) -> None:
    spoil(small, change)
    faults = check_folder(small)
    named = [fault for fault in faults if where in fault.where and what in fault.what and mend in fault.mend]
    assert named, "\n".join(map(str, faults))
    with pytest.raises(ContentError):
        City.load(small, SystemClock())


def test_all_errors_of_all_files_come_in_one_go(small: Path) -> None:
    spoil(small, ("city.yaml", "[works]", "[water]"))
    spoil(small, ("days.csv", "2026-05-01", "1 May"))
    spoil(small, ("limits.yaml", "2天", "及时"))
    spoil(small, ("areas.geojson", '"9902"', '"8802"'))
    with pytest.raises(ContentError) as refusal:
        City.load(small, SystemClock())
    said = str(refusal.value)
    assert all(name in said for name in ("city.yaml:5", "days.csv:2", "limits.yaml:5", "areas.geojson:3"))


@pytest.mark.parametrize("name", ["city.yaml", "departments.yaml", "policy.yaml"])
def test_a_missing_file_is_a_fault_of_its_own(small: Path, name: str) -> None:
    (small / name).unlink()
    assert any(name in fault.where and "create the file" in fault.mend for fault in check_folder(small))


def test_a_file_that_is_not_utf8_is_named(small: Path) -> None:
    (small / "days.csv").write_bytes("date,kind,name\n2026-05-01,holiday,劳动节\n".encode("gb18030"))
    assert any("not UTF-8" in fault.what for fault in check_folder(small))


def test_a_folder_that_is_not_there_is_a_fault(tmp_path: Path) -> None:
    assert "no such folder" in check_folder(tmp_path / "nowhere")[0].what


def test_overlapping_areas_are_found_by_the_check(small: Path) -> None:
    spoil(small, ("areas.geojson", "[[[114.1,22.0]", "[[[114.08,22.0]"))
    spoil(small, ("areas.geojson", "[114.1,22.0]]]}}\n]", "[114.08,22.0]]]}}\n]"))
    [what] = [fault.what for fault in check_folder(small) if "overlaps" in fault.what]
    assert what.startswith("district 9901 overlaps 9902 by 11,461,309 m², near 114.09")


def test_a_cell_outside_its_district_is_found_by_the_check(small: Path) -> None:
    far = '{"type":"Feature","properties":{"code":"990101","parent":"9901","level":"cell","zh":"格","en":"cell"},'
    far += '"geometry":{"type":"Polygon","coordinates":[[[114.1,22.0],[114.2,22.0],[114.2,22.1],[114.1,22.0]]]}}\n]}'
    spoil(small, ("areas.geojson", "\n]}", ",\n" + far))
    assert any("100.0% of cell 990101" in fault.what for fault in check_folder(small))


def with_cell(small: Path, code: str, east: float, local: str = "true") -> None:
    """A cell in the western district, from its western border to ``east``."""
    corners = f"[[[114.0,22.0],[{east},22.0],[{east},22.1],[114.0,22.1],[114.0,22.0]]]"
    cell = f'{{"type":"Feature","properties":{{"code":"{code}","parent":"9901","level":"cell","zh":"格","en":"cell",'
    cell += f'"local":{local}}},"geometry":{{"type":"Polygon","coordinates":{corners}}}}}\n]}}'
    spoil(small, ("areas.geojson", "\n]}", ",\n" + cell))


def test_ground_that_no_cell_covers_is_found_by_the_check(small: Path) -> None:
    with_cell(small, "990100000000001", 114.08)
    [fault] = check_folder(small)
    assert fault.what == (
        "22,919,918 m² (20.0%) of 9901 is in none of the areas below it; beside it: 990100000000001; "
        "near 114.09000 22.05000"
    )


def test_cells_that_cover_their_district_are_sound(small: Path) -> None:
    with_cell(small, "990100000000001", 114.1)
    assert check_folder(small) == []


@pytest.mark.parametrize(("code", "sound"), [("990100000000001", True), ("99010000000A001", True), ("99010001", False)])
def test_a_national_code_of_a_cell_has_15_characters(small: Path, code: str, sound: bool) -> None:
    with_cell(small, code, 114.1, local="false")
    said = [fault.what for fault in check_folder(small)]
    assert said == ([] if sound else [f"'{code}' is no national code of a cell: 15 characters"])


@pytest.mark.parametrize("name", ["demo", "boston"])
def test_the_shipped_cities_are_sound(name: str) -> None:
    assert check_folder(ROOT / "cities" / name) == []


def test_the_small_city_spoils_every_file_once() -> None:
    spoilt = {case[1][0] for case in CASES}
    shipped = {name.removeprefix("cities/small/") for name in FILES if name.startswith("cities/small/")}
    assert shipped - spoilt == {"catalogue/catalogues.yaml"}
