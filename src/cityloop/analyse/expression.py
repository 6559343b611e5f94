"""Expressions of metrics: SQL of which only a small, listed part is let through, as a tree and never as text."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from functools import cache

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

AGGREGATES: tuple[type[exp.Expr], ...] = (
    exp.Sum,
    exp.Count,
    exp.CountIf,
    exp.Avg,
    exp.Min,
    exp.Max,
    exp.Median,
    exp.PercentileCont,
)
_PLAIN: tuple[type[exp.Expr], ...] = (
    *(exp.Column, exp.Identifier, exp.Literal, exp.Boolean, exp.Null, exp.Paren, exp.Star, exp.Distinct),
    *(exp.Add, exp.Sub, exp.Mul, exp.Div, exp.Neg),
    *(exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.NullSafeEQ, exp.NullSafeNEQ, exp.Is, exp.In),
    *(exp.And, exp.Or, exp.Not, exp.Case, exp.If, exp.Coalesce, exp.Nullif, exp.Cast, exp.DataType),
)
_CASTS = frozenset([exp.DType.DOUBLE, exp.DType.BIGINT, exp.DType.INT])
WORDS = "sum, count, count_if, avg, min, max, median, quantile_cont, coalesce, nullif, case, cast to double or bigint"


def parse(text: str) -> exp.Expr:
    """The tree of an expression; raises ``ValueError`` in words when it is not one."""
    try:
        found = sqlglot.parse_one(text, dialect="duckdb")
    except SqlglotError as error:
        raise ValueError(f"not an expression: {str(error).splitlines()[0]}") from error
    return safe_division(found)


@cache
def columns(text: str) -> tuple[str, ...]:
    """The columns that an expression reads."""
    return tuple(column.name for column in _known(text).find_all(exp.Column))


def tree(text: str) -> exp.Expr:
    """A fresh tree of an expression that was checked before."""
    return _known(text).copy()


@cache
def additive(text: str) -> bool:
    """Whether figures of parts add up to the figure of the whole: sums and counts do, means and rates do not."""
    return _additive(_known(text))


def _additive(node: exp.Expr) -> bool:
    if isinstance(node, exp.Paren | exp.Coalesce | exp.Cast | exp.Neg):
        return _additive(node.this)
    if isinstance(node, exp.Add | exp.Sub):
        return _additive(node.this) and _additive(node.expression)
    if isinstance(node, exp.Mul | exp.Div):
        return _additive(node.this) and node.expression.find(*AGGREGATES, exp.Column) is None
    return isinstance(node, exp.Sum | exp.CountIf) or (
        isinstance(node, exp.Count) and not isinstance(node.this, exp.Distinct)
    )


@cache
def _known(text: str) -> exp.Expr:
    return parse(text)


def faults(tree: exp.Expr, known: Collection[str] | None, aggregates: bool) -> Iterator[str]:
    """What is wrong with a tree; ``aggregates`` says whether it is a metric (needs some) or a filter (has none)."""
    for node in tree.walk():
        if not isinstance(node, AGGREGATES + _PLAIN):
            yield f"'{node.sql('duckdb')[:60]}' is not allowed; use columns, numbers, + - * /, comparisons, {WORDS}"
        elif isinstance(node, exp.Cast) and node.to.this not in _CASTS:
            yield f"'{node.sql('duckdb')[:60]}': only casts to double and bigint are allowed"
        elif isinstance(node, exp.Column):
            yield from _column(node, known, aggregates)
    found = tree.find(*AGGREGATES) is not None
    if found and not aggregates:
        yield "a filter looks at single rows; it cannot hold an aggregate"
    if aggregates and not found:
        yield "a metric needs an aggregate such as sum(…) or count(*)"


def safe_division(tree: exp.Expr) -> exp.Expr:
    """Make every quotient undefined (null) where its denominator is 0, never infinite and never 0."""
    for node in list(tree.find_all(exp.Div)):
        node.set("expression", exp.func("NULLIF", node.expression.copy(), exp.Literal.number(0)))
    return tree


def _column(node: exp.Column, known: Collection[str] | None, aggregates: bool) -> Iterator[str]:
    if node.table:
        yield f"'{node.sql('duckdb')}': name the column alone"
    elif known is not None and node.name not in known:
        yield f"unknown column '{node.name}'"
    elif aggregates and node.find_ancestor(*AGGREGATES) is None:
        yield f"column '{node.name}' stands outside an aggregate"
