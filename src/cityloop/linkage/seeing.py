"""Which runs and tasks somebody may see: by the Door, and what is in the hands of his department or posts."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Select, and_, false, or_, select

from cityloop.access.actor import Actor
from cityloop.access.door import Door, Protected
from cityloop.core.errors import AccessDenied
from cityloop.linkage.models import RunRow, RunTaskRow

RUN, TASK = "run", "run_task"
STEER, START, WORK = "run.steer", "run.start", "task.work"
_RUN_COLUMNS: dict[str, ColumnElement[Any]] = {
    "department": RunRow.department.expression,
    "area": RunRow.area.expression,
    "started_by": RunRow.started_by.expression,
}
_TASK_COLUMNS: dict[str, ColumnElement[Any]] = {
    "department": RunTaskRow.department.expression,
    "area": RunTaskRow.area.expression,
    "assignee": RunTaskRow.assignee.expression,
    "done_by": RunTaskRow.done_by.expression,
}


class Sight:
    """Asks the Door. Without a line for the entity in his posts somebody sees nothing at all."""

    def __init__(self, door: Door) -> None:
        door.register(Protected(RUN, department="department", area="area", owners=("started_by",)))
        door.register(Protected(TASK, department="department", area="area", owners=("assignee", "done_by")))
        self.door = door

    def runs(self, actor: Actor) -> Select[RunRow]:
        """Runs within the scope, and those in which something is or was in his hands."""
        scope = self.door.scope(actor, RUN)
        if scope.whole:
            return select(RunRow)
        part = select(RunTaskRow.run).where(self._tasks(actor))
        return select(RunRow).where(or_(scope.where(_RUN_COLUMNS), RunRow.id.in_(part)))

    def tasks(self, actor: Actor) -> Select[RunTaskRow]:
        """Tasks within the scope, and those of his posts; raises :class:`AccessDenied` without any sight of tasks."""
        self.door.scope(actor, TASK)
        return select(RunTaskRow).where(self._tasks(actor))

    def hands(self, actor: Actor) -> ColumnElement[bool]:
        """Tasks that he may work on: taken by him, or free and of his department or posts."""
        free = RunTaskRow.assignee.is_(None)
        own = [RunTaskRow.assignee == actor.id]
        if actor.department:
            own.append(and_(free, RunTaskRow.post.is_(None), RunTaskRow.department == actor.department))
        if actor.posts:
            department = or_(RunTaskRow.department.is_(None), RunTaskRow.department == actor.department)
            own.append(and_(free, RunTaskRow.post.in_(actor.posts), department))
        escalated = [name for name in (actor.department, *actor.posts) if name]
        own.append(RunTaskRow.escalated_to.in_(escalated) if escalated else false())
        return or_(*own)

    def _tasks(self, actor: Actor) -> ColumnElement[bool]:
        try:
            scope = self.door.scope(actor, TASK)
        except AccessDenied:
            return false()
        return or_(scope.where(_TASK_COLUMNS), self.hands(actor))


def has_in_hand(actor: Actor, task: RunTaskRow) -> bool:
    """The same of one task."""
    names = {name for name in (actor.department, *actor.posts) if name}
    if task.escalated_to in names or task.assignee == actor.id:
        return True
    if task.assignee is not None:
        return False
    if task.post is not None:
        return task.post in actor.posts and task.department in (None, actor.department)
    return task.department is not None and task.department == actor.department
