"""The semantic model: metrics and dimensions as packs declare them in ``metrics.yaml``. Keys: ``docs/rules.md``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from pydantic import Field

from cityloop.analyse.schemas import DimensionView, MetricView
from cityloop.core.values import Frozen, Title
from cityloop.lake.events import PROTECTED

TIME = "time"
"""The dimension every metric has; its column is the metric's own ``time``, cut by the grain of the query."""


class AsOf(Frozen):
    """A stock: of each ``key`` only the row with the highest ``order`` before the end of the period counts."""

    key: str
    order: str


class Metric(Frozen):
    """A figure with its meaning."""

    id: str = Field(pattern=r"^[a-z][a-z0-9_]*$", max_length=60)
    title: Title
    description: Title
    table: str
    expression: str
    filter: str | None = None
    time: str = "observed_at"
    as_of: AsOf | None = None
    when_empty: Literal["null", "zero"] = "null"
    format: Literal["integer", "decimal", "percent", "duration"]
    unit: str = ""
    higher_is_better: bool | None = None
    dimensions: tuple[str, ...] = ()

    @property
    def protected(self) -> str:
        """The entity whose scope at the door limits this metric's rows."""
        return PROTECTED.get(self.table, "observation")

    def view(self) -> MetricView:
        """As a client sees it."""
        return MetricView(
            id=self.id,
            title=self.title,
            description=self.description,
            unit=self.unit,
            format=self.format,
            higher_is_better=self.higher_is_better,
            dimensions=list(self.dimensions),
        )


class Dimension(Frozen):
    """A way to cut a figure. ``labels`` names where titles of values come from, ``values`` gives them here."""

    id: str = Field(pattern=r"^[a-z][a-z0-9_]*$", max_length=60)
    title: Title
    kind: Literal["text", "time", "area", "flag"] = "text"
    column: str
    labels: str | None = None
    values: dict[str, Title] = Field(default_factory=dict)

    def view(self) -> DimensionView:
        """As a client sees it."""
        return DimensionView(id=self.id, title=self.title, kind=self.kind)


class Model(Frozen):
    """All metrics and dimensions of a city's packs, by id."""

    metrics: Mapping[str, Metric]
    dimensions: Mapping[str, Dimension]
