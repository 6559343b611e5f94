"""Everything that is wrong with a plan's diagram, each fault at the id of its element, in both languages.

bpmn-io's linter knows what any BPMN diagram should be; our own rules know what can run here: no scripts, only known
extensions and services, FEEL that compiles, a lane for every task, choices with a default, bounded timers, no loop that
spins and no join that waits for ever.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from importlib import import_module
from typing import Any, Literal
from xml.etree.ElementTree import Element

from bpmn_io import BpmnModdle
from bpmn_io.lint import Linter
from bpmn_io.lint.resolver import StaticResolver

from cityloop.core.errors import Fault, Invalid
from cityloop.core.values import Frozen, Title
from cityloop.linkage.drawing import BPMN, OURS, Drawing, joined, local, read, space, written
from cityloop.linkage.lint_flow import flow_faults
from cityloop.linkage.lint_known import EXTENSION, PlanNames
from cityloop.linkage.lint_phrases import MILD, PHRASES
from cityloop.linkage.lint_steps import step_faults

_PLAN_ID = re.compile(r"[a-z][a-z0-9-]{0,59}")
_DRAWING_SPACES = frozenset({
    BPMN, OURS, "", "http://www.omg.org/spec/BPMN/20100524/DI", "http://www.omg.org/spec/DD/20100524/DC",
    "http://www.omg.org/spec/DD/20100524/DI", "http://bpmn.io/schema/bpmn/biocolor/1.0",
    "http://www.omg.org/spec/BPMN/non-normative/color/1.0", "http://www.w3.org/2001/XMLSchema-instance",
})  # fmt: skip
_RULES = {
    "start-event-required": "no-start",
    "end-event-required": "no-end",
    "single-blank-start-event": "several-starts",
    "no-implicit-split": "implicit-split",
    "no-implicit-start": "implicit-start",
    "no-implicit-end": "implicit-end",
    "no-disconnected": "disconnected",
    "no-duplicate-sequence-flows": "flow-twice",
    "no-complex-gateway": "complex-gateway",
    "event-based-gateway": "event-gateway",
    "single-event-definition": "several-events",
    "link-event": "link-event",
    "ad-hoc-sub-process": "ad-hoc",
    "sub-process-blank-start-event": "sub-start",
    "event-sub-process-typed-start-event": "event-sub-start",
    "label-required": "no-label",
    "no-bpmndi": "no-shape",
    "no-overlapping-elements": "overlapping",
    "fake-join": "fake-join",
    "no-gateway-join-fork": "join-fork",
    "superfluous-gateway": "superfluous-gateway",
    "superfluous-termination": "superfluous-end",
}
"""Rules of bpmn-io's linter that are asked, and our code for what each of them finds."""


class PlanFault(Frozen):
    """One thing that is wrong with a diagram; ``element`` is empty where it is the file as a whole."""

    element: str
    code: str
    severity: Literal["error", "warning"]
    what: Title
    mend: Title


def lint(xml: str | bytes, names: PlanNames) -> list[PlanFault]:
    """All faults of a diagram, errors first; a diagram that cannot be read has those of its reading."""
    try:
        return lint_drawing(read(xml), names)
    except Invalid as refusal:
        return [_told(fault) for fault in refusal.faults]


def lint_drawing(drawing: Drawing, names: PlanNames) -> list[PlanFault]:
    """The same for a diagram that was read."""
    found = [*_document(drawing), *_extensions(drawing)]
    if not drawing.twice:
        found += [*flow_faults(drawing), *step_faults(drawing, names), *_linter(drawing)]
    told = dict.fromkeys(map(_told, found))
    return sorted(told, key=lambda fault: fault.severity != "error")


def errors(faults: list[PlanFault]) -> list[PlanFault]:
    """The faults with which a plan cannot come into force."""
    return [fault for fault in faults if fault.severity == "error"]


def _told(fault: Fault) -> PlanFault:
    return PlanFault(
        element=fault.where,
        code=fault.code,
        severity="warning" if fault.code in MILD else "error",
        what=fault.said or Title(zh=fault.what, en=fault.what),
        mend=fault.remedy or Title(zh=fault.mend, en=fault.mend),
    )


def _document(drawing: Drawing) -> Iterator[Fault]:
    if not _PLAN_ID.fullmatch(drawing.id):
        yield PHRASES.fault(drawing.id, "bad-plan-id", id=drawing.id)
    if drawing.process.get("isExecutable") != "true":
        yield PHRASES.fault(drawing.id, "not-executable")
    for name in drawing.twice:
        yield PHRASES.fault(name, "id-twice", id=name) if name else PHRASES.fault(drawing.id, "no-id", kind="element")


def _extensions(drawing: Drawing) -> Iterator[Fault]:
    """Nothing but BPMN, its drawing and our own words; scripts nowhere."""
    yield from _extension(drawing.root, drawing.id)


def _extension(element: Element, where: str) -> Iterator[Fault]:
    here = element.get("id") if space(element.tag) == BPMN and element.get("id") else where
    named = here or where
    if space(element.tag) not in _DRAWING_SPACES:
        yield PHRASES.fault(named, "unknown-extension", name=_short(element.tag))
        return
    if space(element.tag) == OURS:
        yield from _own(element, named)
    elif local(element) in {"script", "scriptTask"}:
        yield PHRASES.fault(named, "script")
    for name in element.attrib:
        if space(name) not in _DRAWING_SPACES:
            yield PHRASES.fault(named, "unknown-extension", name=_short(name))
    for child in element:
        yield from _extension(child, named)


def _own(element: Element, where: str) -> Iterator[Fault]:
    name = local(element)
    if name not in EXTENSION:
        yield PHRASES.fault(where, "unknown-extension", name=f"cl:{name}")
        return
    for key in element.attrib:
        if key not in EXTENSION[name]:
            known = ", ".join(EXTENSION[name])
            yield PHRASES.fault(where, "unknown-attribute", element=f"cl:{name}", name=_short(key), known=known)


def _short(name: str) -> str:
    return name.rpartition("}")[2] if not name.startswith("{") else f"{space(name)} {name.rpartition('}')[2]}"


def _linter(drawing: Drawing) -> Iterator[Fault]:
    """What bpmn-io's linter finds; a diagram without any shape is laid out later, so it is not told of each."""
    root = BpmnModdle().from_xml(written(joined(drawing))).root_element
    drawn = any(local(element) == "BPMNShape" for element in drawing.root.iter())
    # A linter of its own each time: some of its rules remember what they have seen.
    linter = Linter(resolver=StaticResolver(_factories()))
    for rule, reports in linter.lint(root, {"rules": dict.fromkeys(_asked(drawn), "error")}).items():
        for report in reports:
            where = str(report.get("id") or drawing.id)
            if rule == "label-required" and where not in drawing.nodes:
                continue
            yield PHRASES.fault(where, _RULES[rule])


def _asked(drawn: bool) -> list[str]:
    return [rule for rule, code in _RULES.items() if drawn or code not in {"no-shape", "overlapping"}]


@lru_cache(1)
def _factories() -> dict[str, Any]:
    """The rules that are asked, found without looking into the working directory."""
    modules = {rule: import_module(f"bpmn_io.lint.rules.{rule.replace('-', '_')}") for rule in _RULES}
    return {f"rule:bpmnlint/{rule}": module.factory for rule, module in modules.items()}
