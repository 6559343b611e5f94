"""Compiles a typed query to one SQL tree over the lake.

Each group of metrics with the same table and filter becomes a source (:mod:`cityloop.analyse.sources`). The sources are
laid above each other and folded by their keys, which is a full outer join that also matches missing keys. Derived
columns and conditions on figures are laid over the result (:mod:`cityloop.analyse.derive`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlglot import exp

from cityloop.access.door import Scope
from cityloop.analyse.derive import laid_over
from cityloop.analyse.model import TIME, Metric, Model
from cityloop.analyse.schemas import Order, QueryRequest
from cityloop.analyse.sources import PREVIOUS, Asked, Clocks, Source, column, policy, rows_of, select, sources

__all__ = ["PREVIOUS", "Clocks", "Plan", "compile", "newest", "rows"]


@dataclass(frozen=True)
class Plan:
    """A compiled query: the tree, its columns in order, and the tables it reads."""

    tree: exp.Select
    keys: tuple[str, ...]
    metrics: tuple[str, ...]
    previous: tuple[str, ...]
    derived: tuple[str, ...]
    tables: tuple[str, ...]

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of all columns, in order."""
        return (*self.keys, *self.metrics, *self.previous, *self.derived)

    @property
    def sql(self) -> str:
        """The text for DuckDB."""
        return self.text("duckdb")

    def text(self, dialect: str) -> str:
        """The text for one engine of the lake."""
        return self.tree.sql(dialect, pretty=True)


def compile(request: QueryRequest, model: Model, scopes: Mapping[str, Scope], clocks: Clocks) -> Plan:
    """The plan of a checked request (see :mod:`cityloop.analyse.check`). ``scopes`` by table."""
    asked = Asked(request, model, clocks)
    keys, parts = asked.keys, sources(asked)
    names = [source.name(metric) for source in parts for metric in source.metrics]
    below = _union([_aligned(select(source, asked, scopes[source.first.table]), names) for source in parts])
    previous = [name + PREVIOUS for name in request.metrics if request.compare != "none"]
    wanted = [*request.metrics, *previous]
    folded = [_folded(name, model.metrics[name.removesuffix(PREVIOUS)]) for name in wanted]
    figures = exp.select(*[column(key) for key in keys], *folded).from_(below.subquery("figures"))
    if keys:
        figures = figures.group_by(*[column(key) for key in keys])
    tree = laid_over(figures, asked, [*keys, *wanted])
    if keys:
        tree = tree.order_by(*_order(request, keys))
    return Plan(
        tree=tree.limit(request.limit + 1),
        keys=tuple(keys),
        metrics=tuple(request.metrics),
        previous=tuple(previous),
        derived=tuple(item.id for item in request.derive),
        tables=tuple(dict.fromkeys(source.first.table for source in parts)),
    )


def rows(request: QueryRequest, model: Model, scope: Scope, columns: Sequence[str], clocks: Clocks) -> exp.Select:
    """``columns`` of the rows from which the one metric of a checked request is worked out, within ``scope``."""
    return rows_of(Source((model.metrics[request.metrics[0]],)), Asked(request, model, clocks), scope, columns)


def newest(tables: Mapping[str, Scope]) -> exp.Select:
    """A query for the newest observation that the asker may see in these tables."""
    parts = [
        exp.select(exp.func("MAX", column("observed_at")).as_("newest")).from_(policy(table, scope, ["observed_at"]))
        for table, scope in tables.items()
    ]
    return exp.select(exp.func("MAX", column("newest"))).from_(_union(parts).subquery("tables"))


def _aligned(source: exp.Select, names: Sequence[str]) -> exp.Select:
    """The source with a column for every figure of the query, null where it belongs to another source."""
    own = set(source.named_selects)
    keys = [column(name) for name in source.named_selects if name not in names]
    gap = exp.cast(exp.null(), "DOUBLE")
    figures = [column(name) if name in own else gap.copy().as_(name, quoted=True) for name in names]
    return exp.select(*keys, *figures).from_(source.subquery("source"))


def _union(parts: Sequence[exp.Select]) -> exp.Select | exp.Union:
    first, *rest = parts
    result: exp.Select | exp.Union = first
    for part in rest:
        result = exp.union(result, part, distinct=False, copy=False)
    return result


def _folded(name: str, metric: Metric) -> exp.Expr:
    figure: exp.Expr = exp.func("MAX", column(name))
    if metric.when_empty == "zero":
        figure = exp.func("COALESCE", figure, exp.Literal.number(0))
    return figure.as_(name, quoted=True)


def _order(request: QueryRequest, keys: Sequence[str]) -> list[exp.Ordered]:
    """The wished order; else by time, then by the first metric. Keys at the end make every order the same each time."""
    by_default = [Order(by=request.metrics[0])]
    if request.grain:
        by_default.insert(0, Order(by=TIME, descending=False))
    wished = list(request.order) or by_default
    rest = [Order(by=key, descending=False) for key in keys if key not in {order.by for order in wished}]
    return [exp.Ordered(this=column(o.by), desc=o.descending, nulls_first=False) for o in [*wished, *rest]]
