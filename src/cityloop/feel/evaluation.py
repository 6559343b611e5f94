"""From a tree to a closure, and what it gives in a scope. Data never raises: what has no meaning is null."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, time, timedelta
from decimal import Decimal
from functools import reduce, singledispatch
from typing import Any

from cityloop.feel import kinds, temporal, tree
from cityloop.feel.arithmetic import calculated, opposite
from cityloop.feel.calling import called
from cityloop.feel.functions import BUILT_IN
from cityloop.feel.scope import Scope, Step
from cityloop.feel.tree import Node
from cityloop.feel.values import (
    UNFIT,
    Function,
    Months,
    Range,
    Value,
    both,
    compared,
    either,
    equal,
    less,
    negated,
    within,
)  # fmt: skip


@singledispatch
def compiled(node: Node) -> Step:
    """The closure of a node."""
    raise NotImplementedError(type(node).__name__)


@compiled.register
def _literal(node: tree.Literal) -> Step:
    value = node.value
    return lambda scope: value


@compiled.register
def _name(node: tree.Name) -> Step:
    name = node.text
    if "." not in name:
        return lambda scope: scope.get(name)
    first, *others = name.split(".")
    return lambda scope: scope.get(name) if scope.has(name) else reduce(member, others, scope.get(first))


@compiled.register
def _path(node: tree.Path) -> Step:
    of, name = compiled(node.of), node.name
    return lambda scope: member(of(scope), name)


def member(value: Value, name: str) -> Value:
    """``value.name``: an entry of a context, a part of a date, or the same of every item of a list."""
    if isinstance(value, dict):
        return value.get(name)
    if isinstance(value, list):
        return [member(item, name) for item in value]
    if isinstance(value, Range):
        return {
            "start": value.low, "end": value.high,
            "start included": value.low_closed, "end included": value.high_closed,
        }.get(name)  # fmt: skip
    return temporal.part(value, name)


@compiled.register
def _filter(node: tree.Filter) -> Step:
    of, condition = compiled(node.of), compiled(node.condition)
    position = node.condition.value if isinstance(node.condition, tree.Literal) else None

    def step(scope: Scope) -> Value:
        value = of(scope)
        items = value if isinstance(value, list) else [] if value is None else [value]
        if isinstance(position, Decimal):
            return _nth(items, position)
        outside = condition(scope) if not items else None
        return _nth(items, outside) if isinstance(outside, Decimal) else _kept(items, condition, scope)

    return step


def _kept(items: list[Value], condition: Step, scope: Scope) -> Value:
    kept = []
    for item in items:
        scope.budget.step()
        answer = condition(Scope({"item": item, **item} if isinstance(item, dict) else {"item": item}, scope))
        if isinstance(answer, Decimal):
            return _nth(items, answer)
        if answer is True:
            kept.append(item)
    return kept


def _nth(items: list[Value], number: Decimal) -> Value:
    index = int(number)
    if index == 0 or abs(index) > len(items):
        return None
    return items[index - 1 if index > 0 else index]


@compiled.register
def _negate(node: tree.Negate) -> Step:
    of = compiled(node.of)
    return lambda scope: _safely(opposite, of(scope))


@compiled.register
def _arithmetic(node: tree.Arithmetic) -> Step:
    sign, left, right = node.sign, compiled(node.left), compiled(node.right)

    def step(scope: Scope) -> Value:
        try:
            return calculated(sign, left(scope), right(scope))
        except UNFIT:
            return None

    return step


def _safely(operation: Callable[..., Value], *values: Value) -> Value:
    try:
        return operation(*values)
    except UNFIT:
        return None


@compiled.register
def _comparison(node: tree.Comparison) -> Step:
    sign, left, right = node.sign, compiled(node.left), compiled(node.right)
    return lambda scope: compared(sign, left(scope), right(scope))


@compiled.register
def _both(node: tree.Both) -> Step:
    left, right = compiled(node.left), compiled(node.right)

    def step(scope: Scope) -> Value:
        first = left(scope)
        return False if first is False else both(first, right(scope))

    return step


@compiled.register
def _either(node: tree.Either) -> Step:
    left, right = compiled(node.left), compiled(node.right)

    def step(scope: Scope) -> Value:
        first = left(scope)
        return True if first is True else either(first, right(scope))

    return step


@compiled.register
def _between(node: tree.Between) -> Step:
    value, low, high = compiled(node.value), compiled(node.low), compiled(node.high)

    def step(scope: Scope) -> Value:
        found = value(scope)
        return both(compared(">=", found, low(scope)), compared("<=", found, high(scope)))

    return step


@compiled.register
def _test(node: tree.Test) -> Step:
    operand, sign = compiled(node.operand), node.sign

    def step(scope: Scope) -> Value:
        bound = operand(scope)
        if bound is None or sign == "!=":
            return None
        if sign == "=":
            return Range(bound, bound)
        return Range(bound, None, sign == ">=", False) if sign[0] == ">" else Range(None, bound, False, sign == "<=")

    return step


Holds = Callable[[Scope, Value], "bool | None"]


def compiled_test(node: Node) -> Holds:
    """A test of a value: ``< 5``, a range, a value, a list of values, or a condition over ``?``."""
    if isinstance(node, tree.Test):
        operand, sign = compiled(node.operand), node.sign
        return lambda scope, value: compared(sign, value, operand(scope))
    step = compiled(node)
    if tree.asks_value(node):
        return lambda scope, value: _condition(step(Scope({"?": value}, scope)))
    return lambda scope, value: fits(value, step(scope))


def _condition(answer: Value) -> bool | None:
    return answer if isinstance(answer, bool) else None


def fits(value: Value, wanted: Value) -> bool | None:
    """Whether ``value`` is what is ``wanted``: the same, within a range, or one of a list."""
    if isinstance(wanted, Range) and not isinstance(value, Range):
        return within(value, wanted)
    if isinstance(wanted, bool) and not isinstance(value, bool) and value is not None:
        return wanted
    if not isinstance(wanted, list):
        return equal(value, wanted)
    if isinstance(value, list) and equal(value, wanted):
        return True
    return any(fits(value, item) is True for item in wanted)


def any_of(answers: Iterator[bool | None]) -> bool | None:
    """True where one is, else null where one is, else false."""
    found: bool | None = False
    for answer in answers:
        if answer is True:
            return True
        found = None if answer is None else found
    return found


@compiled.register
def _in(node: tree.In) -> Step:
    value, tests = compiled(node.value), [compiled_test(test) for test in node.tests]

    def step(scope: Scope) -> Value:
        found = value(scope)
        return any_of(holds(scope, found) for holds in tests)

    return step


@compiled.register
def _instance(node: tree.InstanceOf) -> Step:
    value, kind = compiled(node.value), node.kind
    return lambda scope: kinds.conforms(value(scope), kind)


@compiled.register
def _if(node: tree.If) -> Step:
    condition, then, other = compiled(node.condition), compiled(node.then), compiled(node.other)
    return lambda scope: then(scope) if condition(scope) is True else other(scope)


@compiled.register
def _for(node: tree.For) -> Step:
    loops = [_loop(loop) for loop in node.loops]
    body = compiled(node.body)

    def step(scope: Scope) -> Value:
        gathered: list[Value] = []
        inner = Scope({"partial": gathered}, scope)
        try:
            for each in _turns(loops, inner):
                gathered.append(body(each))
        except UNFIT:
            return None
        return gathered

    return step


@compiled.register
def _quantified(node: tree.Quantified) -> Step:
    loops = [_loop(loop) for loop in node.loops]
    body, every = compiled(node.body), node.every

    def step(scope: Scope) -> Value:
        try:
            answers = (_condition(body(each)) for each in _turns(loops, scope))
            return negated(any_of(negated(answer) for answer in answers)) if every else any_of(answers)
        except UNFIT:
            return None

    return step


_Loop = tuple[str, Callable[[Scope], Iterator[Value]]]


def _loop(loop: tree.Loop) -> _Loop:
    over = compiled(loop.over)
    if loop.until is None:
        return loop.name, lambda scope: _items(over(scope))
    until = compiled(loop.until)
    return loop.name, lambda scope: _counted(over(scope), until(scope))


def _items(value: Value) -> Iterator[Value]:
    if isinstance(value, Range):
        if not isinstance(value.low, Decimal | date) or not value.low_closed or not value.high_closed:
            raise ValueError("a range without ends cannot be counted")
        return _counted(value.low, value.high)
    if value is None:
        raise ValueError("nothing to go over")
    return iter(value if isinstance(value, list) else [value])


def _counted(low: Value, high: Value) -> Iterator[Value]:
    if isinstance(low, Decimal) and isinstance(high, Decimal):
        return (Decimal(number) for number in _whole(int(low), int(high)))
    if type(low) is date and type(high) is date:
        return (low + timedelta(days=number) for number in _whole(0, (high - low).days))
    raise ValueError("only whole numbers and dates can be counted")


def _whole(low: int, high: int) -> range:
    return range(low, high + 1) if low <= high else range(low, high - 1, -1)


def _turns(loops: list[_Loop], scope: Scope) -> Iterator[Scope]:
    (name, items), *others = loops
    for item in items(scope):
        scope.budget.step()
        inner = Scope({name: item}, scope)
        if others:
            yield from _turns(others, inner)
        else:
            yield inner


@compiled.register
def _list(node: tree.ListOf) -> Step:
    items = [compiled(item) for item in node.items]
    return lambda scope: [item(scope) for item in items]


@compiled.register
def _context(node: tree.ContextOf) -> Step:
    entries = [(key, compiled(value)) for key, value in zip(node.keys, node.values, strict=True)]

    def step(scope: Scope) -> Value:
        made: dict[str, Value] = {}
        inner = Scope(made, scope)
        for key, value in entries:
            made[key] = value(inner)
        return made

    return step


@compiled.register
def _range(node: tree.RangeOf) -> Step:
    low, high = compiled(node.low), compiled(node.high)

    def step(scope: Scope) -> Value:
        return bounded(low(scope), high(scope), node.low_closed, node.high_closed)

    return step


def bounded(low: Value, high: Value, low_closed: bool, high_closed: bool) -> Range | None:
    """A range; null where an end is, where they cannot be ordered, or where they stand the wrong way round."""
    if not isinstance(low, _ENDS) or not isinstance(high, _ENDS) or less(high, low) is not False:
        return None
    return Range(low, high, low_closed, high_closed)


_ENDS: tuple[Any, ...] = (Decimal, str, date, time, timedelta, Months)


@compiled.register
def _function(node: tree.FunctionOf) -> Step:
    body = compiled(node.body)

    def step(scope: Scope) -> Value:
        def call(arguments: list[Value]) -> Value:
            values = [kinds.coerced(value, kind) for value, kind in zip(arguments, node.kinds, strict=True)]
            if any(value is None and given is not None for value, given in zip(values, arguments, strict=True)):
                return None
            return body(Scope(dict(zip(node.parameters, values, strict=True)), scope))

        return Function("", node.parameters, call, len(node.parameters))

    return step


@compiled.register
def _call(node: tree.Call) -> Step:
    function, arguments, named = compiled(node.function), [compiled(item) for item in node.arguments], node.named

    own = BUILT_IN.get(node.function.text) if isinstance(node.function, tree.Name) else None

    def step(scope: Scope) -> Value:
        found = function(scope)
        if own is not None and not isinstance(found, Function):
            found = own
        return called(found, [argument(scope) for argument in arguments], named, scope.budget)

    return step
