"""Functions of truth and sameness."""

from __future__ import annotations

from typing import Any

from cityloop.feel.functions.registry import built_in, spread
from cityloop.feel.kinds import name_of
from cityloop.feel.values import both, either, equal, negated


@built_in("not", "negand", nulls=True)
def _not(negand: Any) -> bool | None:
    return negated(negand) if isinstance(negand, bool) else None


@built_in("is", "value1?", "value2?", nulls=True)
def _is(left: Any = None, right: Any = None) -> bool:
    """Whether both are the same value of the same kind; times with another zone are not."""
    zones = getattr(left, "tzinfo", None), getattr(right, "tzinfo", None)
    return name_of(left) == name_of(right) and bool(equal(left, right)) and str(zones[0]) == str(zones[1])


@spread("all")
def _all(items: list[Any]) -> bool | None:
    answer: bool | None = True
    for item in items:
        if item is not None and not isinstance(item, bool):
            return None
        answer = both(answer, item)
    return answer


@spread("any")
def _any(items: list[Any]) -> bool | None:
    answer: bool | None = False
    for item in items:
        if item is not None and not isinstance(item, bool):
            return None
        answer = either(answer, item)
    return answer
