"""The verbs on runs: start, steer, undo, and what their page shows."""

from __future__ import annotations

import builtins
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, exists, func, or_, select
from sqlalchemy.orm import Session

from cityloop.access.actor import Actor
from cityloop.core.clock import Clock
from cityloop.core.database import Database, Transaction
from cityloop.core.errors import Conflict, Invalid, NotFound, Problem
from cityloop.core.values import Page, Title
from cityloop.core.web import Paging
from cityloop.linkage import views, wheel
from cityloop.linkage.elements import plain
from cityloop.linkage.engine import Stuck
from cityloop.linkage.log import Log
from cityloop.linkage.models import RunEffectRow, RunLineRow, RunRow, RunTaskRow
from cityloop.linkage.opening import Opener
from cityloop.linkage.performing import Performer
from cityloop.linkage.phrases import PHRASES
from cityloop.linkage.runner import Begin, Runner, said
from cityloop.linkage.schemas import (
    OPEN_RUNS,
    OPEN_TASKS,
    NewRun,
    RunDetail,
    RunFilter,
    RunMessage,
    RunView,
    UndoneEffect,
)
from cityloop.linkage.seeing import START, STEER, Sight
from cityloop.linkage.starting import claim_of
from cityloop.linkage.views import Views

_SORTS = {
    "started_at": RunRow.started_at,
    "updated_at": RunRow.updated_at,
    "ended_at": RunRow.ended_at,
    "plan": RunRow.plan,
    "state": RunRow.state,
}
_MAY: dict[str, tuple[str, ...]] = {
    "running": ("pause", "take-over", "end", "undo"),
    "paused": ("resume", "take-over", "end", "undo"),
    "manual": ("resume", "end", "undo"),
    "failed": ("take-over", "end", "undo"),
    "done": ("undo",),
    "ended": ("undo",),
}


class RunDesk:
    """What people do with runs."""

    def __init__(
        self,
        *,
        database: Database,
        clock: Clock,
        sight: Sight,
        runner: Runner,
        performer: Performer,
        opener: Opener,
        log: Log,
        views: Views,
    ) -> None:
        self._database, self._clock, self._sight, self._views = database, clock, sight, views
        self._runner, self._performer, self._opener, self._log = runner, performer, opener, log

    def list(self, actor: Actor, wanted: RunFilter, paged: Paging) -> Page[RunView]:
        """Runs that the actor may see."""
        now = self._clock.now()
        query = self._sight.runs(actor).where(*_conditions(wanted, now))
        with self._database.reading() as session:
            total = session.scalar(select(func.count()).select_from(query.subquery())) or 0
            rows = session.scalars(query.order_by(*_order(paged.sort)).offset(paged.offset).limit(paged.size)).all()
            items = self._views.runs(session, rows, now)
        return Page(items=items, total=total, page=paged.page, size=paged.size)

    def get(self, actor: Actor, run: str) -> RunDetail:
        """One run; raises :class:`NotFound` outside the actor's scope too."""
        with self._database.reading() as session:
            return self._detail(session, actor, run)

    def start(self, actor: Actor, wish: NewRun) -> RunDetail:
        """Start a plan by hand; raises :class:`Conflict` naming the run that there is already."""
        self._sight.door.permit(actor, START)
        if wish.area is not None and self._views.area(wish.area) is None:
            raise PHRASES.problem(Invalid, "no-area", area=wish.area)
        _, diagram = self._runner.diagrams.current(wish.plan)
        trigger = next((one for one in diagram.steps.triggers if one.kind == "person"), None)
        begin = Begin(
            plan=wish.plan,
            trigger="person",
            actor=actor,
            reason=wish.reason,
            area=wish.area,
            facts=plain(wish.facts),
            claim=claim_of(trigger.once if trigger else "area", wish.area, str(wish.facts.get("entity") or "")),
        )
        now = self._clock.now()
        with self._database.transaction() as tx:
            row = self._runner.begin(tx, begin, now)
            self._log.audit(tx, now, actor, "run.start", row.id, {"plan": wish.plan, "reason": wish.reason})
            id = row.id
        with self._database.reading() as session:
            # Whoever starts a run sees it, whatever his scope.
            return self._shown(session, actor, session.get_one(RunRow, id))

    def pause(self, actor: Actor, run: str, reason: str) -> RunDetail:
        """Stand still."""

        def act(tx: Transaction, row: RunRow, now: datetime) -> None:
            _be(row, "running")
            self._hold(tx, row, now)
            row.state = "paused"
            self._log.run(tx, "paused", row, now, reason=reason)

        return self._steer(actor, run, "pause", reason, act)

    def take_over(self, actor: Actor, run: str, reason: str) -> RunDetail:
        """Nothing happens by itself any more; who took it works its tasks and decides on its steps."""

        def act(tx: Transaction, row: RunRow, now: datetime) -> None:
            _be(row, "running", "paused", "failed")
            if row.paused_at is None:
                self._hold(tx, row, now)
            for task in self._open_tasks(tx, row):
                self._opener.resume(tx, task, now)
                task.assignee, task.assignee_name, task.state = actor.id, actor.name.model_dump(), "taken"
            row.state, row.held_by = "manual", actor.id
            self._log.run(tx, "taken", row, now, by=actor.id, reason=reason)

        return self._steer(actor, run, "take-over", reason, act)

    def resume(self, actor: Actor, run: str, reason: str) -> RunDetail:
        """Go on by itself; timers and deadlines have lost nothing."""

        def act(tx: Transaction, row: RunRow, now: datetime) -> None:
            _be(row, "paused", "manual")
            span = now - (row.paused_at or now)
            row.state, row.paused_at, row.held_by = "running", None, None
            wheel.release(tx, row.id, span)
            for task in self._open_tasks(tx, row):
                self._opener.resume(tx, task, now)
            self._runner.advance(tx, row, lambda instance: instance.resume(span, now), now)
            if row.failure is not None and row.state == "running":
                row.state = "failed"
            self._log.run(tx, "resumed", row, now, reason=reason)

        return self._steer(actor, run, "resume", reason, act)

    def end(self, actor: Actor, run: str, reason: str) -> RunDetail:
        """End it early; its effects stay until they are undone."""

        def act(tx: Transaction, row: RunRow, now: datetime) -> None:
            _be(row, *OPEN_RUNS)
            row.state, row.ended_at, row.ended_by, row.end_reason = "ended", now, actor.id, reason
            self._runner.advance(tx, row, lambda instance: instance.cancel(), now)
            for part in tx.session.scalars(select(RunRow).where(RunRow.parent == row.id, RunRow.state.in_(OPEN_RUNS))):
                act(tx, part, now)
            self._log.run(tx, "ended", row, now, reason=reason)
            self._runner.close(tx, row, now)

        return self._steer(actor, run, "end", reason, act)

    def message(self, actor: Actor, run: str, wish: RunMessage) -> RunDetail:
        """Give a run a message; raises :class:`Conflict` when it waits for none of this name."""

        def act(tx: Transaction, row: RunRow, now: datetime) -> None:
            _be(row, "running", "manual", "failed")
            heard: list[bool] = []
            self._runner.advance(tx, row, lambda i: heard.append(i.fire(wish.name, wish.values, now)), now)
            if not any(heard):
                raise PHRASES.problem(Conflict, "no-message", name=wish.name)

        return self._steer(actor, run, "message", wish.name, act)

    def retry(self, actor: Actor, run: str, element: str, reason: str) -> RunDetail:
        """Try a failed step again; the same effect with the same key."""

        def act(tx: Transaction, row: RunRow, now: datetime) -> None:
            _be(row, "failed", "running", "manual")
            failed = self._effect_at(tx, row, element, ("failed",))
            if failed is not None:
                failed.state, failed.reason = "waiting", None
                wheel.put(tx, "effect", failed.id, row.id, now)
                self._runner.recover(tx, row)
            elif row.failure is None:
                raise PHRASES.problem(Conflict, "nothing-failed", element=element)
            elif not self._runner.complete_stored(tx, row, element, now):
                row.failure, row.state = None, "running" if row.state == "failed" else row.state
                self._runner.advance(tx, row, lambda instance: instance.step(now), now)

        return self._steer(actor, run, "retry", reason, act, element)

    def skip(self, actor: Actor, run: str, element: str, reason: str) -> RunDetail:
        """Go on without a step; its result is empty."""

        def act(tx: Transaction, row: RunRow, now: datetime) -> None:
            _be(row, "failed", "running", "manual")
            effect = self._effect_at(tx, row, element, ("failed", "waiting", "asked"))
            if effect is None:
                raise PHRASES.problem(Conflict, "step-not-open", element=element)
            wheel.drop(tx, "effect", effect.id)
            effect.state, effect.done_at = ("skipped" if effect.state != "asked" else "asked"), now
            name = self._runner.diagram(row).steps.service[element].result
            tx.session.flush()
            self._runner.advance(tx, row, lambda instance: instance.complete(effect.step, {name: None}, now), now)
            self._runner.recover(tx, row)

        return self._steer(actor, run, "skip", reason, act, element)

    def undo(self, actor: Actor, run: str, reason: str) -> builtins.list[UndoneEffect]:
        """Undo what a run did, the last first, each in its own commit: one that cannot be holds up no other."""
        self._sight.door.permit(actor, STEER)
        with self._database.reading() as session:
            row = self._found(session, actor, run)
            done = (RunEffectRow.run == row.id) & RunEffectRow.state.in_(("done", "asked"))
            effects = session.scalars(select(RunEffectRow).where(done).order_by(RunEffectRow.place.desc())).all()
            wanted = [view for view in map(views.effect, effects) if view.undoable]
        return [self.undo_effect(actor, run, view.id, reason) for view in wanted]

    def undo_effect(self, actor: Actor, run: str, effect: str, reason: str) -> UndoneEffect:
        """Undo one effect; says how, or why it cannot be."""
        self._sight.door.permit(actor, STEER)
        now = self._clock.now()
        with self._database.reading() as session:
            self._found(session, actor, run)
            title = Title(**self._effect(session, run, effect).title)
        try:
            with self._database.transaction() as tx:
                how = self._performer.undo(tx, self._effect(tx.session, run, effect), actor, reason, now)
                self._log.audit(tx, now, actor, "run.undo", run, {"effect": effect, "reason": reason})
                self._log.run(tx, "undone", self._runner.locked(tx, run), now, effect=effect, reason=reason)
        except Problem as problem:
            why = said(problem)
            with self._database.transaction() as tx:
                detail = {"effect": effect, "reason": why.zh}
                self._log.audit(tx, now, actor, "run.undo", run, detail, "refused")
            return UndoneEffect(effect=effect, title=title, undone=False, why=why)
        return UndoneEffect(effect=effect, title=title, undone=True, why=how)

    def _steer(
        self,
        actor: Actor,
        run: str,
        verb: str,
        reason: str,
        act: Callable[[Transaction, RunRow, datetime], None],
        element: str | None = None,
    ) -> RunDetail:
        """Do something with a run that the actor may steer, with its line and audit line in the same commit."""
        self._sight.door.permit(actor, STEER)
        with self._database.reading() as session:
            self._found(session, actor, run)
        now = self._clock.now()
        try:
            with self._database.transaction() as tx:
                row = self._runner.locked(tx, run)
                act(tx, row, now)
                row.updated_at = now
                text = PHRASES.what(f"line-{verb}", who=actor.name, why=reason)
                self._log.line(tx, run, now, verb, actor, text, element)
                detail = {"reason": reason, **({"element": element} if element else {})}
                self._log.audit(tx, now, actor, f"run.{verb}", run, detail)
        except Stuck as stuck:
            with self._database.transaction() as tx:
                self._runner.fail(tx, run, stuck, now, element)
            raise
        return self.get(actor, run)

    def _hold(self, tx: Transaction, row: RunRow, now: datetime) -> None:
        wheel.hold(tx, row.id)
        row.paused_at = now
        for task in self._open_tasks(tx, row):
            self._opener.pause(tx, task, now)

    def _open_tasks(self, tx: Transaction, row: RunRow) -> Sequence[RunTaskRow]:
        of = (RunTaskRow.run == row.id) & RunTaskRow.state.in_(OPEN_TASKS)
        return tx.session.scalars(select(RunTaskRow).where(of)).all()

    def _effect_at(self, tx: Transaction, row: RunRow, element: str, states: tuple[str, ...]) -> RunEffectRow | None:
        here = (RunEffectRow.run == row.id) & (RunEffectRow.element == element) & RunEffectRow.state.in_(states)
        return tx.session.scalar(select(RunEffectRow).where(here).order_by(RunEffectRow.place).limit(1))

    def _effect(self, session: Session, run: str, effect: str) -> RunEffectRow:
        row = session.get(RunEffectRow, effect)
        if row is None or row.run != run:
            raise PHRASES.problem(NotFound, "no-effect", effect=effect)
        return row

    def _found(self, session: Session, actor: Actor, run: str) -> RunRow:
        row = session.scalar(self._sight.runs(actor).where(RunRow.id == run))
        if row is None:
            raise PHRASES.problem(NotFound, "no-run", run=run)
        return row

    def _detail(self, session: Session, actor: Actor, run: str) -> RunDetail:
        return self._shown(session, actor, self._found(session, actor, run))

    def _shown(self, session: Session, actor: Actor, row: RunRow) -> RunDetail:
        now, source = self._clock.now(), self._runner.diagrams.version(row.plan, row.version)
        of_run: Any = {"run": row.id}
        tasks = session.scalars(select(RunTaskRow).filter_by(**of_run).order_by(RunTaskRow.opened_at)).all()
        rows = session.scalars(select(RunEffectRow).filter_by(**of_run).order_by(RunEffectRow.place)).all()
        lines = session.scalars(select(RunLineRow).filter_by(**of_run).order_by(RunLineRow.seq)).all()
        parts = session.scalars(select(RunRow).where(RunRow.parent == row.id).order_by(RunRow.started_at)).all()
        effects = [views.effect(one) for one in rows]
        dues = [task.due_at for task in tasks if task.state in OPEN_TASKS]
        return RunDetail(
            run=self._views.run(row, dues, now),
            xml=source[0].xml,
            marks=views.marks(row, tasks, effects, now),
            tasks=[self._views.task(task, now) for task in tasks],
            effects=effects,
            timeline=[views.line(one) for one in lines],
            area=row.area,
            devices=views.devices(effects),
            contacts=self._views.contacts(source[1], tasks),
            facts=row.facts,
            parts=self._views.runs(session, parts, now),
            may=_MAY[row.state] if self._sight.door.may(actor, STEER) else (),
        )


def _be(row: RunRow, *states: str) -> None:
    """Refuse what a run's state does not allow."""
    if row.state not in states:
        raise PHRASES.problem(Conflict, "wrong-state", state=row.state, wanted="、".join(states))


def _conditions(wanted: RunFilter, now: datetime) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if wanted.plan:
        found.append(RunRow.plan == wanted.plan)
    if wanted.subject:
        found.append(RunRow.subject == wanted.subject)
    if wanted.state:
        found.append(RunRow.state.in_(wanted.state))
    if wanted.open is not None:
        found.append(RunRow.state.in_(OPEN_RUNS) if wanted.open else RunRow.state.not_in(OPEN_RUNS))
    if wanted.area:
        found.append(RunRow.area.startswith(wanted.area, autoescape=True))
    if wanted.late is not None:
        late = (RunTaskRow.run == RunRow.id) & RunTaskRow.state.in_(OPEN_TASKS) & (RunTaskRow.due_at < now)
        found.append(exists().where(late) if wanted.late else ~exists().where(late))
    if wanted.q:
        columns = (
            RunRow.id,
            RunRow.plan,
            RunRow.reason,
            RunRow.title["zh"].as_string(),
            RunRow.title["en"].as_string(),
        )
        found.append(or_(*[column.icontains(wanted.q, autoescape=True) for column in columns]))
    return found


def _order(sort: str) -> tuple[ColumnElement[Any], ColumnElement[Any]]:
    name, down = (sort[1:], True) if sort.startswith("-") else (sort or "started_at", not sort)
    if name not in _SORTS:
        raise Invalid(f"runs cannot be sorted by '{name}'", f"sort by {', '.join(_SORTS)}, with - for descending")
    column = _SORTS[name]
    return (column.desc(), RunRow.id.desc()) if down else (column.asc(), RunRow.id.asc())
