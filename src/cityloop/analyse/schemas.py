"""The typed query and its answer: every chart, board and question speaks this."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from cityloop.core.values import Frozen, Instant, Title

Grain = Literal["hour", "day", "week", "month"]


class MetricView(Frozen):
    """A metric of the semantic model."""

    id: str
    title: Title
    description: Title
    unit: str
    format: Literal["integer", "decimal", "percent", "duration"]
    higher_is_better: bool | None
    dimensions: list[str]


class DimensionView(Frozen):
    """A dimension of the semantic model."""

    id: str
    title: Title
    kind: Literal["text", "time", "area", "flag"]


class ModelView(Frozen):
    """The semantic model as a client sees it."""

    metrics: list[MetricView]
    dimensions: list[DimensionView]


class Filter(Frozen):
    """A condition on a dimension."""

    dimension: str
    op: Literal["in", "not_in"] = "in"
    values: list[str] = Field(min_length=1, max_length=500)


class Order(Frozen):
    """Sort by a metric, a dimension or ``time``."""

    by: str
    descending: bool = True


class QueryRequest(Frozen):
    """What is asked. ``start`` (inclusive) and ``end`` (exclusive) select by each metric's own instant."""

    metrics: list[str] = Field(min_length=1, max_length=20)
    dimensions: list[str] = Field(default=[], max_length=6)
    filters: list[Filter] = Field(default=[], max_length=20)
    grain: Grain | None = None
    start: Instant | None = None
    end: Instant | None = None
    compare: Literal["none", "previous_period"] = "none"
    order: list[Order] = []
    limit: int = Field(default=1000, ge=1, le=10_000)
    as_of: Instant | None = None
    """Answer from the lake as it was at this instant of the machine's time; by default as it is."""


class Column(Frozen):
    """A column of the answer."""

    id: str
    title: Title
    role: Literal["time", "dimension", "metric", "previous"]
    unit: str
    format: str


class QueryResult(Frozen):
    """The answer with what is needed to trust it."""

    columns: list[Column]
    rows: list[list[Any]]
    labels: dict[str, dict[str, Title]]
    """Titles of the dimension values that occur, by dimension."""
    freshness: Instant | None
    truncated: bool
    sql: str
    scope: list[str]
