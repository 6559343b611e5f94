"""Names and their values while an expression is evaluated, and how much it may still do."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from cityloop.feel.functions import BUILT_IN
from cityloop.feel.values import MOST, Exhausted, Value

CALLS = 40


class Budget:
    """Steps and nested calls that one evaluation may still take."""

    __slots__ = ("calls", "steps")

    def __init__(self) -> None:
        self.steps = MOST
        self.calls = CALLS

    def step(self) -> None:
        """Take one step; raises :class:`Exhausted`."""
        self.steps -= 1
        if self.steps < 0:
            raise Exhausted


class Scope:
    """Names and their values, over those of the scope around."""

    __slots__ = ("budget", "outer", "values")

    def __init__(self, values: Mapping[str, Value], outer: Scope | None = None) -> None:
        self.values = values
        self.outer = outer
        self.budget: Budget = outer.budget if outer else Budget()

    def get(self, name: str) -> Value:
        """The value of a name; a built-in function where nothing else has it, and null for one that is unknown."""
        scope: Scope | None = self
        while scope is not None:
            if name in scope.values:
                return scope.values[name]
            scope = scope.outer
        return BUILT_IN.get(name)

    def has(self, name: str) -> bool:
        """Whether a name has a value here or around."""
        return name in self.values or (self.outer is not None and self.outer.has(name))


Step = Callable[[Scope], Value]


def run(step: Step, scope: Scope) -> Value:
    """What ``step`` gives; null once it outgrows its bounds."""
    try:
        return step(scope)
    except (Exhausted, RecursionError):
        return None
