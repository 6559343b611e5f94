"""Feeds as packs declare them in ``feeds.yaml``: whose stream it is, and how its records become columns.

A mapping is read from top to bottom: the file's table, folding of wide signs, new fields, position, entity, time,
properties, checks. docs/standard.md explains every key with an example.
"""

from __future__ import annotations

import re
from typing import Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, field_validator, model_validator

from cityloop.core.values import Frozen, Title
from cityloop.standard.check_rules import CheckRule, sound_expression, sound_pattern
from cityloop.standard.code_lists import MATCHES, Match
from cityloop.standard.tables import TableOptions

DatumName = Literal["wgs84", "cgcs2000", "gcj02", "bd09"]
FORMATS = ("iso", "epoch_s", "epoch_ms", "excel", "chinese")


class FieldStep(Frozen):
    """A new field made of others: one of ``split``, ``join``, ``expression``. Later steps may use it."""

    split: str | None = None
    """Field to be split, by ``separator`` or by the groups of ``pattern``."""
    separator: str | None = Field(default=None, min_length=1)
    pattern: str | None = None
    join: tuple[str, ...] = ()
    """Fields to be joined with ``separator`` (default: nothing); empty ones are left out."""
    expression: str | None = None
    into: tuple[str, ...] = Field(min_length=1)

    @field_validator("into", mode="before")
    @classmethod
    def _one(cls, into: Any) -> Any:
        return (into,) if isinstance(into, str) else into

    @field_validator("pattern")
    @classmethod
    def _pattern(cls, pattern: str | None) -> str | None:
        return sound_pattern(pattern) if pattern is not None else None

    @field_validator("expression")
    @classmethod
    def _expression(cls, expression: str | None) -> str | None:
        return sound_expression(expression) if expression is not None else None

    @model_validator(mode="after")
    def _whole(self) -> FieldStep:
        if sum((self.split is not None, bool(self.join), self.expression is not None)) != 1:
            raise ValueError("give exactly one of split, join and expression")
        if self.split is not None and (self.separator is None) == (self.pattern is None):
            raise ValueError("a split needs either a separator or a pattern")
        if self.split is None and (self.pattern is not None or len(self.into) != 1):
            raise ValueError("only a split has a pattern or several fields in 'into'")
        if self.pattern is not None and re.compile(self.pattern).groups != len(self.into):
            raise ValueError(f"the pattern has {re.compile(self.pattern).groups} groups, 'into' {len(self.into)} names")
        return self


class PositionFields(Frozen):
    """Where a record's position stands: degrees of a datum, or metres of a national 3-degree Gauss-Krüger zone."""

    lon: str | None = None
    lat: str | None = None
    datum: DatumName = "wgs84"
    east: str | None = None
    north: str | None = None
    crs: str | None = None
    """``EPSG:4534`` to ``EPSG:4554`` (central meridian) or ``EPSG:4513`` to ``EPSG:4533`` (zone number before east)."""
    area: bool = False
    """The row's area is the one that holds this point, not the one of the entity: for things that move."""
    outside: Literal["refuse", "flag", "keep"] = "refuse"
    """With ``area``: what happens to a point outside all areas."""

    @model_validator(mode="after")
    def _pair(self) -> PositionFields:
        degrees = self.lon is not None and self.lat is not None
        metres = self.east is not None and self.north is not None and self.crs is not None
        if degrees == metres or (self.lon is None) != (self.lat is None) or (self.east is None) != (self.north is None):
            raise ValueError("give either lon and lat, or east, north and crs")
        if metres and self.datum not in ("wgs84", "cgcs2000"):
            raise ValueError("a projected position is CGCS2000; remove the datum")
        return self

    @property
    def fields(self) -> tuple[str, str]:
        """The two fields of the record."""
        return (self.lon or self.east or "", self.lat or self.north or "")


class Lookup(Frozen):
    """How the entity is found: by its id, its title, a key of its type, or as the nearest one to the position."""

    by: Literal["id", "title", "key", "nearest"] = "id"
    key: str | None = None
    metres: float | None = Field(default=None, gt=0, le=5000)

    @model_validator(mode="after")
    def _whole(self) -> Lookup:
        if (self.by == "key") != (self.key is not None):
            raise ValueError("'key' goes with by: key, and only with it")
        if (self.by == "nearest") != (self.metres is not None):
            raise ValueError("'metres' goes with by: nearest, and only with it")
        return self


class EntityField(Frozen):
    """Which field names the entity. With ``create`` an unknown one is added to the directory, else it is refused."""

    field: str = ""
    create: bool = False
    follow: bool = False
    """With ``create``: a later record's title and place take the place of the earlier ones, as after a survey."""
    lookup: Lookup = Lookup()
    title_field: str | None = None
    lon_field: str | None = None
    lat_field: str | None = None

    @model_validator(mode="after")
    def _named(self) -> EntityField:
        if not self.field and (self.create or self.lookup.by != "nearest"):
            raise ValueError("'field' names the entity; only a lookup by nearest does without it")
        if self.follow and not self.create:
            raise ValueError("'follow' goes with create: true")
        return self


class TimeField(Frozen):
    """Which field holds the time.

    ``format``: ``iso``, ``epoch_s``, ``epoch_ms``, ``excel`` (days since 1899-12-30), ``chinese`` (2026年3月9日 8时),
    a strptime pattern, or a list of these that is tried in order. ``zone`` is the IANA zone of times without an offset;
    without a zone such times are refused. With ``date_field`` the day stands in a field of its own.
    """

    field: str
    date_field: str | None = None
    format: str | tuple[str, ...] = "iso"
    zone: str | None = None

    @field_validator("zone")
    @classmethod
    def _known(cls, zone: str | None) -> str | None:
        try:
            ZoneInfo(zone or "UTC")
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise ValueError(f"unknown time zone '{zone}'; use an IANA name such as Asia/Shanghai") from error
        return zone

    @property
    def formats(self) -> tuple[str, ...]:
        """The formats in the order in which they are tried."""
        return (self.format,) if isinstance(self.format, str) else self.format

    @model_validator(mode="after")
    def _written(self) -> TimeField:
        if not self.formats:
            raise ValueError("the list of formats is empty")
        for form in self.formats:
            if form not in FORMATS and "%" not in form:
                raise ValueError(f"time format '{form}' is neither {', '.join(FORMATS)} nor a strptime pattern")
            if self.zone is None and (("%" in form and "%z" not in form) or form in ("excel", "chinese")):
                what = "a pattern without %z" if "%" in form else f"the format {form}"
                raise ValueError(f"{what} needs a zone")
        if self.date_field is not None and {"epoch_s", "epoch_ms", "excel"} & set(self.formats):
            raise ValueError("a day of its own goes with iso, chinese or a pattern; join numbers by an expression")
        return self


class Distance(Frozen):
    """Metres from the record's position to a shape of the entity directory; 0 inside of it."""

    to: str
    """The entity type whose entities have shapes."""
    by: str | None = None
    """Field of the record that names the entity; without it the nearest of all counts."""


class PropertyField(Frozen):
    """Where a property's value comes from. A plain string is short for ``{field: …}``."""

    field: str | None = None
    constant: str | float | bool | None = None
    expression: str | None = None
    """A value derived from fields of the record."""
    area: Literal["cell", "district"] | None = None
    """The code of the area that holds the record's position."""
    distance: Distance | None = None
    """How far the record's position lies from a shape of the directory."""
    unit: str | None = None
    """The unit the source sends; by default the property's own."""
    unit_field: str | None = None
    """Field of the record that names the unit; where it is empty, ``unit`` applies."""
    required: bool = False
    codes: dict[str, str | float | bool] = Field(default_factory=dict)
    """The source's code → the standard's value; a code that is not listed is refused."""
    match: tuple[Match, ...] = MATCHES
    """What the source sends of a code list: ``code``, ``title``, ``synonym``; the first that fits counts."""

    @model_validator(mode="before")
    @classmethod
    def _short(cls, value: Any) -> Any:
        return {"field": value} if isinstance(value, str) else value

    @field_validator("codes", mode="before")
    @classmethod
    def _codes(cls, codes: Any) -> Any:
        if not isinstance(codes, dict):
            return codes
        return {str(key) if isinstance(key, int) and not isinstance(key, bool) else key: v for key, v in codes.items()}

    @field_validator("expression")
    @classmethod
    def _expression(cls, expression: str | None) -> str | None:
        return sound_expression(expression) if expression is not None else None

    @model_validator(mode="after")
    def _one_source(self) -> PropertyField:
        given = [self.field, self.constant, self.expression, self.area, self.distance]
        if sum(item is not None for item in given) != 1:
            raise ValueError("give either a field or a constant, an expression, an area or a distance")
        if self.constant is not None and (self.unit_field or self.codes or self.required):
            raise ValueError("a constant has no unit_field, codes or required")
        if (self.expression or self.area or self.distance) and (self.unit_field or self.codes):
            raise ValueError("unit_field and codes go with a field")
        if self.distance and self.unit:
            raise ValueError("a distance is made in metres; remove the unit")
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
    table: TableOptions | None = None
    """How files of this feed are read."""
    fold_width: bool = False
    """Full-width digits, letters and signs of all fields are read as plain ones."""
    fields: tuple[FieldStep, ...] = ()
    position: PositionFields | None = None
    entity: EntityField
    time: TimeField
    properties: dict[str, PropertyField] = Field(min_length=1)
    checks: tuple[CheckRule, ...] = ()
    """Checks that hold for this feed alone, beside those of the standard."""

    @model_validator(mode="after")
    def _placed(self) -> FeedDeclaration:
        place = self.place
        if place is None and self.entity.lookup.by == "nearest":
            raise ValueError("a lookup by nearest needs a position")
        if place is None and any(source.area or source.distance for source in self.properties.values()):
            raise ValueError("an area or a distance needs a position")
        if self.completeness_per_hour is not None and self.expected_every is None:
            raise ValueError("completeness_per_hour needs expected_every")
        return self

    @property
    def place(self) -> PositionFields | None:
        """The position: the declared one, or the entity's lon_field and lat_field in WGS 84."""
        if self.position is not None:
            return self.position
        lon, lat = self.entity.lon_field, self.entity.lat_field
        return PositionFields(lon=lon, lat=lat) if lon and lat else None

    @property
    def expected_seconds(self) -> float | None:
        """``expected_every`` in seconds."""
        every = self.expected_every
        return int(every[:-1]) * {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}[every[-1]] if every else None


class FeedsFile(Frozen):
    """The file ``feeds.yaml`` of a pack."""

    feeds: tuple[FeedDeclaration, ...] = ()
