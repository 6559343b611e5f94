"""The language as other rooms use it: a text becomes an expression or the tests of a cell, once, and is asked often."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

from cityloop.feel.evaluation import any_of, compiled, compiled_test
from cityloop.feel.functions import BUILT_IN
from cityloop.feel.grammar import read_expression, read_tests
from cityloop.feel.scope import Scope, run
from cityloop.feel.tree import Node, free
from cityloop.feel.values import Value, adopt, negated


class Expression:
    """A text that gives a value. ``names`` are those it reads and does not define."""

    def __init__(self, text: str, known: Iterable[str] = ()) -> None:
        self.text = text
        self.tree: Node = read_expression(text, known, BUILT_IN)
        self._reads = free(self.tree)
        self.names = self._reads - BUILT_IN.keys()
        self._step = compiled(self.tree)

    def value(self, context: Mapping[str, Any]) -> Value:
        """What the text gives over ``context``; a name that it has not is null. Never raises for data."""
        return run(self._step, Scope(_taken(self._reads, context)))

    def __repr__(self) -> str:
        return f"Expression({self.text!r})"


class Tests:
    """The tests of one cell; ``-`` always holds."""

    def __init__(self, text: str, known: Iterable[str] = ()) -> None:
        self.text = text
        self.trees, self.denied = read_tests(text, known, BUILT_IN)
        self._reads = frozenset[str]().union(*(free(node) for node in self.trees)) - {"?"}
        self.names = self._reads - BUILT_IN.keys()
        self._tests = [compiled_test(node) for node in self.trees]

    def holds(self, value: Any, context: Mapping[str, Any] | None = None) -> bool | None:
        """Whether ``value`` passes; null where that cannot be said. Never raises for data."""
        if not self._tests:
            return True
        scope = Scope(_taken(self._reads, context or {}))
        tested = adopt(value)
        answer = run(lambda inner: any_of(test(inner, tested) for test in self._tests), scope)
        return negated(answer) if self.denied else answer

    def __repr__(self) -> str:
        return f"Tests({self.text!r})"


def _taken(names: frozenset[str], context: Mapping[str, Any]) -> dict[str, Value]:
    dotted = {name.partition(".")[0] for name in names if name not in context and "." in name}
    return {name: adopt(context[name]) for name in names | dotted if name in context}


def expression(text: str, names: Iterable[str] = ()) -> Expression:
    """The expression of a text. ``names`` are known names that are more than one word, or functions of the caller.

    Raises :class:`FeelFault` for a text outside the language.
    """
    return _expression(text, tuple(names))


def tests(text: str, names: Iterable[str] = ()) -> Tests:
    """The tests of a cell. Raises :class:`FeelFault`."""
    return _tests(text, tuple(names))


@lru_cache(4096)
def _expression(text: str, names: tuple[str, ...]) -> Expression:
    return Expression(text, names)


@lru_cache(4096)
def _tests(text: str, names: tuple[str, ...]) -> Tests:
    return Tests(text, names)
