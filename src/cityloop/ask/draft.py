"""What has been understood so far, and the typed query that it becomes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from cityloop.analyse.model import Metric, Model
from cityloop.analyse.schemas import CalendarPart, Compare, Derive, Filter, Grain, Having, Order, QueryRequest
from cityloop.ask.segment import Piece
from cityloop.ask.spans import Span

Reason = Literal[
    "metric", "no_metric", "value", "unknown", "misfit", "no_key", "compare_period", "why_period",
    "two_periods", "hours",
    "unit", "unused", "stock", "no_share", "no_holiday",
]  # fmt: skip
"""Why a question is asked back."""


@dataclass(frozen=True)
class Choice:
    """One way out of a doubt: the metrics to take, a term for a piece, or a change of the finished query."""

    metrics: tuple[str, ...] = ()
    piece: int | None = None
    term: Any = None
    change: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Doubt:
    """What keeps a question from having one meaning; ``said`` are the words it hangs on."""

    reason: Reason
    said: tuple[str, ...] = ()
    choices: tuple[Choice, ...] = ()


@dataclass
class Draft:
    """The pieces of one question, and what the steps of the grammar have made of them."""

    pieces: Sequence[Piece]
    model: Model
    now: datetime
    """In the city's zone."""
    choice: Choice = field(default_factory=Choice)
    metrics: list[str] = field(default_factory=list)
    metric_places: dict[int, str] = field(default_factory=dict)
    dimensions: list[str] = field(default_factory=list)
    included: dict[str, list[str]] = field(default_factory=dict)
    excluded: dict[str, list[str]] = field(default_factory=dict)
    span: Span | None = None
    calendar: list[CalendarPart] = field(default_factory=list)
    grain: Grain | None = None
    compare: Compare = "none"
    derive: list[Derive] = field(default_factory=list)
    having: list[Having] = field(default_factory=list)
    order: list[Order] = field(default_factory=list)
    limit: int | None = None
    why: bool = False
    used: set[int] = field(default_factory=set)
    doubts: list[Doubt] = field(default_factory=list)

    def places(self, *tags: str) -> list[int]:
        """Places of the pieces with one of these tags."""
        return [place for place, piece in enumerate(self.pieces) if piece.tag in tags]

    def has(self, *tags: str) -> bool:
        """Whether a piece has one of these tags; it counts as used then."""
        found = self.places(*tags)
        self.used.update(found)
        return bool(found)

    def doubt(self, reason: Reason, said: Iterable[str] = (), choices: Iterable[Choice] = ()) -> None:
        """Note a doubt."""
        self.doubts.append(Doubt(reason, tuple(said), tuple(choices)))

    def metric_near(self, place: int) -> str:
        """The metric that a condition or an order at ``place`` speaks of: the one before it, else the one after."""
        earlier = [at for at in self.metric_places if at < place]
        later = [at for at in self.metric_places if at > place]
        if earlier:
            return self.metric_places[max(earlier)]
        return self.metric_places[min(later)] if later else self.metrics[0]

    def metric(self, name: str) -> Metric:
        """A metric of the model."""
        return self.model.metrics[name]

    @property
    def keyed(self) -> bool:
        """Whether the answer has more than one row."""
        return bool(self.dimensions or self.grain)

    def query(self) -> QueryRequest:
        """The typed query."""
        filters = [Filter(dimension=name, values=list(dict.fromkeys(codes))) for name, codes in self.included.items()]
        filters += [
            Filter(dimension=name, op="not_in", values=list(dict.fromkeys(codes)))
            for name, codes in self.excluded.items()
        ]
        values: dict[str, Any] = {"limit": self.limit} if self.limit else {}
        return QueryRequest(
            metrics=list(dict.fromkeys(self.metrics)),
            dimensions=list(dict.fromkeys(self.dimensions)),
            filters=filters,
            grain=self.grain,
            start=self.span.start if self.span else None,
            end=self.span.end if self.span else None,
            calendar=list(dict.fromkeys(self.calendar)),
            compare=self.compare,
            derive=self.derive,
            having=self.having,
            order=self.order,
            **values,
        )
