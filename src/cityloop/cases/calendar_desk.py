"""Changing the calendars of a city: planned, explained, applied; every open case that it moves gets its line.

The files of the city are the ground; changes are laid over them, each as a version that can be gone back to. When the
files themselves have changed since the last start, that is a version too.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from cityloop.access.actor import SYSTEM, Actor
from cityloop.access.audit import Audit
from cityloop.access.door import Door
from cityloop.cases import entries
from cityloop.cases.calendar_schemas import (
    CalendarPlan,
    CalendarsView,
    CalendarVersion,
    CalendarWish,
    ChangedDay,
    NewCalendar,
    TableDay,
)
from cityloop.cases.definitions import Book
from cityloop.cases.models import CalendarRow, CaseRow
from cityloop.cases.mover import Mover
from cityloop.cases.recounting import Line, Recount, explained, still
from cityloop.city.almanac import Almanac, CalendarChange
from cityloop.city.calendar import Calendars
from cityloop.city.service import City
from cityloop.core import canonical
from cityloop.core.database import Database, Transaction
from cityloop.core.errors import Invalid, NotFound
from cityloop.core.outbox import Outbox

CHANGE = "calendar.change"
CHANGED = "cityloop.calendar.changed"
_ENTITY = "case"
_FILES = "城市文件中的日历 / the calendars of the city's files"
_DAYS = 400
_LIMITED = CaseRow.due_at.is_not(None)


@dataclass(frozen=True, slots=True)
class _Target:
    """Calendars that a wish leads to."""

    over: CalendarChange
    almanac: Almanac
    calendars: Calendars


class CalendarDesk:
    """All verbs on the calendars in force."""

    def __init__(
        self, *, database: Database, outbox: Outbox, door: Door, audit: Audit, city: City, book: Book, mover: Mover
    ) -> None:
        self._database, self._outbox, self._door, self._audit = database, outbox, door, audit
        self._city, self._book, self._mover = city, book, mover

    def open(self, now: datetime) -> int:
        """Put the last version into force; recount when the city's files have changed. Returns the cases moved."""
        with self._database.transaction() as tx:
            rows = _rows(tx.session)
            over = CalendarChange.model_validate(rows[0].document) if rows else CalendarChange()
            target = self._target(over)
            if rows and rows[0].digest == target.calendars.version():
                self._city.calendars.adopt(target.calendars)
                return 0
            if not rows:
                return self._enter(tx, SYSTEM, target, "content", 1, _FILES, 0, now)
            return self._write(tx, SYSTEM, target, "content", rows, _FILES, now)

    def view(self, actor: Actor) -> CalendarsView:
        """The calendars in force, for everybody who is signed in."""
        with self._database.reading() as session:
            rows = _rows(session)
        target = self._target(CalendarChange.model_validate(rows[0].document))
        table = target.almanac.table
        return CalendarsView(
            version=rows[0].version,
            confirmed_years=sorted(table.confirmed_years),
            days=[TableDay(date=day, kind=kind) for day, kind in sorted(table.days.items())],
            calendars=dict(target.almanac.parts),
            changed=target.over,
            versions=[_version(row) for row in rows],
        )

    def plan(self, actor: Actor, wish: CalendarWish) -> CalendarPlan:
        """Which days change and which open cases move; nothing is written. Raises :class:`Invalid` with faults."""
        self._door.permit(actor, CHANGE)
        scope, now = self._door.scope(actor, _ENTITY), self._city.clock.now()
        with self._database.reading() as session:
            rows = _rows(session)
            target = self._wished(rows, wish)
            rules = self._mover.rules.on(target.calendars)
            found = Recount(_LIMITED, lambda case: rules.recounted(case, now)).told(session)
            parts = len(self._mover.parts.recounted(session, rules, now))
        return CalendarPlan(
            plan=_digest(rows[0], target),
            base=rows[0].version,
            days=self._days(target.calendars, now),
            open_cases=found.seen,
            cases=len(found.moved),
            **found.figures(now),
            parts=parts,
            shown=found.shown(scope, self._book),
        )

    def apply(self, actor: Actor, wish: NewCalendar) -> CalendarsView:
        """Put an explained change into force and recount every open case, all in one transaction.

        Raises :class:`Conflict` when another version has come into force, :class:`Invalid` when the plan is of another
        change.
        """
        self._door.permit(actor, CHANGE)
        now, before = self._city.clock.now(), self._city.calendars.snapshot()
        try:
            with self._database.transaction() as tx:
                rows = _rows(tx.session)
                still(rows[0].version, wish.base, "the calendars")
                target = self._wished(rows, wish)
                explained(_digest(rows[0], target), wish.plan)
                self._write(tx, actor, target, "changed", rows, wish.reason, now)
        except BaseException:
            self._city.calendars.adopt(before)
            raise
        return self.view(actor)

    def _wished(self, rows: list[CalendarRow], wish: CalendarWish) -> _Target:
        if (wish.change is None) == (wish.revert_to is None):
            raise Invalid("say one thing", "give either 'change' or 'revert_to'")
        current = CalendarChange.model_validate(rows[0].document)
        if wish.change is not None:
            # Checked alone first, so that faults name places of what was sent.
            self._city.almanac.having(wish.change)
            target = self._target(current.then(wish.change))
        else:
            found = next((row for row in rows if row.version == wish.revert_to), None)
            if found is None:
                raise NotFound(f"there is no version {wish.revert_to} of the calendars", f"1 to {rows[0].version}")
            target = self._target(CalendarChange.model_validate(found.document))
        if target.calendars.version() == self._city.calendars.version():
            raise Invalid("the change changes nothing", "compare it with GET /api/v1/calendars")
        return target

    def _target(self, over: CalendarChange) -> _Target:
        almanac = self._city.almanac.having(over)
        return _Target(over, almanac, almanac.calendars())

    def _write(
        self,
        tx: Transaction,
        actor: Actor,
        target: _Target,
        origin: str,
        rows: list[CalendarRow],
        reason: str,
        now: datetime,
    ) -> int:
        """Enter a version and recount by it; the transaction's end finds the calendars adopted."""
        number = rows[0].version + 1
        count = self._recount(tx, actor, target, number, reason, now)
        self._enter(tx, actor, target, origin, number, reason, count, now)
        self._outbox.record(tx, CHANGED, str(number), now, {"version": number, "reason": reason, "cases": count})
        return count

    def _enter(
        self,
        tx: Transaction,
        actor: Actor,
        target: _Target,
        origin: str,
        number: int,
        reason: str,
        count: int,
        now: datetime,
    ) -> int:
        tx.session.add(
            CalendarRow(
                version=number,
                document=target.over.model_dump(mode="json"),
                digest=target.calendars.version(),
                origin=origin,
                at=now,
                by=actor.id,
                reason=reason,
                cases=count,
            )
        )
        self._audit.record(tx, now, actor.id, CHANGE, str(number), {"reason": reason, "cases": count})
        self._city.calendars.adopt(target.calendars)
        return count

    def _recount(self, tx: Transaction, actor: Actor, target: _Target, number: int, reason: str, now: datetime) -> int:
        """Move every open case whose deadline the calendars move, each with a line of its own."""
        rules = self._mover.rules.on(target.calendars)
        self._mover.parts.recount(tx, actor, rules, now, reason)
        line = Line(self._mover, actor, entries.DEADLINE_MOVED, {"calendar_version": number}, reason)
        return Recount(_LIMITED, lambda case: rules.recounted(case, now)).carry_out(tx, line, now)

    def _days(self, calendars: Calendars, now: datetime) -> list[ChangedDay]:
        today, found = now.astimezone(self._city.zone).date(), []
        for id in self._city.calendars.ids():
            old, new = self._city.calendars.get(id), calendars.get(id)
            for day in _span(today):
                before, after = old.hours_of(day), new.hours_of(day)
                if before != after:
                    found.append(ChangedDay(calendar=id, date=day, before=before, after=after))
        return found[:_DAYS]


def _span(today: date) -> Iterator[date]:
    return (today + timedelta(days=number) for number in range(-31, 731))


def _rows(session: Session) -> list[CalendarRow]:
    return list(session.scalars(select(CalendarRow).order_by(CalendarRow.version.desc())))


def _version(row: CalendarRow) -> CalendarVersion:
    names = ("version", "origin", "at", "by", "reason", "cases")
    return CalendarVersion.model_validate({name: getattr(row, name) for name in names})


def _digest(base: CalendarRow, target: _Target) -> str:
    """What ties an application to its explanation: what was in force, and what would be."""
    return canonical.digest({"base": base.version, "from": base.digest, "to": target.calendars.version()})
