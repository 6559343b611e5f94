"""Code lists: codes with validity and hierarchy, from YAML, CSV or a catalogue; every mistake at its place."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from cityloop.core.errors import ContentError
from cityloop.standard.code_lists import load_code_lists

URBAN = Path(__file__).parents[2] / "packs" / "urban"
HEAD = "code,title_zh,title_en,valid_from,valid_to,parent,synonyms\n"
LIST = "code_lists:\n  - {id: kinds, title: Kinds, file: kinds.csv}\n"


def pack(folder: Path, text: str, table: str = "") -> list[Path]:
    (folder / "code_lists.yaml").write_text(text, encoding="utf-8")
    (folder / "kinds.csv").write_text(table, encoding="utf-8")
    return [folder]


def test_the_national_catalogue_is_a_code_list_with_its_classes() -> None:
    lists = load_code_lists([URBAN])
    components = lists["gb47678-components"]
    cover = next(code for code in components.codes if code.code == "01001")
    assert (cover.title.zh, cover.parent) == ("供水井盖", "01")
    assert cover.code in components.under("01")
    assert len(lists["gb47678-matters"].codes) > 50


def test_a_table_may_hold_the_codes(tmp_path: Path) -> None:
    found = load_code_lists(pack(tmp_path, LIST, HEAD + "1,一,one,,2026-01-01,,\n11,十一,,,,1,拾壹|11号\n"))["kinds"]
    assert found.codes[0].valid_to == date(2026, 1, 1)
    assert found.codes[1].synonyms == ("拾壹", "11号")


@pytest.mark.parametrize(
    ("text", "table", "what"),
    [
        (LIST, HEAD + "1,一,one,2026-02-30,,,\n", "kinds.csv:2"),
        (LIST, HEAD + "1,一,one,,,9,\n", "its parent '9' is not in the list"),
        (LIST, HEAD + "1,一,,,,,\n1,二,,,,,\n", "listed twice for the same time"),
        (LIST, HEAD + "1,一,,,,2,\n2,二,,,,1,\n", "form a circle"),
        (LIST.replace("kinds.csv", "none.csv"), "", "is missing"),
        (LIST + LIST.partition("\n")[2], HEAD, "declared twice"),
    ],
)
def test_a_mistake_in_a_list_is_told(tmp_path: Path, text: str, table: str, what: str) -> None:
    with pytest.raises(ContentError) as refused:
        load_code_lists(pack(tmp_path, text, table))
    assert what in str(refused.value)
