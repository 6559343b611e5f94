"""What a DMN file says: decisions and the logic of each, as frozen values without behaviour."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from cityloop.core.values import Title

HitPolicy = Literal["UNIQUE", "FIRST", "PRIORITY", "ANY", "COLLECT", "RULE ORDER", "OUTPUT ORDER"]
Aggregation = Literal["", "SUM", "MIN", "MAX", "COUNT"]
SINGLE: tuple[HitPolicy, ...] = ("UNIQUE", "FIRST", "PRIORITY", "ANY")


@dataclass(frozen=True)
class Variable:
    """A name with the name of its type; an empty type takes anything."""

    name: str
    type: str = ""


@dataclass(frozen=True)
class Text:
    """An expression or the tests of a cell, as written; ``where`` is its place for people."""

    text: str
    where: str


class Logic:
    """Base of everything that gives a value."""


@dataclass(frozen=True)
class Expression(Logic):
    text: Text


@dataclass(frozen=True)
class Column:
    """An input of a table. ``allowed`` are the tests that its value must pass."""

    id: str
    title: Title
    expression: Text
    type: str
    allowed: Text | None


@dataclass(frozen=True)
class Output:
    """An output of a table. ``allowed`` lists its values, the most important first; ``default`` is for no match."""

    id: str
    name: str
    title: Title
    type: str
    allowed: Text | None
    default: Text | None


@dataclass(frozen=True)
class Rule:
    """One row: a test for each column, an expression for each output, and why it is there."""

    id: str
    tests: tuple[Text, ...]
    outputs: tuple[Text, ...]
    reason: Title | None


@dataclass(frozen=True)
class Table(Logic):
    id: str
    policy: HitPolicy
    aggregation: Aggregation
    columns: tuple[Column, ...]
    outputs: tuple[Output, ...]
    rules: tuple[Rule, ...]


@dataclass(frozen=True)
class Entry:
    """One entry of a context; without a name it is what the context gives."""

    variable: Variable | None
    logic: Logic


@dataclass(frozen=True)
class Entries(Logic):
    entries: tuple[Entry, ...]


@dataclass(frozen=True)
class Items(Logic):
    items: tuple[Logic, ...]


@dataclass(frozen=True)
class Relation(Logic):
    names: tuple[str, ...]
    rows: tuple[tuple[Logic, ...], ...]


@dataclass(frozen=True)
class Lambda(Logic):
    parameters: tuple[Variable, ...]
    body: Logic


@dataclass(frozen=True)
class Invocation(Logic):
    called: Logic
    bindings: tuple[tuple[str, Logic], ...]


@dataclass(frozen=True)
class Choice(Logic):
    condition: Logic
    then: Logic
    other: Logic


@dataclass(frozen=True)
class Sieve(Logic):
    of: Logic
    condition: Logic


@dataclass(frozen=True)
class Iteration(Logic):
    """``for``, ``some`` or ``every``, by the name of its element."""

    form: str
    name: str
    over: Logic
    body: Logic


@dataclass(frozen=True)
class Item:
    """A type of the file."""

    name: str
    type: str = ""
    collection: bool = False
    components: tuple[Item, ...] = ()
    allowed: Text | None = None
    function: bool = False


@dataclass(frozen=True)
class InputData:
    """Something that is given."""

    id: str
    variable: Variable
    title: Title


@dataclass(frozen=True)
class Knowledge:
    """Logic under a name, called by others."""

    id: str
    variable: Variable
    function: Lambda | None
    requires: tuple[str, ...]


@dataclass(frozen=True)
class Decision:
    """Something that is decided. ``requires`` are ids of inputs, decisions and knowledge."""

    id: str
    variable: Variable
    title: Title
    logic: Logic | None
    requires: tuple[str, ...]


@dataclass(frozen=True)
class Service:
    """Decisions under a name, called with what they need."""

    id: str
    variable: Variable
    outputs: tuple[str, ...]
    inputs: tuple[str, ...]
    """Input data, then decisions whose answers the caller gives."""


@dataclass(frozen=True)
class Model:
    """One file. Everything is found by its id."""

    name: str
    title: Title
    items: Mapping[str, Item] = field(default_factory=dict)
    inputs: Mapping[str, InputData] = field(default_factory=dict)
    decisions: Mapping[str, Decision] = field(default_factory=dict)
    knowledge: Mapping[str, Knowledge] = field(default_factory=dict)
    services: Mapping[str, Service] = field(default_factory=dict)

    @property
    def valued(self) -> tuple[InputData | Decision, ...]:
        """Everything that has a value: what is given, then what is decided."""
        return (*self.inputs.values(), *self.decisions.values())
