"""Schemas for editors: current, fitting every shipped file, and named by it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from cityloop.serve.schemas import MODELS, schema_of, written

ROOT = Path(__file__).parents[2]
FILES = sorted(
    path for folder in ("packs", "cities") for path in (ROOT / folder).rglob("*.yaml") if path.stem in MODELS
)


@pytest.mark.parametrize("name", MODELS)
def test_the_schema_is_current(name: str) -> None:
    current = (ROOT / "schemas" / f"{name}.json").read_text(encoding="utf-8")
    assert current == written(name), "write it anew: uv run cityloop schema"
    jsonschema.Draft202012Validator.check_schema(json.loads(current))


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_shipped_file_fits_its_schema_and_points_to_it(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    value: Any = json.loads(json.dumps(yaml.safe_load(text), default=str))
    jsonschema.validate(value, schema_of(path.stem), jsonschema.Draft202012Validator)
    first = text.splitlines()[0]
    assert first.startswith("# yaml-language-server: $schema="), "name the schema in the first line"
    assert (path.parent / first.partition("=")[2]).resolve() == ROOT / "schemas" / f"{path.stem}.json"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("feeds", {"feeds": [{"id": "x"}]}),
        ("feeds", {"feed": []}),
        ("standard", {"entity_types": [{"id": "X", "title": "X", "properties": [{"id": "a", "tite": "A"}]}]}),
        ("code_lists", {"code_lists": [{"id": "x", "title": "X", "codes": [{"title": "no code"}]}]}),
    ],
)
def test_a_mistake_does_not_fit(name: str, value: Any) -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(value, schema_of(name), jsonschema.Draft202012Validator)
