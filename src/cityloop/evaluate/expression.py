"""Formulas and conditions of indicators: a small safe language, read into a tree and never run as code.

The spelling is that of the metrics (SQL): ``+ - * /``, comparisons, ``and or not``, ``is null``, ``in (…)``, and the
functions ``floor``, ``ceil``, ``abs``, ``least``, ``greatest``. A name may be Chinese. One tree has two readings: exact
fractions in Python, and a condition in the store. A quotient by zero and everything made of it is undefined.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from fractions import Fraction
from functools import cache
from typing import Any

import sqlglot
from sqlalchemy import ColumnElement, and_, case, literal, not_, or_
from sqlglot import exp
from sqlglot.errors import SqlglotError

WORDS = (
    "names, numbers, 'texts', true, false, + - * /, = <> < <= > >=, and, or, not, is null, in (…), "
    "floor, ceil, abs, least, greatest"
)
LONGEST = 1000
"""Most characters of one expression."""
DEEPEST = 50

Value = Fraction | str | bool | Any | None


@dataclass(frozen=True, slots=True)
class Constant:
    """A number (as a fraction), a text, a flag, or ``None``."""

    value: Fraction | str | bool | None


@dataclass(frozen=True, slots=True)
class Name:
    """A count, an indicator, a column or an attribute."""

    name: str


@dataclass(frozen=True, slots=True)
class Act:
    """An operator or function over its parts."""

    act: str
    parts: tuple[Node, ...]


Node = Constant | Name | Act

_BINARY: dict[type[exp.Expr], str] = {
    exp.Add: "+",
    exp.Sub: "-",
    exp.Mul: "*",
    exp.Div: "/",
    exp.EQ: "=",
    exp.NEQ: "<>",
    exp.LT: "<",
    exp.LTE: "<=",
    exp.GT: ">",
    exp.GTE: ">=",
    exp.And: "and",
    exp.Or: "or",
}
_FUNCTIONS: dict[type[exp.Expr], str] = {
    exp.Floor: "floor",
    exp.Ceil: "ceil",
    exp.Abs: "abs",
    exp.Least: "least",
    exp.Greatest: "greatest",
    exp.Neg: "neg",
    exp.Not: "not",
}
_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "=": lambda a, b: a == b,
    "<>": lambda a, b: a != b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
}
_ARITHMETIC: dict[str, Callable[[Any, Any], Any]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: a / b if b else None,
}
_SINGLE: dict[str, Callable[[Fraction], Any]] = {
    "floor": lambda a: Fraction(math.floor(a)),
    "ceil": lambda a: Fraction(math.ceil(a)),
    "abs": abs,
    "neg": lambda a: -a,
}
IN_STORE = frozenset([*_COMPARE, *_ARITHMETIC, "and", "or", "not", "is_null", "in", "neg", "least", "greatest"])
"""What the store can count by; the rest is for formulas over what was counted."""


@cache
def parse(text: str) -> Node:
    """The tree of an expression; raises ``ValueError`` in words when it is not one of this language."""
    if len(text) > LONGEST:
        raise ValueError(f"longer than {LONGEST} characters")
    try:
        found = sqlglot.parse_one(text, dialect="duckdb")
    except (SqlglotError, RecursionError) as error:
        raise ValueError(f"not an expression: {str(error).splitlines()[0]}") from error
    return _node(found, 0)


def names(node: Node) -> tuple[str, ...]:
    """Every name that the tree reads, once each, in order."""
    return tuple(dict.fromkeys(part.name for part in _walk(node) if isinstance(part, Name)))


def faults(text: str, known: Collection[str], in_store: bool = False) -> Iterator[str]:
    """What is wrong with an expression over ``known`` names; ``in_store``: it must also be readable by the store."""
    try:
        tree = parse(text)
    except ValueError as error:
        yield str(error)
        return
    for name in names(tree):
        if name not in known:
            near = get_close_matches(name, sorted(known), n=3, cutoff=0.4)
            yield f"unknown name '{name}': " + (f"did you mean {' or '.join(near)}?" if near else _some(known))
    acts = {part.act for part in _walk(tree) if isinstance(part, Act)}
    if in_store and acts - IN_STORE:
        yield f"{', '.join(sorted(acts - IN_STORE))} cannot be used in a condition over facts"


def value(node: Node, known: Mapping[str, Value]) -> Value:
    """The value of a tree; undefined (``None``) parts make arithmetic undefined, as in SQL."""
    match node:
        case Constant(found):
            return found
        case Name(name):
            return known[name]
        case Act("and" | "or" as act, parts):
            return _logic(act, [value(part, known) for part in parts])
        case Act("is_null", (part,)):
            return value(part, known) is None
        case Act("in", (first, *rest)):
            found = value(first, known)
            return None if found is None else any(found == value(part, known) for part in rest)
        case Act(act, parts):
            return _apply(act, [value(part, known) for part in parts])


def number(text: str, known: Mapping[str, Value]) -> Fraction | None:
    """The number that a formula gives, exact; ``None`` where it is undefined."""
    found = value(parse(text), known)
    if found is None or isinstance(found, Fraction):
        return found
    raise ValueError(f"'{text}' gives {found!r}, not a number")


def sql(node: Node, columns: Mapping[str, ColumnElement[Any]]) -> ColumnElement[Any]:
    """The tree as an SQLAlchemy expression; values are bound, never text."""
    match node:
        case Constant(found):
            return literal(_plain(found))
        case Name(name):
            return columns[name]
        case Act("and", parts):
            return and_(*[sql(part, columns) for part in parts])
        case Act("or", parts):
            return or_(*[sql(part, columns) for part in parts])
        case Act("not", (part,)):
            return not_(sql(part, columns))
        case Act("is_null", (part,)):
            return sql(part, columns).is_(None)
        case Act("in", (first, *rest)):
            return sql(first, columns).in_([_plain(part.value) for part in rest if isinstance(part, Constant)])
        case Act("neg", (part,)):
            return -sql(part, columns)
        case Act("least" | "greatest" as act, (first, *rest)):
            chosen = sql(first, columns)
            for part in rest:
                other = sql(part, columns)
                chosen = case((chosen <= other if act == "least" else chosen >= other, chosen), else_=other)
            return chosen
        case Act("<>", (left, right)):
            return sql(left, columns) != sql(right, columns)
        case Act(act, (left, right)):
            both: Callable[[Any, Any], Any] = {**_COMPARE, **_IN_SQL}[act]
            result: ColumnElement[Any] = both(sql(left, columns), sql(right, columns))
            return result
    raise ValueError(f"{node!r} cannot be counted in the store")


_IN_SQL: dict[str, Callable[[Any, Any], Any]] = {**_ARITHMETIC, "/": lambda a, b: a / b}


def _node(found: exp.Expr, depth: int) -> Node:
    if depth > DEEPEST:
        raise ValueError(f"nested deeper than {DEEPEST}")
    inner = depth + 1
    match found:
        case exp.Paren():
            return _node(found.this, inner)
        case exp.Literal():
            return Constant(str(found.this) if found.is_string else Fraction(str(found.this)))
        case exp.Boolean():
            return Constant(bool(found.this))
        case exp.Null():
            return Constant(None)
        case exp.Column() if not found.table:
            return Name(found.name)
        case exp.Is() if isinstance(found.expression, exp.Null):
            return Act("is_null", (_node(found.this, inner),))
        case exp.In() if found.expressions and all(isinstance(i, exp.Literal) for i in found.expressions):
            return Act("in", (_node(found.this, inner), *(_node(item, inner) for item in found.expressions)))
    kind = type(found)
    if kind in _BINARY:
        return Act(_BINARY[kind], (_node(found.this, inner), _node(found.expression, inner)))
    if kind in _FUNCTIONS:
        if kind in (exp.Floor, exp.Ceil) and (found.args.get("decimals") or found.args.get("to")):
            raise ValueError("floor and ceil take one number")
        return Act(_FUNCTIONS[kind], tuple(_node(item, inner) for item in (found.this, *found.expressions)))
    raise ValueError(f"'{found.sql('duckdb')[:60]}' is not allowed; use {WORDS}")


def _walk(node: Node) -> Iterator[Node]:
    yield node
    if isinstance(node, Act):
        for part in node.parts:
            yield from _walk(part)


def _logic(act: str, parts: list[Value]) -> bool | None:
    decisive = act == "or"
    if any(part is decisive for part in parts):
        return decisive
    return None if any(part is None for part in parts) else not decisive


def _apply(act: str, parts: list[Value]) -> Value:
    if any(part is None for part in parts):
        return None
    if act == "not":
        return not parts[0]
    if act in _SINGLE:
        return _SINGLE[act](_numeric(parts[0]))
    if act in ("least", "greatest"):
        numbers = [_numeric(part) for part in parts]
        return min(numbers) if act == "least" else max(numbers)
    if act in _COMPARE:
        return _COMPARE[act](parts[0], parts[1])
    return _ARITHMETIC[act](_numeric(parts[0]), _numeric(parts[1]))


def _numeric(found: Value) -> Fraction:
    if isinstance(found, bool) or not isinstance(found, (int, Fraction)):
        raise ValueError(f"{found!r} is not a number")
    return Fraction(found)


def _plain(found: Fraction | str | bool | None) -> Any:
    if isinstance(found, Fraction):
        return int(found) if found.denominator == 1 else float(found)
    return found


def _some(known: Collection[str]) -> str:
    return f"known: {', '.join(sorted(known)[:20])}"
