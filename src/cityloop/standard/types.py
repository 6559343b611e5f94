"""Entity types as packs declare them in ``standard.yaml``, and their columns in the lake."""

from __future__ import annotations

from typing import Literal

import pyarrow as pa
from pydantic import Field, model_validator

from cityloop.core.values import Frozen, Title
from cityloop.standard.batch import BASE_COLUMNS
from cityloop.standard.units import Unit, unit

Kind = Literal["number", "integer", "text", "flag"]
Sensitivity = Literal["open", "internal", "sensitive"]
"""``open`` may be published, ``internal`` stays with the departments, ``sensitive`` names a person or a key site."""

ARROW_TYPES = {"number": pa.float64(), "integer": pa.int64(), "text": pa.string(), "flag": pa.bool_()}


class Property(Frozen):
    """A measured or recorded quantity. ``min`` and ``max`` are the physically possible values, in ``unit``."""

    id: str = Field(pattern=r"^[a-z][a-z0-9_]*$", max_length=60)
    title: Title
    kind: Kind = "number"
    unit: str = ""
    min: float | None = None
    max: float | None = None
    enum: tuple[str, ...] = ()
    sensitivity: Sensitivity = "open"

    @model_validator(mode="after")
    def _consistent(self) -> Property:
        numeric = self.kind in ("number", "integer")
        if self.id in BASE_COLUMNS.names:
            raise ValueError(f"'{self.id}' is a column that every table has; choose another id")
        if self.unit and not numeric:
            raise ValueError(f"a {self.kind} has no unit")
        if self.unit and unit(self.unit) is None:
            raise ValueError(f"unknown unit '{self.unit}'; see the table of units in docs/packs.md")
        if (self.min is not None or self.max is not None) and not numeric:
            raise ValueError(f"min and max do not apply to a {self.kind}")
        if self.min is not None and self.max is not None and self.min > self.max:
            raise ValueError(f"min {self.min} is above max {self.max}")
        if self.enum and self.kind != "text":
            raise ValueError("enum applies to a text only")
        return self

    @property
    def measure(self) -> Unit | None:
        """The unit as a value; ``None`` for a property without one."""
        return unit(self.unit) if self.unit else None

    @property
    def symbol(self) -> str:
        """The unit as people write it, empty without one."""
        return self.measure.symbol if self.measure else ""


class EntityType(Frozen):
    """A kind of thing that is observed. ``model`` names the FIWARE Smart Data Model it follows, where one exists."""

    id: str = Field(pattern=r"^[A-Z][A-Za-z0-9]*$", max_length=60)
    title: Title
    model: str = ""
    properties: tuple[Property, ...] = Field(min_length=1)
    retention_days: int | None = Field(default=None, gt=0)
    """Days of observations that the lake keeps; without it the setting for the type's sensitivity counts."""

    @model_validator(mode="after")
    def _unique(self) -> EntityType:
        ids = [item.id for item in self.properties]
        twice = sorted({item for item in ids if ids.count(item) > 1})
        if twice:
            raise ValueError(f"property declared twice: {', '.join(twice)}")
        return self

    def find(self, identity: str) -> Property | None:
        """One property by id."""
        return next((item for item in self.properties if item.id == identity), None)

    @property
    def schema(self) -> pa.Schema:
        """Columns of its lake table: the base columns, then the properties."""
        return pa.schema([*BASE_COLUMNS, *[pa.field(item.id, ARROW_TYPES[item.kind]) for item in self.properties]])


class StandardFile(Frozen):
    """The file ``standard.yaml`` of a pack."""

    entity_types: tuple[EntityType, ...] = ()


class PackManifest(Frozen):
    """The file ``pack.yaml``: what the folder is."""

    id: str = Field(pattern=r"^[a-z][a-z0-9-]*$")
    title: Title
    version: str = Field(pattern=r"^\d+\.\d+\.\d+$")
    description: Title
