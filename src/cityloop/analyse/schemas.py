"""The typed query and its answer: every chart, board and question speaks this."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, ConfigDict, Field, model_validator

from cityloop.core.values import Frozen, Instant, Title

Grain = Literal["hour", "day", "week", "month", "quarter", "year"]
FilterOp = Literal[
    "in", "not_in", "gt", "gte", "lt", "lte", "between", "contains", "starts_with", "empty", "present"
]  # fmt: skip
DeriveAs = Literal["share", "rank", "cumulative", "moving_average", "change", "change_rate"]
CalendarPart = Literal["working_days", "rest_days", "holidays", "morning_peak", "evening_peak"]
DimensionKind = Literal["text", "time", "area", "flag", "number", "hour", "weekday"]


def _present_word(value: object) -> object:
    """``previous_period`` is what ``previous`` was called before."""
    return "previous" if value == "previous_period" else value


Compare = Annotated[Literal["none", "previous", "year"], BeforeValidator(_present_word)]
"""With the period before (the months before, where the period is whole months), or the same one a year earlier."""


class Words(Frozen):
    """Other names under which people ask for a thing."""

    zh: tuple[str, ...] = ()
    en: tuple[str, ...] = ()


class MetricView(Frozen):
    """A metric of the semantic model. ``dimensions`` are all by which it may be cut and filtered."""

    id: str
    title: Title
    description: Title
    unit: str
    format: Literal["integer", "decimal", "percent", "duration"]
    higher_is_better: bool | None
    dimensions: list[str]
    synonyms: Words = Words()
    owner: str | None = None
    """The department that answers for the meaning of the figure."""
    adds_up: bool = False
    stock: bool = False
    """Whether it is counted as of the end of a period, without a grain."""


class DimensionView(Frozen):
    """A dimension of the semantic model."""

    id: str
    title: Title
    kind: DimensionKind
    synonyms: Words = Words()
    operations: list[FilterOp] = []
    """How it may be filtered."""


class ModelView(Frozen):
    """The semantic model as a client sees it."""

    metrics: list[MetricView]
    dimensions: list[DimensionView]


class Filter(Frozen):
    """A condition on a dimension. Numbers are written as text; ``empty`` and ``present`` take no values."""

    dimension: str
    op: FilterOp = "in"
    values: list[str] = Field(default=[], max_length=500)


class Having(Frozen):
    """A condition on a figure of the answer: a metric, or a derived column by its id.

    ``above_mean`` and ``below_mean`` compare with the plain mean of all rows of the answer.
    """

    metric: str
    op: Literal["gt", "gte", "lt", "lte", "between", "above_mean", "below_mean"]
    values: list[float] = Field(default=[], max_length=2)

    @model_validator(mode="before")
    @classmethod
    def _one_value(cls, value: Any) -> Any:
        """A single ``value`` may be written without its list."""
        if isinstance(value, dict) and "value" in value and "values" not in value:
            rest = {key: item for key, item in value.items() if key != "value"}
            return rest if value["value"] is None else {**rest, "values": [value["value"]]}
        return value


class Derive(Frozen):
    """A column worked out from the figures of the answer. Its id is ``<metric>__<as>``.

    ``over`` names the dimension that a share or a rank runs across, within each combination of the others; without it,
    all rows of the answer. ``cumulative`` and ``moving_average`` run over ``time``. ``change`` and ``change_rate``
    compare with the row ``window`` grains before (``over: time``), else with the compared period.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", validate_by_name=True, validate_by_alias=True)

    metric: str
    how: DeriveAs = Field(alias="as")
    over: str | None = None
    window: int | None = Field(default=None, ge=1, le=366)

    @property
    def id(self) -> str:
        """The name of the column."""
        return f"{self.metric}__{self.how}"


class Order(Frozen):
    """Sort by a metric, a derived column, a dimension or ``time``."""

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
    calendar: list[CalendarPart] = Field(default=[], max_length=5)
    """Only these days and hours of the city: kinds of days add up, and so do kinds of hours; both must hold."""
    compare: Compare = "none"
    derive: list[Derive] = Field(default=[], max_length=20)
    having: list[Having] = Field(default=[], max_length=10)
    order: list[Order] = Field(default=[], max_length=10)
    limit: int = Field(default=1000, ge=1, le=10_000)
    as_of: Instant | None = None
    """Answer from the lake as it was at this instant of the machine's time; by default as it is."""


class Column(Frozen):
    """A column of the answer."""

    id: str
    title: Title
    role: Literal["time", "dimension", "metric", "previous", "derived"]
    unit: str
    format: str
    of: str = ""
    """The metric beneath a compared or a derived column."""
    adds_up: bool = False
    """Whether the figures of parts add up to that of the whole: sums and counts do, means and rates do not."""


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
