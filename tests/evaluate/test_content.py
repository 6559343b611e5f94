"""``evaluation.yaml``: every fault at its line, city variants under versions of their own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from cityloop.core.errors import ContentError
from cityloop.evaluate.content import load_evaluation
from cityloop.evaluate.declarations import Evaluation, ItemDef, SchemeDef
from tests.cases.support import DEMO
from tests.evaluate.support import URBAN

TITLE = {"zh": "标题", "en": "Title"}
SOUND: dict[str, Any] = {
    "steps": [{"id": "handle", "title": TITLE, "clock": "handling"}],
    "counts": [{"id": "done", "title": TITLE, "step": "handle", "at": "ended"}],
    "indicators": [{"id": "rate", "title": TITLE, "numerator": "done", "denominator": "done"}],
    "schemes": [
        {"id": "s", "title": TITLE, "objects": ["department"], "items": [{"indicator": "rate", "points": 100}]}
    ],
}


def pack(tmp_path: Path, **changes: Any) -> Path:
    folder = tmp_path / "pack"
    folder.mkdir(exist_ok=True)
    (folder / "evaluation.yaml").write_text(yaml.safe_dump({**SOUND, **changes}, allow_unicode=True), encoding="utf-8")
    return folder


def test_the_shipped_content_is_sound_and_the_citys_variant_is_in_force() -> None:
    book = load_evaluation([URBAN], DEMO)
    assert book.indicators["rework_rate"].version == "1-handled"
    assert {"rework_rate@1", "rework_rate@1-handled"} <= set(book.versions)
    assert (book.origins["rework_rate@1"], book.origins["rework_rate@1-handled"]) == ("pack:urban", "city")
    assert load_evaluation([URBAN]).indicators["rework_rate"].version == "1"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"counts": [{**SOUND["counts"][0], "step": "hanlde"}]}, "counts.0.step: there is no step 'hanlde'"),
        ({"counts": [{**SOUND["counts"][0], "where": "lat"}]}, "counts.0.where: unknown name 'lat'"),
        ({"counts": [{**SOUND["counts"][0], "where": "floor(rework) = 1"}]}, "floor cannot be used"),
        ({"counts": [{**SOUND["counts"][0], "weights": {"actor": {"a": 2}}}]}, "no weights by 'actor'"),
        ({"counts": [{**SOUND["counts"][0], "exemptions": ["x"]}]}, "there is no exemption 'x'"),
        ({"counts": SOUND["counts"] * 2}, "counts.1.id: 'done' is declared twice"),
        ({"indicators": [{**SOUND["indicators"][0], "numerator": "don"}]}, "did you mean done?"),
        ({"indicators": SOUND["indicators"] * 2}, "'rate@1' is declared twice"),
        ({"schemes": [{**SOUND["schemes"][0], "total": 90}]}, "add up to 100, the total is 90"),
        ({"schemes": [{**SOUND["schemes"][0], "tie": ["x"]}]}, "there is no count 'x'"),
        ({"schemes": [{**SOUND["schemes"][0], "items": [{"indicator": "x", "points": 100}]}]}, "no indicator 'x'"),
        ({"schemes": SOUND["schemes"] * 2}, "'s' version 1 is declared twice"),
        ({"marks": [{"mark": "rework", "moves": ["x"], "steps": ["nowhere"]}]}, "there is no step 'nowhere'"),
        ({"marks": [{"mark": "rework", "moves": ["x"]}]}, "name their steps"),
        ({"marks": [{"mark": "forced"}]}, "names moves or effects"),
        ({"steps": [{"id": "handle", "title": TITLE, "clock": "handling", "whole": True}]}, "exactly one of"),
        ({"exemptions": [{"id": "e", "title": TITLE, "where": "ex", "effect": "late"}]}, "unknown name 'ex'"),
    ],
)
def test_a_fault_is_named_at_its_line(tmp_path: Path, changes: dict[str, Any], said: str) -> None:
    with pytest.raises(ContentError) as caught:
        load_evaluation([pack(tmp_path, **changes)])
    text = str(caught.value)
    assert said in text
    assert "evaluation.yaml:" in text


def test_grades_descend_and_items_are_named_once(tmp_path: Path) -> None:
    grades = [{"id": g, "title": TITLE, "least": b, "colour": "red"} for g, b in (("a", 60), ("b", 90))]
    items = [{"indicator": "rate", "points": 50}] * 2
    with pytest.raises(ContentError) as caught:
        load_evaluation([pack(tmp_path, schemes=[{**SOUND["schemes"][0], "grades": grades, "items": items}])])
    assert "grades do not descend" in str(caught.value)
    assert "'rate' twice" in str(caught.value)


def test_a_figure_that_is_no_share_needs_a_way_to_points(tmp_path: Path) -> None:
    with pytest.raises(ContentError, match="1 error"):
        load_evaluation([pack(tmp_path, indicators=[{**SOUND["indicators"][0], "unit": "h"}])])


@pytest.mark.parametrize("model", [Evaluation, SchemeDef, ItemDef])
def test_every_key_is_documented(model: Any) -> None:
    text = (DEMO.parents[1] / "docs/evaluate.md").read_text(encoding="utf-8")
    assert [name for name in model.model_fields if f"`{name}`" not in text] == []
