"""The tasks of a response: those of its level, those that somebody adds; taken, done, dropped, late."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from cityloop.access.actor import SYSTEM, Actor
from cityloop.city.grammar import NeedsHuman
from cityloop.city.service import City
from cityloop.core.database import Transaction
from cityloop.core.errors import Conflict, Fault, Invalid, NotFound
from cityloop.core.ids import new_id
from cityloop.core.values import Title
from cityloop.emergency.content import EmergencyBook
from cityloop.emergency.declarations import rank
from cityloop.emergency.journal import Journal
from cityloop.emergency.models import EmergencyTaskRow, ResponseRow
from cityloop.emergency.phrases import PHRASES
from cityloop.emergency.schemas import TaskMove, TaskWish

OPEN = ("open", "taken")
_WORDS = {"take": "task-taken", "done": "task-done", "drop": "task-dropped"}
_TARGETS = {"take": "taken", "done": "done", "drop": "dropped"}


class EmergencyTasks:
    """Gives tasks and hears of them."""

    def __init__(self, city: City, book: EmergencyBook, journal: Journal) -> None:
        self._city, self._book, self._journal = city, book, journal

    def of(self, session: Session, response: str) -> Sequence[EmergencyTaskRow]:
        """The tasks of a response, in the order in which they were given."""
        query = select(EmergencyTaskRow).where(EmergencyTaskRow.response == response)
        return session.scalars(query.order_by(EmergencyTaskRow.opened_at, EmergencyTaskRow.id)).all()

    def give_due(self, tx: Transaction, row: ResponseRow, actor: str, now: datetime) -> None:
        """Give every task of the list that the level asks for and that has not been given."""
        given = {task.declared for task in self.of(tx.session, row.id)}
        for task in self._book.kinds[row.kind].tasks:
            if task.id not in given and rank(task.level) <= rank(row.level):  # type: ignore[arg-type]
                self._give(tx, row, task.title, task.department, task.limit, actor, now, task.id)

    def add(self, tx: Transaction, row: ResponseRow, wish: TaskWish, actor: str, now: datetime) -> None:
        """Give a task that the list does not have; raises :class:`Invalid`."""
        if wish.department not in self._city.departments:
            fault = Fault("department", f"the city has no department '{wish.department}'", "see GET /api/v1/city")
            raise Invalid("the task cannot be given", fault.mend, [fault])
        if isinstance(read := self._city.deadlines.parse(wish.limit), NeedsHuman):
            fault = Fault("limit", f"'{wish.limit}' gives no instant: {read.reason.en}", "write it as 2小时")
            raise Invalid("the task cannot be given", fault.mend, [fault])
        self._give(tx, row, Title(zh=wish.title, en=wish.title), wish.department, wish.limit, actor, now, None)

    def get(self, session: Session, row: ResponseRow, task: str, *, alone: bool = False) -> EmergencyTaskRow:
        """One task of a response; raises :class:`NotFound`."""
        found = session.get(EmergencyTaskRow, task, with_for_update=alone)
        if found is None or found.response != row.id:
            raise PHRASES.problem(NotFound, "no-task")
        return found

    def move(
        self, tx: Transaction, row: ResponseRow, task: EmergencyTaskRow, wish: TaskMove, actor: Actor, now: datetime
    ) -> None:
        """Take, finish or drop; raises :class:`Conflict` when its state does not allow that."""
        if task.state not in OPEN or (wish.move == "take" and task.state != "open"):
            raise PHRASES.problem(Conflict, "task-state", (), state=task.state)
        if wish.move == "drop" and len(wish.words) < 2:
            raise PHRASES.problem(Invalid, "reason")
        task.state = _TARGETS[wish.move]
        if wish.move == "take":
            task.taken_by = actor.id
        else:
            task.done_at, task.result, task.remind_at = now, wish.words, None
            task.late = task.late or (wish.move == "done" and task.due_at is not None and now > task.due_at)
        said = PHRASES.what(_WORDS[wish.move], task=Title.model_validate(task.title))
        self._journal.write(tx, row, actor.id, now, _WORDS[wish.move], said, wish.words, {"task": task.id})

    def tick(self, tx: Transaction, row: ResponseRow, task: EmergencyTaskRow, now: datetime) -> None:
        """A task has passed its deadline."""
        task.late, task.remind_at = True, None
        parts = {"task": Title.model_validate(task.title), "department": self._title(task.department)}
        self._journal.say(tx, row, SYSTEM.id, now, "task-late", "task-late", **parts)
        self._journal.remind(tx, row, now, "task", task.department)

    def _give(
        self,
        tx: Transaction,
        row: ResponseRow,
        title: Title,
        department: str,
        limit: str,
        actor: str,
        now: datetime,
        declared: str | None,
    ) -> None:
        clock = self._city.deadlines.start(limit, now, department)
        due = None if isinstance(clock, NeedsHuman) else self._city.deadlines.due(clock).at
        made = EmergencyTaskRow(
            id=new_id("etk"), response=row.id, declared=declared, title=title.model_dump(), department=department,
            state="open", opened_at=now, due_at=due, remind_at=due, late=False, result="",
        )  # fmt: skip
        tx.session.add(made)
        tx.session.flush()
        said = PHRASES.what("task", task=title, department=self._title(department))
        self._journal.write(tx, row, actor, now, "task", said, "", {"task": made.id, "to": department})

    def _title(self, department: str) -> Title:
        return self._city.departments[department].title
