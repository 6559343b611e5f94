"""Rows as what crosses the wire."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from cityloop.city.areas import Areas
from cityloop.core.errors import NotFound
from cityloop.core.values import Title
from cityloop.linkage.engine import Diagram
from cityloop.linkage.models import RunEffectRow, RunLineRow, RunRow, RunTaskRow
from cityloop.linkage.performing import UNDOABLE
from cityloop.linkage.phrases import PHRASES
from cityloop.linkage.schemas import (
    OPEN_TASKS,
    EffectView,
    MarkState,
    RunContact,
    RunDevice,
    RunLine,
    RunMark,
    RunTaskView,
    RunView,
    TaskAnswer,
)

NameOf = Callable[[str], Title]
"""What a department or post is called."""
_RUN = (
    *("id", "plan", "version", "state", "trigger", "subject", "area", "department", "reason", "started_at"),
    *("started_by", "updated_at", "ended_at", "ended_by", "end_reason", "parent", "held_by"),
)
_TASK = (
    *("id", "run", "plan", "element", "kind", "department", "post", "assignee", "state", "area", "opened_at"),
    *("due_at", "limit", "done_at", "done_by", "reminded", "escalated_to", "levels", "version"),
)
_EFFECT = (
    *("id", "run", "element", "service", "inputs", "state", "reference", "tries", "asked_at", "done_at"),
    *("undone_at", "undone_by"),
)


@dataclass(frozen=True)
class Views:
    """Needs the names of areas, departments and posts."""

    areas: Areas
    name_of: NameOf

    def runs(self, session: Session, rows: Sequence[RunRow], now: datetime) -> list[RunView]:
        """Runs as rows of a list; their tasks are counted together."""
        tasks: dict[str, list[datetime | None]] = defaultdict(list)
        of = RunTaskRow.run.in_([row.id for row in rows]) & RunTaskRow.state.in_(OPEN_TASKS)
        for run, due in session.execute(select(RunTaskRow.run, RunTaskRow.due_at).where(of)):
            tasks[run].append(due)
        return [self.run(row, tasks[row.id], now) for row in rows]

    def run(self, row: RunRow, dues: Sequence[datetime | None], now: datetime) -> RunView:
        """A run with the deadlines of its open tasks."""
        first = min((due for due in dues if due is not None), default=None)
        plain = {name: getattr(row, name) for name in _RUN}
        return RunView(
            **plain,
            title=Title(**row.title),
            subject_title=_title(row.subject_title),
            area_title=self.area(row.area),
            waiting=tuple(Title(**one) for one in row.waiting),
            open_tasks=len(dues),
            due_at=first,
            late=first is not None and first < now,
            failure=_title(row.failure),
        )

    def task(self, row: RunTaskRow, now: datetime) -> RunTaskView:
        """A task as a row of a list."""
        plain = {name: getattr(row, name) for name in _TASK}
        return RunTaskView(
            **plain,
            plan_title=Title(**row.plan_title),
            title=Title(**row.title),
            assignee_name=_title(row.assignee_name),
            area_title=self.area(row.area),
            late=row.due_at is not None and row.due_at < (row.done_at or now),
            level=sum(answer["answer"] == "approve" for answer in row.answers),
        )

    def area(self, code: str | None) -> Title | None:
        """What an area is called."""
        try:
            return self.areas.title(code) if code else None
        except (NotFound, KeyError):
            return None

    def contacts(self, diagram: Diagram, tasks: Sequence[RunTaskRow]) -> list[RunContact]:
        """Who takes part, lane by lane."""
        open_tasks = [task for task in tasks if task.state in OPEN_TASKS]
        found = []
        for lane in diagram.drawing.lanes:
            department = lane.departments[0] if lane.departments else None
            post = lane.posts[0] if lane.posts else None
            name = department or post
            found.append(
                RunContact(
                    lane=lane.title,
                    department=department,
                    post=post,
                    title=self.name_of(name) if name else lane.title,
                    open_tasks=sum(task.element in lane.nodes for task in open_tasks),
                )
            )
        return found


def effect(row: RunEffectRow) -> EffectView:
    """An effect with how it would be undone."""
    undoable = row.service in UNDOABLE and row.state in ("done", "asked")
    how = f"undo-{row.service.replace('.', '-')}" if row.service in UNDOABLE else "leaves-nothing"
    return EffectView(
        **{name: getattr(row, name) for name in _EFFECT},
        title=Title(**row.title),
        result=json.loads(row.result) if row.result else None,
        reason=_title(row.reason),
        undoable=undoable,
        undo=PHRASES.what(how),
    )


def line(row: RunLineRow) -> RunLine:
    """A line of the timeline."""
    plain = {name: getattr(row, name) for name in ("at", "kind", "actor", "element", "detail")}
    return RunLine(**plain, actor_name=Title(**row.actor_name), text=Title(**row.text))


def answers(row: RunTaskRow) -> tuple[TaskAnswer, ...]:
    """What was answered to an approval."""
    return tuple(TaskAnswer.model_validate(answer) for answer in row.answers)


def devices(effects: Sequence[EffectView]) -> list[RunDevice]:
    """The things that orders were given to."""
    return [
        RunDevice(
            entity=str(one.inputs.get("entity", "")),
            entity_type=str(one.inputs.get("entity_type", "")),
            command=str(one.inputs.get("command", "")),
            effect=one.id,
            state=one.state,
        )
        for one in effects
        if one.service == "command"
    ]


def marks(row: RunRow, tasks: Sequence[RunTaskRow], effects: Sequence[EffectView], now: datetime) -> list[RunMark]:
    """Where a run stands: what is done, what is worked on, what waits, is late, or has failed."""
    waits: dict[str, tuple[MarkState, str | None, datetime | None]] = {}
    for one in effects:
        if one.state in ("waiting", "asked", "failed"):
            waits[one.element] = ("failed" if one.state == "failed" else "wait", None, None)
    for task in tasks:
        if task.state in OPEN_TASKS:
            late = task.due_at is not None and task.due_at < now
            holder = task.assignee or task.department or task.post
            waits[task.element] = ("late" if late else "now", holder, task.due_at)
    return [_mark(element, state, waits) for element, state in row.marks.items()]


def _mark(element: str, state: str, waits: Mapping[str, tuple[MarkState, str | None, datetime | None]]) -> RunMark:
    if state == "done":
        return RunMark(element=element, state="done")
    stands, holder, due = waits.get(element, ("wait", None, None))
    return RunMark(element=element, state=stands, holder=holder, due_at=due)


def _title(told: Mapping[str, str] | None) -> Title | None:
    return Title(**told) if told else None
