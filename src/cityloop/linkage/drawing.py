"""A plan's diagram as it is drawn: what its elements are, how they are joined, and what our extension says of them.

Read with a parser that refuses document types and entities, and never before the size is known to be bearable.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from functools import cached_property
from xml.etree.ElementTree import Element, ParseError, register_namespace, tostring

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring

from cityloop.core.errors import Invalid, TooLarge
from cityloop.core.values import Title
from cityloop.linkage.lint_phrases import PHRASES

BPMN = "http://www.omg.org/spec/BPMN/20100524/MODEL"
OURS = "https://cityloop.org/ns/plan"
LARGEST = 1_000_000
"""Bytes of a diagram."""
MOST_NODES = 400
DEEPEST = 60
"""Levels of elements inside each other."""
TASKS = frozenset({"task", "userTask", "serviceTask", "scriptTask", "manualTask", "sendTask", "receiveTask"})
GATEWAYS = frozenset({"exclusiveGateway", "parallelGateway", "inclusiveGateway", "eventBasedGateway"})
CONTAINERS = frozenset({"subProcess", "transaction", "adHocSubProcess"})
EVENTS = frozenset({"startEvent", "endEvent", "intermediateCatchEvent", "intermediateThrowEvent", "boundaryEvent"})
_OTHER_NODES = frozenset({"businessRuleTask", "callActivity", "complexGateway"})
PREFIXES = {
    "bpmn": BPMN,
    "bpmndi": "http://www.omg.org/spec/BPMN/20100524/DI",
    "dc": "http://www.omg.org/spec/DD/20100524/DC",
    "di": "http://www.omg.org/spec/DD/20100524/DI",
    "cl": OURS,
}
NODES = TASKS | GATEWAYS | CONTAINERS | EVENTS | _OTHER_NODES

for _prefix, _space in PREFIXES.items():
    register_namespace(_prefix, _space)


@dataclass(frozen=True)
class Flow:
    """A sequence flow; ``condition`` is its FEEL text."""

    id: str
    source: str
    target: str
    condition: str | None
    name: str


@dataclass(frozen=True, eq=False)
class Node:
    """One element that a run passes; ``kind`` is its BPMN name, ``inside`` the process or sub-process it stands in."""

    id: str
    kind: str
    name: str
    inside: str
    element: Element
    event: str = ""
    """What an event waits for or does: ``timer``, ``message``, ``terminate`` …; empty for a plain one."""

    @property
    def title(self) -> Title:
        """Its name for people."""
        return title_of(self.element, self.name or self.id)

    @property
    def attached(self) -> str | None:
        """For a boundary event: the activity on whose border it sits."""
        return self.element.get("attachedToRef")

    @property
    def interrupting(self) -> bool:
        """Whether a boundary event ends its activity."""
        return self.element.get("cancelActivity", "true") != "false"

    @property
    def default(self) -> str | None:
        """The flow that is taken when no other is."""
        return self.element.get("default")

    def ours(self, name: str) -> list[Element]:
        """Elements of our extension that it bears."""
        return extension(self.element, name)


@dataclass(frozen=True)
class Lane:
    """Who does what stands in it."""

    id: str
    name: str
    title: Title
    departments: tuple[str, ...]
    posts: tuple[str, ...]
    nodes: frozenset[str]


@dataclass(frozen=True, eq=False)
class Drawing:
    """One plan as drawn. ``flows`` and ``nodes`` are in the order of the file."""

    xml: str
    root: Element
    process: Element
    nodes: Mapping[str, Node]
    flows: Mapping[str, Flow]
    lanes: tuple[Lane, ...]
    twice: tuple[str, ...] = field(default=())
    """Ids that more than one element bears."""

    @property
    def id(self) -> str:
        """The plan's id."""
        return self.process.get("id", "")

    @property
    def title(self) -> Title:
        """The plan's name for people."""
        return title_of(self.process, self.process.get("name") or self.id)

    @property
    def note(self) -> str:
        """What the plan is for, as its documentation says."""
        return (self.process.findtext(f"{{{BPMN}}}documentation") or "").strip()

    @property
    def triggers(self) -> list[Element]:
        """What starts it."""
        return extension(self.process, "trigger")

    @property
    def drawn(self) -> bool:
        """Whether every node has a shape."""
        shapes = {shape.get("bpmnElement") for shape in self.root.iter() if local(shape) == "BPMNShape"}
        return shapes >= set(self.nodes)

    @cached_property
    def lane_of(self) -> Mapping[str, Lane]:
        """The lane of every node; what stands in a sub-process is in the lane of that."""
        found = {node: lane for lane in self.lanes for node in lane.nodes}
        for node in self.nodes.values():
            above = node
            while above.id not in found and above.inside in self.nodes:
                above = self.nodes[above.inside]
            if above.id in found:
                found.setdefault(node.id, found[above.id])
        return found

    @cached_property
    def incoming(self) -> Mapping[str, list[Flow]]:
        """Flows into every node."""
        return {node: [flow for flow in self.flows.values() if flow.target == node] for node in self.nodes}

    @cached_property
    def outgoing(self) -> Mapping[str, list[Flow]]:
        """Flows out of every node."""
        return {node: [flow for flow in self.flows.values() if flow.source == node] for node in self.nodes}

    def within(self, container: str) -> list[Node]:
        """Nodes that stand directly in a process or sub-process."""
        return [node for node in self.nodes.values() if node.inside == container]


def read(xml: str | bytes) -> Drawing:
    """Read one diagram.

    Raises :class:`TooLarge` above :data:`LARGEST` before anything is parsed, and :class:`Invalid` for what is not XML,
    brings a document type or entities, or is not one executable process.
    """
    raw = xml.encode() if isinstance(xml, str) else xml
    if len(raw) > LARGEST:
        raise PHRASES.problem(TooLarge, "too-large", size=len(raw), most=LARGEST)
    try:
        text = raw.decode()
        root = fromstring(text, forbid_dtd=True)
    except UnicodeDecodeError as error:
        raise _refused("not-utf8") from error
    except DefusedXmlException as error:
        raise _refused("document-type") from error
    except (ParseError, ValueError) as error:
        raise _refused("not-xml", why=str(error)) from error
    return _drawing(text, root)


def local(element: Element) -> str:
    """The name of an element without its namespace."""
    return element.tag.rpartition("}")[2]


def space(name: str) -> str:
    """The namespace of a name as the parser writes it; empty where there is none."""
    return name[1:].partition("}")[0] if name.startswith("{") else ""


def extension(element: Element, name: str) -> list[Element]:
    """Elements of our extension of an element, however they are nested in each other."""
    return element.findall(f"{{{BPMN}}}extensionElements//{{{OURS}}}{name}")


def title_of(element: Element, name: str) -> Title:
    """The bilingual title of an element: ours where it has one, else its name in both languages."""
    zh, en = (element.get(f"{{{OURS}}}title_{language}") for language in ("zh", "en"))
    told = next(iter(extension(element, "title")), None)
    if told is not None:
        zh, en = zh or told.get("zh"), en or told.get("en")
    return Title(zh=zh or name, en=en or name)


def joined(drawing: Drawing) -> Element:
    """A copy of the diagram in which every node names its flows: optional in BPMN, but bpmn-io asks for it."""
    root = deepcopy(drawing.root)
    by_id = {element.get("id"): element for element in root.iter() if local(element) in NODES}
    for name, element in by_id.items():
        if name not in drawing.nodes:
            continue
        for kind in ("incoming", "outgoing"):
            for old in element.findall(f"{{{BPMN}}}{kind}"):
                element.remove(old)
        place = sum(local(child) in {"documentation", "extensionElements"} for child in element)
        for kind, flows in (("outgoing", drawing.outgoing[name]), ("incoming", drawing.incoming[name])):
            for flow in reversed(flows):
                made = Element(f"{{{BPMN}}}{kind}")
                made.text = flow.id
                element.insert(place, made)
    return root


def written(root: Element) -> str:
    """A diagram as XML text."""
    return tostring(root, encoding="unicode")


def _refused(code: str, **parts: object) -> Invalid:
    return PHRASES.problem(Invalid, code, [PHRASES.fault("", code, **parts)], **parts)


def _drawing(text: str, root: Element) -> Drawing:
    if _deeper(root, DEEPEST):
        raise _refused("too-deep", most=DEEPEST)
    if root.tag != f"{{{BPMN}}}definitions":
        raise _refused("not-bpmn", root=local(root))
    processes = root.findall(f"{{{BPMN}}}process")
    if len(processes) != 1:
        raise _refused("one-process", count=len(processes))
    (process,) = processes
    nodes = list(_nodes(process, process.get("id", "")))
    flows = list(_flows(process))
    if len(nodes) > MOST_NODES:
        raise _refused("too-many-nodes", count=len(nodes), most=MOST_NODES)
    ids = [process.get("id", ""), *[node.id for node in nodes], *[flow.id for flow in flows]]
    return Drawing(
        xml=text,
        root=root,
        process=process,
        nodes={node.id: node for node in nodes},
        flows={flow.id: flow for flow in flows},
        lanes=tuple(_lanes(process)),
        twice=tuple(sorted({one for one in ids if ids.count(one) > 1})),
    )


def _deeper(root: Element, most: int) -> bool:
    level = [root]
    for _ in range(most):
        level = [child for element in level for child in element]
    return bool(level)


def _nodes(container: Element, inside: str) -> Iterator[Node]:
    for element in container:
        kind = local(element)
        if space(element.tag) != BPMN or kind not in NODES:
            continue
        node = Node(element.get("id", ""), kind, element.get("name", ""), inside, element, _event(element))
        yield node
        if kind in CONTAINERS:
            yield from _nodes(element, node.id)


def _event(element: Element) -> str:
    kinds = [local(child) for child in element if local(child).endswith("EventDefinition")]
    return "+".join(kind.removesuffix("EventDefinition") for kind in kinds)


def _flows(process: Element) -> Iterator[Flow]:
    for element in process.iter(f"{{{BPMN}}}sequenceFlow"):
        condition = element.findtext(f"{{{BPMN}}}conditionExpression")
        yield Flow(
            id=element.get("id", ""),
            source=element.get("sourceRef", ""),
            target=element.get("targetRef", ""),
            condition=None if condition is None else condition.strip(),
            name=element.get("name", ""),
        )


def _lanes(process: Element) -> Iterator[Lane]:
    for element in process.iter(f"{{{BPMN}}}lane"):
        name = element.get("name", "")
        yield Lane(
            id=element.get("id", ""),
            name=name,
            title=title_of(element, name),
            departments=tuple(one.get("id", "") for one in extension(element, "department")),
            posts=tuple(one.get("id", "") for one in extension(element, "post")),
            nodes=frozenset((ref.text or "").strip() for ref in element.findall(f"{{{BPMN}}}flowNodeRef")),
        )
