"""``commands.yaml`` of a pack: what may be ordered of the entities of a type, by whom, and on which conditions."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, model_validator

from cityloop.core.errors import Problem
from cityloop.core.values import Frozen, Title
from cityloop.feel import expression

_SPAN = re.compile(r"([1-9]\d{0,4})([smhd])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
ParameterKind = Literal["number", "integer", "text", "flag"]
WireKind = Literal["mqtt", "http"]


def span(text: str) -> timedelta:
    """``30s``, ``10m``, ``6h`` or ``1d`` as a duration; raises ``ValueError`` for anything else."""
    found = _SPAN.fullmatch(text)
    if not found:
        raise ValueError(f"'{text}' is not a duration; write it as 30s, 10m, 6h or 1d")
    return timedelta(**{_UNITS[found[2]]: int(found[1])})


def _span(text: str) -> str:
    span(text)
    return text


def _feel(text: str) -> str:
    try:
        expression(text)
    except Problem as fault:
        raise ValueError(f"{fault.detail}; {fault.mend}") from fault
    return text


Span = Annotated[str, AfterValidator(_span)]
Feel = Annotated[str, Field(max_length=2000), AfterValidator(_feel)]
Id = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$", max_length=60)]


class Choice(Frozen):
    """One value that a text may have."""

    id: str
    title: Title

    @model_validator(mode="before")
    @classmethod
    def _short(cls, value: Any) -> Any:
        return {"id": value, "title": value} if isinstance(value, str) else value


class Parameter(Frozen):
    """What an order says beside its name. Bounds are in ``unit`` and included."""

    id: Id
    title: Title
    kind: ParameterKind
    unit: str = ""
    min: float | None = None
    max: float | None = None
    values: tuple[Choice, ...] = ()
    longest: int = Field(default=200, ge=1, le=2000)
    """Characters of a text."""
    default: str | float | bool | None = None
    """Taken where the order leaves the parameter out; without a default it must be given."""

    @model_validator(mode="after")
    def _consistent(self) -> Parameter:
        numeric = self.kind in ("number", "integer")
        if not numeric and (self.unit or self.min is not None or self.max is not None):
            raise ValueError(f"unit, min and max do not apply to a {self.kind}")
        if self.values and self.kind != "text":
            raise ValueError("only a text has values")
        if self.min is not None and self.max is not None and self.min > self.max:
            raise ValueError(f"min {self.min:g} is above max {self.max:g}")
        return self


class Condition(Frozen):
    """A FEEL condition that must be true; ``title`` tells people what is wanted. One that cannot be decided fails."""

    holds: Feel
    title: Title


class Grade(Frozen):
    """Who may order at a level. An order needs the lowest level whose ``when`` is true; no ``when``: always."""

    level: int = Field(ge=1, le=4)
    posts: tuple[str, ...] = Field(min_length=1)
    when: Feel | None = None


class SecondPerson(Frozen):
    """Orders of a level ``above`` this one wait until another person of one of these posts confirms them."""

    above: int = Field(ge=0, le=4)
    posts: tuple[str, ...] = Field(min_length=1)
    within: Span = "2h"
    """So long it waits for them; the time in which it must be sent begins with their word."""


class Rate(Frozen):
    """At most so many orders of this command to one entity within a span."""

    most: int = Field(ge=1, le=1000)
    within: Span


class Effect(Condition):
    """What the entity's own data must show after the order, and within which time."""

    within: Span
    steady: Span | None = None
    """It counts once the data have shown it for so long without a break."""


class Undo(Frozen):
    """The command that takes an order back; parameters are FEEL over ``before`` and ``parameters``."""

    command: Id
    parameters: dict[str, Feel] = Field(default_factory=dict)


class Command(Frozen):
    """One command of an entity type."""

    id: Id
    title: Title
    parameters: tuple[Parameter, ...] = ()
    limits: tuple[Condition, ...] = ()
    authority: tuple[Grade, ...] = Field(min_length=1)
    double_condition: tuple[Condition, ...] = ()
    """Independent conditions over the latest data that must all be true."""
    second_person: SecondPerson | None = None
    interlocks: tuple[Condition, ...] = ()
    expires: Span = "10m"
    """An order that was not sent within this time is never sent; a caller may ask for less."""
    rate: Rate | None = None
    acknowledge: Span = "1m"
    """Without an answer in this time it is sent again."""
    tries: int = Field(default=3, ge=1, le=10)
    effect: Effect
    undo: Undo | None = None

    def parameter(self, name: str) -> Parameter | None:
        """A parameter by its id."""
        return next((item for item in self.parameters if item.id == name), None)


class Related(Frozen):
    """Entities that conditions speak of: those named (between blanks) in a column of the entity's line."""

    attribute: str
    entity_type: str


class Contact(Frozen):
    """Out of contact the device is expected to reach a safe state by itself; this is checked once it is heard again."""

    lost_after: Span
    safe: Feel
    title: Title


class Device(Frozen):
    """The commands of one entity type, and how it is reached and watched."""

    entity_type: str
    department: str
    """Whose devices they are; a line of the directory with an ``owner`` wins."""
    wire: WireKind = "mqtt"
    fresh: Span | None = None
    """Conditions over the entity's state count only while it was observed within this time."""
    related: dict[Id, Related] = Field(default_factory=dict)
    contact: Contact | None = None
    commands: tuple[Command, ...] = Field(min_length=1)

    def command(self, name: str) -> Command | None:
        """A command by its id."""
        return next((item for item in self.commands if item.id == name), None)


class CommandsFile(Frozen):
    """The file ``commands.yaml`` of a pack."""

    devices: tuple[Device, ...] = ()
