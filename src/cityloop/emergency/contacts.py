"""The contact tree of a response: calls, answers, and the timer that goes on to the next."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from cityloop.access.actor import SYSTEM
from cityloop.core.database import Transaction
from cityloop.core.errors import Conflict, NotFound
from cityloop.core.ids import new_id
from cityloop.core.values import Title
from cityloop.emergency.calling import Call, answered, begun, catching_up, follows, waited
from cityloop.emergency.content import EmergencyBook
from cityloop.emergency.declarations import KindDef
from cityloop.emergency.journal import Journal
from cityloop.emergency.models import ContactRow, ResponseRow
from cityloop.emergency.phrases import PHRASES
from cityloop.emergency.schemas import Acknowledgement


class Contacts:
    """Calls roles and hears who answers."""

    def __init__(self, book: EmergencyBook, journal: Journal) -> None:
        self._book, self._journal = book, journal

    def of(self, session: Session, response: str) -> Sequence[ContactRow]:
        """The calls of a response, in order."""
        query = select(ContactRow).where(ContactRow.response == response)
        return session.scalars(query.order_by(ContactRow.called_at, ContactRow.id)).all()

    def call_due(self, tx: Transaction, row: ResponseRow, now: datetime) -> None:
        """Call every role that the level asks for and that has not been called."""
        rows = self.of(tx.session, row.id)
        called = [one.role for one in rows]
        settled = [one.role for one in rows if one.state != "calling"]
        kind = self._book.kinds[row.kind]
        for role in catching_up(kind, row.level, called, settled):  # type: ignore[arg-type]
            self._call(tx, row, kind, role, now)

    def acknowledge(
        self, tx: Transaction, row: ResponseRow, contact: str, wish: Acknowledgement, actor: str, now: datetime
    ) -> None:
        """Somebody has answered; the roles that follow are called. Raises :class:`Conflict` the second time."""
        found = tx.session.get(ContactRow, contact, with_for_update=True)
        if found is None or found.response != row.id:
            raise PHRASES.problem(NotFound, "no-contact")
        if found.state == "reached":
            raise PHRASES.problem(Conflict, "answered")
        person = found.people[found.turn] if found.people else None
        name = wish.name or (person["name"]["zh"] if person else actor)
        _keep(found, answered(_call_of(found)))
        found.reached_at, found.reached_by = now, name
        said = PHRASES.what("reached", role=Title.model_validate(found.title), name=name)
        self._journal.write(tx, row, actor, now, "reached", said, wish.note, {"role": found.role})
        self._follow(tx, row, found.role, now)

    def tick(self, tx: Transaction, row: ResponseRow, contact: ContactRow, now: datetime) -> None:
        """The wait for somebody is over: the next one is called, or nobody is left."""
        before = _call_of(contact)
        after = waited(before, now)
        title = Title.model_validate(contact.title)
        for turn in range(before.turn, after.turn + (after.state == "missed")):
            name = Title.model_validate(contact.people[turn]["name"])
            self._journal.say(tx, row, SYSTEM.id, now, "passed-over", "passed-over", role=title, name=name)
        _keep(contact, after)
        if after.state == "calling":
            self._tell(tx, row, contact, now)
            return
        self._missed(tx, row, contact, now)

    def _call(self, tx: Transaction, row: ResponseRow, kind: KindDef, role: str, now: datetime) -> None:
        contact = kind.contact(role)
        assert contact is not None
        people = self._book.people.get(role, ())
        call = begun(role, len(people), timedelta(minutes=contact.wait_minutes), now)
        made = ContactRow(
            id=new_id("con"), response=row.id, role=role, title=contact.title.model_dump(), state=call.state,
            people=[person.model_dump(mode="json") for person in people], turn=0, wait_minutes=contact.wait_minutes,
            called_at=now, next_at=call.next_at,
        )  # fmt: skip
        tx.session.add(made)
        tx.session.flush()
        if call.state == "missed":
            self._journal.say(tx, row, SYSTEM.id, now, "missed", "no-people", role=contact.title)
            self._missed(tx, row, made, now)
        else:
            self._tell(tx, row, made, now)

    def _tell(self, tx: Transaction, row: ResponseRow, contact: ContactRow, now: datetime) -> None:
        person: dict[str, Any] = contact.people[contact.turn]
        name = Title.model_validate(person["name"])
        parts = {"role": Title.model_validate(contact.title), "name": name, "phone": person["phone"]}
        self._journal.say(tx, row, SYSTEM.id, now, "called", "called", **parts)
        self._journal.call(tx, row, now, contact.role, person)

    def _missed(self, tx: Transaction, row: ResponseRow, contact: ContactRow, now: datetime) -> None:
        if contact.people:
            title = Title.model_validate(contact.title)
            self._journal.say(tx, row, SYSTEM.id, now, "missed", "missed", role=title)
        self._journal.remind(tx, row, now, "contact", row.department)
        self._follow(tx, row, contact.role, now)

    def _follow(self, tx: Transaction, row: ResponseRow, role: str, now: datetime) -> None:
        tx.flush()
        kind = self._book.kinds[row.kind]
        called = [one.role for one in self.of(tx.session, row.id)]
        for after in follows(kind, role, row.level, called):  # type: ignore[arg-type]
            if after not in (one.role for one in self.of(tx.session, row.id)):
                self._call(tx, row, kind, after, now)


def _call_of(row: ContactRow) -> Call:
    wait = timedelta(minutes=row.wait_minutes)
    return Call(row.role, row.state, row.turn, len(row.people), wait, row.next_at)  # type: ignore[arg-type]


def _keep(row: ContactRow, call: Call) -> None:
    row.state, row.turn, row.next_at = call.state, call.turn, call.next_at
