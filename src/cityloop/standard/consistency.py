"""Whether the parts of the standard fit each other: every misfit with its key and how to mend it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

from cityloop.core.content import Key
from cityloop.standard.check_rules import (
    CheckRule,
    CrossRule,
    EnumRule,
    JumpRule,
    PatternRule,
    RangeRule,
    ReferenceRule,
    StuckRule,
    properties_of,
)
from cityloop.standard.code_lists import CodeList
from cityloop.standard.comparisons import comparison_faults
from cityloop.standard.expressions import ExpressionError, parse
from cityloop.standard.indices import index_faults
from cityloop.standard.types import EntityType, Property, Relation

Found = tuple[Key, str, str]
"""Key within the part, what is wrong, how to mend it."""


def type_faults(entity_type: EntityType, types: Collection[str], lists: Mapping[str, CodeList]) -> Iterator[Found]:
    """What does not fit in one entity type, beside the other types and the code lists."""
    for number, item in enumerate(entity_type.properties):
        for key, what, mend in _list_faults(item, lists):
            yield ("properties", number, key), what, mend
    for number, relation in enumerate(entity_type.relations):
        for key, what, mend in _relation_faults(relation, entity_type, types):
            yield ("relations", number, key), what, mend
    for number, index in enumerate(entity_type.indices):
        for where, what, mend in index_faults(index, entity_type):
            yield ("indices", number, *where), what, mend
    yield from comparison_faults(entity_type)
    yield from check_faults(entity_type.checks, entity_type, types)


def check_faults(rules: Sequence[CheckRule], entity_type: EntityType, types: Collection[str]) -> Iterator[Found]:
    """Checks that name unknown properties, or properties they cannot judge."""
    for number, rule in enumerate(rules):
        for key, what, mend in _rule_faults(rule, entity_type, types):
            yield ("checks", number, *key), what, mend


def _list_faults(item: Property, lists: Mapping[str, CodeList]) -> Iterator[tuple[str, str, str]]:
    if item.code_list is None:
        return
    found = lists.get(item.code_list)
    if found is None:
        yield "code_list", f"there is no code list '{item.code_list}'", f"known: {_some(lists)}"
    elif item.code_under is not None and item.code_under not in {code.code for code in found.codes}:
        yield "code_under", f"'{item.code_under}' is no code of '{found.id}'", "name a code of the list"


def _relation_faults(
    relation: Relation, entity_type: EntityType, types: Collection[str]
) -> Iterator[tuple[str, str, str]]:
    if relation.target not in types:
        yield "target", f"the standard has no entity type '{relation.target}'", f"known: {_some(types)}"
    item = entity_type.find(relation.property)
    if item is None or item.kind != "text":
        texts = [p.id for p in entity_type.properties if p.kind == "text"]
        yield "property", f"'{relation.property}' is no text of {entity_type.id}", f"known: {_some(texts)}"


def _rule_faults(rule: CheckRule, entity_type: EntityType, types: Collection[str]) -> Iterator[Found]:
    unknown = [name for name in properties_of(rule) if entity_type.find(name) is None]
    if unknown:
        known = _some(p.id for p in entity_type.properties)
        key = "holds" if isinstance(rule, CrossRule) else "property"
        yield (key,), f"{entity_type.id} has no property '{unknown[0]}'", f"known: {known}"
        return
    if isinstance(rule, CrossRule):
        try:
            parse(rule.holds).compiled(entity_type.kinds, wanted="flag")
        except ExpressionError as error:
            yield ("holds",), str(error), "see docs/standard.md, expressions"
        return
    kinds = {item.kind for name in properties_of(rule) if (item := entity_type.find(name))}
    if isinstance(rule, RangeRule | JumpRule | StuckRule) and not kinds <= {"number", "integer"}:
        yield ("property",), f"{rule.rule} judges numbers, '{rule.property}' is a {kinds.pop()}", "choose a number"
    if isinstance(rule, PatternRule | EnumRule | ReferenceRule) and kinds != {"text"}:
        yield ("property",), f"{rule.rule} judges texts, '{rule.property}' is a {kinds.pop()}", "choose a text"
    if isinstance(rule, ReferenceRule) and rule.entity_type not in types:
        yield ("entity_type",), f"the standard has no entity type '{rule.entity_type}'", f"known: {_some(types)}"


def _some(names: Collection[str] | Iterator[str]) -> str:
    return ", ".join(sorted(names)) or "none"
