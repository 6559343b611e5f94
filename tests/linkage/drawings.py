"""Diagrams for tests: the drill that is drawn in ``plans/``, and small ones put together from a few words."""

from __future__ import annotations

from pathlib import Path

from cityloop.core.values import Title
from cityloop.linkage.lint import lint
from cityloop.linkage.lint_known import PlanNames

FOLDER = Path(__file__).parent / "plans"
DRILL = (FOLDER / "flood-drill.bpmn").read_text(encoding="utf-8")


def unclear(text: str) -> Title | None:
    return None if text.endswith("小时") or text.endswith("分钟") else Title(zh="没有数字", en="it has no figure")


NAMES = PlanNames(departments={"water", "police"}, posts={"shift_leader"}, areas={"440304"}, unclear=unclear)
HEAD = (
    '<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL" '
    'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:cl="https://cityloop.org/ns/plan" '
    'xmlns:camunda="http://camunda.org/schema/1.0/bpmn" targetNamespace="t">'
)
KINDS = {
    "s": "startEvent", "e": "endEvent", "u": "userTask", "v": "serviceTask", "x": "exclusiveGateway",
    "p": "parallelGateway", "o": "inclusiveGateway", "c": "intermediateCatchEvent",
}  # fmt: skip
NOTE = (
    '<bpmn:extensionElements><cl:service name="notify"/><cl:input name="title" value="a"/>'
    '<cl:input name="text" value="b"/></bpmn:extensionElements>'
)
TIMER = '<bpmn:timerEventDefinition id="{0}-d"><bpmn:timeDuration>PT1M</bpmn:timeDuration></bpmn:timerEventDefinition>'


def drawn(flows: str, inside: dict[str, str] | None = None, more: str = "", lane: bool = True) -> str:
    """A diagram from words such as ``s1>u1 u1>e1``: the letter of an id is its kind; ``x1>u1?a=1`` has a condition.

    ``x1>>u1`` is the default. ``inside`` replaces what stands inside an element; ``more`` stands beside the elements.
    """
    ids: dict[str, None] = {}
    joins: list[str] = []
    defaults: dict[str, str] = {}
    for number, word in enumerate(flows.split()):
        pair, _, condition = word.partition("?")
        source, _, target = pair.replace(">>", ">").partition(">")
        ids |= {source: None, target: None}
        if ">>" in pair:
            defaults[source] = f"f{number}"
        body = f"<bpmn:conditionExpression>{condition}</bpmn:conditionExpression>" if condition else ""
        ends = f'name="{source} {target}" sourceRef="{source}" targetRef="{target}"'
        joins.append(f'<bpmn:sequenceFlow id="f{number}" {ends}>{body}</bpmn:sequenceFlow>')
    usual = {"v": NOTE, "c": TIMER}
    nodes = ""
    for one in ids:
        default = f' default="{defaults[one]}"' if one in defaults else ""
        body = (inside or {}).get(one, usual.get(one[0], "").format(one))
        nodes += f'<bpmn:{KINDS[one[0]]} id="{one}" name="{one}"{default}>{body}</bpmn:{KINDS[one[0]]}>'
    refs = "".join(f"<bpmn:flowNodeRef>{one}</bpmn:flowNodeRef>" for one in ids)
    who = '<bpmn:extensionElements><cl:department id="water"/></bpmn:extensionElements>'
    lanes = (
        f'<bpmn:laneSet id="ls"><bpmn:lane id="l1" name="水务">{who}{refs}</bpmn:lane></bpmn:laneSet>' if lane else ""
    )
    process = (
        f'<bpmn:process id="small" name="小" isExecutable="true">{lanes}{nodes}{"".join(joins)}{more}</bpmn:process>'
    )
    return f"{HEAD}{process}</bpmn:definitions>"


def codes(xml: str | bytes) -> set[tuple[str, str]]:
    """What lint says of a diagram: (element, code), without what is only pointed out."""
    return {(fault.element, fault.code) for fault in lint(xml, NAMES) if fault.severity == "error"}


def hints(xml: str) -> set[tuple[str, str]]:
    """The rest of what lint says."""
    return {(fault.element, fault.code) for fault in lint(xml, NAMES) if fault.severity == "warning"}
