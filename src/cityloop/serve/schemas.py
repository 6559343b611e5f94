"""JSON Schemas of all content files, made from the same typed values that check them when a city is loaded.

An editor that reads ``# yaml-language-server: $schema=…`` completes keys and marks mistakes while they are written.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, TypeAdapter, create_model
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from cityloop.access.policy import Policy
from cityloop.analyse.model import Dimension, Metric
from cityloop.approve.declarations import Item, RegistersFile
from cityloop.cases.dispatch_table import ResponsibilityFile
from cityloop.cases.workflow import Workflow
from cityloop.city.content import CataloguesFile, CityFile, DepartmentsFile, LimitsFile, PackMeta
from cityloop.collect.sources.declarations import SourcesFile
from cityloop.command.declarations import CommandsFile
from cityloop.command.wiring import WiresFile
from cityloop.drill.devices import DevicesFile
from cityloop.drill.people import People
from cityloop.drill.plan import DrillPlan
from cityloop.emergency.declarations import ContactsFile, EmergencyFile, ResourcesFile
from cityloop.learn.forecast_content import ForecastsFile
from cityloop.quality.content import InspectionsFile, QualityFile
from cityloop.serve.notices.content import NoticesFile
from cityloop.serve.open311.content import Open311File
from cityloop.serve.webhooks import WebhooksFile
from cityloop.standard.code_lists import CodeListsFile
from cityloop.standard.declarations import FeedsFile
from cityloop.standard.types import StandardFile
from cityloop.steward.boards import BoardsFile
from cityloop.watch.cap_cases import CapFile
from cityloop.watch.rules import Rule

RulesFile = create_model("RulesFile", rules=(tuple[Rule, ...], ()))
MetricsFile = create_model("MetricsFile", dimensions=(tuple[Dimension, ...], ()), metrics=(tuple[Metric, ...], ()))
MODELS: Mapping[str, type[BaseModel]] = {
    "boards": BoardsFile,
    "cap": CapFile,
    "catalogues": CataloguesFile,
    "city": CityFile,
    "contacts": ContactsFile,
    "code_lists": CodeListsFile,
    "commands": CommandsFile,
    "departments": DepartmentsFile,
    "devices": DevicesFile,
    "drill": DrillPlan,
    "emergency": EmergencyFile,
    "feeds": FeedsFile,
    "forecasts": ForecastsFile,
    "inspections": InspectionsFile,
    "item": Item,
    "limits": LimitsFile,
    "metrics": MetricsFile,
    "notices": NoticesFile,
    "open311": Open311File,
    "pack": PackMeta,
    "people": People,
    "policy": Policy,
    "quality": QualityFile,
    "registers": RegistersFile,
    "resources": ResourcesFile,
    "responsibility": ResponsibilityFile,
    "rules": RulesFile,
    "sources": SourcesFile,
    "standard": StandardFile,
    "webhooks": WebhooksFile,
    "wires": WiresFile,
    "workflow": Workflow,
}
"""Name of a content file, without ``.yaml``, to what it holds."""
_SHORT = {"type": ["string", "number", "boolean", "array"]}
"""What may stand for a value that can be written short."""
_DIALECT = "https://json-schema.org/draft/2020-12/schema"


class _Schemas(GenerateJsonSchema):
    """Values that are made from a short form may be written either way."""

    def function_before_schema(self, schema: core_schema.BeforeValidatorFunctionSchema) -> JsonSchemaValue:
        if schema.get("json_schema_input_schema") is not None:
            return super().function_before_schema(schema)
        whole = super().function_before_schema(schema)
        if whole.get("type") == "object":
            # The keywords of objects do not touch a short form.
            return {**whole, "type": ["object", *_SHORT["type"]]}
        return {"anyOf": [whole, _SHORT]}


def schema_of(name: str) -> dict[str, Any]:
    """The schema of one kind of content file."""
    model = MODELS[name]
    found = TypeAdapter(model).json_schema(schema_generator=_Schemas, mode="validation")
    if name == "workflow":
        # A city lays some keys over the pack's; guards and effects are a name, or a name with a value.
        found.pop("required", None)
        found["$defs"]["Named"] = {"type": ["string", "object"], "minProperties": 1}
    return {"$schema": _DIALECT, "title": f"{name}.yaml", **{k: v for k, v in found.items() if k != "title"}}


def written(name: str) -> str:
    """The schema as the text of its file."""
    return json.dumps(schema_of(name), ensure_ascii=False, indent=1, sort_keys=True) + "\n"


def write_schemas(folder: Path) -> list[Path]:
    """Write all schemas; return their files."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in MODELS:
        (folder / f"{name}.json").write_text(written(name), encoding="utf-8")
    return [folder / f"{name}.json" for name in MODELS]
