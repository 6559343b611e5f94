"""The verbs of an emergency: open, change the level, call, give tasks, send, write down, hand over, end."""

from __future__ import annotations

import builtins
from collections.abc import Callable
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from cityloop.access.actor import Actor
from cityloop.access.door import Door, Protected
from cityloop.cases.numbers import next_number
from cityloop.city.service import City
from cityloop.core.database import Database, Transaction
from cityloop.core.errors import AccessDenied, Conflict, NotFound
from cityloop.core.ids import new_id
from cityloop.core.values import Page, Title
from cityloop.core.web import Paging
from cityloop.emergency.contacts import Contacts
from cityloop.emergency.content import EmergencyBook
from cityloop.emergency.journal import Journal
from cityloop.emergency.models import ContactRow, EmergencyTaskRow, ResponseRow
from cityloop.emergency.phrases import PHRASES
from cityloop.emergency.resources import Resources
from cityloop.emergency.schemas import (
    Acknowledgement,
    AssignmentMove,
    AssignmentWish,
    HandOverOffer,
    KindView,
    LevelWish,
    LogNote,
    ResourcePlace,
    ResponseEnd,
    ResponseLine,
    ResponseView,
    ResponseWish,
    TaskMove,
    TaskWish,
)
from cityloop.emergency.shown import ResponsesShown
from cityloop.emergency.tasks import OPEN, EmergencyTasks

ENTITY = "response"
COMMAND, LEAD, WORK = "response.command", "response.lead", "response.work"


class Responses:
    """What people do in an emergency. ``people`` finds an account and raises :class:`NotFound`."""

    def __init__(
        self,
        *,
        database: Database,
        door: Door,
        city: City,
        book: EmergencyBook,
        journal: Journal,
        people: Callable[[str], Actor],
    ) -> None:
        door.register(Protected(ENTITY, department="parties", area="area"))
        self._database, self._door, self._city, self._book = database, door, city, book
        self._journal, self._people = journal, people
        self.contacts, self.tasks = Contacts(book, journal), EmergencyTasks(city, book, journal)
        self.resources = Resources(book, journal)
        self.shown = ResponsesShown(city, book, self.contacts, self.tasks, self.resources, self.name)

    def kinds(self, actor: Actor) -> builtins.list[KindView]:
        """The kinds of emergency of the city."""
        self._door.scope(actor, ENTITY)
        return [
            KindView(id=kind.id, title=kind.title, department=kind.department) for kind in self._book.kinds.values()
        ]

    def list(self, actor: Actor, state: str | None, paged: Paging) -> Page[ResponseLine]:
        """Responses in sight, the newest first."""
        scope = self._door.scope(actor, ENTITY)
        query = select(ResponseRow).order_by(ResponseRow.opened_at.desc(), ResponseRow.id.desc())
        with self._database.reading() as session:
            rows = [
                row
                for row in session.scalars(query.where(ResponseRow.state == state) if state else query)
                if row.kind in self._book.kinds and scope.lets(self.shown.sight(session, row))
            ]
            page = rows[paged.offset : paged.offset + paged.size]
            items = [self.shown.line(session, row) for row in page]
        return Page(items=items, total=len(rows), page=paged.page, size=paged.size)

    def get(self, actor: Actor, response: str) -> ResponseView:
        """The whole of one emergency."""
        with self._database.reading() as session:
            return self._view(session, actor, self._found(session, actor, response))

    def open(self, actor: Actor, wish: ResponseWish) -> ResponseView:
        """Open a response; raises :class:`Conflict` where one of the kind is open for the area already."""
        kind = self._book.kinds.get(wish.kind)
        if kind is None:
            known = ", ".join(self._book.kinds)
            raise PHRASES.problem(NotFound, "no-kind", (), kind=wish.kind, known=known)
        if not self._commands(actor, kind.department):
            raise PHRASES.problem(AccessDenied, "no-command", (), actor=actor.id)
        with self._database.transaction() as tx:
            row = self.open_in(tx, wish, actor.id, {"kind": "person", "id": actor.id}, self._city.clock.now())
            self._journal.write(tx, row, actor.id, row.opened_at, "note", PHRASES.what("note"), wish.reason)
            tx.flush()
            return self._view(tx.session, actor, row)

    def open_in(
        self, tx: Transaction, wish: ResponseWish, actor: str, cause: dict[str, str], now: datetime
    ) -> ResponseRow:
        """The same within a transaction, for whoever has been let in."""
        area = self._area(wish)
        key = f"{wish.kind}:{self._city.areas.district_of(area) if area else ''}"
        running = self.running(tx.session, key)
        if running is not None:
            raise PHRASES.problem(Conflict, "running", (), number=running.number)
        prefix = f"YJ{now.astimezone(self._city.zone):%Y%m%d}"
        row = ResponseRow(
            id=new_id("rsp"), number=f"{prefix}{next_number(tx, prefix):03d}", kind=wish.kind, title=wish.title,
            department=self._book.kinds[wish.kind].department, area=area, lon=wish.lon, lat=wish.lat,
            level=wish.level, state="open", cause=cause, cause_key=key, holder=actor, opened_at=now, version=0,
        )  # fmt: skip
        tx.session.add(row)
        tx.session.flush()
        self._journal.say(tx, row, actor, now, "open", "opened", level=row.level, title=row.title)
        self._rise(tx, row, actor, now)
        return row

    def running(self, session: Session, key: str) -> ResponseRow | None:
        """The open response of a kind and district."""
        query = select(ResponseRow).where(ResponseRow.cause_key == key, ResponseRow.state == "open")
        return session.scalars(query.limit(1)).first()

    def level(self, actor: Actor, response: str, wish: LevelWish) -> ResponseView:
        """Another level, with its reason: further tasks are given and further roles called."""

        def act(tx: Transaction, row: ResponseRow, now: datetime) -> None:
            self._must_command(actor, row)
            self.level_in(tx, row, wish, actor.id, now)

        return self._act(actor, response, act)

    def level_in(self, tx: Transaction, row: ResponseRow, wish: LevelWish, actor: str, now: datetime) -> None:
        """The same within a transaction."""
        if row.level == wish.level:
            raise PHRASES.problem(Conflict, "same-level", (), level=wish.level)
        before, row.level = row.level, wish.level
        said = PHRASES.what("level", before=before, after=wish.level)
        self._journal.write(tx, row, actor, now, "level", said, wish.reason, {"before": before})
        self._rise(tx, row, actor, now)

    def acknowledge(self, actor: Actor, response: str, contact: str, wish: Acknowledgement) -> ResponseView:
        """Somebody has answered a call: himself, or the desk that has him on the line."""

        def act(tx: Transaction, row: ResponseRow, now: datetime) -> None:
            found = tx.session.get(ContactRow, contact)
            people = found.people if found else []
            if not any(person.get("account") == actor.id for person in people):
                self._must_command(actor, row)
            self.contacts.acknowledge(tx, row, contact, wish, actor.id, now)

        return self._act(actor, response, act)

    def add_task(self, actor: Actor, response: str, wish: TaskWish) -> ResponseView:
        """Give a task that the list does not have."""

        def act(tx: Transaction, row: ResponseRow, now: datetime) -> None:
            self._must_command(actor, row)
            self.tasks.add(tx, row, wish, actor.id, now)

        return self._act(actor, response, act)

    def move_task(self, actor: Actor, response: str, task: str, wish: TaskMove) -> ResponseView:
        """Take a task and report it done, by its department; drop it, by whoever commands."""

        def act(tx: Transaction, row: ResponseRow, now: datetime) -> None:
            found = self.tasks.get(tx.session, row, task, alone=True)
            if wish.move == "drop":
                self._must_command(actor, row)
            else:
                self._must_work(actor, row, found.department)
            self.tasks.move(tx, row, found, wish, actor, now)

        return self._act(actor, response, act)

    def assign(self, actor: Actor, response: str, wish: AssignmentWish) -> ResponseView:
        """Send so much of a resource."""

        def act(tx: Transaction, row: ResponseRow, now: datetime) -> None:
            self._must_command(actor, row)
            self.resources.assign(tx, row, wish, actor.id, now)

        return self._act(actor, response, act)

    def move_assignment(self, actor: Actor, response: str, assignment: str, wish: AssignmentMove) -> ResponseView:
        """It has arrived, or is released; by its own department too."""

        def act(tx: Transaction, row: ResponseRow, now: datetime) -> None:
            found = self.resources.held(tx.session, row, assignment)
            self._must_work(actor, row, self.resources.get(found.resource).department)
            if wish.move == "arrive":
                self.resources.arrive(tx, row, found, actor.id, now)
            else:
                self.resources.release(tx, row, found, actor.id, now)

        return self._act(actor, response, act)

    def place(self, actor: Actor, response: str, resource: str, wish: ResourcePlace) -> ResponseView:
        """Where a resource is, and whether it can be used."""

        def act(tx: Transaction, row: ResponseRow, now: datetime) -> None:
            self._must_work(actor, row, self.resources.get(resource).department)
            self.resources.place(tx, resource, wish, now)

        return self._act(actor, response, act)

    def note(self, actor: Actor, response: str, wish: LogNote) -> ResponseView:
        """Write something down; nothing in the log is ever changed."""

        def act(tx: Transaction, row: ResponseRow, now: datetime) -> None:
            if not (self._door.may(actor, WORK) or self._commands(actor, row.department)):
                self._door.permit(actor, WORK)
            self._journal.write(tx, row, actor.id, now, "note", PHRASES.what("note"), wish.words)

        return self._act(actor, response, act)

    def offer(self, actor: Actor, response: str, wish: HandOverOffer) -> ResponseView:
        """The one on duty hands over, with what the next must know."""

        def act(tx: Transaction, row: ResponseRow, now: datetime) -> None:
            self._must_command(actor, row)
            if wish.to == actor.id:
                raise PHRASES.problem(Conflict, "own-hand-over")
            if row.holder not in (actor.id, "system"):
                raise PHRASES.problem(Conflict, "not-holder", (), holder=self.name(row.holder))
            to = self._person(wish.to)
            if not self._commands(to, row.department):
                raise PHRASES.problem(AccessDenied, "no-command", (), actor=to.id)
            row.offered_by, row.offered_to, row.offered_at = actor.id, to.id, now
            said = PHRASES.what("offered", out=actor.name, to=to.name)
            self._journal.write(tx, row, actor.id, now, "offered", said, wish.words, {"to": to.id})

        return self._act(actor, response, act)

    def accept(self, actor: Actor, response: str) -> ResponseView:
        """The next one takes over."""

        def act(tx: Transaction, row: ResponseRow, now: datetime) -> None:
            if row.offered_to is None or row.offered_to != actor.id:
                to = self.name(row.offered_to) if row.offered_to else Title(zh="—", en="—")
                raise PHRASES.problem(Conflict, "not-offered", (), to=to)
            row.holder, row.offered_by, row.offered_to, row.offered_at = actor.id, None, None, None
            self._journal.say(tx, row, actor.id, now, "accepted", "accepted", to=actor.name)

        return self._act(actor, response, act)

    def end(self, actor: Actor, response: str, wish: ResponseEnd) -> ResponseView:
        """End it: every task is done or dropped before, what was sent is released."""

        def act(tx: Transaction, row: ResponseRow, now: datetime) -> None:
            self._must_command(actor, row)
            waiting = [task for task in self.tasks.of(tx.session, row.id) if task.state in OPEN]
            if waiting:
                raise PHRASES.problem(Conflict, "tasks-open", (), count=len(waiting))
            self.resources.release_all(tx, row, actor.id, now)
            for contact in self.contacts.of(tx.session, row.id):
                contact.next_at = None
            row.state, row.ended_at, row.offered_to = "ended", now, None
            self._journal.write(tx, row, actor.id, now, "end", PHRASES.what("ended"), wish.reason)

        return self._act(actor, response, act)

    def tick(self, now: datetime) -> int:
        """Timers of the database: the next contact is called, late tasks are told of; returns how many were due."""
        with self._database.reading() as session:
            calls = session.scalars(select(ContactRow.id).where(ContactRow.next_at <= now)).all()
            late = session.scalars(select(EmergencyTaskRow.id).where(EmergencyTaskRow.remind_at < now)).all()
        for contact in calls:
            self._contact_due(contact, now)
        for task in late:
            self._task_due(task, now)
        return len(calls) + len(late)

    def name(self, account: str) -> Title:
        """The name of an account; one that is gone keeps its id."""
        try:
            return self._people(account).name
        except NotFound:
            return Title(zh="系统", en="System") if account == "system" else Title(zh=account, en=account)

    def _contact_due(self, contact: str, now: datetime) -> None:
        with self._database.transaction() as tx:
            found = tx.session.get_one(ContactRow, contact, with_for_update=True)
            row = tx.session.get_one(ResponseRow, found.response, with_for_update=True)
            if found.next_at is not None and found.next_at <= now and row.state == "open":
                self.contacts.tick(tx, row, found, now)

    def _task_due(self, task: str, now: datetime) -> None:
        with self._database.transaction() as tx:
            found = tx.session.get_one(EmergencyTaskRow, task, with_for_update=True)
            row = tx.session.get_one(ResponseRow, found.response, with_for_update=True)
            if found.remind_at is not None and found.remind_at < now:
                self.tasks.tick(tx, row, found, now)

    def _rise(self, tx: Transaction, row: ResponseRow, actor: str, now: datetime) -> None:
        self.tasks.give_due(tx, row, actor, now)
        self.contacts.call_due(tx, row, now)

    def _act(
        self, actor: Actor, response: str, act: Callable[[Transaction, ResponseRow, datetime], None]
    ) -> ResponseView:
        """One act on an open response that is in sight."""
        with self._database.transaction() as tx:
            row = self._found(tx.session, actor, response, alone=True)
            if row.state != "open":
                raise PHRASES.problem(Conflict, "over")
            act(tx, row, self._city.clock.now())
            tx.flush()
            return self._view(tx.session, actor, row)

    def _found(self, session: Session, actor: Actor, response: str, *, alone: bool = False) -> ResponseRow:
        scope = self._door.scope(actor, ENTITY)
        query = select(ResponseRow).where((ResponseRow.id == response) | (ResponseRow.number == response))
        row = session.scalars(query.with_for_update() if alone else query).first()
        if row is None or row.kind not in self._book.kinds or not scope.lets(self.shown.sight(session, row)):
            raise PHRASES.problem(NotFound, "no-response")
        return row

    def _view(self, session: Session, actor: Actor, row: ResponseRow) -> ResponseView:
        return self.shown.view(session, row, actor, self._commands(actor, row.department), self._door.may(actor, WORK))

    def _area(self, wish: ResponseWish) -> str | None:
        known: Any = {area.code for area in self._city.areas.list()}
        if wish.area is not None and wish.area not in known:
            raise PHRASES.problem(NotFound, "no-area", (), area=wish.area)
        if wish.area is None and wish.lon is not None and wish.lat is not None:
            place = self._city.areas.locate(wish.lon, wish.lat)
            return place.area if place else None
        return wish.area

    def _person(self, account: str) -> Actor:
        try:
            return self._people(account)
        except NotFound as error:
            raise PHRASES.problem(NotFound, "no-person", (), account=account) from error

    def _commands(self, actor: Actor, department: str) -> bool:
        leads = self._door.may(actor, LEAD) and actor.department == department
        return self._door.may(actor, COMMAND) or leads

    def _must_command(self, actor: Actor, row: ResponseRow) -> None:
        if not self._commands(actor, row.department):
            raise PHRASES.problem(AccessDenied, "no-command", (), actor=actor.id)

    def _must_work(self, actor: Actor, row: ResponseRow, department: str) -> None:
        if self._commands(actor, row.department):
            return
        self._door.permit(actor, WORK)
        if actor.department != department:
            raise PHRASES.problem(AccessDenied, "no-work", (), actor=actor.id, department=department)
