"""Lineage as a graph: nodes, edges in the direction in which data flow, and what is reached from a node.

The graph is built from declarations alone and holds no data, so whoever may read the declarations may read it.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from cityloop.core.values import Frozen, Title

NodeKind = Literal[
    "source", "feed", "field", "code_list", "event", "column", "dataset", "rule", "warning", "case", "metric",
    "dimension", "tile", "inspection",
]  # fmt: skip
Direction = Literal["up", "down", "both"]


class Node(Frozen):
    """A declared thing. ``id`` is ``<kind>:<its own id>``; ``link`` is its place in the web client."""

    id: str
    kind: NodeKind
    title: Title
    link: str | None = None
    department: str | None = None


class Edge(Frozen):
    """Data flow from ``source`` to ``target``."""

    source: str
    target: str


class Slice(Frozen):
    """The part of a graph around one node. ``truncated``: there is more beyond the depth."""

    node: str
    nodes: list[Node]
    edges: list[Edge]
    truncated: bool


@dataclass
class Graph:
    """All nodes by id, and the edges both ways."""

    nodes: dict[str, Node] = field(default_factory=dict)
    below: dict[str, dict[str, None]] = field(default_factory=lambda: defaultdict(dict))
    above: dict[str, dict[str, None]] = field(default_factory=lambda: defaultdict(dict))

    def add(self, node: Node) -> str:
        """Add a node; the first of an id stays. Returns the id."""
        self.nodes.setdefault(node.id, node)
        return node.id

    def link(self, source: str, target: str) -> None:
        """Add an edge between two nodes that are there."""
        if source in self.nodes and target in self.nodes:
            self.below[source][target] = None
            self.above[target][source] = None

    def reach(self, start: str, direction: Direction, depth: int) -> Slice:
        """Nodes within ``depth`` steps of ``start`` up, down, or up and down (not sideways), and their edges."""
        found: dict[str, None] = {start: None}
        truncated = False
        for wanted, neighbours in (("up", self.above), ("down", self.below)):
            if direction in (wanted, "both"):
                more, cut = _walk(start, neighbours, depth)
                found.update(dict.fromkeys(more))
                truncated = truncated or cut
        edges = [Edge(source=a, target=b) for a in found for b in self.below.get(a, ()) if b in found]
        nodes = [self.nodes[name] for name in found]
        return Slice(node=start, nodes=nodes, edges=edges, truncated=truncated)

    def all_below(self, start: str) -> list[Node]:
        """Everything that data flow to from a node, nearest first, without the node itself."""
        return [self.nodes[name] for name in _walk(start, self.below, len(self.nodes))[0] if name != start]

    def all_above(self, start: str) -> list[Node]:
        """Everything that data come from, nearest first, without the node itself."""
        return [self.nodes[name] for name in _walk(start, self.above, len(self.nodes))[0] if name != start]

    def circle(self) -> Sequence[str]:
        """Nodes that cannot be put in an order because a circle runs through them; none, or the graph is wrong."""
        waiting = {name: len(self.above.get(name, ())) for name in self.nodes}
        free = deque(name for name, count in waiting.items() if count == 0)
        while free:
            name = free.popleft()
            del waiting[name]
            for target in self.below.get(name, ()):
                waiting[target] -= 1
                if waiting[target] == 0:
                    free.append(target)
        return sorted(waiting)


def _walk(start: str, neighbours: Mapping[str, Iterable[str]], depth: int) -> tuple[list[str], bool]:
    """Breadth first; the second value says whether something lies beyond ``depth``."""
    seen, edge = {start: None}, [start]
    for _ in range(depth):
        edge = [name for node in edge for name in neighbours.get(node, ()) if name not in seen]
        edge = list(dict.fromkeys(edge))
        if not edge:
            return list(seen), False
        seen.update(dict.fromkeys(edge))
    return list(seen), any(name not in seen for node in edge for name in neighbours.get(node, ()))
