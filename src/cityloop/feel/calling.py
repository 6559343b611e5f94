"""Calls of functions: their arguments by position or by name, within the budget."""

from __future__ import annotations

from cityloop.feel.scope import Budget
from cityloop.feel.values import UNFIT, Exhausted, Function, Value


def called(function: Value, arguments: list[Value], named: tuple[str, ...], budget: Budget) -> Value:
    """The answer of a function; null for anything else, and where the arguments are not those that it takes."""
    if not isinstance(function, Function):
        return None
    budget.step()
    budget.calls -= 1
    if budget.calls < 0:
        raise Exhausted
    try:
        return function.run(_ordered(function, arguments, named) if named else _counted_out(function, arguments))
    except UNFIT:
        return None
    finally:
        budget.calls += 1


def _counted_out(function: Function, arguments: list[Value]) -> list[Value]:
    if function.spread:
        return arguments
    if not function.required <= len(arguments) <= len(function.parameters):
        raise ValueError(f"{function.name} takes {function.parameters}")
    return arguments


def _ordered(function: Function, arguments: list[Value], named: tuple[str, ...]) -> list[Value]:
    given = dict(zip(named, arguments, strict=True))
    for names in (function.parameters, function.also):
        if set(given) <= set(names) and set(names[: function.required]) <= set(given):
            last = max((names.index(name) for name in given), default=-1)
            return [given.get(name) for name in names[: last + 1]]
    raise ValueError(f"{function.name} takes {function.parameters}")
