"""Every table of phrases is complete: both languages, the same places in both, and none that nobody says."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from cityloop.cases.phrases import PHRASES as CASES
from cityloop.city.phrases import PHRASES as CITY
from cityloop.collect.phrases import PHRASES as COLLECT
from cityloop.core.errors import Invalid
from cityloop.core.phrases import Phrases
from cityloop.core.values import Title
from cityloop.serve.importing.phrases import PHRASES as SHEETS
from cityloop.standard.phrases import PHRASES as STANDARD

ROOT = Path(__file__).parents[2] / "src" / "cityloop"
ROOMS = {"cases": CASES, "city": CITY, "collect": COLLECT, "serve/importing": SHEETS, "standard": STANDARD}
CHINESE = re.compile(r"[\u4e00-\u9fff]")
WORDS = re.compile(r"[a-z]{2}")


def constants(folder: Path) -> Iterator[str]:
    """Every text that stands in a room's code beside its table."""
    for path in folder.rglob("*.py"):
        if path.name != "phrases.py":
            nodes = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
            yield from (node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str))


@pytest.mark.parametrize("room", ROOMS)
def test_every_phrase_speaks_both_languages_and_names_the_same_in_both(room: str) -> None:
    for code, pair in ROOMS[room].table.items():
        names = ROOMS[room].parts(code)
        assert names[0] == names[1] and names[2] == names[3], code
        for title in pair:
            bare = {name: re.sub(r"\{[^}]*\}", "", text) for name, text in (("zh", title.zh), ("en", title.en))}
            assert bool(CHINESE.search(bare["zh"])) == bool(WORDS.search(bare["en"])), f"{code}: {title}"
            assert not CHINESE.search(bare["en"].replace("中心 centre, 部门 department", "")), f"{code}: {title}"


@pytest.mark.parametrize("room", ROOMS)
def test_no_phrase_is_left_over(room: str) -> None:
    said = set(constants(ROOT / room))
    assert [code for code in ROOMS[room].table if code not in said] == []


def test_a_phrase_is_filled_in_the_language_of_its_sentence() -> None:
    phrases = Phrases({"far": ("离{area} {metres:.0f} 米 | {metres:.0f} m from {area}", "走近些 | come nearer")})
    area = Title(zh="东区", en="East")
    fault = phrases.fault("A1", "far", area=area, metres=3.2)
    assert (fault.what, fault.mend) == ("3 m from East", "come nearer")
    assert fault.document()["said"] == {"zh": "离东区 3 米", "en": "3 m from East"}
    refused = phrases.problem(Invalid, "far", [fault], area=area, metres=3)
    assert refused.document()["remedy"] == {"zh": "走近些", "en": "come nearer"}
    with pytest.raises(KeyError):
        phrases.what("near")
