"""The value that travels from a feed to the watch: one committed batch of observations of one entity type."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import pyarrow as pa

from cityloop.core.values import Title

BASE_COLUMNS = pa.schema(
    [
        pa.field("entity", pa.string(), nullable=False),
        pa.field("observed_at", pa.timestamp("us", tz="UTC"), nullable=False),
        pa.field("received_at", pa.timestamp("us", tz="UTC"), nullable=False),
        pa.field("feed", pa.string(), nullable=False),
        pa.field("record", pa.string(), nullable=False),
        pa.field("area", pa.string()),
        pa.field("date", pa.date32(), nullable=False),
        pa.field("quality", pa.string()),
    ]
)
"""Columns every lake table has. ``record`` is ``<batch id>:<row>``, the way back to what was sent; ``area`` is the
smallest area that holds the entity; ``date`` (UTC day of ``observed_at``) is the partition; ``quality`` names the
checks that flagged the row (``jump:pm2_5,range:co``), empty where none did."""


@dataclass(frozen=True)
class ObservationBatch:
    """Rows of one entity type, already durable in the lake. ``rows`` has the base columns, then the properties."""

    entity_type: str
    rows: pa.Table
    version: int
    """Version of the lake table that made these rows durable; a watch that restarts goes on behind it."""


@dataclass(frozen=True)
class EntityCard:
    """What a warning needs to know of the thing it speaks of."""

    id: str
    entity_type: str
    title: Title
    area: str | None = None
    district: str | None = None
    lon: float | None = None
    lat: float | None = None
    series: str | None = None
    shape: str | None = None
    """WKT in WGS 84, for what is more than a point."""
    attributes: Mapping[str, str] = field(default_factory=dict)
    """Further columns of the entity directory; the standard names those that are keys."""
