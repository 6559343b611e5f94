"""Explains a change: which dimension it lies in, which parts moved it by mix and by rate, and what is behind them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlglot import exp

from cityloop.access.actor import Actor
from cityloop.analyse import contributions, expression, periods
from cityloop.analyse.charts import Chart
from cityloop.analyse.content import near
from cityloop.analyse.contributions import Contribution, Side, Sides
from cityloop.analyse.explain_schemas import Behind, ChangePart, ExplainRequest, ExplainResult, Period, SplitView
from cityloop.analyse.model import TIME, Dimension, Metric, Model
from cityloop.analyse.schemas import QueryRequest, QueryResult
from cityloop.analyse.service import Analyst
from cityloop.analyse.sources import column
from cityloop.analyse.words import sentences
from cityloop.core.errors import Fault, Invalid
from cityloop.core.values import Title

MOST = 10_000
"""Most parts of a dimension; one with more is no explanation."""
BEHIND = 20
_OVER, _UNDER = "__over", "__under"
_KINDS = {"CaseEvent": "case", "WarningEvent": "warning"}
_NOBODY = Title(zh="（无）", en="(none)")


class Explainer:
    """Takes changes apart within the asker's scope, by the same queries as every other figure."""

    def __init__(self, analyst: Analyst) -> None:
        self._analyst = analyst

    def explain(self, actor: Actor, request: ExplainRequest) -> ExplainResult:
        """The change and its explanation; raises :class:`Invalid` for what the model does not know."""
        metric = self._metric(request)
        against = self._against(request)
        totals = [self._figure(actor, request, metric, period) for period in (request.period, against)]
        now, before = (_value(total) for total in totals)
        splits, found = self._splits(actor, request, metric, against)
        best = splits[0] if splits else None
        change = None if now is None or before is None else now - before
        return ExplainResult(
            metric=metric.id,
            title=metric.title,
            unit=metric.unit,
            format=metric.format,
            period=request.period,
            against=against,
            now=now,
            before=before,
            change=change,
            change_rate=change / abs(before) if change is not None and before else None,
            splits=splits,
            behind=self._behind(actor, request, metric, best),
            words=sentences(metric, now, before, best, decomposes=found),
            chart=_chart(best),
            rows=[[part.title, part.mix, part.rate, part.total] for part in best.parts] if best else [],
            freshness=totals[0].freshness,
            scope=totals[0].scope,
        )

    def _metric(self, request: ExplainRequest) -> Metric:
        model = self._analyst.vocabulary
        metric = model.metrics.get(request.metric)
        if metric is None:
            fault = Fault("metric", f"unknown metric '{request.metric}'", near(request.metric, model.metrics))
            raise Invalid("the change cannot be explained", "see GET /api/v1/model", [fault])
        able = model.cuts(metric)
        faults = [
            Fault(f"dimensions.{index}", f"'{metric.id}' cannot be cut by '{name}'", f"use {', '.join(able)}")
            for index, name in enumerate(request.dimensions)
            if name not in able or name == TIME
        ]
        if faults:
            raise Invalid("the change cannot be explained", "see GET /api/v1/model", faults)
        return metric

    def _against(self, request: ExplainRequest) -> Period:
        if isinstance(request.against, Period):
            return request.against
        asked = QueryRequest(
            metrics=[request.metric], start=request.period.start, end=request.period.end, compare=request.against
        )
        zone = self._analyst.city.zone.key
        shift = periods.shift_of(asked, zone)
        return Period(start=shift.back(request.period.start, zone), end=shift.back(request.period.end, zone))

    def _figure(self, actor: Actor, request: ExplainRequest, metric: Metric, period: Period) -> QueryResult:
        return self._analyst.query(actor, _asked(request, [metric.id], [], period))

    def _splits(
        self, actor: Actor, request: ExplainRequest, metric: Metric, against: Period
    ) -> tuple[list[SplitView], bool]:
        """The change by each dimension, the most telling first; and whether the metric can be taken apart at all."""
        model = self._analyst.vocabulary
        quotient = contributions.components(metric.expression)
        if quotient is None and not expression.additive(metric.expression):
            return [], False
        wider = _with_parts(model, metric, quotient)
        names = request.dimensions or [name for name in metric.dimensions if _tells(model.dimensions[name], request)]
        found = []
        for name in names:
            sides = [self._sides(actor, request, metric, wider, name, period) for period in (request.period, against)]
            if any(side is None for side in sides):
                continue
            (now, labels), (before, more) = (side for side in sides if side is not None)
            parts = (contributions.of_quotients if quotient else contributions.of_sums)(now, before)
            if len(parts) > 1 or (parts and request.dimensions):
                found.append(_split(model.dimensions[name], parts, {**more, **labels}, request.limit))
        return sorted(found, key=lambda split: -split.focus), True

    def _sides(
        self, actor: Actor, request: ExplainRequest, metric: Metric, wider: Model, dimension: str, period: Period
    ) -> tuple[Sides, Mapping[str, Title]] | None:
        """The parts of one dimension in one period; ``None`` where there are too many to explain anything."""
        names = [name for name in (metric.id + _OVER, metric.id + _UNDER) if name in wider.metrics]
        answer = self._analyst.query(actor, _asked(request, names, [dimension], period), wider)
        if answer.truncated:
            return None
        sides = {None if row[0] is None else _text(row[0]): Side(*map(_number, row[1:])) for row in answer.rows}
        return sides, answer.labels.get(dimension, {})

    def _behind(self, actor: Actor, request: ExplainRequest, metric: Metric, best: SplitView | None) -> Behind | None:
        """Cases, warnings or entities in the part that moved most."""
        if best is None or not best.parts or best.parts[0].value is None:
            return None
        kind = _KINDS.get(metric.table, "entity")
        name = kind if kind != "entity" else "entity"
        top = best.parts[0].value
        asked = _asked(request, [metric.id], [], request.period)
        inside = {"dimension": best.dimension, "values": [top]}
        asked = QueryRequest.model_validate({**asked.model_dump(), "filters": [*asked.model_dump()["filters"], inside]})
        rows, table = self._analyst.rows(actor, asked, [name])
        tree = exp.select(column(name)).distinct().from_(rows.subquery("behind")).order_by(column(name))
        found = [row[name] for row in self._analyst.run(tree.limit(BEHIND + 1), table) if row[name] is not None]
        return Behind.model_validate(
            {
                "kind": kind,
                "ids": found[:BEHIND],
                "more": len(found) > BEHIND,
                "dimension": best.dimension,
                "value": top,
            }
        )


def _asked(request: ExplainRequest, metrics: Sequence[str], dimensions: Sequence[str], period: Period) -> QueryRequest:
    return QueryRequest(
        metrics=list(metrics),
        dimensions=list(dimensions),
        filters=request.filters,
        start=period.start,
        end=period.end,
        limit=MOST,
    )


def _with_parts(model: Model, metric: Metric, quotient: tuple[str, str] | None) -> Model:
    """The model with numerator and denominator of a metric as metrics of their own; a sum is its own numerator."""
    over, under = quotient or (metric.expression, None)
    parts = {metric.id + _OVER: _part(metric, metric.id + _OVER, over)}
    if under is not None:
        parts[metric.id + _UNDER] = _part(metric, metric.id + _UNDER, under)
    return Model(metrics={**model.metrics, **parts}, dimensions=model.dimensions)


def _part(metric: Metric, name: str, text: str) -> Metric:
    return metric.model_copy(update={"id": name, "expression": text, "when_empty": "zero", "format": "decimal"})


def _tells(dimension: Dimension, request: ExplainRequest) -> bool:
    """Whether a dimension may explain: not a clock, and not one that a filter has already fixed."""
    return not dimension.clock and dimension.id not in {item.dimension for item in request.filters}


def _split(dimension: Dimension, parts: Sequence[Contribution], labels: Mapping[str, Title], limit: int) -> SplitView:
    shown = [_view(part, labels) for part in parts[:limit]]
    rest = sum(part.total for part in parts[limit:])
    focus = contributions.focus(list(parts))
    return SplitView(dimension=dimension.id, title=dimension.title, focus=focus, parts=shown, rest=rest)


def _view(part: Contribution, labels: Mapping[str, Title]) -> ChangePart:
    title = _NOBODY if part.key is None else labels.get(part.key, Title(zh=part.key, en=part.key))
    return ChangePart(
        value=part.key,
        title=title,
        now=part.now,
        before=part.before,
        weight_now=part.weight_now,
        weight_before=part.weight_before,
        mix=part.mix,
        rate=part.rate,
        total=part.total,
    )


def _chart(best: SplitView | None) -> Chart:
    if best is None:
        why = Title(zh="没有可以画的拆分。", en="There is no split to draw.")
        return Chart(kind="table", why=why)
    why = Title(
        zh=f"各{best.title.zh}对变化的贡献相加，用从零开始的横条。",
        en=f"Contributions by {best.title.en} add up: stacked bars from zero.",
    )
    mixed = any(part.mix for part in best.parts)
    figures = ["mix", "rate"] if mixed else ["total"]
    return Chart(kind="stacked" if mixed else "bar", x=best.dimension, y=figures, horizontal=True, why=why)


def _value(answer: QueryResult) -> float | None:
    value = answer.rows[0][0] if answer.rows else None
    return None if value is None else float(value)


def _number(value: Any) -> float:
    return 0.0 if value is None else float(value)


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
