"""Rules on how a diagram is joined: every way leads somewhere, choices are complete, nothing spins or gets stuck."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from cityloop.core.errors import Fault
from cityloop.linkage.catalogue import SERVICES
from cityloop.linkage.drawing import Drawing, Node
from cityloop.linkage.lint_phrases import PHRASES
from cityloop.linkage.soundness import Container, walk

_CHOICES = frozenset({"exclusiveGateway", "inclusiveGateway"})
_WAITING = frozenset({"userTask", "manualTask", "receiveTask", "intermediateCatchEvent", "boundaryEvent"})


def flow_faults(drawing: Drawing) -> list[Fault]:
    """All faults in how the elements are joined."""
    loose = [*_loose(drawing)]
    found = [*loose, *_choices(drawing)]
    for name in (drawing.id, *[node.id for node in drawing.nodes.values() if node.kind == "subProcess"]):
        container = Container(drawing, name)
        found += [*_reached(container), *_rushes(container)]
    return found if loose else [*found, *_walked(drawing)]


def _loose(drawing: Drawing) -> Iterator[Fault]:
    for flow in drawing.flows.values():
        for end in (flow.source, flow.target):
            if end not in drawing.nodes:
                yield PHRASES.fault(flow.id, "loose-flow", end=end)
    for node in drawing.nodes.values():
        if node.kind == "boundaryEvent" and node.attached not in drawing.nodes:
            yield PHRASES.fault(node.id, "boundary-nowhere")


def _choices(drawing: Drawing) -> Iterator[Fault]:
    """Every choice has a default, and a condition on every other way out."""
    for node in drawing.nodes.values():
        ways = drawing.outgoing[node.id]
        if node.default is not None and node.default not in {flow.id for flow in ways}:
            yield PHRASES.fault(node.id, "default-not-out", flow=node.default)
        if node.kind not in _CHOICES or len(ways) < 2:
            continue
        if node.default is None:
            yield PHRASES.fault(node.id, "no-default", count=len(ways))
        for flow in ways:
            if flow.id == node.default and flow.condition:
                yield PHRASES.fault(flow.id, "no-condition-needed", flow=flow.name or flow.id)
            elif flow.id != node.default and not flow.condition:
                yield PHRASES.fault(flow.id, "no-condition", flow=flow.name or flow.id)


def _reached(container: Container) -> Iterator[Fault]:
    """Everything is reached from a start, and an end from everything."""
    starts = [node.id for node in container.starts]
    beside = [node.id for node in container.nodes.values() if node.element.get("triggeredByEvent") == "true"]
    reached = _closure(starts, container.following)
    back: dict[str, list[str]] = {name: [] for name in container.nodes}
    for name in container.nodes:
        for follower in container.following(name):
            back[follower].append(name)
    ends = [name for name in container.nodes if not container.out[name]]
    leading = _closure(ends, back.__getitem__)
    for name in container.nodes:
        if name in beside:
            continue
        if starts and name not in reached:
            yield PHRASES.fault(name, "unreachable")
        elif name not in leading:
            yield PHRASES.fault(name, "no-way-out")


def _rushes(container: Container) -> Iterator[Fault]:
    """Loops in which nothing waits: what is left of the graph without the nodes that wait must have no cycle."""
    quick = [name for name, node in container.nodes.items() if not _waits(node)]
    onward = {name: [one for one in container.following(name) if one in quick] for name in quick}
    ahead = {name: _closure(onward[name], onward.__getitem__) for name in quick}
    told: set[str] = set()
    for name in quick:
        loop = [one for one in quick if one in ahead[name] and name in ahead[one]]
        if loop and name not in told:
            told |= set(loop)
            yield PHRASES.fault(name, "rush", loop="→".join(container.nodes[one].name or one for one in loop[:6]))


def _waits(node: Node) -> bool:
    service = next((one.get("name", "") for one in node.ours("service")), "")
    return node.kind in _WAITING or (service in SERVICES and SERVICES[service].waits)


def _walked(drawing: Drawing) -> Iterator[Fault]:
    found = walk(drawing)
    yield from (PHRASES.fault(name, "deadlock") for name in sorted(found.stuck))
    yield from (PHRASES.fault(name, "doubled") for name in sorted(found.doubled))
    if not found.whole:
        yield PHRASES.fault(drawing.id, "half-walked")


def _closure(first: Iterable[str], following: Callable[[str], Iterable[str]]) -> set[str]:
    """``first`` and all that follows."""
    found = set(first)
    waiting = list(found)
    while waiting:
        fresh = set(following(waiting.pop())) - found
        found |= fresh
        waiting += fresh
    return found
