"""Proposals from what dispatchers keep choosing: listed, taken into a draft of the table, or put aside with a reason.

A proposal speaks of one version of the table: with the next version the count begins anew, and what was put aside may
come again.
"""

from __future__ import annotations

import builtins
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from cityloop.access.actor import Actor
from cityloop.access.audit import Audit
from cityloop.access.door import Door, Scope
from cityloop.cases.dispatch_schemas import Aside, DispatchProposal
from cityloop.cases.dispatch_table import ResponsibilityFile
from cityloop.cases.dispatcher import Dispatcher, PastCase
from cityloop.cases.models import CaseRow, LessonAsideRow, OverrideRow
from cityloop.cases.overrides import Lesson, Override, lessons, proposed
from cityloop.city.service import City
from cityloop.core.database import Database
from cityloop.core.errors import Conflict, NotFound
from cityloop.core.outbox import Outbox
from cityloop.core.values import Title

CHANGE, READ = "dispatch.change", "dispatch.read"
PUT_ASIDE = "cityloop.dispatch.aside"
_ENTITY = "case"
_MOST, _SHOWN = 20_000, 100
_TABLE = CaseRow.__table__
PAST = tuple(_TABLE.c[name] for name in PastCase.__slots__)
"""The columns of a :class:`PastCase`."""


class Proposals:
    """All verbs on what was learned since the table in force was applied."""

    def __init__(
        self, *, database: Database, outbox: Outbox, door: Door, audit: Audit, city: City, dispatcher: Dispatcher
    ) -> None:
        self._database, self._outbox, self._door, self._audit = database, outbox, door, audit
        self._city, self._dispatcher = city, dispatcher

    def list(self, actor: Actor) -> builtins.list[DispatchProposal]:
        """The most frequent first, those put aside last; raises :class:`AccessDenied`."""
        self._door.permit(actor, READ)
        scope = self._door.scope(actor, _ENTITY)
        with self._database.reading() as session:
            aside = {row.lesson: row for row in session.scalars(self._asides())}
            found = [self._view(session, scope, lesson, aside.get(lesson.key)) for lesson in self._lessons(session)]
        return sorted(found, key=lambda proposal: proposal.aside is not None)

    def put_aside(self, actor: Actor, key: str, reason: str) -> builtins.list[DispatchProposal]:
        """Put a proposal aside for as long as this table is in force; it stays readable and can still be accepted.

        Raises :class:`NotFound` for one that is not there, :class:`Conflict` for one that was put aside before.
        """
        self._door.permit(actor, CHANGE)
        now, version = self._city.clock.now(), self._dispatcher.version
        with self._database.transaction() as tx:
            lesson = self._lesson(tx.session, key)
            before = tx.session.get(LessonAsideRow, (version, key))
            if before is not None:
                raise Conflict(f"{before.by} put this proposal aside: {before.reason}", "read the proposals again")
            tx.session.add(LessonAsideRow(table=version, lesson=key, at=now, by=actor.id, reason=reason))
            detail: dict[str, Any] = {"table": version, "matter": lesson.matter, "district": lesson.district}
            detail |= {"department": lesson.chosen, "count": len(lesson.cases), "reason": reason}
            self._audit.record(tx, now, actor.id, "dispatch.aside", key, detail)
            self._outbox.record(tx, PUT_ASIDE, key, now, detail)
        return self.list(actor)

    def accepted(self, session: Session, key: str) -> ResponsibilityFile:
        """The table in force with what a proposal asks for; raises :class:`NotFound`."""
        lesson = self._lesson(session, key)
        return proposed(self._dispatcher.table.table, lesson, self._why(lesson))

    def _asides(self) -> Any:
        return select(LessonAsideRow).where(LessonAsideRow.table == self._dispatcher.version)

    def _lesson(self, session: Session, key: str) -> Lesson:
        lesson = next((found for found in self._lessons(session) if found.key == key), None)
        if lesson is None:
            raise NotFound(f"there is no proposal '{key[:60]}'", "GET /api/v1/dispatch/proposals lists them")
        return lesson

    def _lessons(self, session: Session) -> builtins.list[Lesson]:
        columns = (OverrideRow.case, OverrideRow.matter, OverrideRow.district, OverrideRow.row, OverrideRow.chosen)
        query = select(*columns).where(OverrideRow.table == self._dispatcher.version).order_by(OverrideRow.at.desc())
        made = [found for row in session.execute(query.limit(_MOST)) if self._known(found := Override(*row))]
        return lessons(made, self._dispatcher.table.table.learn_after)

    def _known(self, made: Override) -> bool:
        """Whether the city still has what an override speaks of."""
        known = self._dispatcher.table.known
        place = made.district is None or made.district in known.areas
        return made.matter in known.matters and made.chosen in known.departments and place

    def _view(self, session: Session, scope: Scope, lesson: Lesson, aside: LessonAsideRow | None) -> DispatchProposal:
        query = select(*PAST).where(_TABLE.c.id.in_(lesson.cases[:_SHOWN])).order_by(_TABLE.c.number)
        cases = [PastCase(*row) for row in session.execute(query)]
        return DispatchProposal(
            id=lesson.key,
            matter=lesson.matter,
            matter_title=self._city.catalogue.get(lesson.matter).title,
            district=lesson.district,
            district_title=self._city.areas.title(lesson.district) if lesson.district else None,
            row=lesson.row,
            department=lesson.chosen,
            department_title=self._city.departments[lesson.chosen].title,
            count=len(lesson.cases),
            cases=[case.number for case in cases if scope.lets(case.columns)],
            why=self._why(lesson),
            aside=Aside(at=aside.at, by=aside.by, reason=aside.reason) if aside else None,
        )

    def _why(self, lesson: Lesson) -> Title:
        matter = self._city.catalogue.get(lesson.matter).title
        place = self._city.areas.title(lesson.district) if lesson.district else self._city.title
        body, count = self._city.departments[lesson.chosen].title, len(lesson.cases)
        return Title(
            zh=f"{place.zh}的“{matter.zh}”由{body.zh}承办（派遣员 {count} 次如此改派）",
            en=f"'{matter.en}' in {place.en} goes to {body.en} (dispatchers chose so {count} times)",
        )
