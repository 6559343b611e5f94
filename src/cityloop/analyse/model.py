"""The semantic model: metrics and dimensions as packs declare them in ``metrics.yaml``. Keys: ``docs/rules.md``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from pydantic import Field

from cityloop.analyse.schemas import DimensionKind, Words
from cityloop.core.values import Frozen, Title
from cityloop.lake.events import PROTECTED

TIME = "time"
"""The dimension every metric has; its column is the metric's own ``time``, cut by the grain of the query."""


def protected(table: str) -> str:
    """The entity whose scope at the door limits the rows of a lake table."""
    return PROTECTED.get(table, "observation")


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
    synonyms: Words = Field(default_factory=Words)
    owner: str | None = None

    @property
    def protected(self) -> str:
        """The entity whose scope at the door limits this metric's rows."""
        return protected(self.table)
        return protected(self.table)


class Dimension(Frozen):
    """A way to cut a figure. ``labels`` names where titles of values come from, ``values`` gives them here."""

    id: str = Field(pattern=r"^[a-z][a-z0-9_]*$", max_length=60)
    title: Title
    kind: DimensionKind = "text"
    column: str
    labels: str | None = None
    values: dict[str, Title] = Field(default_factory=dict)
    synonyms: Words = Field(default_factory=Words)

    @property
    def clock(self) -> bool:
        """Whether it is read off a metric's own instant and not off a column."""
        return self.kind in ("time", "hour", "weekday")


class Model(Frozen):
    """All metrics and dimensions of a city's packs, by id."""

    metrics: Mapping[str, Metric]
    dimensions: Mapping[str, Dimension]

    def cuts(self, metric: Metric) -> list[str]:
        """All dimensions of a metric: those it names, and with ``time`` all that are read off its instant."""
        clocks = [one.id for one in self.dimensions.values() if one.clock] if TIME in metric.dimensions else []
        return list(dict.fromkeys([*metric.dimensions, *clocks]))
