"""From the XML of DMN 1.2 to 1.5 to a model. No DTD, no entities, bounded in size; every fault names its place."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from xml.etree.ElementTree import Element, ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring

from cityloop.core.errors import Fault, Invalid
from cityloop.decide import boxed
from cityloop.decide.boxed import child, children, local, name_of, title_of, variable_of
from cityloop.decide.model import Decision, InputData, Item, Knowledge, Lambda, Model, Service
from cityloop.decide.phrases import PHRASES
from cityloop.decide.types import plain_type

LARGEST = 1_000_000
DEEPEST = 60
MOST_ELEMENTS = 50_000


def read(xml: str | bytes, where: str = "xml") -> tuple[Model, list[Fault]]:
    """The model of a file, and what is wrong with its elements; raises :class:`Invalid` for what is no DMN."""
    root = _root(xml, where)
    faults: list[Fault] = []
    reader = boxed.Boxed(where, faults)
    model = Model(
        name=root.get("name", ""),
        title=title_of(root, root.get("name", "")),
        items={item.name: item for item in (_item(e, where) for e in children(root, "itemDefinition"))},
        inputs=_by_id(
            root,
            "inputData",
            where,
            faults,
            lambda e: InputData(e.get("id") or name_of(e), variable_of(e), title_of(e)),
        ),
        decisions=_by_id(root, "decision", where, faults, lambda e: _decision(e, reader)),
        knowledge=_by_id(root, "businessKnowledgeModel", where, faults, lambda e: _knowledge(e, reader)),
        services=_by_id(root, "decisionService", where, faults, _service),
    )
    faults += [PHRASES.fault(f"{where} import", "import") for _ in children(root, "import")]
    return model, faults


def _root(xml: str | bytes, where: str) -> Element:
    data = xml.encode() if isinstance(xml, str) else xml
    if len(data) > LARGEST:
        raise _refused(where, "large", size=len(data), most=LARGEST)
    try:
        root: Element = fromstring(data, forbid_dtd=True)
    except DefusedXmlException as error:
        raise _refused(where, "entities") from error
    except (ParseError, ValueError, LookupError) as error:
        raise _refused(where, "xml", what=str(error)) from error
    if local(root) != "definitions" or "/spec/DMN/" not in root.tag:
        raise _refused(where, "not-dmn", found=root.tag[:120])
    _bounded(root, where)
    return root


def _bounded(root: Element, where: str) -> None:
    level, count, depth = [root], 0, 0
    while level:
        count, depth = count + len(level), depth + 1
        if depth > DEEPEST:
            raise _refused(where, "nested", most=DEEPEST)
        if count > MOST_ELEMENTS:
            raise _refused(where, "many", size=count, what="elements", most=MOST_ELEMENTS)
        level = [below for element in level for below in element]


def _refused(where: str, code: str, **parts: object) -> Invalid:
    return PHRASES.problem(Invalid, code, [PHRASES.fault(where, code, **parts)], **parts)


def _by_id(root: Element, tag: str, where: str, faults: list[Fault], make: Any) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for element in children(root, tag):
        id, place = element.get("id", ""), f"{where} {tag} '{name_of(element)}'"
        if not id:
            faults.append(PHRASES.fault(place, "no-id"))
        elif id in found:
            faults.append(PHRASES.fault(place, "id-twice", id=id))
        if not name_of(element):
            faults.append(PHRASES.fault(f"{where} {tag} '{id}'", "no-name"))
        found[id or name_of(element)] = make(element)
    return found


def _item(element: Element, where: str) -> Item:
    name = name_of(element)
    reference, allowed = child(element, "typeRef"), child(element, "allowedValues", "typeConstraint")
    return Item(
        name=name,
        type=plain_type((reference.text or "") if reference is not None else ""),
        collection=element.get("isCollection") == "true",
        components=tuple(_item(part, where) for part in children(element, "itemComponent")),
        allowed=boxed.text_in(allowed, f"{where} type '{name}'") if allowed is not None else None,
        function=child(element, "functionItem") is not None,
    )


def _decision(element: Element, reader: boxed.Boxed) -> Decision:
    where = f"{reader.where} '{title_of(element).en}'"
    return Decision(
        id=element.get("id") or name_of(element),
        variable=variable_of(element),
        title=title_of(element),
        logic=reader.inside(element, where),
        requires=tuple(_required(element)),
    )


def _required(element: Element) -> Iterator[str]:
    for requirement in children(element, "informationRequirement", "knowledgeRequirement"):
        for part in requirement:
            if local(part).startswith("required"):
                yield _reference(part)


def _reference(element: Element) -> str:
    return element.get("href", "").rpartition("#")[2]


def _knowledge(element: Element, reader: boxed.Boxed) -> Knowledge:
    body = child(element, "encapsulatedLogic")
    found = reader.function(body, f"{reader.where} '{name_of(element)}'") if body is not None else None
    return Knowledge(
        id=element.get("id") or name_of(element),
        variable=variable_of(element),
        function=found if isinstance(found, Lambda) else None,
        requires=tuple(_required(element)),
    )


def _service(element: Element) -> Service:
    inputs = [*children(element, "inputData"), *children(element, "inputDecision")]
    return Service(
        id=element.get("id") or name_of(element),
        variable=variable_of(element),
        outputs=tuple(_reference(part) for part in children(element, "outputDecision")),
        inputs=tuple(_reference(part) for part in inputs),
    )
