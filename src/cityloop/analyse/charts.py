"""Chooses the chart for an answer from what its columns are, how many values they have, and what was asked.

Each choice says why, and which others would also be right. Axes are honest: bars start at zero always; a line may leave
zero out only where its figures have no natural zero in sight, and then says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from cityloop.analyse.schemas import Column, QueryRequest, QueryResult
from cityloop.core.values import Frozen, Title

ChartKind = Literal["figure", "line", "bar", "stacked", "heat", "map", "distribution", "table"]
FEW = 8
"""Most lines or parts that colours can tell apart."""
MANY = 40
"""Most bars one chart shows; more are a table."""


_ORDERED = ("hour", "weekday", "number")
"""Kinds of dimensions whose values have an order of their own."""


class Chart(Frozen):
    """How an answer is drawn. ``x``, ``y`` and ``series`` are ids of its columns."""

    kind: ChartKind
    x: str | None = None
    y: list[str] = []
    series: str | None = None
    """The column whose values become lines, parts or rows of the heat table."""
    zero: bool = True
    """Whether the axis of figures starts at zero."""
    horizontal: bool = False
    why: Title
    alternatives: list[ChartKind] = []


@dataclass(frozen=True)
class _Shape:
    """An answer as the choice looks at it."""

    time: str | None
    dimensions: tuple[Column, ...]
    figures: tuple[Column, ...]
    compared: bool
    result: QueryResult

    def count(self, name: str) -> int:
        """How many different values a column has."""
        return len(set(self.values(name)))

    def values(self, name: str) -> list[Any]:
        """The values of a column, without gaps."""
        at = [column.id for column in self.result.columns].index(name)
        return [row[at] for row in self.result.rows if row[at] is not None]


def choose(result: QueryResult, request: QueryRequest | None = None, *, wish: ChartKind | None = None) -> Chart:
    """The chart of an answer; a ``wish`` is fulfilled where the answer can be drawn so."""
    shape = _shape(result)
    ranked = bool(request and request.order and request.order[0].by != "time")
    chart = _choice(shape, ranked)
    if wish is None or wish == chart.kind:
        return chart
    if wish not in (*chart.alternatives, "table"):
        sorry = _text("不能画成所要的图形：", "It cannot be drawn as wished: ")
        return chart.model_copy(update={"why": Title(zh=sorry.zh + chart.why.zh, en=sorry.en + chart.why.en)})
    return _wished(shape, chart, wish)


def _choice(shape: _Shape, ranked: bool) -> Chart:
    if not shape.result.rows or not shape.figures:
        return _chart("table", shape, why=_text("没有可以画的数值。", "There are no figures to draw."))
    if shape.time is None and not shape.dimensions:
        return _single(shape)
    if shape.time is not None and not ranked:
        return _in_time(shape)
    return _by_dimension(shape)


def _single(shape: _Shape) -> Chart:
    if shape.compared:
        why = _text("只有一个数值，与对比期放在一起看。", "A single figure, shown with what it is compared with.")
    else:
        why = _text("只有一个数值，直接给出。", "A single figure is best read as it is.")
    return _chart("figure", shape, why=why, others=["bar"] if len(shape.figures) > 1 else [])


def _in_time(shape: _Shape) -> Chart:
    assert shape.time is not None
    zero = _from_zero(shape)
    if not shape.dimensions:
        why = _text("随时间变化，用折线看趋势。", "It runs over time: a line shows the trend.")
        return _chart("line", shape, x=shape.time, zero=zero, why=_axis(why, zero), others=["bar"])
    first = shape.dimensions[0]
    if len(shape.dimensions) > 1 or len(shape.figures) > 1:
        why = _text("分组太多，一张图放不下，用表格。", "Too many ways of cutting for one chart: a table.")
        return _chart("table", shape, why=why, others=["line"])
    if shape.count(first.id) > FEW:
        why = _text(
            f"{shape.count(first.id)} 个{first.title.zh}的折线分不清，用热力表看时间与{first.title.zh}。",
            f"{shape.count(first.id)} lines cannot be told apart: a heat table of time by {first.title.en}.",
        )
        return _chart("heat", shape, x=shape.time, series=first.id, why=why, others=["line", "map"])
    if _adds_up(shape) and shape.count(shape.time) <= 31:
        why = _text(
            f"各{first.title.zh}相加就是总数，用堆叠柱看总量和构成。",
            f"The parts by {first.title.en} add up: stacked bars show the whole and its parts.",
        )
        return _chart("stacked", shape, x=shape.time, series=first.id, why=why, others=["line", "heat"])
    why = _text(f"每个{first.title.zh}一条折线，便于比较走势。", f"One line for each {first.title.en} compares trends.")
    return _chart("line", shape, x=shape.time, series=first.id, zero=zero, why=_axis(why, zero), others=["heat"])


def _by_dimension(shape: _Shape) -> Chart:
    keys = [*([shape.time] if shape.time else []), *[dimension.id for dimension in shape.dimensions]]
    if len(keys) > 2 or (len(keys) == 2 and len(shape.figures) > 1):
        return _chart("table", shape, why=_text("分组太多，用表格看。", "Cut in too many ways for a chart: a table."))
    if len(keys) == 2:
        return _crossed(shape, keys)
    first = keys[0]
    title = next((dimension.title for dimension in shape.dimensions if dimension.id == first), _text("时间", "time"))
    count = shape.count(first)
    kind = next((dimension.format for dimension in shape.dimensions if dimension.id == first), "time")
    if kind in _ORDERED and len(shape.figures) == 1:
        why = _text(f"{title.zh}有先后顺序，按顺序排成分布。", f"{title.en} has an order: a distribution along it.")
        return _chart("distribution", shape, x=first, why=why, others=["bar", "line"])
    others: list[ChartKind] = ["map"] if kind == "area" and len(shape.figures) == 1 else []
    if count > MANY and others:
        why = _text(f"{count} 个{title.zh}，在地图上看分布。", f"{count} places: a map shows where they are.")
        return _chart("map", shape, x=first, why=why, others=["bar"])
    if count > MANY:
        why = _text(f"{count} 个{title.zh}太多，用表格。", f"{count} bars are too many: a table.")
        return _chart("table", shape, why=why, others=["bar"])
    why = _text(f"比较各{title.zh}的大小，用横条，从零开始。", f"Compares by {title.en}: bars that start at zero.")
    return _chart("bar", shape, x=first, why=why, horizontal=True, others=others)


def _crossed(shape: _Shape, keys: Sequence[str]) -> Chart:
    first, second = keys
    ordered = any(dimension.format in _ORDERED for dimension in shape.dimensions)
    few = min(shape.count(first), shape.count(second)) <= FEW and max(shape.count(first), shape.count(second)) <= MANY
    if few and _adds_up(shape) and not ordered:
        x, series = (first, second) if shape.count(second) <= FEW else (second, first)
        why = _text("两个分组，各部分可以相加，用堆叠条。", "Two ways of cutting whose parts add up: stacked bars.")
        return _chart("stacked", shape, x=x, series=series, why=why, horizontal=True, others=["heat"])
    why = _text("两个分组交叉，用热力表。", "Two ways of cutting cross each other: a heat table.")
    return _chart("heat", shape, x=first, series=second, why=why)


def _shape(result: QueryResult) -> _Shape:
    named = {role: [c for c in result.columns if c.role == role] for role in ("time", "dimension", "metric", "derived")}
    return _Shape(
        time=named["time"][0].id if named["time"] else None,
        dimensions=tuple(named["dimension"]),
        figures=tuple(named["metric"]) + tuple(c for c in named["derived"] if c.id.endswith(_SHOWN)),
        compared=any(column.role == "previous" for column in result.columns),
        result=result,
    )


_SHOWN = ("__cumulative", "__moving_average")
"""Derived columns that are drawn beside their metric on one axis; the others stay in the table."""


def _from_zero(shape: _Shape) -> bool:
    """A line leaves zero out where every figure lies far from it, close together, and is no count."""
    values = [float(value) for figure in shape.figures for value in shape.values(figure.id)]
    counts = any(figure.format == "integer" for figure in shape.figures)
    if not values or counts or min(values) <= 0:
        return True
    return (max(values) - min(values)) > 0.3 * max(values)


def _axis(why: Title, zero: bool) -> Title:
    if zero:
        return why
    return Title(
        zh=why.zh + "数值彼此接近，纵轴不从零开始。",
        en=why.en + " The values lie close together, so the axis does not start at zero.",
    )


def _adds_up(shape: _Shape) -> bool:
    """Parts may be stacked only when they add up to the whole, none below zero."""
    return all(figure.adds_up and min(shape.values(figure.id), default=0) >= 0 for figure in shape.figures)


def _wished(shape: _Shape, chart: Chart, wish: ChartKind) -> Chart:
    keys = [*([shape.time] if shape.time else []), *[dimension.id for dimension in shape.dimensions]]
    why = _text("按您的选择。", "As you chose.")
    zero = wish != "line" or _from_zero(shape)
    series = chart.series or (keys[1] if len(keys) > 1 else None)
    x = chart.x or (keys[0] if keys else None)
    flat = wish == "bar" and shape.time is None
    others = [chart.kind, *chart.alternatives]
    return _chart(wish, shape, x=x, series=series, zero=zero, why=_axis(why, zero), horizontal=flat, others=others)


def _chart(
    kind: ChartKind,
    shape: _Shape,
    *,
    why: Title,
    x: str | None = None,
    series: str | None = None,
    zero: bool = True,
    horizontal: bool = False,
    others: Sequence[ChartKind] = (),
) -> Chart:
    figures = [figure.id for figure in shape.figures]
    every: tuple[ChartKind, ...] = (*others, "table")
    rest = [other for other in dict.fromkeys(every) if other != kind]
    return Chart(kind=kind, x=x, y=figures, series=series, zero=zero, horizontal=horizontal, why=why, alternatives=rest)


def _text(zh: str, en: str) -> Title:
    return Title(zh=zh, en=en)
