"""An emergency as the command centre sees it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from cityloop.access.actor import Actor
from cityloop.city.service import City
from cityloop.core.values import Title
from cityloop.emergency.contacts import Contacts
from cityloop.emergency.content import EmergencyBook
from cityloop.emergency.models import ContactRow, EmergencyTaskRow, LogRow, ResponseRow
from cityloop.emergency.resources import Resources
from cityloop.emergency.schemas import CalledRole, EmergencyTask, ResponseLine, ResponseView, SituationLine
from cityloop.emergency.tasks import OPEN, EmergencyTasks


class ResponsesShown:
    """Makes views of rows; ``names`` gives accounts their names."""

    def __init__(
        self,
        city: City,
        book: EmergencyBook,
        contacts: Contacts,
        tasks: EmergencyTasks,
        resources: Resources,
        names: Callable[[str], Title],
    ) -> None:
        self._city, self._book, self._names = city, book, names
        self._contacts, self._tasks, self._resources = contacts, tasks, resources

    def sight(self, session: Session, row: ResponseRow) -> Mapping[str, Any]:
        """What row rules go by: the leading department, and those with tasks or resources in it."""
        tasks = {task.department for task in self._tasks.of(session, row.id)}
        sent = {self._book.resources[one.resource].department for one in self._resources.assigned(session, row.id)}
        return {"parties": [row.department, *sorted(tasks | sent)], "area": row.area}

    def line(self, session: Session, row: ResponseRow) -> ResponseLine:
        """A response in a list."""
        return ResponseLine.model_validate(
            self._line(row, self._tasks.of(session, row.id), self._waiting(session, row))
        )

    def view(self, session: Session, row: ResponseRow, actor: Actor, commands: bool, works: bool) -> ResponseView:
        """The whole page, as ``actor`` may act on it."""
        tasks = self._tasks.of(session, row.id)
        contacts = self._contacts.of(session, row.id)
        waiting = sum(contact.state == "calling" for contact in contacts)
        return ResponseView.model_validate(
            {
                **self._line(row, tasks, waiting),
                "cause": row.cause,
                "holder": row.holder,
                "holder_name": self._names(row.holder),
                "offered_to": row.offered_to,
                "offered_to_name": self._names(row.offered_to) if row.offered_to else None,
                "offered_at": row.offered_at,
                "contacts": [_contact(contact) for contact in contacts],
                "tasks": [_task(task, commands or (works and actor.department == task.department)) for task in tasks],
                "resources": self._resources.nearest(session, row),
                "assignments": [self._resources.shown(one) for one in self._resources.assigned(session, row.id)],
                "log": self.log(session, row.id),
                "may_command": commands and row.state == "open",
                "may_accept": row.offered_to == actor.id,
                "version": row.version,
            }
        )

    def log(self, session: Session, response: str) -> list[SituationLine]:
        """The situation log, the newest line first."""
        query = select(LogRow).where(LogRow.response == response).order_by(LogRow.seq.desc())
        own = ("seq", "at", "actor", "kind", "said", "words")
        return [
            SituationLine.model_validate(
                {**{name: getattr(line, name) for name in own}, "actor_name": self._names(line.actor)}
            )
            for line in session.scalars(query)
        ]

    def _waiting(self, session: Session, row: ResponseRow) -> int:
        return sum(contact.state == "calling" for contact in self._contacts.of(session, row.id))

    def _line(self, row: ResponseRow, tasks: Any, waiting: int) -> dict[str, Any]:
        own = (
            "id",
            "number",
            "kind",
            "title",
            "department",
            "area",
            "lon",
            "lat",
            "level",
            "state",
            "opened_at",
            "ended_at",
        )
        return {
            **{name: getattr(row, name) for name in own},
            "kind_title": self._book.kinds[row.kind].title,
            "tasks_open": sum(task.state in OPEN for task in tasks),
            "tasks_late": sum(task.late and task.state in OPEN for task in tasks),
            "contacts_waiting": waiting,
        }


def _contact(row: ContactRow) -> CalledRole:
    return CalledRole.model_validate({name: getattr(row, name) for name in CalledRole.model_fields})


def _task(row: EmergencyTaskRow, mine: bool) -> EmergencyTask:
    own = {name: getattr(row, name) for name in EmergencyTask.model_fields if name != "mine"}
    return EmergencyTask.model_validate({**own, "mine": mine and row.state in OPEN})
