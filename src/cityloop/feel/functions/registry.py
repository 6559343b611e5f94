"""How a built-in function is declared: its parameters with their kinds, nulls for what does not fit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from cityloop.feel.kinds import coerced, named
from cityloop.feel.values import MOST, Exhausted, Function, Value, adopt, measure

Body = TypeVar("Body", bound=Callable[..., Any])
BUILT_IN: dict[str, Function] = {}


def built_in(name: str, *parameters: str, nulls: bool = False, also: tuple[str, ...] = ()) -> Callable[[Body], Body]:
    """Declare a function. A parameter is ``name: kind`` or, if it may be left out, ``name?: kind``.

    An argument that is not of its kind makes the answer null, as does a null one unless ``nulls``. ``also`` are other
    names of the parameters.
    """
    names = tuple(parameter.partition(":")[0].rstrip("?") for parameter in parameters)
    kinds = [parameter.partition(":")[2].strip() or "Any" for parameter in parameters]
    required = sum("?" not in parameter.partition(":")[0] for parameter in parameters)

    def declare(body: Body) -> Body:
        def run(arguments: list[Value]) -> Value:
            fitting = [_fitting(value, kind) for value, kind in zip(arguments, kinds, strict=False)]
            lost = any(value is None and given is not None for value, given in zip(fitting, arguments, strict=True))
            if lost or (not nulls and any(value is None for value in fitting[:required])):
                return None
            return _bounded(body(*fitting))

        BUILT_IN[name] = Function(name, names, run, required, also=also)
        return body

    return declare


def spread(name: str, *parameters: str) -> Callable[[Body], Body]:
    """Declare a function of any number of arguments; with a single parameter they may be given as one list."""
    names = parameters or ("list",)

    def declare(body: Body) -> Body:
        def run(arguments: list[Value]) -> Value:
            listed = len(names) == 1 and len(arguments) == 1 and isinstance(arguments[0], list)
            items = arguments[0] if listed else arguments
            measure(items)
            return _bounded(body(items)) if arguments else None

        BUILT_IN[name] = Function(name, names, run, len(names), spread=True)
        return body

    return declare


def _fitting(value: Value, kind: str) -> Value:
    if isinstance(value, list | dict):
        measure(value)
    if kind == "list" and not isinstance(value, list):
        return None if value is None else [value]
    return coerced(value, named(kind)) if kind in _STRICT else value


_STRICT = frozenset({"number", "string", "boolean", "context", "function", "date and time", "range"})


def _bounded(answer: Any) -> Value:
    """``answer`` with whole numbers as numbers of the language; raises :class:`Exhausted` for one that is too large."""
    if isinstance(answer, str | list) and len(answer) > MOST:
        raise Exhausted
    if isinstance(answer, int) and not isinstance(answer, bool):
        return adopt(answer)
    return answer
