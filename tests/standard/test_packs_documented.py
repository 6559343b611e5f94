"""docs/packs.md names every key, unit and rule that there is."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from pydantic import BaseModel

from cityloop.standard.declarations import EntityField, FeedDeclaration, PropertyField, TimeField
from cityloop.standard.types import EntityType, PackManifest, Property
from cityloop.standard.units import _UNITS

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "packs.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "model", [PackManifest, EntityType, Property, FeedDeclaration, EntityField, TimeField, PropertyField]
)
def test_every_key_of_a_pack_is_documented(model: type[BaseModel]) -> None:
    assert [name for name in model.model_fields if f"`{name}`" not in PAGE] == []


def test_every_unit_is_documented() -> None:
    assert [unit.code for unit in _UNITS if f"`{unit.code}`" not in PAGE] == []


def test_every_rule_a_record_may_break_is_documented() -> None:
    rooms = (ROOT / "src" / "cityloop" / name for name in ("standard", "collect"))
    source = "".join(path.read_text(encoding="utf-8") for room in rooms for path in room.glob("*.py"))
    rules = set(re.findall(r'(?:Check|Refusal)\([^"()]*(?:"")?,? ?"([a-z]+)"', source)) | {
        "number",
        "integer",
        "flag",
        "malformed",
    }
    assert {"unit", "range", "future", "entity"} <= rules
    assert {rule for rule in rules if f"`{rule}`" not in PAGE} == set()
