"""Where a point lies."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from cityloop.city.areas import Areas
from cityloop.city.schemas import Area, Place
from cityloop.city.service import City
from cityloop.core.errors import NotFound
from cityloop.core.values import Title


def town(outside_metres: float = 0.0) -> Areas:
    """Two districts side by side; the western one has two cells."""
    boxes = {
        "101": shapely.box(114.0, 22.0, 114.1, 22.1),
        "102": shapely.box(114.1, 22.0, 114.2, 22.1),
        "10101": shapely.box(114.0, 22.0, 114.05, 22.1),
        "10102": shapely.box(114.05, 22.0, 114.1, 22.1),
    }
    name = Title(zh="区", en="area")
    areas = [Area(code="1", title=name, level="city")]
    areas += [Area(code=code, title=name, level="district", parent="1") for code in ("102", "101")]
    areas += [Area(code=code, title=name, level="cell", parent="101") for code in ("10102", "10101")]
    return Areas(areas, boxes, outside_metres)


def test_the_tree_lists_parents_before_children() -> None:
    assert [area.code for area in town().list()] == ["1", "101", "102", "10101", "10102"]
    assert [area.code for area in town().list("cell")] == ["10101", "10102"]


def test_a_point_lies_in_the_smallest_area_and_its_district() -> None:
    assert town().locate(114.07, 22.05) == Place(area="10102", district="101")


def test_a_district_without_cells_holds_its_points_itself() -> None:
    assert town().locate(114.15, 22.05) == Place(area="102", district="102")


@pytest.mark.parametrize("lat", [22.0, 22.031, 22.1])
def test_a_border_point_always_goes_to_the_lower_code(lat: float) -> None:
    assert town().locate(114.05, lat) == Place(area="10101", district="101")
    assert town().locate(114.1, lat) == Place(area="10102", district="101")


def test_a_point_outside_has_no_place_but_a_nearest_area_in_metres() -> None:
    areas = town()
    assert areas.locate(114.21, 22.05) is None
    near, metres = areas.nearest(114.0, 22.11)
    assert near.code == "10101"
    assert metres == pytest.approx(1112, abs=2)
    assert areas.nearest(114.02, 22.05) == (areas.get("10101"), 0.0)


def test_degrees_of_longitude_are_shorter_than_degrees_of_latitude() -> None:
    _, metres = town().nearest(113.99, 22.05)
    assert metres == pytest.approx(1112 * np.cos(np.radians(22.05)), abs=3)


def test_a_city_may_take_points_just_outside_to_the_nearest_area() -> None:
    areas = town(outside_metres=200)
    assert areas.locate(114.001, 22.101) == Place(area="10101", district="101")
    assert areas.locate(114.001, 22.11) is None


def test_an_unknown_code_says_where_the_codes_are() -> None:
    with pytest.raises(NotFound, match=r"'9'.*areas"):
        town().get("9")
    assert town().district_of("9") is None
    assert town().district_of("1") is None
    assert town().district_of("10101") == "101"


def test_shapes_come_as_geojson_with_code_and_titles() -> None:
    shapes = town().geojson("district")
    assert shapes["features"][0]["properties"] == {"code": "101", "zh": "区", "en": "area"}
    assert shapes["features"][0]["geometry"]["type"] == "Polygon"
    assert town().geojson("street")["features"] == []


def test_the_demo_city_has_ten_districts_and_491_cells(demo: City) -> None:
    districts, cells = demo.areas.list("district"), demo.areas.list("cell")
    assert (len(districts), len(cells)) == (10, 491)
    assert [area.code for area in districts if area.local] == ["440390"]
    assert {area.parent for area in districts} == {"4403"}
    assert all(len(cell.code) == 15 and cell.code.startswith(f"{cell.parent}000000") and cell.local for cell in cells)
    assert demo.areas.title("440304000000012") == Title(zh="福田 12 号网格", en="Futian cell 12")


def test_every_cell_of_the_demo_city_is_found_by_its_centre(demo: City) -> None:
    cells = [area for area in demo.areas.list("cell") if area.centre]
    found = demo.areas.locate_many(
        [cell.centre.lon for cell in cells if cell.centre], [cell.centre.lat for cell in cells if cell.centre]
    )
    assert [(place.area, place.district) for place in found if place] == [(c.code, c.parent) for c in cells]


def test_the_cells_of_a_demo_district_tile_it(demo: City) -> None:
    for district in demo.areas.list("district"):
        cells = [demo.areas.shape(area.code) for area in demo.areas.list("cell") if area.parent == district.code]
        assert shapely.area(shapely.union_all(cells)) == pytest.approx(sum(shapely.area(cells)), rel=1e-9)
        assert shapely.area(demo.areas.shape(district.code)) == pytest.approx(sum(shapely.area(cells)), rel=1e-6)


@given(st.lists(st.tuples(st.floats(113.7, 114.7), st.floats(22.4, 22.9)), min_size=1, max_size=30))
def test_many_points_are_found_as_one_by_one(points: list[tuple[float, float]]) -> None:
    areas = town(outside_metres=500)
    lons, lats = zip(*points, strict=True)
    assert areas.locate_many(lons, lats) == [areas.locate(lon, lat) for lon, lat in points]


def test_no_points_have_no_places(demo: City) -> None:
    assert demo.areas.locate_many([], []) == []


def test_boston_has_its_seventeen_neighbourhoods(boston: City) -> None:
    assert len(boston.areas.list("district")) == 17
    place = boston.areas.locate(-71.0772, 42.2715)
    assert place is not None
    assert boston.areas.title(place.area).en == "Greater Mattapan"
