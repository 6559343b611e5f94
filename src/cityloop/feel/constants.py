"""The constants that tests compare with: between two neighbours of them a cell gives the same answer."""

from __future__ import annotations

from collections.abc import Iterator

from cityloop.feel import tree
from cityloop.feel.evaluation import compiled
from cityloop.feel.functions import BUILT_IN
from cityloop.feel.language import Tests
from cityloop.feel.scope import Scope, run
from cityloop.feel.tree import Node, free
from cityloop.feel.values import Value


def constants(tests: Tests) -> list[Value] | None:
    """All values that ``tests`` name; none where a test is computed from other names or functions of the value."""
    if tests.names or any(_computed(node) for node in tests.trees):
        return None
    return [value for node in tests.trees for value in _values(node)]


def _values(node: Node) -> Iterator[Value]:
    if isinstance(node, _PARTED):
        for child in node.children():
            yield from _values(child)
    elif free(node) <= BUILT_IN.keys():
        yield run(compiled(node), Scope({}))


_PARTED = (
    tree.Test, tree.RangeOf, tree.ListOf, tree.Comparison, tree.Both, tree.Either, tree.In, tree.Between,
)  # fmt: skip


def _computed(node: Node) -> bool:
    """Whether the value under test goes into anything but comparisons."""
    if isinstance(node, tree.Name):
        return node.text != "?"
    if isinstance(node, _PARTED):
        return any(_computed(child) for child in node.children())
    return bool(free(node) & {"?"})
