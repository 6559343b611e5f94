"""docs/packs.md and docs/standard.md name every key, unit and rule that there is."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from pydantic import BaseModel

from cityloop.standard.check_rules import RULES
from cityloop.standard.code_lists import Code, CodeList
from cityloop.standard.declarations import (
    EntityField,
    FeedDeclaration,
    FieldStep,
    Lookup,
    PositionFields,
    PropertyField,
    TimeField,
)
from cityloop.standard.expressions import FUNCTIONS
from cityloop.standard.tables import TableOptions
from cityloop.standard.types import EntityType, PackManifest, Property, Relation
from cityloop.standard.units import _UNITS

ROOT = Path(__file__).parents[2]
PAGE = "".join((ROOT / "docs" / name).read_text(encoding="utf-8") for name in ("packs.md", "standard.md"))


@pytest.mark.parametrize(
    "model",
    [
        PackManifest,
        EntityType,
        Property,
        Relation,
        Code,
        CodeList,
        FeedDeclaration,
        TableOptions,
        FieldStep,
        PositionFields,
        EntityField,
        Lookup,
        TimeField,
        PropertyField,
        *RULES,
    ],
)
def test_every_key_of_a_pack_is_documented(model: type[BaseModel]) -> None:
    assert [name for name in model.model_fields if f"`{name}`" not in PAGE] == []


def test_every_function_of_expressions_is_documented() -> None:
    assert [name for name in FUNCTIONS if f"`{name}`" not in PAGE] == []


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
