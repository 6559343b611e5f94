"""The register of addresses: what people type, and which address they mean."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from cityloop.city.addresses import COLUMNS, Addresses, folded_address, initials
from cityloop.city.faults import Faults
from cityloop.city.schemas import Position

MADE_UP = [
    ("示例市东区示例路0号", 114.20, 23.0, "示例大厦|示例 Plaza", "slsdqsll0h"),
    ("示例市东区示例路00号", 114.21, 23.0, None, "slsdqsll00h"),
    ("示例市西区样板街0号", 114.00, 23.0, "样板小区", "slsxqybj0h"),
    ("示例市西区样板街0号A座", 114.001, 23.0, None, "slsxqybj0haz"),
]


@pytest.fixture(scope="module")
def register() -> Addresses:
    return Addresses(pl.DataFrame(MADE_UP, schema=list(COLUMNS), orient="row"))


@pytest.mark.parametrize(
    ("typed", "first"),
    [
        ("示例路0号", "示例市东区示例路0号"),
        ("示例路００号", "示例市东区示例路00号"),
        ("西区 0号", "示例市西区样板街0号"),
        ("样板街0号a座", "示例市西区样板街0号A座"),
        ("样板街 0 号 Ａ座", "示例市西区样板街0号A座"),
        ("西样0", "示例市西区样板街0号"),
        ("示例plaza", "示例市东区示例路0号"),
        ("ybj0h", "示例市西区样板街0号"),
        ("SLL00H", "示例市东区示例路00号"),
        ("示例市西区样板街0号", "示例市西区样板街0号"),
    ],
)
def test_what_people_type_finds_the_address_they_mean(register: Addresses, typed: str, first: str) -> None:
    found = register.find(typed)
    assert found and found[0].address == first


def test_of_equally_likely_addresses_the_nearest_comes_first_with_its_distance(register: Addresses) -> None:
    west = register.find("0号", Position(lon=114.0, lat=23.0))
    assert [one.address for one in west[:2]] == ["示例市西区样板街0号", "示例市东区示例路0号"]
    assert west[0].metres == pytest.approx(0) and west[1].metres == pytest.approx(20_471, abs=2)
    east = register.find("0号", Position(lon=114.2, lat=23.0))
    assert east[0].address == "示例市东区示例路0号"


@pytest.mark.parametrize("typed", ["", "   ", "，。", "没有的路", "zz9"])
def test_what_means_nothing_finds_nothing(register: Addresses, typed: str) -> None:
    assert register.find(typed) == []


@pytest.mark.parametrize(
    ("said", "means"),
    [
        ("示例市东区示例路0号门口有一堆垃圾", "示例市东区示例路0号"),
        ("东区示例路00号", "示例市东区示例路00号"),
        ("样板小区", "示例市西区样板街0号"),
        ("示例市西区样板街0号A座楼下", "示例市西区样板街0号A座"),
        ("样板街0号", None),
        ("东区", None),
        ("别的地方", None),
    ],
)
def test_a_sentence_names_one_address_or_none(register: Addresses, said: str, means: str | None) -> None:
    found = register.named(said)
    assert (found.address if found else None) == means


def test_the_letters_follow_the_reading_of_phrases() -> None:
    assert initials("重庆路8号Ａ座") == "cql8haz"
    assert folded_address("人民路 ８号（A-座）") == "人民路8号a座"


def test_a_file_with_lines_that_are_no_addresses_names_them(tmp_path: Path) -> None:
    path, faults = tmp_path / "addresses.csv", Faults()
    path.write_text(
        "address,lon,lat,aliases,letters\n示例路0号,114.2,23,,sll0h\n示例路1号,here,23,,\n,114,23,,\n", encoding="utf-8"
    )
    assert len(Addresses.read(path, faults)) == 1
    assert [fault.where for fault in faults.found] == [f"{path}:3", f"{path}:4"]


def test_a_city_without_a_register_finds_nothing() -> None:
    empty = Addresses.read(None, Faults())
    assert len(empty) == 0 and empty.find("示例路") == [] and empty.named("示例路0号") is None
