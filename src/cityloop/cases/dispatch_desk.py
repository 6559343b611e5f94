"""Changing the table of responsibility: explained by past cases, applied as a version, and back again.

The city's file is the ground. Whatever was applied stays in force over restarts until the file itself is changed:
then the file is the next version.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from cityloop.access.actor import SYSTEM, Actor
from cityloop.access.audit import Audit
from cityloop.access.door import Door
from cityloop.cases.dispatch import Match, Responsibility
from cityloop.cases.dispatch_schemas import (
    DepartmentChange,
    DepartmentLoad,
    ElsewhereCase,
    NewResponsibility,
    ResponsibilityPlan,
    ResponsibilityVersion,
    ResponsibilityView,
    ResponsibilityWish,
    RowChange,
)
from cityloop.cases.dispatch_table import ResponsibilityFile, table_faults
from cityloop.cases.dispatcher import Dispatcher, PastCase
from cityloop.cases.hindsight import Hindsight, look_back
from cityloop.cases.models import CaseRow, ResponsibilityVersionRow
from cityloop.cases.proposals import CHANGE, PAST, READ, Proposals
from cityloop.cases.recounting import explained, still
from cityloop.city.service import City
from cityloop.core import canonical
from cityloop.core.database import Database, Transaction
from cityloop.core.errors import ContentError, Invalid, NotFound
from cityloop.core.outbox import Outbox

CHANGED = "cityloop.dispatch.changed"
_ENTITY = "case"
_FILE = "城市文件中的责任表 / the table of the city's file"
_MOST, _SHOWN = 20_000, 100
_TABLE = CaseRow.__table__


class DispatchDesk:
    """All verbs on the table of responsibility."""

    def __init__(
        self, *, database: Database, outbox: Outbox, door: Door, audit: Audit, city: City, dispatcher: Dispatcher
    ) -> None:
        self._database, self._outbox, self._door, self._audit = database, outbox, door, audit
        self._city, self._dispatcher = city, dispatcher
        self._file = dispatcher.table
        self.proposals = Proposals(
            database=database, outbox=outbox, door=door, audit=audit, city=city, dispatcher=dispatcher
        )

    def open(self, now: datetime) -> None:
        """Put the last version into force, or the city's file where it is new or has changed."""
        mark = _digest(self._file.table)
        with self._database.transaction() as tx:
            rows = _rows(tx.session)
            if not rows or rows[0].file_digest != mark:
                self._enter(tx, SYSTEM, self._file, "content", _FILE, len(rows) + 1, now)
                return
        self._dispatcher.adopt(self._stored(rows[0]), rows[0].version)

    def in_force(self) -> ResponsibilityFile:
        """The table that dispatches now."""
        return self._dispatcher.table.table

    def view(self, actor: Actor) -> ResponsibilityView:
        """The table in force, for everybody who is signed in."""
        with self._database.reading() as session:
            rows = _rows(session)
        return ResponsibilityView(
            version=rows[0].version,
            table=ResponsibilityFile.model_validate(rows[0].document),
            versions=[_version(row) for row in rows],
        )

    def loads(self, actor: Actor, matter: str | None) -> list[DepartmentLoad]:
        """What every department has in hand; raises :class:`NotFound` for an unknown matter."""
        self._door.permit(actor, READ)
        if matter is not None:
            self._city.catalogue.get(matter)
        bodies = [body for body in self._city.departments.values() if body.kind != "centre"]
        names, now = tuple(body.id for body in bodies), self._city.clock.now()
        with self._database.reading() as session:
            found = self._dispatcher.loads(session, names, matter, now)
        return [
            DepartmentLoad(
                department=load.department,
                title=body.title,
                open_cases=load.open_cases,
                handlers=load.handlers,
                open_each=round(load.each, 2),
                handled=load.handled,
                median_seconds=load.median_seconds,
            )
            for body, load in zip(bodies, found, strict=True)
        ]

    def plan(self, actor: Actor, wish: ResponsibilityWish) -> ResponsibilityPlan:
        """What a change would have done; nothing is written. Raises :class:`Invalid` with faults."""
        self._door.permit(actor, CHANGE)
        scope, now = self._door.scope(actor, _ENTITY), self._city.clock.now()
        with self._database.reading() as session:
            rows = _rows(session)
            target = self._wished(session, rows, wish)
            past = _past(session, now - timedelta(days=wish.days))
        ask = self._dispatcher.matched
        before = self._dispatcher.table
        found = look_back(past, lambda c: ask(before, c, c.opened_at), lambda c: ask(target, c, c.opened_at))
        visible = [item for item in found.elsewhere if scope.lets(item[0].columns)]
        return ResponsibilityPlan(
            plan=_plan(rows[0], target.table),
            base=rows[0].version,
            table=target.table,
            cases=found.cases,
            elsewhere=len(found.elsewhere),
            unmatched_before=found.unmatched_before,
            unmatched_after=found.unmatched_after,
            agreed_before=found.agreed_before,
            agreed_after=found.agreed_after,
            rows=_row_changes(before.table, target.table, found),
            departments=self._departments(found),
            shown=[_elsewhere(*item) for item in visible[:_SHOWN]],
        )

    def apply(self, actor: Actor, wish: NewResponsibility) -> ResponsibilityView:
        """Put an explained change into force.

        Raises :class:`Conflict` when another version has come into force, :class:`Invalid` when the plan is of another
        change.
        """
        self._door.permit(actor, CHANGE)
        with self._database.transaction() as tx:
            rows = _rows(tx.session)
            still(rows[0].version, wish.base, "the table")
            target = self._wished(tx.session, rows, wish)
            explained(_plan(rows[0], target.table), wish.plan)
            self._enter(tx, actor, target, "changed", wish.reason, rows[0].version + 1, self._city.clock.now())
        return self.view(actor)

    def _wished(
        self, session: Session, rows: list[ResponsibilityVersionRow], wish: ResponsibilityWish
    ) -> Responsibility:
        if sum(item is not None for item in (wish.table, wish.proposal, wish.revert_to)) != 1:
            raise Invalid("say one thing", "give one of 'table', 'proposal' and 'revert_to'")
        if wish.revert_to is not None:
            found = next((row for row in rows if row.version == wish.revert_to), None)
            if found is None:
                raise NotFound(f"there is no version {wish.revert_to} of the table", f"1 to {rows[0].version}")
            table = ResponsibilityFile.model_validate(found.document)
        else:
            table = wish.table or self.proposals.accepted(session, wish.proposal or "")
        if _digest(table) == rows[0].digest:
            raise Invalid("the change changes nothing", "compare it with GET /api/v1/dispatch/table")
        return self._checked(table)

    def _checked(self, table: ResponsibilityFile) -> Responsibility:
        """A table that was sent; raises :class:`Invalid` with the place of every fault in it."""
        faults = table_faults(table, self._file.known, lambda key: ".".join(["table", *map(str, key)]))
        if faults:
            raise Invalid("the table cannot come into force", "correct the rows that are named", faults)
        return self._file.having(table)

    def _stored(self, row: ResponsibilityVersionRow) -> Responsibility:
        """A version that was applied; raises :class:`ContentError` when the city has changed from under it."""
        table = ResponsibilityFile.model_validate(row.document)
        faults = table_faults(table, self._file.known, lambda key: f"rows {key}")
        if faults:
            mend = "put the table that the city now needs into responsibility.yaml: a changed file comes into force"
            raise ContentError(f"version {row.version} of the table of responsibility fits no longer", mend, faults)
        return self._file.having(table)

    def _enter(
        self,
        tx: Transaction,
        actor: Actor,
        table: Responsibility,
        origin: str,
        reason: str,
        version: int,
        now: datetime,
    ) -> None:
        row = ResponsibilityVersionRow(
            version=version,
            document=table.table.model_dump(mode="json", by_alias=True),
            digest=_digest(table.table),
            file_digest=_digest(self._file.table),
            origin=origin,
            at=now,
            by=actor.id,
            reason=reason,
        )
        tx.session.add(row)
        self._audit.record(tx, now, actor.id, CHANGE, str(version), {"reason": reason})
        if version > 1:
            self._outbox.record(tx, CHANGED, str(version), now, {"version": version, "reason": reason})
        tx.after_commit(lambda: self._dispatcher.adopt(table, version))

    def _departments(self, found: Hindsight) -> list[DepartmentChange]:
        before, after = found.departments_before, found.departments_after
        named = [body for body in self._city.departments.values() if before[body.id] or after[body.id]]
        return [DepartmentChange(department=b.id, title=b.title, before=before[b.id], after=after[b.id]) for b in named]


def _row_changes(before: ResponsibilityFile, after: ResponsibilityFile, found: Hindsight) -> list[RowChange]:
    """The rows that differ in words or in cases, in the order of the new table, removed ones last."""
    old, new = ({row.id: row for row in table.rows} for table in (before, after))
    changes = []
    for id in [*new, *(id for id in old if id not in new)]:
        change = (
            "added" if id not in old else "removed" if id not in new else "changed" if old[id] != new[id] else "same"
        )
        counts = found.rows_before[id], found.rows_after[id]
        if change != "same" or counts[0] != counts[1]:
            changes.append(
                RowChange.model_validate({"row": id, "change": change, "before": counts[0], "after": counts[1]})
            )
    return changes


def _elsewhere(case: PastCase, before: Match | None, after: Match | None) -> ElsewhereCase:
    return ElsewhereCase(
        id=case.id,
        number=case.number,
        title=case.title,
        row_before=before.row if before else None,
        row_after=after.row if after else None,
        before=list(before.equals) if before else [],
        after=list(after.equals) if after else [],
        actual=case.department,
    )


def _past(session: Session, since: datetime) -> list[PastCase]:
    """Dispatched cases since then, the newest first; ids rise with the time of their writing."""
    query = select(*PAST).where(_TABLE.c.department.is_not(None)).order_by(_TABLE.c.id.desc()).limit(_MOST)
    return [case for row in session.execute(query) if (case := PastCase(*row)).opened_at >= since]


def _rows(session: Session) -> list[ResponsibilityVersionRow]:
    return list(session.scalars(select(ResponsibilityVersionRow).order_by(ResponsibilityVersionRow.version.desc())))


def _version(row: ResponsibilityVersionRow) -> ResponsibilityVersion:
    names = ("version", "origin", "at", "by", "reason")
    return ResponsibilityVersion.model_validate({name: getattr(row, name) for name in names})


def _digest(table: ResponsibilityFile) -> str:
    return canonical.digest(table.model_dump(mode="json", by_alias=True))


def _plan(base: ResponsibilityVersionRow, table: ResponsibilityFile) -> str:
    """What ties an application to its explanation: what was in force, and what would be."""
    return canonical.digest({"base": base.version, "from": base.digest, "to": _digest(table)})
