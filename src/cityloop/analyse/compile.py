"""Compiles a typed query to one SQL tree over the lake.

Each group of metrics with the same table and filter becomes a source: a policy sub-query (the asker's rows and columns,
and no others), conditions, grouping. The sources are laid above each other and folded by their keys, which is a full
outer join that also matches missing keys. Values from the request enter only as literals of the tree.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlglot import exp

from cityloop.access.door import Scope
from cityloop.analyse import expression
from cityloop.analyse.model import TIME, Dimension, Metric, Model
from cityloop.analyse.schemas import Filter, Grain, Order, QueryRequest

PREVIOUS = "__previous"


@dataclass(frozen=True)
class Plan:
    """A compiled query: the tree, its columns in order, and the tables it reads."""

    tree: exp.Select
    keys: tuple[str, ...]
    metrics: tuple[str, ...]
    previous: tuple[str, ...]
    tables: tuple[str, ...]

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of all columns, in order."""
        return (*self.keys, *self.metrics, *self.previous)

    @property
    def sql(self) -> str:
        """The text for DuckDB."""
        return self.text("duckdb")

    def text(self, dialect: str) -> str:
        """The text for one engine of the lake."""
        return self.tree.sql(dialect, pretty=True)


@dataclass(frozen=True)
class _Source:
    """Metrics that share rows. ``shift`` moves the period back, for a comparison."""

    metrics: tuple[Metric, ...]
    shift: timedelta = timedelta(0)

    @property
    def first(self) -> Metric:
        return self.metrics[0]

    def name(self, metric: Metric) -> str:
        return metric.id + PREVIOUS if self.shift else metric.id


def compile(request: QueryRequest, model: Model, scopes: Mapping[str, Scope], zone: str) -> Plan:
    """The plan of a checked request (see :mod:`cityloop.analyse.check`). ``scopes`` by table."""
    dimensions = [model.dimensions[name] for name in request.dimensions if name != TIME]
    keys = ([TIME] if request.grain else []) + [dimension.id for dimension in dimensions]
    sources = _sources(request, model)
    selects = [_source(source, request, model, dimensions, scopes[source.first.table], zone) for source in sources]
    names = [source.name(metric) for source in sources for metric in source.metrics]
    rows = _union([_aligned(select, names) for select in selects])
    metrics = {metric.id: metric for source in sources for metric in source.metrics}
    wanted = [*request.metrics, *(name + PREVIOUS for name in request.metrics if request.compare != "none")]
    folded = [_folded(name, metrics[name.removesuffix(PREVIOUS)]) for name in wanted]
    tree = exp.select(*[_column(key) for key in keys], *folded).from_(rows.subquery("figures"))
    if keys:
        tree = tree.group_by(*[_column(key) for key in keys]).order_by(*_order(request, keys))
    tree = tree.limit(request.limit + 1)
    tables = tuple(dict.fromkeys(source.first.table for source in sources))
    return Plan(tree, tuple(keys), tuple(request.metrics), tuple(wanted[len(request.metrics) :]), tables)


def rows(request: QueryRequest, model: Model, scope: Scope, columns: Sequence[str]) -> exp.Select:
    """``columns`` of the rows from which the one metric of a checked request is worked out, within ``scope``."""
    source = _Source((model.metrics[request.metrics[0]],))
    needed = list(dict.fromkeys([*_needed(source, request, model, []), *columns]))
    tree = exp.select(*[_column(name) for name in columns]).from_(_rows(source, request, scope, needed, ()))
    return tree.where(*_conditions(source, request, model), copy=False)


def newest(tables: Mapping[str, Scope]) -> exp.Select:
    """A query for the newest observation that the asker may see in these tables."""
    parts = [
        exp.select(exp.func("MAX", _column("observed_at")).as_("newest")).from_(_policy(table, scope, ["observed_at"]))
        for table, scope in tables.items()
    ]
    return exp.select(exp.func("MAX", _column("newest"))).from_(_union(parts).subquery("tables"))


def _sources(request: QueryRequest, model: Model) -> list[_Source]:
    groups: dict[Any, list[Metric]] = {}
    for name in dict.fromkeys(request.metrics):
        metric = model.metrics[name]
        groups.setdefault((metric.table, metric.filter, metric.time, metric.as_of), []).append(metric)
    sources = [_Source(tuple(metrics)) for metrics in groups.values()]
    if request.compare == "none":
        return sources
    assert request.start is not None and request.end is not None
    return sources + [_Source(source.metrics, request.end - request.start) for source in sources]


def _source(
    source: _Source, request: QueryRequest, model: Model, dimensions: Sequence[Dimension], scope: Scope, zone: str
) -> exp.Select:
    """One source: keys, then its metrics, over the policy sub-query."""
    metric = source.first
    keys = [exp.column(d.column, quoted=True).as_(d.id, quoted=True) for d in dimensions]
    if request.grain:
        keys.insert(0, _bucket(metric.time, request.grain, source.shift, zone).as_(TIME, quoted=True))
    figures = [expression.tree(m.expression).as_(source.name(m), quoted=True) for m in source.metrics]
    rows = _rows(source, request, scope, _needed(source, request, model, dimensions), _labels(source, dimensions))
    tree = exp.select(*keys, *figures).from_(rows)
    tree = tree.where(*_conditions(source, request, model), copy=False)
    return tree.group_by(*[exp.Literal.number(n + 1) for n in range(len(keys))]) if keys else tree


def _rows(
    source: _Source, request: QueryRequest, scope: Scope, needed: Sequence[str], labels: Collection[str]
) -> exp.Subquery:
    metric = source.first
    if metric.as_of is None:
        return _policy(metric.table, scope, needed, labels)
    order = exp.Ordered(this=_column(metric.as_of.order), desc=True)
    rank = exp.Window(
        this=exp.RowNumber(), partition_by=[_column(metric.as_of.key)], order=exp.Order(expressions=[order])
    )
    latest = exp.select("*").from_(exp.table_(metric.table, quoted=True)).qualify(rank.eq(1))
    if request.end is not None:
        latest = latest.where(_column(metric.time) < _instant(request.end - source.shift))
    # The newest state is chosen before the scope is laid on: a case that went to another department has left this one.
    return _policy(latest.subquery("newest"), scope, needed, labels)


def _policy(
    table: str | exp.Subquery, scope: Scope, columns: Sequence[str], labels: Collection[str] = ()
) -> exp.Subquery:
    """The rows and columns the asker may see; a covered column is no value, as one of the ``labels`` it is ``***``."""
    source = exp.table_(table, quoted=True) if isinstance(table, str) else table
    covers = {name: exp.Literal.string("***") for name in labels}
    shown = [scope.column(name, covers.get(name)).as_(name, quoted=True) for name in columns]
    return exp.select(*shown).from_(source).where(scope.tree()).subquery("seen")


def _labels(source: _Source, dimensions: Sequence[Dimension]) -> set[str]:
    """Columns that only stand for names in the answer; what is counted with, or filtered by, is never a text."""
    texts = [metric.expression for metric in source.metrics] + [source.first.filter or "true"]
    counted = {name for text in texts for name in expression.columns(text)} | {source.first.time}
    return {dimension.column for dimension in dimensions if dimension.kind in ("text", "area")} - counted


def _needed(source: _Source, request: QueryRequest, model: Model, dimensions: Sequence[Dimension]) -> list[str]:
    """The columns a source reads."""
    names = [source.first.time, *[dimension.column for dimension in dimensions]]
    names += [model.dimensions[item.dimension].column for item in request.filters]
    texts = [metric.expression for metric in source.metrics] + [source.first.filter or "true"]
    for text in texts:
        names += expression.columns(text)
    return list(dict.fromkeys(names))


def _conditions(source: _Source, request: QueryRequest, model: Model) -> list[exp.Expr]:
    metric = source.first
    found: list[exp.Expr] = []
    if metric.filter:
        found.append(exp.paren(expression.tree(metric.filter)))
    if metric.as_of is None:
        if request.start is not None:
            found.append(_column(metric.time) >= _instant(request.start - source.shift))
        if request.end is not None:
            found.append(_column(metric.time) < _instant(request.end - source.shift))
    return [*found, *[_filter(item, model.dimensions[item.dimension]) for item in request.filters]]


def _filter(item: Filter, dimension: Dimension) -> exp.Expr:
    column = _column(dimension.column)
    if dimension.kind == "area":
        # Codes nest: an area means everything below it.
        inside = exp.or_(*[exp.func("STARTS_WITH", column, exp.Literal.string(value)) for value in item.values])
    elif dimension.kind == "flag":
        inside = column.isin(*[exp.true() if value == "true" else exp.false() for value in item.values])
    else:
        inside = column.isin(*[exp.Literal.string(value) for value in item.values])
    return exp.paren(inside) if item.op == "in" else exp.or_(column.is_(exp.null()), exp.not_(exp.paren(inside)))


def _bucket(time: str, grain: Grain, shift: timedelta, zone: str) -> exp.Expr:
    """Start of the grain in the city's zone; weeks begin on Monday. A compared period is laid over the present one."""
    column: exp.Expr = _column(time)
    if shift:
        column = exp.Add(this=column, expression=_interval(f"{int(shift.total_seconds())} seconds"))
    width = _interval(f"1 {grain}")
    return exp.Anonymous(this="time_bucket", expressions=[width, column, exp.Literal.string(zone)])


def _aligned(source: exp.Select, names: Sequence[str]) -> exp.Select:
    """The source with a column for every figure of the query, null where it belongs to another source."""
    own = set(source.named_selects)
    keys = [_column(name) for name in source.named_selects if name not in names]
    gap = exp.cast(exp.null(), "DOUBLE")
    figures = [_column(name) if name in own else gap.copy().as_(name, quoted=True) for name in names]
    return exp.select(*keys, *figures).from_(source.subquery("source"))


def _union(parts: Sequence[exp.Select]) -> exp.Select | exp.Union:
    first, *rest = parts
    result: exp.Select | exp.Union = first
    for part in rest:
        result = exp.union(result, part, distinct=False, copy=False)
    return result


def _folded(name: str, metric: Metric) -> exp.Expr:
    figure: exp.Expr = exp.func("MAX", _column(name))
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
    return [exp.Ordered(this=_column(o.by), desc=o.descending, nulls_first=False) for o in [*wished, *rest]]


def _column(name: str) -> exp.Column:
    return exp.column(name, quoted=True)


def _instant(at: datetime) -> exp.Expr:
    return exp.cast(exp.Literal.string(at.astimezone(UTC).isoformat()), "TIMESTAMPTZ")


def _interval(text: str) -> exp.Expr:
    return exp.cast(exp.Literal.string(text), "INTERVAL")
