"""Grants: what one department lets another see of its data, for a time. They widen a sight and never open one."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from cityloop.access.actor import Actor
from cityloop.access.predicates import Predicate
from cityloop.access.scope import Part
from cityloop.core.clock import Clock


@dataclass(frozen=True)
class Grant:
    """An approved grant: ``department`` sees ``columns`` of the ``rows`` of ``dataset`` before ``until``."""

    id: str
    department: str
    dataset: str
    columns: frozenset[str]
    rows: Mapping[str, Predicate]
    """Row filter by protected entity; an entity that is not in it is not widened."""
    until: datetime

    def part(self, entity: str) -> Part:
        """What it adds to a scope of ``entity``."""
        return Part(self.rows[entity], {}, self.columns, self.id)


class Grants(Protocol):
    """Where the door looks for grants."""

    def active(self, actor: Actor, entity: str, dataset: str) -> Sequence[Grant]:
        """Grants of the actor's department that hold now for rows of ``entity`` in ``dataset``."""
        ...

    def used(self, actor: Actor, entity: str, grants: Sequence[str]) -> None:
        """A scope with these grants was handed out for reading."""
        ...


@dataclass
class Use:
    """How often one account read by one grant, since the counts were last taken."""

    reads: int = 0
    last: datetime | None = None


class GrantBook:
    """The grants that are approved, in memory. Every question is answered as of now, so a term ends by itself."""

    def __init__(self, clock: Clock, counted: str = "observation") -> None:
        self._clock = clock
        self._counted = counted
        self._grants: dict[str, Grant] = {}
        self._uses: dict[tuple[str, str], Use] = {}
        self._turn = threading.Lock()

    def put(self, grant: Grant) -> None:
        """Let a grant hold from now on."""
        with self._turn:
            self._grants = {**self._grants, grant.id: grant}

    def drop(self, grant: str) -> None:
        """Let a grant hold no longer; an unknown one changes nothing."""
        with self._turn:
            self._grants = {key: value for key, value in self._grants.items() if key != grant}

    def active(self, actor: Actor, entity: str, dataset: str) -> list[Grant]:
        """See :meth:`Grants.active`."""
        now = self._clock.now()
        return [
            grant
            for grant in self._grants.values()
            if grant.department == actor.department
            and grant.dataset == dataset
            and entity in grant.rows
            and now < grant.until
        ]

    def used(self, actor: Actor, entity: str, grants: Sequence[str]) -> None:
        """Count one read for each grant. Only the entity that holds the values counts, not its directory."""
        if entity != self._counted:
            return
        now = self._clock.now()
        with self._turn:
            for grant in grants:
                use = self._uses.setdefault((grant, actor.id), Use())
                use.reads, use.last = use.reads + 1, now

    def take_uses(self) -> Mapping[tuple[str, str], Use]:
        """Counts by (grant, account) since the last time; they begin anew."""
        with self._turn:
            uses, self._uses = self._uses, {}
        return uses

    def give_back(self, uses: Mapping[tuple[str, str], Use]) -> None:
        """Take counts back that could not be written."""
        with self._turn:
            for key, use in uses.items():
                held = self._uses.setdefault(key, Use())
                held.reads += use.reads
                held.last = max(filter(None, (held.last, use.last)), default=None)
