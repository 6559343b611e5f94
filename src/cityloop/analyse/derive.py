"""Columns worked out from the figures of an answer (share, rank, running sums, change) and conditions on figures.

They are windows over the folded figures, so that they mean the same on every engine: neighbours in time are found by
the number of their grain, and a gap stays a gap.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sqlglot import exp

from cityloop.analyse import expression, periods
from cityloop.analyse.content import near
from cityloop.analyse.model import TIME, Metric, Model
from cityloop.analyse.schemas import Derive, Having, QueryRequest
from cityloop.analyse.sources import PREVIOUS, Asked, column
from cityloop.core.errors import Fault

_RUNNING = ("cumulative", "moving_average")
_CHANGES = ("change", "change_rate")
_MEAN = "__mean"
_COMPARED = {"gt": exp.GT, "gte": exp.GTE, "lt": exp.LT, "lte": exp.LTE, "above_mean": exp.GT, "below_mean": exp.LT}
WINDOW = 7
"""Grains of a moving average whose window is not named."""


def faults(request: QueryRequest, model: Model) -> Iterator[Fault]:
    """What is wrong with the derived columns and the conditions on figures of a request with known metrics."""
    seen: set[str] = set()
    for index, item in enumerate(request.derive):
        where = f"derive.{index}"
        if item.metric not in request.metrics:
            what = f"'{item.metric}' is not among the metrics asked for"
            yield Fault(f"{where}.metric", what, near(item.metric, request.metrics))
            continue
        if item.id in seen:
            yield Fault(where, f"'{item.id}' is asked twice", "keep one of the two")
        seen.add(item.id)
        yield from _fit(item, request, model.metrics[item.metric], where)
    known = [*request.metrics, *[item.id for item in request.derive]]
    for index, kept in enumerate(request.having):
        if kept.metric not in known:
            what = f"'{kept.metric}' is not a figure of the answer"
            yield Fault(f"having.{index}.metric", what, near(kept.metric, known))
        wanted = {"between": 2, "above_mean": 0, "below_mean": 0}.get(kept.op, 1)
        if len(kept.values) != wanted:
            yield Fault(f"having.{index}.values", f"'{kept.op}' has {len(kept.values)} values", f"give {wanted}")


def _fit(item: Derive, request: QueryRequest, metric: Metric, where: str) -> Iterator[Fault]:
    keys = [*request.dimensions, *([TIME] if request.grain else [])]
    if item.over is not None and item.over not in keys:
        yield Fault(f"{where}.over", f"the answer is not cut by '{item.over}'", f"use {', '.join(keys) or 'none'}")
    if item.how in ("share", "cumulative") and not expression.additive(metric.expression):
        what = f"'{metric.id}' does not add up: no {item.how} of it has a meaning"
        yield Fault(f"{where}.as", what, "take a sum or a count")
    if item.how in _RUNNING and not request.grain:
        yield Fault(f"{where}.as", f"'{item.how}' runs over time", "add a grain")
    if item.how in _RUNNING and item.over not in (None, TIME):
        yield Fault(f"{where}.over", f"'{item.how}' runs over time", "leave 'over' out")
    if item.how in _CHANGES:
        if item.over is None and request.compare == "none" and not request.grain:
            yield Fault(f"{where}.as", "a change is against something", "add 'compare', or a grain and over: time")
        if item.over not in (None, TIME):
            yield Fault(
                f"{where}.over", "a change runs over time", "use over: time, or leave it out to compare periods"
            )


def against_time(item: Derive, request: QueryRequest) -> bool:
    """Whether a change is against the row before, and not against the compared period."""
    return item.over == TIME or request.compare == "none"


def laid_over(figures: exp.Select, asked: Asked, names: Sequence[str]) -> exp.Select:
    """``figures`` with the derived columns beside its ``names``, and only the rows that the conditions leave."""
    request = asked.request
    if not request.derive and not request.having:
        return figures
    derived = [_column(item, asked).as_(item.id, quoted=True) for item in request.derive]
    tree = exp.select(*[column(name) for name in names], *derived).from_(figures.subquery("figures"))
    if not request.having:
        return tree
    shown = [*names, *[item.id for item in request.derive]]
    means = [
        exp.Window(this=exp.func("AVG", column(item.metric))).as_(f"{item.metric}{_MEAN}", quoted=True)
        for item in _by_metric(request.having)
    ]
    rows = exp.select(*[column(name) for name in shown], *means).from_(tree.subquery("derived"))
    kept = exp.select(*[column(name) for name in shown]).from_(rows.subquery("weighed"))
    return kept.where(*[_kept(item) for item in request.having], copy=False)


def _by_metric(items: Sequence[Having]) -> list[Having]:
    return list({item.metric: item for item in items if item.op.endswith("_mean")}.values())


def _kept(item: Having) -> exp.Expr:
    figure = column(item.metric)
    if item.op == "between":
        low, high = (exp.Literal.number(repr(value)) for value in item.values)
        return exp.Between(this=figure, low=low, high=high)
    other = column(item.metric + _MEAN) if item.op.endswith("_mean") else exp.Literal.number(repr(item.values[0]))
    return _COMPARED[item.op](this=figure, expression=other)


def _column(item: Derive, asked: Asked) -> exp.Expr:
    figure, others = column(item.metric), _others(item.over, asked)
    match item.how:
        case "share":
            total = exp.Window(this=exp.func("SUM", figure.copy()), partition_by=others)
            return exp.Div(this=exp.cast(figure, "DOUBLE"), expression=_unless_zero(total))
        case "rank":
            order = exp.Ordered(this=figure, desc=True, nulls_first=False)
            return exp.Window(
                this=exp.Anonymous(this="RANK"), partition_by=others, order=exp.Order(expressions=[order])
            )
        case "cumulative":
            return _over_time(exp.func("SUM", figure), asked, "UNBOUNDED", "CURRENT ROW")
        case "moving_average":
            return _over_time(exp.func("AVG", figure), asked, (item.window or WINDOW) - 1, "CURRENT ROW")
        case _:
            before = _before(item, asked)
            change = exp.Sub(this=exp.cast(figure, "DOUBLE"), expression=before)
            if item.how == "change":
                return change
            return exp.Div(this=exp.paren(change), expression=_unless_zero(exp.func("ABS", before.copy())))


def _before(item: Derive, asked: Asked) -> exp.Expr:
    """The figure that a change is against."""
    if not against_time(item, asked.request):
        return column(item.metric + PREVIOUS)
    steps = item.window or 1
    return _over_time(exp.func("MAX", column(item.metric)), asked, steps, steps)


def _over_time(function: exp.Expr, asked: Asked, start: int | str, end: int | str) -> exp.Window:
    """``function`` over the grains from ``start`` before a row to ``end`` before it, within the same other keys."""
    assert asked.request.grain is not None
    number = periods.number_of(TIME, asked.request.grain, asked.clocks.zone)
    span = exp.WindowSpec(kind="RANGE", start=_edge(start), start_side="PRECEDING", end=_edge(end),
                          end_side=None if end == "CURRENT ROW" else "PRECEDING")  # fmt: skip
    order = exp.Order(expressions=[exp.Ordered(this=number, desc=False)])
    return exp.Window(this=function, partition_by=_others(TIME, asked), order=order, spec=span)


def _edge(edge: int | str) -> exp.Expr | str:
    return edge if isinstance(edge, str) else exp.Literal.number(edge)


def _others(over: str | None, asked: Asked) -> list[exp.Expr]:
    return [column(key) for key in asked.keys if over is not None and key != over]


def _unless_zero(value: exp.Expr) -> exp.Expr:
    return exp.func("NULLIF", value, exp.Literal.number(0))
