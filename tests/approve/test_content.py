"""Items and registers: what their files may not say is told with file, line and key."""

from __future__ import annotations

import shutil
from decimal import Decimal
from pathlib import Path

import pytest

from cityloop.approve.content import load_items
from cityloop.approve.typed import NotOfKind, alike, plain, typed
from cityloop.core.clock import ManualClock
from cityloop.core.errors import ContentError
from tests.approve.support import SERVICES
from tests.cases.support import MONDAY, demo_city


@pytest.mark.parametrize(
    ("name", "old", "new", "told"),
    [
        ("items/road-occupation.yaml", "department: urban", "department: moon", "no department 'moon'"),
        ("items/road-occupation.yaml", "post: approver", "post: king", "no post 'king'"),
        ("items/road-occupation.yaml", "limit: 3个工作日", "limit: 及时", "gives no instant"),
        ("items/road-occupation.yaml", "looks_in: roads", "looks_in: rivers", "no register 'rivers'"),
        ("items/road-occupation.yaml", "columns: [class, width, guarded]", "columns: [depth]", "no column 'depth'"),
        (
            "items/road-occupation.yaml",
            "by: {credit_code: credit_code}",
            "by: {credit_code: codes}",
            "no field 'codes'",
        ),
        ("items/road-occupation.yaml", "value: evidence.street.class", "value: __import__('os')", "facts.2.value"),
        ("items/road-occupation.yaml", "value: evidence.street.class", "value: secret.class", "secret is not known"),
        ("items/elderly-allowance.yaml", "id: elderly-allowance", "id: road-occupation", "declared twice"),
        ("registers.yaml", "columns: [name, district, class, width, guarded]", "columns: [name]", "does not share"),
        ("registers.yaml", "department: transport", "department: moon", "no department 'moon'"),
        ("registers/roads.csv", "branch,12", "branch,twelve", "is no number"),
        ("registers/roads.csv", "name,district", "label,district", "column name is missing"),
    ],
)
def test_mistakes_are_named(tmp_path: Path, name: str, old: str, new: str, told: str) -> None:
    shutil.copytree(SERVICES, tmp_path / "services")
    path = tmp_path / "services" / name
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    city = demo_city(ManualClock(MONDAY))
    city.packs = (tmp_path / "services",)
    with pytest.raises(ContentError) as caught:
        load_items(city)
    assert told in str(caught.value) and path.suffix[1:] in str(caught.value)


def test_a_city_lays_its_own_register_over_that_of_the_pack(tmp_path: Path) -> None:
    city = demo_city(ManualClock(MONDAY))
    (tmp_path / "registers").mkdir()
    rows = "name,district,class,width,guarded\n深南大道,440304,main,60,false\n"
    (tmp_path / "registers" / "roads.csv").write_text(rows, encoding="utf-8")
    city.folder = tmp_path
    assert [row["name"] for row in load_items(city).tables["roads"]] == ["深南大道"]


@pytest.mark.parametrize(
    ("kind", "given", "read"),
    [
        ("integer", "12", 12),
        ("integer", 12.0, 12),
        ("number", "1.50", Decimal("1.50")),
        ("flag", "true", True),
        ("flag", False, False),
        ("text", "  a  ", "a"),
        ("text", "", None),
        ("id_number", "11010519491231002x", "11010519491231002X"),
    ],
)
def test_values_are_read_as_their_kind(kind: str, given: object, read: object) -> None:
    assert typed(kind, given) == read
    assert typed(kind, plain(typed(kind, given))) == read, "and come back from where they are kept"


@pytest.mark.parametrize(
    ("kind", "given"),
    [
        ("integer", "1.5"),
        ("integer", True),
        ("number", "nan"),
        ("number", "1e400"),
        ("number", "1" * 30),
        ("date", "2026-02-30"),
        ("flag", "perhaps"),
        ("phone", "abc"),
        ("id_number", "110105194912310021"),
        ("id_number", "110105194913310021"),
        ("text", ["a"]),
        ("text", {"a": 1}),
    ],
)
def test_values_of_another_kind_are_refused(kind: str, given: object) -> None:
    with pytest.raises(NotOfKind):
        typed(kind, given)


def test_names_are_alike_without_blanks_and_case() -> None:
    assert alike("Zhang  San", "zhangsan") and not alike("张三", "张山") and not alike(None, "张三")
