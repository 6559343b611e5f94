"""A content file with errors says file, line, key and what to do."""

from __future__ import annotations

from pathlib import Path

import pytest

from cityloop.core.content import load
from cityloop.core.errors import ContentError
from cityloop.core.values import Frozen, Title


class Bench(Frozen):
    title: Title
    seats: int


class Park(Frozen):
    benches: list[Bench]


def _faults(tmp_path: Path, text: str) -> list[str]:
    path = tmp_path / "park.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ContentError) as caught:
        load(path, Park)
    return [str(fault).replace(str(tmp_path) + "/", "") for fault in caught.value.faults]


def test_a_good_file_loads_and_a_plain_title_serves_both_languages(tmp_path: Path) -> None:
    path = tmp_path / "park.yaml"
    path.write_text("benches:\n  - {title: 长椅, seats: 3}\n", encoding="utf-8")
    assert load(path, Park).benches[0].title == Title(zh="长椅", en="长椅")


def test_every_fault_is_reported_with_its_line(tmp_path: Path) -> None:
    text = "benches:\n  - title: 长椅\n    seats: many\n  - title: 石凳\n    seats: 2\n    colour: red\n"
    number, unknown = _faults(tmp_path, text)
    assert number.startswith("park.yaml:3 benches.0.seats: Input should be a valid integer")
    assert unknown == "park.yaml:6 benches.1.colour: unknown key (remove it or correct its spelling)"


def test_a_missing_key_points_at_its_parent(tmp_path: Path) -> None:
    assert _faults(tmp_path, "benches:\n  - title: 长椅\n") == ["park.yaml:2 benches.0.seats: Field required"]


def test_a_key_written_twice_is_refused(tmp_path: Path) -> None:
    assert "park.yaml:2 benches: key written twice (keep one of the two)" in _faults(
        tmp_path, "benches: []\nbenches: []\n"
    )


def test_broken_yaml_names_the_line(tmp_path: Path) -> None:
    assert _faults(tmp_path, "benches:\n  - [1, 2\n")[0].startswith("park.yaml:3")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ContentError, match=r"nowhere\.yaml is missing"):
        load(tmp_path / "nowhere.yaml", Park)
