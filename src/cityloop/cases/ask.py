"""One wish to move one case, with everything that guards and effects may look at. Pure values, no I/O."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from pydantic import Field

from cityloop.access.actor import Actor
from cityloop.cases.dispatch import Match
from cityloop.cases.dispatch_table import CoHandler
from cityloop.cases.handling import HandlingRules
from cityloop.cases.values import Case
from cityloop.cases.workflow import MoveDef, Workflow
from cityloop.city.schemas import Department
from cityloop.core.values import Title


@dataclass(frozen=True, slots=True)
class Reason:
    """Why not, in both languages; ``field`` names the input that is wrong, where one is."""

    title: Title
    field: str | None = None


def reason(zh: str, en: str, field: str | None = None) -> Reason:
    """A reason in both languages."""
    return Reason(Title(zh=zh, en=en), field)


class PartWish(CoHandler):
    """A part as the dispatcher wishes it: a co-handler, with a limit of its own if need be."""

    limit: str | None = Field(default=None, max_length=200)


@dataclass(frozen=True, slots=True)
class Facts:
    """What was looked up for one move. ``None`` means: looked for and not there, or not needed by this move."""

    departments: Mapping[str, Department] = field(default_factory=dict)
    matters: frozenset[str] = frozenset()
    match: Match | None = None
    """The row of the responsibility table for this case now."""
    person: Actor | None = None
    """The account named in the field ``handler``."""
    target: Case | None = None
    """The case named in the field ``target`` of a merge."""
    nearby: tuple[str, ...] = ()
    """Numbers that the duplicate guard found."""
    parts: tuple[PartWish, ...] = ()
    """The parts of co-handlers that the field ``parts`` wishes for, and why they could not be read."""
    parts_fault: Reason | None = None
    parts_there: frozenset[str] = frozenset()
    """Departments that have an open part already."""
    dates: Mapping[str, datetime] = field(default_factory=dict)
    """Fields of the kind ``date`` that could be read, as instants."""


@dataclass(frozen=True, slots=True)
class Ask:
    """Who wants which move on which case, when, and with what in hand."""

    case: Case
    move: MoveDef
    workflow: Workflow
    actor: Actor
    now: datetime
    rules: HandlingRules
    facts: Facts = Facts()
    opinion: str = ""
    fields: Mapping[str, Any] = field(default_factory=dict)

    @property
    def brought_limit(self) -> str | None:
        """The limit text that the report brought; once the case has been filed, the matter decides again."""
        return None if self.case.filed else self.case.limit_text

    def text(self, name: str) -> str:
        """A field as trimmed text; empty when absent."""
        value = self.fields.get(name)
        return str(value).strip() if value is not None else ""
