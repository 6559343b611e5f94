"""Where a case goes now: the table in force, the choice among equals, and what people chose instead."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Table, delete
from sqlalchemy.orm import Session

from cityloop.access.policy import Policy
from cityloop.cases.ask import Ask
from cityloop.cases.choosing import Load, choose
from cityloop.cases.dispatch import Match, Responsibility
from cityloop.cases.models import OverrideRow
from cityloop.cases.store import CaseStore
from cityloop.cases.values import Case
from cityloop.cases.workload import loads
from cityloop.city.service import City
from cityloop.core.database import Database, Transaction

_OVERRIDES: Table = OverrideRow.__table__  # type: ignore[assignment]
OwnerOf = Callable[[str], str | None]
"""The owner of an entity, as the directory names it; ``None`` when it names none."""


@dataclass(frozen=True, slots=True)
class PastCase:
    """What the table asks of a case, and where the case is or ended."""

    id: str
    number: str
    title: str
    matter: str
    area: str | None
    channel: str
    named_department: str | None
    entity: str | None
    department: str | None
    handler: str | None
    opened_at: datetime

    @property
    def columns(self) -> dict[str, str | None]:
        """The columns that row rules work on."""
        return {"department": self.department, "area": self.area, "handler": self.handler}


class Dispatcher:
    """The table in force at ``version``; :meth:`adopt` puts another in its place."""

    def __init__(
        self, *, database: Database, city: City, policy: Policy, table: Responsibility, owner_of: OwnerOf
    ) -> None:
        self._database, self._city, self._policy, self._owner_of = database, city, policy, owner_of
        self.table = table
        self.version = 0

    def adopt(self, table: Responsibility, version: int) -> None:
        """Put a table into force."""
        self.table, self.version = table, version

    def matched(self, table: Responsibility, case: Case | PastCase, at: datetime) -> Match | None:
        """What a table says of a case, before load and speed."""
        owner = self._owner_of(case.entity) if case.entity else None
        return table.match(case.matter, case.area, case.channel, case.named_department, at, owner)

    def match(self, source: Transaction | Session, case: Case, now: datetime) -> Match | None:
        """The row that fits, and of its equals the one that is likely the quickest; ``source`` tells of their load.

        It is the caller's own: who held one connection and waited for another would, with many others, wait for ever.
        """
        found = self.matched(self.table, case, now)
        if found is None or len(found.equals) < 2:
            return found
        having = self.loads(_session(source), found.equals, case.matter, now)
        names = {name: self._city.departments[name].title for name in found.equals}
        department, choice = choose(having, names)
        return replace(found, department=department, choice=choice)

    def loads(self, session: Session, departments: tuple[str, ...], matter: str | None, now: datetime) -> list[Load]:
        """What departments have in hand."""
        return loads(session, self._policy, self.table.table.handlers, departments, matter, now)

    def keep(self, tx: Transaction, ask: Ask, moved: Case) -> None:
        """Remember what a person chose instead of the table; the last choice of a case stands."""
        match = ask.facts.match
        if ask.actor.kind == "system" or "take_department" not in {effect.name for effect in ask.move.effects}:
            return
        tx.session.execute(delete(_OVERRIDES).where(_OVERRIDES.c.case == moved.id))
        if moved.department is None or (match is not None and moved.department in match.equals):
            return
        tx.session.add(
            OverrideRow(
                case=moved.id,
                at=ask.now,
                by=ask.actor.id,
                matter=moved.matter,
                district=moved.district,
                row=match.row if match else None,
                table=self.version,
                department=match.department if match else None,
                chosen=moved.department,
                opinion=ask.opinion.strip(),
            )
        )


def _session(source: Transaction | Session) -> Session:
    if isinstance(source, Session):
        return source
    CaseStore.of(source).flush()
    return source.session
