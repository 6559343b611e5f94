"""What a text means before it is evaluated: a tree of frozen nodes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Any

from cityloop.feel.kinds import Kind


@dataclass(frozen=True, slots=True)
class Node:
    """Base of all nodes."""

    def children(self) -> Iterator[Node]:
        """The nodes directly below."""
        for entry in fields(self):
            yield from _nodes(getattr(self, entry.name))


def _nodes(value: Any) -> Iterator[Node]:
    if isinstance(value, Node):
        yield value
    elif isinstance(value, tuple):
        for item in value:
            yield from _nodes(item)


@dataclass(frozen=True, slots=True)
class Literal(Node):
    value: Any


@dataclass(frozen=True, slots=True)
class Name(Node):
    text: str


@dataclass(frozen=True, slots=True)
class Path(Node):
    of: Node
    name: str


@dataclass(frozen=True, slots=True)
class Filter(Node):
    of: Node
    condition: Node


@dataclass(frozen=True, slots=True)
class Call(Node):
    """A call by position, or by ``named`` arguments."""

    function: Node
    arguments: tuple[Node, ...]
    named: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Negate(Node):
    of: Node


@dataclass(frozen=True, slots=True)
class Arithmetic(Node):
    sign: str
    left: Node
    right: Node


@dataclass(frozen=True, slots=True)
class Comparison(Node):
    sign: str
    left: Node
    right: Node


@dataclass(frozen=True, slots=True)
class Both(Node):
    left: Node
    right: Node


@dataclass(frozen=True, slots=True)
class Either(Node):
    left: Node
    right: Node


@dataclass(frozen=True, slots=True)
class Between(Node):
    value: Node
    low: Node
    high: Node


@dataclass(frozen=True, slots=True)
class Test(Node):
    """``< 5`` as it stands alone: a comparison whose left side is the value under test."""

    sign: str
    operand: Node


@dataclass(frozen=True, slots=True)
class In(Node):
    value: Node
    tests: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class InstanceOf(Node):
    value: Node
    kind: Kind


@dataclass(frozen=True, slots=True)
class If(Node):
    condition: Node
    then: Node
    other: Node


@dataclass(frozen=True, slots=True)
class Loop(Node):
    """One variable over a list, or over the whole numbers from ``over`` to ``until``."""

    name: str
    over: Node
    until: Node | None = None


@dataclass(frozen=True, slots=True)
class For(Node):
    loops: tuple[Loop, ...]
    body: Node


@dataclass(frozen=True, slots=True)
class Quantified(Node):
    every: bool
    loops: tuple[Loop, ...]
    body: Node


@dataclass(frozen=True, slots=True)
class ListOf(Node):
    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class ContextOf(Node):
    keys: tuple[str, ...]
    values: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class RangeOf(Node):
    low: Node
    high: Node
    low_closed: bool
    high_closed: bool


@dataclass(frozen=True, slots=True)
class FunctionOf(Node):
    parameters: tuple[str, ...]
    kinds: tuple[Kind, ...]
    body: Node


def free(node: Node, bound: frozenset[str] = frozenset()) -> frozenset[str]:
    """The names that ``node`` reads and does not define itself."""
    match node:
        case Name(text):
            return frozenset() if text in bound else frozenset({text})
        case Filter(of, condition):
            return free(of, bound) | free(condition, bound | {"item"})
        case For(loops, body) | Quantified(_, loops, body):
            return _free_in_loops(loops, body, bound)
        case ContextOf(keys, values):
            found: frozenset[str] = frozenset()
            for key, value in zip(keys, values, strict=True):
                found |= free(value, bound)
                bound |= {key}
            return found
        case FunctionOf(parameters, _, body):
            return free(body, bound | set(parameters))
        case _:
            return frozenset().union(*(free(child, bound) for child in node.children()))


def _free_in_loops(loops: tuple[Loop, ...], body: Node, bound: frozenset[str]) -> frozenset[str]:
    found: frozenset[str] = frozenset()
    for loop in loops:
        found |= free(loop.over, bound) | (free(loop.until, bound) if loop.until else frozenset())
        bound |= {loop.name}
    return found | free(body, bound | {"partial"})


def asks_value(node: Node) -> bool:
    """Whether ``node`` speaks of ``?``, the value under test."""
    return "?" in free(node)
