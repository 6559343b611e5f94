"""Whether a diagram can get stuck: every way that its tokens can go is walked, without running anything.

A container (the process, a sub-process) is walked by itself; an activity counts as done, or as left by a boundary
event. Tokens move in the order of the drawing and wait at joins for each other, so only choices make ways differ. The
walk of a container ends at :data:`MOST_STATES` states: then :attr:`Walk.whole` is false, and only what was met is said.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import combinations

from cityloop.linkage.drawing import Drawing, Flow, Node

MOST_STATES = 20_000
MOST_CHOICES = 6
"""Ways out of one inclusive gateway of which every selection is tried; of more only the single ones and all."""
_JOINS = frozenset({"parallelGateway", "inclusiveGateway"})
Marking = frozenset[str]
"""Flows that hold a token."""


@dataclass
class Walk:
    """What was met: joins at which tokens stay behind for ever, and nodes that run once for each of several tokens."""

    stuck: set[str] = field(default_factory=set)
    doubled: set[str] = field(default_factory=set)
    whole: bool = True


def walk(drawing: Drawing) -> Walk:
    """Walk the process and each of its sub-processes."""
    found = Walk()
    for container in (drawing.id, *[node.id for node in drawing.nodes.values() if node.kind == "subProcess"]):
        Container(drawing, container).explore(found)
    return found


class Container:
    """The graph of what stands directly in a process or sub-process; flows that leave it are left out."""

    def __init__(self, drawing: Drawing, container: str) -> None:
        self.nodes = {node.id: node for node in drawing.within(container)}
        flows = [flow for flow in drawing.flows.values() if flow.source in self.nodes and flow.target in self.nodes]
        self.flows = {flow.id: flow for flow in flows}
        self.into: dict[str, list[Flow]] = {name: [] for name in self.nodes}
        self.out: dict[str, list[Flow]] = {name: [] for name in self.nodes}
        for flow in flows:
            self.into[flow.target].append(flow)
            self.out[flow.source].append(flow)
        self.boundaries: dict[str, list[Node]] = {name: [] for name in self.nodes}
        for node in self.nodes.values():
            if node.kind == "boundaryEvent" and node.attached in self.boundaries:
                self.boundaries[node.attached].append(node)

    @property
    def starts(self) -> list[Node]:
        """Where runs begin."""
        return [node for node in self.nodes.values() if node.kind == "startEvent"]

    def following(self, name: str) -> Iterator[str]:
        """The nodes that may come next, by a flow or by a boundary event."""
        yield from (event.id for event in self.boundaries[name])
        yield from (flow.target for flow in self.out[name])

    def explore(self, found: Walk) -> None:
        """Visit every marking that can be reached; each start event begins a walk of its own."""
        for start in self.starts:
            first = self._given(start)
            seen, waiting = {first}, [first]
            while waiting:
                if len(seen) > MOST_STATES:
                    found.whole = False
                    break
                fresh = self._next(waiting.pop(), found) - seen
                seen |= fresh
                waiting += fresh

    def _next(self, marking: Marking, found: Walk) -> set[Marking]:
        """The markings after one step: of the free token that comes first in the drawing, else of a join."""
        if not marking:
            return set()
        names = sorted({self.flows[flow].target for flow in marking}, key=self._rank.__getitem__)
        free = next((name for name in names if not self._joins(name)), None)
        name = free or next((name for name in names if self._complete(name, marking)), None)
        if name is None:
            found.stuck |= set(names)
            return set()
        here = marking & {flow.id for flow in self.into[name]}
        node = self.nodes[name]
        if free and len(here) > 1 and node.kind != "endEvent":
            found.doubled.add(name)
        if node.kind == "endEvent" and "terminate" in node.event:
            return set()
        taken = frozenset({min(here)}) if free and node.kind != "endEvent" else here
        return {(marking - taken) | given for given in self._ways(node)}

    def _joins(self, name: str) -> bool:
        return self.nodes[name].kind in _JOINS and len(self.into[name]) > 1

    def _complete(self, name: str, marking: Marking) -> bool:
        """Whether a join has all the tokens that it waits for."""
        into = {flow.id for flow in self.into[name]}
        missing = into - marking
        if self.nodes[name].kind == "parallelGateway":
            return not missing
        return not any(missing & self._ahead(flow) for flow in marking - into)

    def _ways(self, node: Node) -> Iterator[Marking]:
        """Every set of tokens that a node may give."""
        given = self._given(node)
        if not given:
            yield given
        elif node.kind in {"exclusiveGateway", "eventBasedGateway"}:
            yield from (frozenset({flow}) for flow in given)
        elif node.kind == "inclusiveGateway":
            sizes = range(1, len(given) + 1) if len(given) <= MOST_CHOICES else (1, len(given))
            yield from (frozenset(chosen) for size in sizes for chosen in combinations(sorted(given), size))
        else:
            yield given
        for event in self.boundaries[node.id]:
            beside = self._given(event)
            yield beside if event.interrupting else given | beside

    def _given(self, node: Node) -> Marking:
        return frozenset(flow.id for flow in self.out[node.id])

    @cached_property
    def _rank(self) -> Mapping[str, int]:
        """Places in an order in which, loops aside, everything stands after what leads to it."""
        order: list[str] = []
        seen: set[str] = set()
        for root in [*[start.id for start in self.starts], *self.nodes]:
            stack = [(root, self.following(root))] if root not in seen else []
            seen.add(root)
            while stack:
                step = next((one for one in stack[-1][1] if one not in seen), None)
                if step is None:
                    order.append(stack.pop()[0])
                else:
                    seen.add(step)
                    stack.append((step, self.following(step)))
        return {name: -place for place, name in enumerate(order)}

    def _ahead(self, flow: str) -> set[str]:
        """The flows to which a token on ``flow`` can come."""
        if flow not in self._reach:
            nodes, waiting = {self.flows[flow].target}, [self.flows[flow].target]
            while waiting:
                fresh = set(self.following(waiting.pop())) - nodes
                nodes |= fresh
                waiting += fresh
            self._reach[flow] = {one.id for name in nodes for one in self.out[name]}
        return self._reach[flow]

    @cached_property
    def _reach(self) -> dict[str, set[str]]:
        return {}
