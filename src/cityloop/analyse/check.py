"""Checks a request against the model before anything is compiled; every unknown name is met with the nearest ones."""

from __future__ import annotations

from collections.abc import Iterator

from cityloop.analyse import derive, filters
from cityloop.analyse.content import near
from cityloop.analyse.model import TIME, Metric, Model
from cityloop.analyse.schemas import QueryRequest
from cityloop.core.errors import Fault, Invalid


def check(request: QueryRequest, model: Model) -> None:
    """Raise :class:`Invalid` with every fault of the request."""
    faults = list(_names(request, model))
    if not faults:
        metrics = [model.metrics[name] for name in request.metrics]
        faults = [*_fit(request, model, metrics), *_period(request, metrics), *derive.faults(request, model)]
        faults += list(_orders(request))
    if faults:
        raise Invalid("the query cannot be answered", "see GET /api/v1/model", faults)


def _names(request: QueryRequest, model: Model) -> Iterator[Fault]:
    for index, name in enumerate(request.metrics):
        if name not in model.metrics:
            yield Fault(f"metrics.{index}", f"unknown metric '{name}'", near(name, model.metrics))
    for index, name in enumerate(request.dimensions):
        if name not in model.dimensions:
            yield Fault(f"dimensions.{index}", f"unknown dimension '{name}'", near(name, model.dimensions))
    for index, item in enumerate(request.filters):
        where = f"filters.{index}"
        if item.dimension == TIME:
            yield Fault(where, "time is no filter", "use 'start' and 'end'")
        elif item.dimension not in model.dimensions:
            yield Fault(where, f"unknown dimension '{item.dimension}'", near(item.dimension, model.dimensions))
        else:
            yield from filters.faults(item, model.dimensions[item.dimension], where)


def _fit(request: QueryRequest, model: Model, metrics: list[Metric]) -> Iterator[Fault]:
    asked = [*request.dimensions, *[item.dimension for item in request.filters]]
    for metric in metrics:
        for name in dict.fromkeys(asked):
            if name not in model.cuts(metric) and name != TIME:
                what = f"'{metric.id}' cannot be cut by '{name}'"
                yield Fault("dimensions", what, f"it can be cut by {', '.join(model.cuts(metric))}")


def _period(request: QueryRequest, metrics: list[Metric]) -> Iterator[Fault]:
    if TIME in request.dimensions and request.grain is None:
        yield Fault("grain", "the dimension 'time' needs a grain", "add hour, day, week, month, quarter or year")
    stocks = [metric.id for metric in metrics if metric.as_of]
    if request.grain and stocks:
        yield Fault("grain", f"'{stocks[0]}' is a stock as of 'end'", "ask it without a grain")
    if request.calendar and stocks:
        yield Fault("calendar", f"'{stocks[0]}' is a stock as of 'end'", "ask it without days or hours of the calendar")
    if request.start and request.end and request.start >= request.end:
        yield Fault("end", "the period is empty", "'end' lies after 'start'; it is not part of the period")
    if request.compare != "none" and not (request.start and request.end):
        yield Fault("compare", "a comparison needs a period", "give 'start' and 'end'")


def _orders(request: QueryRequest) -> Iterator[Fault]:
    known = {*request.metrics, *[item.id for item in request.derive], *request.dimensions} - {TIME}
    known |= {TIME} if request.grain else set()
    for index, order in enumerate(request.order):
        if order.by not in known:
            yield Fault(f"order.{index}", f"cannot sort by '{order.by}'", f"sort by {', '.join(sorted(known))}")
