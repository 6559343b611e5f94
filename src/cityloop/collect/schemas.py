"""What collect answers on the wire."""

from __future__ import annotations

from typing import Any, Literal

from cityloop.core.values import Frozen, Instant, Title


class Rejection(Frozen):
    """One record that broke the standard: which (0-based position in the request), why, and how to mend it."""

    index: int
    column: str
    rule: str
    reason: str
    said: Title | None = None
    """The reason in both languages; not there for records that were refused before it was kept."""
    quarantine: str


class Receipt(Frozen):
    """The answer to a push. Counts add up to the records sent; ``rejections`` lists the first twenty."""

    feed: str
    batch: str
    received: int
    accepted: int
    quarantined: int
    duplicate: int
    rejections: list[Rejection] = []


class FeedView(Frozen):
    """A feed and its health, as of now."""

    id: str
    title: Title
    entity_type: str
    department: str
    series: str | None
    accepted: int
    quarantined: int
    duplicate: int
    last_observed_at: Instant | None
    last_received_at: Instant | None
    delay_seconds: float | None
    """Seconds of city time between observation and arrival of the newest row."""
    fresh: bool
    """Whether the newest row is younger than the feed's declared expectation."""


class EntityView(Frozen):
    """An entity with its latest values. ``values`` is keyed by property, ``words`` has the titles of those in codes."""

    id: str
    entity_type: str
    title: Title
    area: str | None
    lon: float | None
    lat: float | None
    observed_at: Instant | None
    values: dict[str, Any]
    words: dict[str, Title] = {}
    series: str | None


class NearEntity(EntityView):
    """An entity near a point. ``code`` is its class in the catalogue of components, ``owner`` the department's id."""

    metres: float
    code: str | None
    owner: str | None


class PropertyView(Frozen):
    """A property of an entity type."""

    id: str
    title: Title
    unit: str
    kind: Literal["number", "integer", "text", "flag"]


class EntityTypeView(Frozen):
    """An entity type of the standard."""

    id: str
    title: Title
    properties: list[PropertyView]
    count: int


class HistoryView(Frozen):
    """Observations of one property of one entity: ``[instant, value, record]`` oldest first."""

    entity: str
    property: str
    unit: str
    points: list[tuple[Instant, float | str | None, str]]
