"""What differs between two diagrams, element by element, whatever moved on the canvas."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from xml.etree.ElementTree import Element

from cityloop.core.values import Title
from cityloop.linkage.drawing import BPMN, Drawing, local
from cityloop.linkage.plan_schemas import PlanChange, PlanKeyChange

_PLUMBING = frozenset(
    {"id", "sourceRef", "targetRef", "default", "attachedToRef", "name", "processRef", "isExecutable"}
)


def changes_between(before: Drawing | None, after: Drawing) -> list[PlanChange]:
    """Every element that was added, removed or changed, in the order of the newer diagram."""
    old = dict(_elements(before)) if before else {}
    new = dict(_elements(after))
    changes = []
    for name in [*new, *[one for one in old if one not in new]]:
        was, now = old.get(name), new.get(name)
        keys = _differences(was[2] if was else {}, now[2] if now else {})
        if keys:
            kind, title, _ = now or old[name]
            what = "changed" if was and now else "added" if now else "removed"
            changes.append(PlanChange(element=name, kind=kind, title=title, what=what, keys=keys))
    return changes


def redrawn(before: Drawing | None, after: Drawing) -> bool:
    """Whether anything is drawn elsewhere."""
    return before is not None and _shapes(before) != _shapes(after)


def _differences(was: Mapping[str, str], now: Mapping[str, str]) -> list[PlanKeyChange]:
    keys = [*was, *[key for key in now if key not in was]]
    pairs = [(key, was.get(key, ""), now.get(key, "")) for key in keys]
    return [PlanKeyChange(key=key, before=before, after=after) for key, before, after in pairs if before != after]


def _elements(drawing: Drawing) -> Iterator[tuple[str, tuple[str, Title, Mapping[str, str]]]]:
    yield drawing.id, ("process", drawing.title, {"name": drawing.process.get("name", ""), **_said(drawing.process)})
    for lane in drawing.lanes:
        who = ", ".join([*lane.departments, *lane.posts])
        yield lane.id, ("lane", lane.title, {"name": lane.name, "who": who})
    for node in drawing.nodes.values():
        lane = drawing.lane_of.get(node.id)
        plain = {
            "kind": node.kind,
            "name": node.name,
            "lane": lane.name if lane else "",
            "default": node.default or "",
            "attached to": node.attached or "",
        }
        yield node.id, (node.kind, node.title, {**plain, **_attributes(node.element), **_said(node.element)})
    for flow in drawing.flows.values():
        title = Title(zh=flow.name or flow.id, en=flow.name or flow.id)
        joins = {"name": flow.name, "from": flow.source, "to": flow.target, "condition": flow.condition or ""}
        yield flow.id, ("sequenceFlow", title, joins)


def _attributes(element: Element) -> dict[str, str]:
    return {key.rpartition("}")[2]: value for key, value in element.attrib.items() if key not in _PLUMBING}


def _said(element: Element) -> dict[str, str]:
    """What the element says inside itself: our extension, timers, documentation; each under a name of its own."""
    found: dict[str, str] = {}
    for child in element:
        kind = local(child)
        if kind == "documentation":
            found["documentation"] = (child.text or "").strip()
        elif kind.endswith("EventDefinition") or kind.endswith("LoopCharacteristics"):
            told = " ".join(f"{local(one)} {(one.text or '').strip()}" for one in child)
            found[kind] = told or "yes"
    for own in element.findall(f"{{{BPMN}}}extensionElements//*"):
        name = local(own)
        part = own.get("id") or own.get("name") or own.get("kind") or ""
        key = f"{name} {part}".strip() if name in {"field", "input", "trigger"} else name
        while key in found:
            key += "+"
        found[key] = " ".join(f"{attribute}={value}" for attribute, value in sorted(own.attrib.items()))
    return found


def _shapes(drawing: Drawing) -> list[tuple[tuple[str, str], ...]]:
    places = (one for one in drawing.root.iter() if local(one) in {"Bounds", "waypoint"})
    return [tuple(sorted(one.attrib.items())) for one in places]
