"""What a client sees of the model, what the columns of an answer are called, and their values as it reads them."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import Any

from cityloop.analyse import expression
from cityloop.analyse.compile import PREVIOUS, Plan
from cityloop.analyse.derive import WINDOW, against_time
from cityloop.analyse.filters import OPERATIONS
from cityloop.analyse.model import TIME, Dimension, Metric, Model
from cityloop.analyse.schemas import Column, Derive, DimensionView, MetricView, ModelView, QueryRequest
from cityloop.core.values import Title

_TIME = Title(zh="时间", en="Time")
_BEFORE = {
    "previous": Title(zh="{}（上期）", en="{} (previous period)"),
    "year": Title(zh="{}（去年同期）", en="{} (a year earlier)"),
}
_DERIVED = {
    "share": Title(zh="{}占比", en="Share of {}"),
    "rank": Title(zh="{}排名", en="Rank by {}"),
    "cumulative": Title(zh="累计{}", en="{}, cumulative"),
    "moving_average": Title(zh="{}（{n}期移动平均）", en="{}, mean of {n}"),
    "change": Title(zh="{}变化", en="Change of {}"),
    "change_rate": Title(zh="{}变化率", en="Rate of change of {}"),
}
_AGAINST = {
    ("change", "previous"): Title(zh="{}环比变化", en="Change of {} on the period before"),
    ("change_rate", "previous"): Title(zh="{}环比", en="{}, rate of change on the period before"),
    ("change", "year"): Title(zh="{}同比变化", en="Change of {} on the year before"),
    ("change_rate", "year"): Title(zh="{}同比", en="{}, rate of change on the year before"),
}
_FORMATS = {"share": "percent", "change_rate": "percent", "rank": "integer", "moving_average": "decimal"}


def view(model: Model) -> ModelView:
    """Metrics and dimensions, in the order of the packs."""
    return ModelView(
        metrics=[_metric(metric, model) for metric in model.metrics.values()],
        dimensions=[_dimension(dimension) for dimension in model.dimensions.values()],
    )


def columns(plan: Plan, request: QueryRequest, model: Model) -> list[Column]:
    """The columns of an answer, in order."""
    found = [_key(name, model) for name in plan.keys]
    for name in plan.metrics:
        metric = model.metrics[name]
        adds_up = expression.additive(metric.expression)
        shape = {"role": "metric", "unit": metric.unit, "format": metric.format, "adds_up": adds_up}
        found.append(Column.model_validate({"id": name, "title": metric.title, **shape}))
    for name in plan.previous:
        metric = model.metrics[name.removesuffix(PREVIOUS)]
        title = _filled(_BEFORE[request.compare], metric)
        shape = {"role": "previous", "unit": metric.unit, "format": metric.format, "of": metric.id}
        found.append(Column.model_validate({"id": name, "title": title, **shape}))
    return [*found, *[_derived(item, request, model.metrics[item.metric]) for item in request.derive]]


def cell(column: Column, value: Any) -> Any:
    """A value as JSON has it; a figure that is no number is undefined, never 0."""
    if isinstance(value, Decimal):
        value = float(value)
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return round(value) if column.format == "integer" and value is not None else value


def _metric(metric: Metric, model: Model) -> MetricView:
    return MetricView(
        id=metric.id,
        title=metric.title,
        description=metric.description,
        unit=metric.unit,
        format=metric.format,
        higher_is_better=metric.higher_is_better,
        dimensions=model.cuts(metric),
        synonyms=metric.synonyms,
        owner=metric.owner,
        adds_up=expression.additive(metric.expression),
        stock=metric.as_of is not None,
    )


def _dimension(dimension: Dimension) -> DimensionView:
    return DimensionView(
        id=dimension.id,
        title=dimension.title,
        kind=dimension.kind,
        synonyms=dimension.synonyms,
        operations=list(OPERATIONS[dimension.kind]),
    )


def _key(name: str, model: Model) -> Column:
    if name == TIME:
        return Column(id=TIME, title=_TIME, role="time", unit="", format="instant")
    dimension = model.dimensions[name]
    return Column(id=name, title=dimension.title, role="dimension", unit="", format=dimension.kind)


def _derived(item: Derive, request: QueryRequest, metric: Metric) -> Column:
    against = "" if against_time(item, request) else request.compare
    title = _filled(_AGAINST.get((item.how, against), _DERIVED[item.how]), metric, item.window or WINDOW)
    kind = _FORMATS.get(item.how, metric.format)
    if item.how == "moving_average" and metric.format in ("percent", "duration"):
        kind = metric.format
    unit = "" if item.how in ("share", "change_rate", "rank") else metric.unit
    return Column(id=item.id, title=title, role="derived", unit=unit, format=kind, of=metric.id)


def _filled(pattern: Title, metric: Metric, window: int = 0) -> Title:
    return Title(
        zh=pattern.zh.format(metric.title.zh, n=window),
        en=pattern.en.format(metric.title.en, n=window),
    )
