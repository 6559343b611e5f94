"""From logic to a step that gives its value in a frame."""

from __future__ import annotations

from collections.abc import Callable
from functools import singledispatchmethod
from typing import Any, TypeVar

from cityloop import feel
from cityloop.core.errors import Fault
from cityloop.decide import model
from cityloop.decide.frame import Frame, Step
from cityloop.decide.model import Logic, Text
from cityloop.decide.tables import TableStep
from cityloop.decide.types import Misfit, Types
from cityloop.feel import FeelFault, Function

T = TypeVar("T")


class Builder:
    """Builds the steps of one file. ``known`` are all its names; texts outside the language are noted in ``faults``."""

    def __init__(self, known: tuple[str, ...], types: Types) -> None:
        self._known, self.types = known, types
        self.faults: list[Fault] = []

    def expression(self, text: Text) -> feel.Expression | None:
        """An expression, or none where it is no such thing."""
        return self._tried(lambda: feel.expression(text.text, self._known), text)

    def tests(self, text: Text) -> feel.Tests | None:
        """The tests of a cell, or none where they are no such thing."""
        return self._tried(lambda: feel.tests(text.text, self._known), text)

    def _tried(self, read: Callable[[], T], text: Text) -> T | None:
        try:
            return read()
        except FeelFault as fault:
            told = fault.faults[0]
            self.faults.append(
                Fault(f"{text.where}, {told.where}", told.what, told.mend, told.code, told.said, told.remedy)
            )
            return None

    @singledispatchmethod
    def step(self, logic: Logic) -> Step:
        """The step of a logic."""
        raise NotImplementedError(type(logic).__name__)

    @step.register
    def _expression(self, logic: model.Expression) -> Step:
        found = self.expression(logic.text)
        return (lambda frame: found.value(frame.values)) if found else lambda frame: None

    @step.register
    def _table(self, logic: model.Table) -> Step:
        return TableStep(logic, self.expression, self.tests, self.types)

    @step.register
    def _entries(self, logic: model.Entries) -> Step:
        steps = [(entry.variable, self.step(entry.logic)) for entry in logic.entries]

        def step(frame: Frame) -> Any:
            made: dict[str, Any] = {}
            for variable, part in steps:
                value = part(frame.having(made))
                if variable is None:
                    return value
                made[variable.name] = self.kept(value, variable)
            return made

        return step

    def kept(self, value: Any, variable: model.Variable) -> Any:
        """``value`` as the type of a variable; null where it does not fit."""
        try:
            return self.types.fitted(value, variable.type)
        except Misfit:
            return None

    @step.register
    def _items(self, logic: model.Items) -> Step:
        steps = [self.step(item) for item in logic.items]
        return lambda frame: [step(frame) for step in steps]

    @step.register
    def _relation(self, logic: model.Relation) -> Step:
        rows = [[self.step(cell) for cell in row] for row in logic.rows]
        return lambda frame: [{n: cell(frame) for n, cell in zip(logic.names, row, strict=False)} for row in rows]

    @step.register
    def _lambda(self, logic: model.Lambda) -> Step:
        body = self.step(logic.body)
        return lambda frame: self.function("", logic, body, frame)

    def function(self, name: str, logic: model.Lambda, body: Step, frame: Frame) -> Function:
        """A function whose body sees ``frame`` and its parameters."""
        names = tuple(parameter.name for parameter in logic.parameters)

        def run(arguments: list[Any]) -> Any:
            given = zip(logic.parameters, arguments, strict=True)
            return body(frame.having({parameter.name: self.kept(value, parameter) for parameter, value in given}))

        return Function(name, names, run, len(names))

    @step.register
    def _invocation(self, logic: model.Invocation) -> Step:
        called = self.step(logic.called)
        bindings = [(name, self.step(value)) for name, value in logic.bindings]

        def step(frame: Frame) -> Any:
            function = called(frame)
            if not isinstance(function, Function):
                return None
            given = {name: value(frame) for name, value in bindings}
            if set(given) - set(function.parameters) and not function.spread:
                return None
            return function.run([given.get(name) for name in function.parameters])

        return step

    @step.register
    def _choice(self, logic: model.Choice) -> Step:
        condition, then, other = self.step(logic.condition), self.step(logic.then), self.step(logic.other)
        return lambda frame: then(frame) if condition(frame) is True else other(frame)

    @step.register
    def _sieve(self, logic: model.Sieve) -> Step:
        of, condition = self.step(logic.of), self.step(logic.condition)

        def step(frame: Frame) -> Any:
            found = of(frame)
            items = found if isinstance(found, list) else [] if found is None else [found]
            return [item for item in items if condition(frame.having(_as_item(item))) is True]

        return step

    @step.register
    def _iteration(self, logic: model.Iteration) -> Step:
        over, body = self.step(logic.over), self.step(logic.body)
        turn = feel.expression(_TURNS[logic.form], ("body",))

        def step(frame: Frame) -> Any:
            def run(arguments: list[Any]) -> Any:
                item, partial = arguments
                return body(frame.having({logic.name: item, "partial": partial}))

            return turn.value({"items": over(frame), "body": Function("", ("item", "partial"), run, 2)})

        return step


_TURNS = {
    "for": "for turn in items return body(turn, partial)",
    "some": "some turn in items satisfies body(turn, null)",
    "every": "every turn in items satisfies body(turn, null)",
}
"""Boxed iterations are those of the language, over a body that is boxed."""


def _as_item(item: Any) -> dict[str, Any]:
    return {"item": item, **item} if isinstance(item, dict) else {"item": item}
