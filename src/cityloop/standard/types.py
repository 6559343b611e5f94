"""Entity types as packs declare them in ``standard.yaml``, and their columns in the lake."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

import pyarrow as pa
from pydantic import Field, field_validator, model_validator

from cityloop.core.values import Frozen, Title
from cityloop.standard.batch import BASE_COLUMNS
from cityloop.standard.check_rules import CheckRule, sound_pattern
from cityloop.standard.comparisons import Beside, Pace
from cityloop.standard.indices import Index
from cityloop.standard.units import MOLAR_VOLUME, Conversion, Unit, conversion, molar_conversion, spellings, unit

Kind = Literal["number", "integer", "text", "flag"]
Sensitivity = Literal["open", "internal", "sensitive"]
"""``open`` may be published, ``internal`` stays with the departments, ``sensitive`` names a person or a key site."""

ARROW_TYPES = {"number": pa.float64(), "integer": pa.int64(), "text": pa.string(), "flag": pa.bool_()}


class Property(Frozen):
    """A measured or recorded quantity. ``min`` and ``max`` are the physically possible values, in ``unit``."""

    id: str = Field(pattern=r"^[a-z][a-z0-9_]*$", max_length=60)
    title: Title
    description: Title | None = None
    kind: Kind = "number"
    unit: str = ""
    molar_mass: float | None = Field(default=None, gt=0)
    """Grams a mole of a gas: lets ppb and ppm become a mass concentration, and back."""
    molar_volume: float = Field(default=MOLAR_VOLUME, gt=0)
    """Litres a mole at the state that concentrations refer to; by default 25 °C and 1013.25 hPa."""
    min: float | None = None
    max: float | None = None
    enum: tuple[str, ...] = ()
    pattern: str | None = None
    """The whole text must fit this regular expression."""
    code_list: str | None = None
    """The text is a code of this list; sources may send its title or a synonym."""
    code_under: str | None = None
    """Only this code of the list and what stands below it."""
    beside: Beside | None = None
    """The value is made of other rows: how far another property lies from that of the other entities."""
    required: bool = False
    sensitivity: Sensitivity = "open"
    synonyms: tuple[str, ...] = ()
    """Other names that departments use, Chinese or English; suggestions of mappings look for them."""

    @field_validator("pattern")
    @classmethod
    def _sound(cls, pattern: str | None) -> str | None:
        return sound_pattern(pattern) if pattern is not None else None

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
        if (self.enum or self.pattern or self.code_list) and self.kind != "text":
            raise ValueError("enum, pattern and code_list apply to a text only")
        if self.enum and self.code_list:
            raise ValueError("give either enum or code_list")
        if self.code_under and not self.code_list:
            raise ValueError("code_under needs a code_list")
        if self.molar_mass and (
            self.measure is None or self.measure.dimension not in ("mass concentration", "fraction")
        ):
            raise ValueError("molar_mass applies to concentrations and fractions only")
        return self

    @property
    def measure(self) -> Unit | None:
        """The unit as a value; ``None`` for a property without one."""
        return unit(self.unit) if self.unit else None

    @property
    def symbol(self) -> str:
        """The unit as people write it, empty without one."""
        return self.measure.symbol if self.measure else ""

    def way_from(self, source: Unit) -> Conversion | None:
        """How a value in ``source`` comes to this property's unit; ``None`` when it measures something else."""
        if self.measure is None:
            return None
        plain = conversion(source, self.measure)
        if plain is None and self.molar_mass:
            return molar_conversion(source, self.measure, self.molar_mass, self.molar_volume)
        return plain

    def spellings(self) -> Iterator[tuple[str, Conversion]]:
        """Every spelling of every unit that this property can be sent in, with the way to its own unit."""
        for name, source in spellings():
            way = self.way_from(source)
            if way:
                yield name, way


class Relation(Frozen):
    """That an entity belongs to, stands on or serves entities of another type; ``property`` holds their ids.

    ``many``: several ids in one text, with commas between them. Ids that nobody knows are refused.
    """

    id: str = Field(pattern=r"^[a-z][a-z0-9_]*$", max_length=60)
    title: Title
    target: str
    property: str
    cardinality: Literal["one", "many"] = "one"
    severity: Literal["refuse", "flag"] = "refuse"


class EntityType(Frozen):
    """A kind of thing that is observed. ``model`` names the FIWARE Smart Data Model it follows, where one exists."""

    id: str = Field(pattern=r"^[A-Z][A-Za-z0-9]*$", max_length=60)
    title: Title
    description: Title | None = None
    version: str = Field(default="1.0", pattern=r"^\d+\.\d+(\.\d+)?$")
    """Raise the first number when something breaks for users, the second when something is added."""
    model: str = ""
    synonyms: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()
    """Columns of the entity directory that name an entity as well as its id does, such as the code of an old system."""
    properties: tuple[Property, ...] = Field(min_length=1)
    relations: tuple[Relation, ...] = ()
    indices: tuple[Index, ...] = ()
    """Figures that tables make of the properties, such as the air quality index."""
    paces: tuple[Pace, ...] = ()
    """How fast values rise from row to row, and when they will reach a level."""
    checks: tuple[CheckRule, ...] = ()
    """Checks beyond those that the properties themselves declare; they hold for every feed of the type."""
    retention_days: int | None = Field(default=None, gt=0)
    """Days of observations that the lake keeps; without it the setting for the type's sensitivity counts."""

    @field_validator("version", mode="before")
    @classmethod
    def _version(cls, version: Any) -> Any:
        return str(version) if isinstance(version, (int, float)) else version

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

    @property
    def made_from(self) -> dict[str, tuple[str, ...]]:
        """The properties that are made of others when a row arrives, with those that they are made of."""
        found: dict[str, tuple[str, ...]] = {i.id: (i.beside.property,) for i in self.properties if i.beside}
        for index in self.indices:
            found |= dict.fromkeys(index.filled, tuple(index.serving.scales))
        for pace in self.paces:
            found |= dict.fromkeys((pace.pace, pace.hours), (pace.found, pace.left))
        return found

    @property
    def kinds(self) -> dict[str, Literal["number", "text", "flag"]]:
        """Properties as expressions know them."""
        return {p.id: "number" if p.kind == "integer" else p.kind for p in self.properties}


class StandardFile(Frozen):
    """The file ``standard.yaml`` of a pack."""

    entity_types: tuple[EntityType, ...] = ()


class PackManifest(Frozen):
    """The file ``pack.yaml``: what the folder is."""

    id: str = Field(pattern=r"^[a-z][a-z0-9-]*$")
    title: Title
    version: str = Field(pattern=r"^\d+\.\d+\.\d+$")
    description: Title
