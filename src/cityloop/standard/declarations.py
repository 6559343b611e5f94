"""Feeds as packs declare them in ``feeds.yaml``: whose stream it is, and how its records become columns."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, field_validator, model_validator

from cityloop.core.values import Frozen, Title


class EntityField(Frozen):
    """Which field names the entity. With ``create`` an unknown one is added to the directory, else it is refused."""

    field: str
    create: bool = False
    title_field: str | None = None
    lon_field: str | None = None
    lat_field: str | None = None


class TimeField(Frozen):
    """Which field holds the time. ``format``: ``iso``, ``epoch_s``, ``epoch_ms`` or a strptime pattern.

    ``zone`` is the IANA zone of times without an offset; without a zone such times are refused.
    """

    field: str
    format: str = "iso"
    zone: str | None = None

    @field_validator("zone")
    @classmethod
    def _known(cls, zone: str | None) -> str | None:
        try:
            ZoneInfo(zone or "UTC")
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise ValueError(f"unknown time zone '{zone}'; use an IANA name such as Asia/Shanghai") from error
        return zone

    @model_validator(mode="after")
    def _written(self) -> TimeField:
        if self.format not in ("iso", "epoch_s", "epoch_ms") and "%" not in self.format:
            raise ValueError(f"time format '{self.format}' is neither iso, epoch_s, epoch_ms nor a strptime pattern")
        if "%" in self.format and "%z" not in self.format and self.zone is None:
            raise ValueError("a pattern without %z needs a zone")
        return self


class PropertyField(Frozen):
    """Where a property's value comes from. A plain string is short for ``{field: …}``."""

    field: str | None = None
    constant: str | float | bool | None = None
    unit: str | None = None
    """The unit the source sends; by default the property's own."""
    unit_field: str | None = None
    """Field of the record that names the unit; where it is empty, ``unit`` applies."""
    required: bool = False
    codes: dict[str, str | float | bool] = Field(default_factory=dict)
    """The source's code → the standard's value; a code that is not listed is refused."""

    @model_validator(mode="before")
    @classmethod
    def _short(cls, value: Any) -> Any:
        return {"field": value} if isinstance(value, str) else value

    @model_validator(mode="after")
    def _one_source(self) -> PropertyField:
        if (self.field is None) == (self.constant is None):
            raise ValueError("give either a field or a constant")
        if self.constant is not None and (self.unit_field or self.codes or self.required):
            raise ValueError("a constant has no unit_field, codes or required")
        return self


class FeedDeclaration(Frozen):
    """One feed."""

    id: str = Field(pattern=r"^[a-z][a-z0-9-]*$", max_length=60)
    title: Title
    entity_type: str
    department: str
    series: str | None = None
    """Id of the replayed series whose records come by this feed."""
    fresh_minutes: float = Field(default=60, gt=0)
    """The newest record is expected to be younger than this."""
    expected_every: str | None = Field(default=None, pattern=r"^[1-9]\d*[smhd]$")
    """How often each entity is expected to be observed: ``10m``, ``1h``, ``7d``."""
    completeness_per_hour: float | None = Field(default=None, ge=0, le=1)
    """Least share of the expected observations that an hour brings."""
    future_minutes: float = Field(default=5, ge=0)
    """How far ahead of city time a record's time may be before it is refused."""
    missing: tuple[str, ...] = ("", "NA", "N/A", "null", "NaN")
    """Texts that mean "no value"."""
    entity: EntityField
    time: TimeField
    properties: dict[str, PropertyField] = Field(min_length=1)

    @property
    def expected_seconds(self) -> float | None:
        """``expected_every`` in seconds."""
        every = self.expected_every
        return int(every[:-1]) * {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}[every[-1]] if every else None


class FeedsFile(Frozen):
    """The file ``feeds.yaml`` of a pack."""

    feeds: tuple[FeedDeclaration, ...] = ()
