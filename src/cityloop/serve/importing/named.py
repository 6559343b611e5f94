"""What the words of a sheet may name: departments, areas, posts, matters, with all their names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from cityloop.city.schemas import Department
from cityloop.city.service import City
from cityloop.core.values import Title

POST = Title(zh="岗位", en="post")
DEPARTMENT = Title(zh="部门", en="department")
AREA = Title(zh="辖区", en="area")
MATTER = Title(zh="事项", en="matter")
CLASS = Title(zh="大类", en="class")


def department_names(departments: Mapping[str, Department]) -> list[tuple[str, Sequence[str]]]:
    """Ids of departments with their titles, short names and credit codes."""
    return [
        (one.id, [one.title.zh, one.title.en, *([one.short.zh, one.short.en] if one.short else []), one.code or one.id])
        for one in departments.values()
    ]


def area_names(city: City) -> list[tuple[str, Sequence[str]]]:
    """Codes of areas with their titles."""
    return [(area.code, [area.title.zh, area.title.en]) for area in city.areas.list()]
