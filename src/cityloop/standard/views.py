"""What the standard answers on the wire."""

from __future__ import annotations

from datetime import date
from typing import Any

from cityloop.core.values import Frozen, Title
from cityloop.standard.check_rules import CheckRule, CrossRule, properties_of
from cityloop.standard.code_lists import CodeList
from cityloop.standard.mapping import FeedMapping
from cityloop.standard.types import EntityType, Property


class StandardView(Frozen):
    """The standard in figures; ``version`` changes with its content."""

    version: str
    entity_types: int
    properties: int
    code_lists: int
    codes: int
    feeds: int
    units: int


class TypeRow(Frozen):
    """An entity type in a list."""

    id: str
    title: Title
    version: str
    model: str
    properties: int
    relations: int
    feeds: list[str]


class PropertyRow(Frozen):
    """A property with everything declared of it."""

    id: str
    title: Title
    description: Title | None
    kind: str
    unit: str
    symbol: str
    dimension: str
    min: float | None
    max: float | None
    enum: list[str]
    pattern: str | None
    code_list: str | None
    required: bool
    sensitivity: str
    synonyms: list[str]


class RelationRow(Frozen):
    """A relation to another type."""

    id: str
    title: Title
    target: str
    property: str
    cardinality: str


class CheckRow(Frozen):
    """A declared check, with the sentence that tells it."""

    rule: str
    severity: str
    properties: list[str]
    declaration: dict[str, Any]
    text: Title


class FeedRow(Frozen):
    """A feed that fills a type."""

    id: str
    title: Title
    department: str


class TypeDetail(Frozen):
    """An entity type, whole."""

    id: str
    title: Title
    description: Title | None
    version: str
    model: str
    synonyms: list[str]
    keys: list[str]
    properties: list[PropertyRow]
    relations: list[RelationRow]
    checks: list[CheckRow]
    feeds: list[FeedRow]


class ListRow(Frozen):
    """A code list in a list."""

    id: str
    title: Title
    source: str
    codes: int
    used_by: list[str]


class CodeRow(Frozen):
    """A code; ``valid``: in force on the day that was asked for."""

    code: str
    title: Title
    valid_from: date | None
    valid_to: date | None
    parent: str | None
    synonyms: list[str]
    valid: bool


class ListDetail(Frozen):
    """A code list, whole, parents before children."""

    id: str
    title: Title
    source: str
    used_by: list[str]
    codes: list[CodeRow]


class UnitRow(Frozen):
    """A unit of measurement."""

    code: str
    symbol: str
    dimension: str


class FeedText(Frozen):
    """A feed's declaration, as JSON and as the text of a ``feeds.yaml``."""

    declaration: dict[str, Any]
    yaml: str


def property_row(item: Property) -> PropertyRow:
    """A property as it crosses the wire."""
    plain = item.model_dump(include=set(PropertyRow.model_fields) - {"symbol", "dimension"})
    dimension = item.measure.dimension if item.measure else ""
    return PropertyRow.model_validate({**plain, "symbol": item.symbol, "dimension": dimension})


def check_row(rule: CheckRule) -> CheckRow:
    """A check as it crosses the wire."""
    plain = rule.model_dump(mode="json", exclude_defaults=True)
    rest = {key: value for key, value in plain.items() if key not in ("rule", "severity", "title", "property")}
    names = list(properties_of(rule))
    shown = ", ".join(f"{key} = {value}" for key, value in rest.items())
    told = rule.holds if isinstance(rule, CrossRule) else f"{', '.join(names)}: {shown}" if shown else ", ".join(names)
    return CheckRow(
        rule=rule.rule,
        severity=rule.severity,
        properties=names,
        declaration={"rule": rule.rule, "severity": rule.severity, **plain},
        text=rule.title or Title(zh=told, en=told),
    )


def type_detail(item: EntityType, feeds: list[FeedMapping]) -> TypeDetail:
    """An entity type with the feeds that fill it."""
    return TypeDetail(
        id=item.id,
        title=item.title,
        description=item.description,
        version=item.version,
        model=item.model,
        synonyms=list(item.synonyms),
        keys=list(item.keys),
        properties=[property_row(one) for one in item.properties],
        relations=[RelationRow.model_validate(r.model_dump(exclude={"severity"})) for r in item.relations],
        checks=[check_row(rule) for rule in item.checks],
        feeds=[FeedRow(id=f.id, title=f.declaration.title, department=f.declaration.department) for f in feeds],
    )


def list_detail(item: CodeList, used_by: list[str], day: date) -> ListDetail:
    """A code list as of a day, every parent before its children."""
    rows = [CodeRow.model_validate({**code.model_dump(), "valid": code.valid(day)}) for code in _parents_first(item)]
    return ListDetail(id=item.id, title=item.title, source=item.source, used_by=used_by, codes=rows)


def _parents_first(item: CodeList) -> list[Any]:
    parents = {code.code: code.parent for code in item.codes}

    def depth(code: str | None) -> int:
        return 0 if code is None else 1 + depth(parents.get(code))

    return sorted(item.codes, key=lambda code: depth(code.parent))
