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
from cityloop.feel.evaluation import any_of
from cityloop.feel.values import negated

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
            given = dict(zip(names, arguments, strict=True))
            values = {parameter.name: self.kept(given[parameter.name], parameter) for parameter in logic.parameters}
            if any(values[name] is None and given[name] is not None for name in names):
                return None
            return body(frame.having(values))

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

        def step(frame: Frame) -> Any:
            answer = condition(frame)
            if answer is not None and not isinstance(answer, bool):
                return None
            return then(frame) if answer else other(frame)

        return step

    @step.register
    def _sieve(self, logic: model.Sieve) -> Step:
        of, condition = self.step(logic.of), self.step(logic.condition)

        def step(frame: Frame) -> Any:
            found = of(frame)
            items = found if isinstance(found, list) else [] if found is None else [found]
            answers = [condition(frame.having(_as_item(item))) for item in items]
            if not all(answer is None or isinstance(answer, bool) for answer in answers):
                return None
            return [item for item, answer in zip(items, answers, strict=True) if answer]

        return step

    @step.register
    def _iteration(self, logic: model.Iteration) -> Step:
        over, body = self.step(logic.over), self.step(logic.body)
        settle = _SETTLED[logic.form]

        def step(frame: Frame) -> Any:
            def run(arguments: list[Any]) -> Any:
                item, partial = arguments
                return body(frame.having({logic.name: item, "partial": partial}))

            answers = _TURNS.value({"items": over(frame), "body": Function("", ("item", "partial"), run, 2)})
            return settle(answers) if isinstance(answers, list) else None

        return step


_TURNS = feel.expression("for turn in items return body(turn, partial)", ("body",))
"""A boxed iteration is that of the language, over a body that is boxed."""


def _some(answers: list[Any]) -> bool | None:
    return any_of(iter(answers)) if all(answer is None or isinstance(answer, bool) for answer in answers) else None


def _every(answers: list[Any]) -> bool | None:
    return negated(_some([negated(answer) if isinstance(answer, bool) else answer for answer in answers]))


_SETTLED: dict[str, Callable[[list[Any]], Any]] = {"for": list, "some": _some, "every": _every}


def _as_item(item: Any) -> dict[str, Any]:
    return {"item": item, **item} if isinstance(item, dict) else {"item": item}
