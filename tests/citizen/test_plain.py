"""What is taken out of free text, and where a report without a point lies."""

from __future__ import annotations

import pytest

from cityloop.citizen.places import named_area, other_datum, placed
from cityloop.citizen.plain import clean, standing
from cityloop.city.datum import convert
from cityloop.core.clock import ManualClock
from tests.cases.support import FUTIAN, MONDAY, demo_city


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("请联系 13800138000 处理", "请联系 *** 处理"),
        ("电话138 0013 8000", "电话***"),
        ("0755-82345678 有人接", "*** 有人接"),
        ("call (617) 555-0123 or +86 138 0013 8000", "call *** or ***"),
        ("邮箱 li.jing@example.com。", "邮箱 ***。"),
        ("身份证 44030419900101123X", "身份证 ***"),
        ("2026-03-09 08:30 在 12 号楼，案件 2026030900012", "2026-03-09 08:30 在 12 号楼，案件 2026030900012"),
        ("我是张小明，住在三楼", "我是***，住在三楼"),
    ],
)
def test_numbers_and_known_names_are_taken_out_of_words(text: str, left: str) -> None:
    assert clean(text, ["张小明", None]) == left


@pytest.mark.parametrize(
    ("stage", "open", "paused", "merged", "expected"),
    [
        (1, True, False, False, "received"),
        (2, True, False, False, "accepted"),
        (3, True, False, False, "accepted"),
        (4, True, False, False, "handling"),
        (4, True, True, False, "paused"),
        (5, True, False, False, "checking"),
        (6, True, False, False, "checking"),
        (6, False, False, False, "done"),
        (2, False, False, False, "declined"),
        (3, False, False, False, "void"),
        (2, False, False, True, "joined"),
    ],
)
def test_a_standing_comes_from_the_stage(stage: int, open: bool, paused: bool, merged: bool, expected: str) -> None:
    assert standing(stage, open, paused, merged) == expected


def test_an_address_places_a_report_only_where_it_names_one_area() -> None:
    areas = demo_city(ManualClock(MONDAY)).areas
    found = named_area(areas, "深圳市福田区深南大道 1 号")
    assert found is not None and found.code == "440304"
    point = placed(areas, found)
    assert point is not None
    inside = areas.locate(point.position.lon, point.position.lat)
    assert inside is not None and inside.district == "440304"
    assert named_area(areas, "Shennan Road, FUTIAN DISTRICT") == found
    assert named_area(areas, "深圳市某路") is None, "the city itself is no place"
    assert named_area(areas, "福田区与南山区交界") is None
    cell = named_area(areas, "罗湖区罗湖 1 号网格")
    assert cell is not None and cell.level == "cell"
    assert named_area(areas, "near luohu cell 12") != named_area(areas, "near luohu cell 1")


def test_a_shifted_point_is_recognised_where_it_leaves_the_city() -> None:
    areas = demo_city(ManualClock(MONDAY)).areas
    edge = max(areas.list("cell"), key=lambda area: areas.shape(area.code).bounds[2])  # type: ignore[union-attr]
    east = areas.shape(edge.code).representative_point()  # type: ignore[union-attr]
    assert other_datum(areas, *convert(east.x + 0.06, east.y, "wgs84", "gcj02")) in ("gcj02", "bd09", None)
    assert other_datum(areas, 10.0, 50.0) is None
    assert areas.locate(FUTIAN.lon, FUTIAN.lat) is not None
