"""Small plans, drawn in a few words for tests."""

from __future__ import annotations

from html import escape

HEAD = (
    '<?xml version="1.0" encoding="UTF-8"?>'
    '<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL" '
    'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
    'xmlns:cl="https://cityloop.org/ns/plan" targetNamespace="https://cityloop.org/plans">'
)


def plan(
    *parts: str, id: str = "sample", triggers: str = "", lanes: dict[str, tuple[str, list[str]]] | None = None
) -> str:
    """A whole diagram; ``lanes`` give by name ``department:water`` or ``post:leader`` and the nodes in it."""
    laned = "".join(_lane(name, who, nodes) for name, (who, nodes) in (lanes or {}).items())
    head = f'<cl:title zh="示例预案" en="Sample plan"/>{triggers}'
    messages = '<bpmn:message id="Message_go" name="go"/>'
    return (
        f'{HEAD}{messages}<bpmn:process id="{id}" name="示例预案" isExecutable="true">'
        f"<bpmn:extensionElements>{head}</bpmn:extensionElements>"
        + (f'<bpmn:laneSet id="lanes">{laned}</bpmn:laneSet>' if laned else "")
        + "".join(parts)
        + "</bpmn:process></bpmn:definitions>"
    )


def start(id: str = "start") -> str:
    """A plain start."""
    return f'<bpmn:startEvent id="{id}"/>'


def end(id: str = "end") -> str:
    """A plain end."""
    return f'<bpmn:endEvent id="{id}"/>'


def user(id: str, fields: str = "", **task: str) -> str:
    """A user task; ``task`` are the attributes of its extension."""
    attributes = " ".join(f'{name}="{escape(value)}"' for name, value in task.items())
    inside = f"<bpmn:extensionElements><cl:task {attributes}>{fields}</cl:task></bpmn:extensionElements>"
    return f'<bpmn:userTask id="{id}" name="{id}">{inside}</bpmn:userTask>'


def service(id: str, name: str, result: str = "", **inputs: str) -> str:
    """A service task."""
    given = "".join(f'<cl:input name="{key}" value="{escape(value)}"/>' for key, value in inputs.items())
    given += f'<cl:result name="{result}"/>' if result else ""
    inside = f'<bpmn:extensionElements><cl:service name="{name}">{given}</cl:service></bpmn:extensionElements>'
    return f'<bpmn:serviceTask id="{id}" name="{id}">{inside}</bpmn:serviceTask>'


def gateway(id: str, kind: str = "exclusive", default: str = "") -> str:
    """A gateway."""
    told = f' default="{default}"' if default else ""
    return f'<bpmn:{kind}Gateway id="{id}"{told}/>'


def timer(id: str, duration: str) -> str:
    """An intermediate timer."""
    return f'<bpmn:intermediateCatchEvent id="{id}">{_duration(duration)}</bpmn:intermediateCatchEvent>'


def boundary(id: str, on: str, duration: str, *, cancel: bool = True) -> str:
    """A timer on the border of an activity."""
    told = "true" if cancel else "false"
    return (
        f'<bpmn:boundaryEvent id="{id}" attachedToRef="{on}" cancelActivity="{told}">'
        f"{_duration(duration)}</bpmn:boundaryEvent>"
    )


def message(id: str) -> str:
    """An event that waits for the message ``go``."""
    inside = f'<bpmn:messageEventDefinition id="{id}_m" messageRef="Message_go"/>'
    return f'<bpmn:intermediateCatchEvent id="{id}">{inside}</bpmn:intermediateCatchEvent>'


def flows(*pairs: str) -> str:
    """Flows written ``a > b`` or ``a > b : condition``; each is named ``a_b``."""
    return "".join(_flow(pair) for pair in pairs)


def _flow(pair: str) -> str:
    way, _, condition = pair.partition(":")
    source, target = (one.strip() for one in way.split(">"))
    body = f"<bpmn:conditionExpression>{escape(condition.strip())}</bpmn:conditionExpression>" if condition else ""
    ends = f'sourceRef="{source}" targetRef="{target}"'
    return f'<bpmn:sequenceFlow id="{source}_{target}" {ends}>{body}</bpmn:sequenceFlow>'


def _duration(text: str) -> str:
    return (
        f"<bpmn:timerEventDefinition><bpmn:timeDuration>{escape(text)}</bpmn:timeDuration></bpmn:timerEventDefinition>"
    )


def _lane(name: str, who: str, nodes: list[str]) -> str:
    kind, _, id = who.partition(":")
    refs = "".join(f"<bpmn:flowNodeRef>{node}</bpmn:flowNodeRef>" for node in nodes)
    inside = f'<bpmn:extensionElements><cl:{kind} id="{id}"/></bpmn:extensionElements>'
    return f'<bpmn:lane id="lane_{id}" name="{name}">{inside}{refs}</bpmn:lane>'
