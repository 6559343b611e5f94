"""Which department is responsible, and the row that says so."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from cityloop.cases.choosing import Load, choose
from cityloop.cases.dispatch import Responsibility, load_responsibility
from cityloop.city.schemas import Department
from cityloop.core.errors import ContentError
from cityloop.core.values import Title

SHANGHAI = ZoneInfo("Asia/Shanghai")
MATTERS = ["GB:matter:06010", "GB:matter:06013", "GB:matter:09009"]
AREAS = ["4403", "440304", "440304000000001", "440305"]
DEPARTMENTS = {
    name: Department(id=name, title=Title(zh=name, en=name), kind="centre" if name == "centre" else "department")
    for name in ("sanitation", "transport", "police", "urban", "centre")
}
TABLE = """
version: "1"
rows:
  - id: night-litter
    title: {zh: 夜间垃圾归环卫, en: litter at night is for sanitation}
    matters: ["GB:matter:06010"]
    hours: {from: "22:00", to: "06:00"}
    department: sanitation
  - id: futian-litter
    title: {zh: 福田垃圾归环卫, en: litter in Futian is for sanitation}
    matters: ["GB:matter:06010"]
    areas: ["440304"]
    department: sanitation
  - id: weekend-parking
    title: {zh: 周末停车归交警, en: parking at weekends is for the police}
    matters: ["GB:matter:09*"]
    weekdays: [6, 7]
    department: police
  - id: named
    title: {zh: 来源已指明, en: the source names it}
    channels: [warning]
    department: as_named
  - id: rest
    title: {zh: 属地兜底, en: the territorial body answers}
    areas: ["4403"]
    department: urban
"""
MONDAY_NOON = datetime(2026, 3, 9, 4, 0, tzinfo=UTC)
SATURDAY_NOON = datetime(2026, 3, 14, 4, 0, tzinfo=UTC)


def table(tmp_path: Path, text: str = TABLE) -> Responsibility:
    path = tmp_path / "responsibility.yaml"
    path.write_text(text, encoding="utf-8")
    return load_responsibility(path, DEPARTMENTS, MATTERS, AREAS, SHANGHAI)


@pytest.mark.parametrize(
    ("matter", "area", "channel", "named", "at", "row", "department"),
    [
        ("GB:matter:06010", "440304000000001", "hotline", None, MONDAY_NOON, "futian-litter", "sanitation"),
        ("GB:matter:06010", "440305", "hotline", None, MONDAY_NOON, "rest", "urban"),
        (
            "GB:matter:06010",
            "440305",
            "hotline",
            None,
            datetime(2026, 3, 9, 14, 0, tzinfo=UTC),
            "night-litter",
            "sanitation",
        ),
        (
            "GB:matter:06010",
            "440305",
            "hotline",
            None,
            datetime(2026, 3, 9, 21, 59, tzinfo=UTC),
            "night-litter",
            "sanitation",
        ),
        ("GB:matter:06010", "440305", "hotline", None, datetime(2026, 3, 9, 22, 0, tzinfo=UTC), "rest", "urban"),
        ("GB:matter:09009", "440305", "hotline", None, SATURDAY_NOON, "weekend-parking", "police"),
        ("GB:matter:09009", "440305", "hotline", None, MONDAY_NOON, "rest", "urban"),
        ("GB:matter:06013", "440305", "warning", "transport", MONDAY_NOON, "named", "transport"),
        ("GB:matter:06013", "440305", "warning", None, MONDAY_NOON, "rest", "urban"),
        ("GB:matter:06013", "440305", "hotline", "transport", MONDAY_NOON, "rest", "urban"),
    ],
)
def test_the_first_row_that_fits_names_department_and_reason(
    tmp_path: Path, matter: str, area: str, channel: str, named: str | None, at: datetime, row: str, department: str
) -> None:
    found = table(tmp_path).match(matter, area, channel, named, at)
    assert found is not None
    assert (found.row, found.department) == (row, department)
    assert row in found.reason.zh and row in found.reason.en


def test_no_row_fits_outside_the_territory(tmp_path: Path) -> None:
    assert table(tmp_path).match("GB:matter:06013", None, "hotline", None, MONDAY_NOON) is None


def test_unknown_names_are_faults_with_their_lines(tmp_path: Path) -> None:
    text = TABLE.replace("department: police", "department: polizei").replace('areas: ["4403"]', 'areas: ["4499"]')
    with pytest.raises(ContentError) as caught:
        table(tmp_path, text.replace("GB:matter:09*", "GB:matter:77*"))
    told = [str(fault) for fault in caught.value.faults]
    assert any("responsibility.yaml:18 rows.2.department: there is no department 'polizei'" in line for line in told)
    assert any("no matter 'GB:matter:77*'" in line for line in told)
    assert any("there is no area '4499'" in line for line in told)


def test_the_centre_never_handles(tmp_path: Path) -> None:
    with pytest.raises(ContentError, match="'centre' is a centre"):
        table(tmp_path, TABLE.replace("department: urban", "department: centre"))


def test_a_row_id_stands_once(tmp_path: Path) -> None:
    with pytest.raises(ContentError, match="id 'rest' twice"):
        table(tmp_path, TABLE.replace("id: named", "id: rest"))


def test_a_misspelt_key_is_named_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(ContentError, match=r"responsibility.yaml:12 rows.1.area: unknown key"):
        table(tmp_path, TABLE.replace('areas: ["440304"]', 'area: ["440304"]'))


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (
            "department: urban",
            "candidates: [urban, polizei]",
            "26 rows.4.candidates.1: there is no department 'polizei'",
        ),
        ("department: urban", "candidates: [urban, urban]", "26 rows.4.candidates.1: 'urban' twice"),
        ("department: urban", "", "rows.4: Value error, name either 'department' or 'candidates'"),
        ("weekdays: [6, 7]", "weekdays: [0]", "17 rows.2.weekdays.0: there is no weekday 0"),
        ("rows:", "handlers: {nobody: 3}\nrows:", "3 handlers.nobody: there is no department 'nobody'"),
        ("department: urban", "department: urban\n    co_handlers: [{department: urban}]", "'urban' leads by this row"),
        (
            "department: urban",
            "department: urban\n    co_handlers: [{department: police, after: [transport]}, {department: transport}]",
            "27 rows.4.co_handlers.0.after.0: 'transport' is no co-handler above this one",
        ),
    ],
)
def test_every_fault_has_its_place(tmp_path: Path, old: str, new: str, told: str) -> None:
    with pytest.raises(ContentError) as caught:
        table(tmp_path, TABLE.replace(old, new, 1))
    assert any(told in str(fault) for fault in caught.value.faults), [str(f) for f in caught.value.faults]


def test_the_owner_of_the_thing_decides_where_the_table_asks(tmp_path: Path) -> None:
    text = TABLE.replace(
        "  - id: named", "  - id: theirs\n    title: 权属\n    owners: [港铁]\n    department: transport\n  - id: named"
    )
    found = table(tmp_path, text)
    owned = found.match("GB:matter:06013", "440305", "hotline", None, MONDAY_NOON, "港铁")
    plain = found.match("GB:matter:06013", "440305", "hotline", None, MONDAY_NOON, "其他")
    assert owned is not None and plain is not None and (owned.row, plain.row) == ("theirs", "rest")


NAMES = {name: Title(zh=name.upper(), en=name) for name in "ab"}


@pytest.mark.parametrize(
    ("loads", "best"),
    [
        ([Load("a", 4, 2), Load("b", 4, 4)], "b"),
        ([Load("a", 4, 4, 9, 7200.0), Load("b", 4, 4, 9, 3600.0)], "b"),
        ([Load("a", 0, 1, 9, 7200.0), Load("b", 3, 1, 9, 3600.0)], "a"),
        ([Load("a", 2, 1, 9, 3600.0), Load("b", 1, 1)], "b"),
        ([Load("a", 1, 1), Load("b", 1, 1)], "a"),
    ],
)
def test_of_equals_the_one_that_is_likely_the_quickest(loads: list[Load], best: str) -> None:
    department, reason = choose(loads, NAMES)
    assert department == best and f"预计最快：{best.upper()} 人均在办" in reason.zh


def test_the_reason_tells_load_and_past_speed() -> None:
    _, reason = choose([Load("a", 3, 2, 9, 5400.0), Load("b", 1, 1)], NAMES)
    assert (
        reason.zh
        == "2 个同等部门中预计最快：B 人均在办 1.0 件，无此类处置记录；A 人均在办 1.5 件，同类处置中位数 1.5 小时"
    )
    assert reason.en.endswith("b 1.0 open a handler, no such case handled; a 1.5 open a handler, median 1.5 h")
