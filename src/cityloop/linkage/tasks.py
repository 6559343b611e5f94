"""The verbs on tasks: take, complete, approve, delegate."""

from __future__ import annotations

import builtins
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from cityloop.access.actor import Actor
from cityloop.core.clock import Clock
from cityloop.core.database import Database, Transaction
from cityloop.core.errors import AccessDenied, Conflict, Invalid, NotFound
from cityloop.core.values import Page, Title
from cityloop.core.web import Paging
from cityloop.linkage import approvals, forms, views, wheel
from cityloop.linkage.engine import Stuck
from cityloop.linkage.log import Log
from cityloop.linkage.models import RunRow, RunTaskRow
from cityloop.linkage.opening import TASK_TIMERS
from cityloop.linkage.phrases import PHRASES
from cityloop.linkage.ports import People
from cityloop.linkage.runner import Runner
from cityloop.linkage.schemas import (
    OPEN_TASKS,
    RunTaskView,
    TaskApproval,
    TaskDelegation,
    TaskDetail,
    TaskFilter,
)
from cityloop.linkage.seeing import WORK, Sight, has_in_hand
from cityloop.linkage.steps import UserStep
from cityloop.linkage.views import Views

_SORTS = {"due_at": RunTaskRow.due_at, "opened_at": RunTaskRow.opened_at, "done_at": RunTaskRow.done_at}
May = Literal["take", "complete", "approve", "reject", "delegate"]
Taker = Callable[[str], Literal["department", "post"] | None]
"""Whether a name is that of a department or a post."""


class TaskDesk:
    """What people do with tasks."""

    def __init__(
        self,
        *,
        database: Database,
        clock: Clock,
        sight: Sight,
        runner: Runner,
        log: Log,
        views: Views,
        people: People,
        kind_of: Taker,
    ) -> None:
        self._database, self._clock, self._sight, self._views = database, clock, sight, views
        self._runner, self._log, self._people, self._kind_of = runner, log, people, kind_of

    def list(self, actor: Actor, wanted: TaskFilter, paged: Paging) -> Page[RunTaskView]:
        """Tasks that the actor may see; ``mine``: that he can work on now."""
        now = self._clock.now()
        query = self._sight.tasks(actor).where(*self._conditions(actor, wanted, now))
        with self._database.reading() as session:
            total = session.scalar(select(func.count()).select_from(query.subquery())) or 0
            rows = session.scalars(query.order_by(*_order(paged.sort)).offset(paged.offset).limit(paged.size))
            items = [self._views.task(row, now) for row in rows]
        return Page(items=items, total=total, page=paged.page, size=paged.size)

    def get(self, actor: Actor, task: str) -> TaskDetail:
        """One task; raises :class:`NotFound` outside the actor's sight too."""
        with self._database.reading() as session:
            return self._detail(session, actor, self._found(session, actor, task))

    def take(self, actor: Actor, task: str) -> TaskDetail:
        """Take a task of one's department or post."""

        def act(tx: Transaction, row: RunTaskRow, now: datetime) -> None:
            row.assignee, row.assignee_name, row.state = actor.id, actor.name.model_dump(), "taken"
            self._said(tx, row, now, "taken", actor, "line-taken")

        return self._work(actor, task, act)

    def complete(self, actor: Actor, task: str, values: Mapping[str, Any]) -> TaskDetail:
        """Complete a plain task; raises :class:`Invalid` with every field that is wrong."""

        def act(tx: Transaction, row: RunTaskRow, now: datetime) -> None:
            if row.kind == "approval":
                raise PHRASES.problem(Conflict, "is-approval")
            run = self._runner.locked(tx, row.run)
            if row.four_eyes and actor.id == run.started_by:
                raise PHRASES.problem(AccessDenied, "own-request")
            step = self._runner.diagram(run).steps.user[row.element]
            row.values = forms.checked(step.fields, values)
            self._done(tx, row, run, step, dict(row.values), actor, now)

        return self._work(actor, task, act)

    def approve(self, actor: Actor, task: str, wish: TaskApproval) -> TaskDetail:
        """Answer a request; raises :class:`AccessDenied` for a second answer and for one's own request."""

        def act(tx: Transaction, row: RunTaskRow, now: datetime) -> None:
            if row.kind != "approval":
                raise PHRASES.problem(Conflict, "no-approval")
            why = approvals.why_not(actor.id, row.requested_by, row.answers)
            if why is not None:
                raise AccessDenied(why.en, more={"said": why.model_dump()})
            given = {"by": actor.id, "name": actor.name.model_dump(), "answer": wish.answer, "note": wish.note}
            row.answers = [*row.answers, {**given, "at": now.isoformat()}]
            row.assignee = row.assignee_name = None
            row.state = "open"
            self._said(tx, row, now, "answered", actor, f"line-{wish.answer}", why=wish.note or "—")
            verdict = approvals.verdict(row.levels, row.answers)
            if verdict != "open":
                run, approved = self._runner.locked(tx, row.run), verdict == "approved"
                told = {"approved": approved, "answers": row.answers}
                step = self._runner.diagram(run).steps.user[row.element]
                self._done(tx, row, run, step, told, actor, now)
                row.state = "done" if approved else "rejected"

        return self._work(actor, task, act)

    def delegate(self, actor: Actor, task: str, wish: TaskDelegation) -> TaskDetail:
        """Give a task to an account, a department or a post; who gives it away may not see it any more."""

        def act(tx: Transaction, row: RunTaskRow, now: datetime) -> None:
            kind = self._kind_of(wish.to)
            row.assignee = row.assignee_name = None
            row.state = "open"
            if kind == "department":
                row.department, row.post = wish.to, None
            elif kind == "post":
                row.post, row.department = wish.to, None
            else:
                person = self._person(wish.to)
                row.assignee, row.assignee_name, row.state = person.id, person.name.model_dump(), "taken"
            self._said(tx, row, now, "delegated", actor, "line-delegated", to=wish.to, why=wish.reason)
            self._log.audit(tx, now, actor, "task.delegate", row.id, {"to": wish.to, "reason": wish.reason})

        return self._work(actor, task, act)

    def _work(self, actor: Actor, task: str, act: Callable[[Transaction, RunTaskRow, datetime], None]) -> TaskDetail:
        """Do something with a task that the actor has in hand; an instance that cannot go on leaves it open."""
        self._sight.door.permit(actor, WORK)
        with self._database.reading() as session:
            run = self._found(session, actor, task).run
        now = self._clock.now()
        try:
            with self._database.transaction() as tx:
                held = self._runner.locked(tx, run)
                row = tx.session.get_one(RunTaskRow, task, populate_existing=True)
                self._workable(actor, held, row)
                act(tx, row, now)
        except Stuck as stuck:
            with self._database.transaction() as tx:
                self._runner.fail(tx, run, stuck, now)
            raise
        with self._database.reading() as session:
            # Whoever has just worked on a task is shown what became of it, also when it is another's now.
            return self._detail(session, actor, session.get_one(RunTaskRow, task))

    def _workable(self, actor: Actor, run: RunRow, row: RunTaskRow) -> None:
        why = self._why_not(actor, run, row)
        if why is None:
            return
        kind = Conflict if row.state not in OPEN_TASKS or run.state == "paused" else AccessDenied
        raise kind(why.en, more={"said": why.model_dump()})

    def _why_not(self, actor: Actor, run: RunRow, row: RunTaskRow) -> Title | None:
        if row.state not in OPEN_TASKS:
            return PHRASES.what("task-over", state=row.state)
        if run.state == "paused":
            return PHRASES.what("run-paused")
        if run.state == "manual" and run.held_by == actor.id:
            return None
        if not has_in_hand(actor, row):
            return PHRASES.what("not-in-hand")
        return None

    def _done(
        self,
        tx: Transaction,
        row: RunTaskRow,
        run: RunRow,
        step: UserStep,
        told: Mapping[str, Any],
        actor: Actor,
        now: datetime,
    ) -> None:
        """Finish a task and go on with its run, in the same commit."""
        row.state, row.done_at, row.done_by = "done", now, actor.id
        for kind in TASK_TIMERS:
            wheel.drop(tx, kind, row.id)
        self._said(tx, row, now, "done", actor, "line-task-done")
        self._log.audit(tx, now, actor, "task.done", row.id, {"run": row.run, "element": row.element})
        values = {step.result: {**told, "by": actor.id, "at": now.isoformat()}}
        self._runner.advance(tx, run, lambda instance: instance.complete(row.id, values, now), now)

    def _said(
        self, tx: Transaction, row: RunTaskRow, now: datetime, what: str, actor: Actor, code: str, **parts: str
    ) -> None:
        text = PHRASES.what(code, who=actor.name, task=Title(**row.title), **parts)
        self._log.line(tx, row.run, now, what, actor, text, row.element, {"task": row.id})
        self._log.task(tx, what, row, now)

    def _person(self, account: str) -> Actor:
        try:
            person = self._people.get(account)
        except NotFound as error:
            raise PHRASES.problem(Invalid, "no-taker", to=account) from error
        if not self._sight.door.may(person, WORK):
            raise PHRASES.problem(Invalid, "taker-may-not", to=person.name)
        return person

    def _found(self, session: Session, actor: Actor, task: str) -> RunTaskRow:
        row = session.scalar(self._sight.tasks(actor).where(RunTaskRow.id == task))
        if row is None:
            raise PHRASES.problem(NotFound, "no-task", task=task)
        return row

    def _detail(self, session: Session, actor: Actor, row: RunTaskRow) -> TaskDetail:
        run = session.get_one(RunRow, row.run)
        step = self._runner.diagram(run).steps.user[row.element]
        why = self._why_not(actor, run, row)
        may = self._may(actor, run, row) if why is None else ()
        return TaskDetail(
            **dict(self._views.task(row, self._clock.now())),
            description=step.description,
            form=step.form,
            fields=step.fields,
            values=row.values,
            answers=views.answers(row),
            facts=run.facts,
            may=may,
            why_not=why or (approvals.why_not(actor.id, row.requested_by, row.answers) if row.levels else None),
        )

    def _may(self, actor: Actor, run: RunRow, row: RunTaskRow) -> tuple[May, ...]:
        if not self._sight.door.may(actor, WORK):
            return ()
        found: builtins.list[May] = ["take"] if row.assignee != actor.id else []
        if row.kind == "task":
            found += [] if row.four_eyes and actor.id == run.started_by else ["complete"]
        elif approvals.why_not(actor.id, row.requested_by, row.answers) is None:
            found += ["approve", "reject"]
        return (*found, "delegate")

    def _conditions(self, actor: Actor, wanted: TaskFilter, now: datetime) -> builtins.list[ColumnElement[bool]]:
        found: builtins.list[ColumnElement[bool]] = []
        if wanted.mine:
            found += [self._sight.hands(actor), RunTaskRow.state.in_(OPEN_TASKS)]
        if wanted.state:
            found.append(RunTaskRow.state.in_(wanted.state))
        if wanted.plan:
            found.append(RunTaskRow.plan == wanted.plan)
        if wanted.run:
            found.append(RunTaskRow.run == wanted.run)
        if wanted.late is not None:
            end = func.coalesce(RunTaskRow.done_at, now)
            late = RunTaskRow.due_at < end
            found.append(late if wanted.late else (RunTaskRow.due_at.is_(None) | ~late))
        return found


def _order(sort: str) -> tuple[ColumnElement[Any], ColumnElement[Any]]:
    name, down = (sort[1:], True) if sort.startswith("-") else (sort or "due_at", False)
    if name not in _SORTS:
        raise Invalid(f"tasks cannot be sorted by '{name}'", f"sort by {', '.join(_SORTS)}, with - for descending")
    column = _SORTS[name]
    first = column.desc() if down else column.asc()
    return first.nulls_last(), RunTaskRow.id.asc()
