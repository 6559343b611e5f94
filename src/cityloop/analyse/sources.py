"""Sources of a query: the rows and columns that the asker may see, under conditions, grouped.

Metrics with the same table, filter and instant share a source. Values from the request enter only as literals.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from sqlglot import exp

from cityloop.access.door import Scope
from cityloop.analyse import expression, periods
from cityloop.analyse.filters import condition
from cityloop.analyse.model import TIME, Dimension, Metric, Model
from cityloop.analyse.periods import Shift, instant
from cityloop.analyse.schemas import QueryRequest
from cityloop.city.content import Peaks
from cityloop.city.days import DayTable

PREVIOUS = "__previous"


@dataclass(frozen=True)
class Clocks:
    """How the city tells time: its zone, its announced days and its rush hours."""

    zone: str
    table: DayTable = field(default_factory=DayTable)
    peaks: Peaks = field(default_factory=Peaks)


@dataclass(frozen=True)
class Asked:
    """A checked request with what its words mean here."""

    request: QueryRequest
    model: Model
    clocks: Clocks

    @cached_property
    def dimensions(self) -> list[Dimension]:
        """The dimensions that rows are grouped by, beside time."""
        return [self.model.dimensions[name] for name in self.request.dimensions if name != TIME]

    @property
    def keys(self) -> list[str]:
        """The columns that tell the rows of the answer apart."""
        return ([TIME] if self.request.grain else []) + [dimension.id for dimension in self.dimensions]


@dataclass(frozen=True)
class Source:
    """Metrics that share rows. ``shift`` moves the period back, for a comparison."""

    metrics: tuple[Metric, ...]
    shift: Shift = field(default_factory=Shift)

    @property
    def first(self) -> Metric:
        """The metric whose table, filter and instant the others share."""
        return self.metrics[0]

    def name(self, metric: Metric) -> str:
        """The column of a metric in the answer."""
        return metric.id + PREVIOUS if self.shift else metric.id


def sources(asked: Asked) -> list[Source]:
    """The sources of a request; those of a compared period follow the others."""
    groups: dict[Any, list[Metric]] = {}
    for name in dict.fromkeys(asked.request.metrics):
        metric = asked.model.metrics[name]
        groups.setdefault((metric.table, metric.filter, metric.time, metric.as_of), []).append(metric)
    found = [Source(tuple(metrics)) for metrics in groups.values()]
    shift = periods.shift_of(asked.request, asked.clocks.zone)
    return [*found, *[Source(source.metrics, shift) for source in found]] if shift else found


def select(source: Source, asked: Asked, scope: Scope) -> exp.Select:
    """One source: keys, then its metrics, over the policy sub-query."""
    keys = [_key(dimension, source, asked.clocks.zone).as_(dimension.id, quoted=True) for dimension in asked.dimensions]
    if asked.request.grain:
        time = periods.bucket(source.first.time, asked.request.grain, source.shift, asked.clocks.zone)
        keys.insert(0, time.as_(TIME, quoted=True))
    figures = [expression.tree(m.expression).as_(source.name(m), quoted=True) for m in source.metrics]
    tree = exp.select(*keys, *figures).from_(
        _rows(source, asked, scope, _needed(source, asked), _labels(source, asked))
    )
    tree = tree.where(*_conditions(source, asked), copy=False)
    return tree.group_by(*[exp.Literal.number(n + 1) for n in range(len(keys))]) if keys else tree


def rows_of(source: Source, asked: Asked, scope: Scope, columns: Sequence[str]) -> exp.Select:
    """``columns`` of the rows beneath a source."""
    needed = list(dict.fromkeys([*_needed(source, asked), *columns]))
    tree = exp.select(*[column(name) for name in columns]).from_(_rows(source, asked, scope, needed, ()))
    return tree.where(*_conditions(source, asked), copy=False)


def policy(
    table: str | exp.Subquery, scope: Scope, columns: Sequence[str], labels: Collection[str] = ()
) -> exp.Subquery:
    """The rows and columns the asker may see; a covered column is no value, as one of the ``labels`` it is ``***``."""
    source = exp.table_(table, quoted=True) if isinstance(table, str) else table
    covers = {name: exp.Literal.string("***") for name in labels}
    shown = [scope.column(name, covers.get(name)).as_(name, quoted=True) for name in columns]
    return exp.select(*shown).from_(source).where(scope.tree()).subquery("seen")


def column(name: str) -> exp.Column:
    """A column by its exact name."""
    return exp.column(name, quoted=True)


def _rows(source: Source, asked: Asked, scope: Scope, needed: Sequence[str], labels: Collection[str]) -> exp.Subquery:
    metric = source.first
    if metric.as_of is None:
        return policy(metric.table, scope, needed, labels)
    order = exp.Ordered(this=column(metric.as_of.order), desc=True)
    rank = exp.Window(
        this=exp.RowNumber(), partition_by=[column(metric.as_of.key)], order=exp.Order(expressions=[order])
    )
    latest = exp.select("*").from_(exp.table_(metric.table, quoted=True)).qualify(rank.eq(1))
    if asked.request.end is not None:
        end = source.shift.back(asked.request.end, asked.clocks.zone)
        latest = latest.where(column(metric.time) < instant(end))
    # The newest state is chosen before the scope is laid on: a case that went to another department has left this one.
    return policy(latest.subquery("newest"), scope, needed, labels)


def _key(dimension: Dimension, source: Source, zone: str) -> exp.Expr:
    if dimension.kind == "hour":
        return exp.cast(periods.hour(source.first.time, zone), "TEXT")
    if dimension.kind == "weekday":
        return exp.cast(periods.weekday(source.first.time, zone), "TEXT")
    return column(dimension.column)


def _labels(source: Source, asked: Asked) -> set[str]:
    """Columns that only stand for names in the answer; what is counted with, or filtered by, is never a text."""
    texts = [metric.expression for metric in source.metrics] + [source.first.filter or "true"]
    counted = {name for text in texts for name in expression.columns(text)} | {source.first.time}
    return {dimension.column for dimension in asked.dimensions if dimension.kind in ("text", "area")} - counted


def _needed(source: Source, asked: Asked) -> list[str]:
    """The columns a source reads."""
    filtered = [asked.model.dimensions[item.dimension] for item in asked.request.filters]
    cut = [dimension.column for dimension in (*asked.dimensions, *filtered) if not dimension.clock]
    texts = [metric.expression for metric in source.metrics] + [source.first.filter or "true"]
    counted = [name for text in texts for name in expression.columns(text)]
    return list(dict.fromkeys([source.first.time, *cut, *counted]))


def _conditions(source: Source, asked: Asked) -> list[exp.Expr]:
    metric, request, clocks = source.first, asked.request, asked.clocks
    found: list[exp.Expr] = []
    if metric.filter:
        found.append(exp.paren(expression.tree(metric.filter)))
    if metric.as_of is None:
        if request.start is not None:
            found.append(column(metric.time) >= instant(source.shift.back(request.start, clocks.zone)))
        if request.end is not None:
            found.append(column(metric.time) < instant(source.shift.back(request.end, clocks.zone)))
    found += periods.calendar(request.calendar, metric.time, clocks.zone, clocks.table, clocks.peaks)
    for item in request.filters:
        dimension = asked.model.dimensions[item.dimension]
        found.append(condition(item, dimension, _key(dimension, source, clocks.zone)))
    return found
