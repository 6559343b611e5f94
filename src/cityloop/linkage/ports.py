"""What linkage needs of its neighbours: each effect of a plan reaches another room by one of these.

Those that take a transaction do their work in it, so that effect, answer and step are one commit. Those that do not
go outside of the house: they are given the effect's id as idempotency key and may be asked again with the same.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol, runtime_checkable

from cityloop.access.actor import Actor
from cityloop.core.database import Transaction
from cityloop.core.values import Title


@dataclass(frozen=True)
class PlanSource:
    """One version of a plan, as it is drawn."""

    plan: str
    version: int
    xml: str
    title: Title
    origin: str = ""


class Plans(Protocol):
    """Where versions of plans are kept."""

    def in_force(self) -> Sequence[PlanSource]:
        """The version of every plan that new runs follow."""
        ...

    def current(self, plan: str) -> PlanSource:
        """The version of one plan that new runs follow; raises :class:`NotFound`."""
        ...

    def version(self, plan: str, version: int) -> PlanSource:
        """A version of a plan, also an old one; raises :class:`NotFound`."""
        ...


@dataclass(frozen=True)
class Answered:
    """What became of an effect. With ``waits`` the step stays open until somebody answers with ``reference``."""

    result: Any = None
    reference: str | None = None
    waits: bool = False


@dataclass(frozen=True)
class Occasion:
    """On whose behalf and for what something is done."""

    run: str
    effect: str
    """Idempotency key."""
    plan_title: Title
    area: str | None
    reason: str
    now: datetime
    facts: Mapping[str, Any] = field(default_factory=dict)
    """What started the run: ``warning``, ``case``, ``entity`` … by name."""
    tries: int = 0


class Service(Protocol):
    """One entry of the catalogue of services, carried out.

    ``do`` raises a :class:`Problem` when it cannot be done: the step fails with that reason and waits for a person.
    A :class:`Later` is tried again by itself.
    """

    def do(self, tx: Transaction, inputs: Mapping[str, Any], occasion: Occasion) -> Answered:
        """Carry it out in the transaction of the run."""
        ...

    def undo(
        self, tx: Transaction, effect: Answered, inputs: Mapping[str, Any], actor: Actor, occasion: Occasion
    ) -> Title:
        """Take it back; returns in a sentence how. Raises :class:`Problem` when it cannot be."""
        ...


@runtime_checkable
class Outside(Protocol):
    """A service that leaves the house: asked for between two commits."""

    def call(self, inputs: Mapping[str, Any], occasion: Occasion) -> Answered:
        """Carry it out; asked again with the same ``occasion.effect`` it must not count twice."""
        ...

    def recall(self, effect: Answered, inputs: Mapping[str, Any], actor: Actor, occasion: Occasion) -> Title:
        """Take it back; returns in a sentence how. Raises :class:`Problem` when it cannot be."""
        ...


class People(Protocol):
    """Accounts, as delegation and names need them."""

    def get(self, account: str) -> Actor:
        """The account; raises :class:`NotFound`."""
        ...


class Later(Exception):
    """It cannot be done now and is tried again by itself; ``str()`` says why."""
