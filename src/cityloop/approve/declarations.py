"""The shapes of ``items/*.yaml`` and ``registers.yaml`` of a pack; every key: ``docs/instant-approval.md``."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from cityloop.core.values import Frozen, Title

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
Identity = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,39}$")]
Kind = Literal["text", "name", "phone", "id_number", "integer", "number", "date", "choice", "flag", "area"]
Sensitivity = Literal["open", "internal", "sensitive"]
ANSWERS = ("grant", "refuse", "person")
"""What a decision table may answer. A machine grants; what it would refuse is proposed to a person."""


class FormChoice(Frozen):
    """One value that may be chosen."""

    id: str = Field(pattern=r"^[a-z0-9_-]{1,40}$")
    title: Title


class ItemField(Frozen):
    """One field of a form. ``least`` and ``most`` bound numbers; ``longest`` counts characters."""

    id: Name
    title: Title
    kind: Kind = "text"
    note: Title | None = None
    required: bool = True
    sensitivity: Sensitivity = "internal"
    choices: tuple[FormChoice, ...] = ()
    unit: str | None = None
    least: float | None = None
    most: float | None = None
    longest: int = Field(default=200, ge=1, le=2000)

    @model_validator(mode="after")
    def _fits_its_kind(self) -> ItemField:
        if (self.kind == "choice") != bool(self.choices):
            raise ValueError("a field of kind 'choice' has choices, and no other has")
        if self.kind not in ("integer", "number") and (self.unit, self.least, self.most) != (None, None, None):
            raise ValueError(f"unit, least and most do not apply to a {self.kind}")
        return self


class Comparison(Frozen):
    """A field of the form that must say the same as a column of the register."""

    field: Name
    column: Name


class EvidenceDef(Frozen):
    """What is read from one register (``looks_in``) for an application, and what for.

    ``by`` finds the row: column of the register → field of the form. ``fill`` gives a field that was left empty the
    value of a column. ``columns`` are what facts may name beside these.
    """

    id: Name
    title: Title
    looks_in: Identity
    purpose: Title
    by: dict[Name, Name] = Field(min_length=1)
    fill: dict[Name, Name] = Field(default_factory=dict)
    compare: tuple[Comparison, ...] = ()
    columns: tuple[Name, ...] = ()
    required: bool = True
    """Without a row a person looks at it; else the facts say what its absence means."""

    @property
    def read(self) -> tuple[str, ...]:
        """Every column that is read, in order."""
        named = [*self.by, *self.fill.values(), *(one.column for one in self.compare), *self.columns]
        return tuple(dict.fromkeys(named))


class FactDef(Frozen):
    """One input of the decision table, as an expression over ``form``, ``evidence`` and ``applied`` (a date)."""

    id: Name
    title: Title
    value: str = Field(max_length=2000)
    optional: bool = False
    """May be unknown; any other fact that is unknown hands the application to a person."""


class ResultDef(Frozen):
    """A further output of the table that the applicant is told, such as an amount."""

    id: Name
    title: Title
    unit: str | None = None


class HandOver(Frozen):
    """Who decides where the machine does not: a post of a department, within a limit in the language of limits.

    The post is reminded when the light of the limit turns yellow, and again when it turns red.
    """

    department: str
    post: str
    limit: str


class CheckDef(Frozen):
    """Random checks of what the machine granted: the same applications for the same ``seed``."""

    share: float = Field(ge=0, le=1)
    seed: str = "1"
    limit: str


class AppealDef(Frozen):
    """Until how many days after a refusal or revocation, and how long an answer may take."""

    days: int = Field(default=60, ge=1, le=366)
    limit: str


class Item(Frozen):
    """One thing that can be applied for."""

    id: Identity
    title: Title
    description: Title
    answer_within: Title | None = None
    """What is promised of the time, shown beside the form."""
    fields: tuple[ItemField, ...] = Field(min_length=1)
    evidence: tuple[EvidenceDef, ...] = ()
    facts: tuple[FactDef, ...] = ()
    decision: Identity
    results: tuple[ResultDef, ...] = ()
    reasons: dict[Identity, Title]
    """Every sentence that the table may answer with, by the id that stands in its column ``reason``."""
    once: tuple[Name, ...] = ()
    """Fields by which a second application beside an open or granted one is recognised; a person looks at it."""
    hand_over: HandOver
    check: CheckDef
    appeal: AppealDef
    revocable: bool = True

    def field(self, name: str) -> ItemField:
        """A field by id; raises ``KeyError``."""
        return {one.id: one for one in self.fields}[name]

    @property
    def area_field(self) -> str | None:
        """The field that says where, if there is one."""
        return next((one.id for one in self.fields if one.kind == "area"), None)


class ColumnDef(Frozen):
    """One column of a register."""

    id: Name
    title: Title
    kind: Literal["text", "name", "id_number", "phone", "integer", "number", "date", "flag", "area"] = "text"
    sensitivity: Sensitivity = "internal"


class Share(Frozen):
    """What the owner lets a department read of a register, and for which items."""

    department: str
    items: tuple[Identity, ...]
    columns: tuple[Name, ...]


class RegisterDef(Frozen):
    """A register of a department: a table ``registers/<id>.csv`` of city or pack, or the state of an entity type."""

    id: Identity
    title: Title
    department: str
    entity_type: str | None = None
    columns: tuple[ColumnDef, ...] = Field(min_length=1)
    share: tuple[Share, ...] = ()
    sample: bool = False
    """Everything in it is invented; shown wherever one of its rows is."""

    def column(self, name: str) -> ColumnDef | None:
        """A column by id."""
        return next((one for one in self.columns if one.id == name), None)

    def shared(self, department: str, item: str) -> frozenset[str]:
        """The columns that a department may read for an item."""
        if department == self.department:
            return frozenset(column.id for column in self.columns)
        lines = [line for line in self.share if line.department == department and item in line.items]
        return frozenset(name for line in lines for name in line.columns)


class RegistersFile(Frozen):
    """``registers.yaml``."""

    registers: tuple[RegisterDef, ...] = ()
