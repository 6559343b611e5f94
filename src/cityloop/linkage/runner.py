"""Moves runs: loads an instance, gives it one event, and writes what follows from it, all in the caller's transaction.

What follows are tasks that open or are gone, effects to be asked for, timers, marks, lines, events. One writer a run:
the row is locked, and its version rises with every write.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import delete, select

from cityloop.access.actor import SYSTEM, Actor
from cityloop.core.database import Transaction
from cityloop.core.errors import Conflict, NotFound, Problem
from cityloop.core.ids import new_id
from cityloop.core.values import Title
from cityloop.linkage import wheel
from cityloop.linkage.book import Diagrams
from cityloop.linkage.engine import Diagram, Instance, Stuck, Wait
from cityloop.linkage.log import Log
from cityloop.linkage.models import RunClaimRow, RunEffectRow, RunRow, RunTaskRow
from cityloop.linkage.opening import Opener
from cityloop.linkage.phrases import PHRASES
from cityloop.linkage.schemas import OPEN_RUNS, OPEN_TASKS, TriggerKind

MOST_NESTED = 5
"""Sub-plans within each other."""


@dataclass(frozen=True)
class Begin:
    """A plan that is to be started, and why."""

    plan: str
    trigger: TriggerKind
    actor: Actor
    reason: str
    area: str | None = None
    subject: str | None = None
    subject_title: Title | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)
    claim: str | None = None
    """At most one open run of this plan may hold it."""
    department: str | None = None
    parent: str | None = None
    parent_effect: str | None = None


class Runner:
    """The machine's part of runs; what people do with them is the desk's."""

    def __init__(self, diagrams: Diagrams, opener: Opener, log: Log) -> None:
        self.diagrams, self._opener, self._log = diagrams, opener, log

    def begin(self, tx: Transaction, wish: Begin, now: datetime) -> RunRow:
        """Start a run; raises :class:`Conflict` where one holds the claim, :class:`Stuck` where it cannot begin."""
        source, diagram = self.diagrams.current(wish.plan)
        id = new_id("run")
        if wish.parent and self._depth(tx, wish.parent) >= MOST_NESTED:
            raise PHRASES.problem(Conflict, "too-deep", most=MOST_NESTED)
        facts = {**wish.facts, "area": wish.area, "run": {"id": id, "plan": wish.plan, "started_at": now.isoformat()}}
        instance = self.diagrams.engine.start(diagram, facts, now)
        # Nothing after this refuses, so a caller may go on in the same transaction.
        self._claim(tx, wish, id)
        row = RunRow(
            id=id,
            plan=wish.plan,
            version=source.version,
            title=source.title.model_dump(),
            state="running",
            trigger=wish.trigger,
            subject=wish.subject,
            subject_title=wish.subject_title.model_dump() if wish.subject_title else None,
            area=wish.area,
            department=wish.department or diagram.steps.lead,
            reason=wish.reason[:400],
            facts=facts,
            started_at=now,
            started_by=wish.actor.id,
            updated_at=now,
            parent=wish.parent,
            parent_effect=wish.parent_effect,
            waiting=[],
            marks={},
            instance="",
        )
        tx.session.add(row)
        text = PHRASES.what("line-started", who=wish.actor.name, why=wish.reason)
        self._log.line(tx, id, now, "started", wish.actor, text)
        self._log.run(tx, "started", row, now)
        self.settle(tx, row, diagram, instance, now)
        return row

    def locked(self, tx: Transaction, run: str) -> RunRow:
        """The run, with nobody else writing it until the commit; raises :class:`NotFound`."""
        row = tx.session.get(RunRow, run, with_for_update=True, populate_existing=True)
        if row is None:
            raise PHRASES.problem(NotFound, "no-run", run=run)
        return row

    def advance(self, tx: Transaction, row: RunRow, act: Callable[[Instance], object], now: datetime) -> None:
        """Give the instance an event and write what follows; raises :class:`Stuck` with nothing written."""
        diagram = self.diagram(row)
        instance = self.diagrams.engine.load(diagram, row.instance)
        act(instance)
        self.settle(tx, row, diagram, instance, now)

    def diagram(self, row: RunRow) -> Diagram:
        """The diagram that a run follows."""
        return self.diagrams.version(row.plan, row.version)[1]

    def settle(self, tx: Transaction, row: RunRow, diagram: Diagram, instance: Instance, now: datetime) -> None:
        """Write an instance and all that follows from where it stands."""
        waits = [] if row.state == "ended" else instance.waiting()
        self._tasks(tx, row, diagram, [wait for wait in waits if wait.kind == "task"], now)
        self._effects(tx, row, diagram, [wait for wait in waits if wait.kind == "service"], now)
        self._timer(tx, row, waits)
        row.instance, row.marks, row.updated_at = instance.dump(), instance.marks(), now
        row.facts = {**row.facts, **instance.facts}
        stands = list(dict.fromkeys(wait.element for wait in waits))
        moved = row.waiting != (told := [_named(diagram, element) for element in stands])
        row.waiting = told
        tx.session.flush()
        if instance.ended and row.state in OPEN_RUNS:
            self._finish(tx, row, now)
        elif moved and row.state != "ended":
            self._log.run(tx, "stepped", row, now)

    def fail(self, tx: Transaction, run: str, problem: Problem, now: datetime, element: str | None = None) -> None:
        """Note that a run cannot go on by itself; a person decides."""
        row = self.locked(tx, run)
        if row.state not in OPEN_RUNS:
            return
        why = said(problem)
        row.failure, row.updated_at = why.model_dump(), now
        if row.state == "running":
            row.state = "failed"
        self._log.line(tx, run, now, "failed", SYSTEM, PHRASES.what("line-failed", why=why), element)
        self._log.run(tx, "failed", row, now, element=element)

    def recover(self, tx: Transaction, row: RunRow) -> None:
        """A run without failed steps goes on."""
        tx.session.flush()
        failed = select(RunEffectRow.id).where(RunEffectRow.run == row.id, RunEffectRow.state == "failed").limit(1)
        if tx.session.scalar(failed) is None:
            row.failure = None
            row.state = "running" if row.state == "failed" else row.state

    def close(self, tx: Transaction, row: RunRow, now: datetime) -> None:
        """Let go of what a run held when it is over."""
        wheel.drop_run(tx, row.id)
        tx.session.execute(delete(RunClaimRow).where(RunClaimRow.run == row.id))
        if row.parent and row.parent_effect:
            self._tell_parent(tx, row, now)

    def answer(self, tx: Transaction, effect: RunEffectRow, result: Any, now: datetime) -> None:
        """Finish the step of an effect with its answer; a step that was left meanwhile only keeps it."""
        row = self.locked(tx, effect.run)
        open_step = effect.state in ("waiting", "asked", "failed") and row.state in OPEN_RUNS
        effect.state, effect.done_at = "done", now
        effect.result = json.dumps(result, ensure_ascii=False, default=str)
        wheel.drop(tx, "effect", effect.id)
        text = PHRASES.what("line-effect-done", step=Title(**effect.title))
        self._log.line(tx, row.id, now, "effect", SYSTEM, text, effect.element, {"effect": effect.id})
        if open_step:
            self._complete(tx, row, effect, result, now)

    def complete_stored(self, tx: Transaction, row: RunRow, element: str, now: datetime) -> bool:
        """Try again to go on from a step whose effect is done already; whether there is one."""
        instance = self.diagrams.engine.load(self.diagram(row), row.instance)
        steps = [wait.step for wait in instance.waiting() if wait.kind == "service" and wait.element == element]
        done = (RunEffectRow.step.in_(steps)) & (RunEffectRow.state == "done")
        effect = tx.session.scalar(select(RunEffectRow).where(done).limit(1))
        if effect is None:
            return False
        row.failure = None
        row.state = "running" if row.state == "failed" else row.state
        self._complete(tx, row, effect, json.loads(effect.result or "null"), now)
        return True

    def _complete(self, tx: Transaction, row: RunRow, effect: RunEffectRow, result: Any, now: datetime) -> None:
        """Finish a service step; where the plan cannot go on from there, the answer is kept and a person decides."""
        name = self.diagram(row).steps.service[effect.element].result
        try:
            self.advance(tx, row, lambda instance: instance.complete(effect.step, {name: result}, now), now)
        except Stuck as stuck:
            self.fail(tx, row.id, stuck, now, effect.element)
        else:
            self.recover(tx, row)

    def _finish(self, tx: Transaction, row: RunRow, now: datetime) -> None:
        row.state, row.ended_at, row.ended_by = "done", now, SYSTEM.id
        self._log.line(tx, row.id, now, "ended", SYSTEM, PHRASES.what("line-done"))
        self._log.run(tx, "ended", row, now)
        self.close(tx, row, now)

    def _tell_parent(self, tx: Transaction, row: RunRow, now: datetime) -> None:
        effect = tx.session.get(RunEffectRow, row.parent_effect)
        if effect is not None and effect.state == "asked":
            self.answer(tx, effect, {"run": row.id, "state": row.state}, now)

    def _claim(self, tx: Transaction, wish: Begin, run: str) -> None:
        if wish.claim is None:
            return
        tx.insert_missing(RunClaimRow, {"plan": wish.plan, "claim": wish.claim, "run": run})
        holder = tx.session.get_one(RunClaimRow, (wish.plan, wish.claim), populate_existing=True).run
        if holder != run:
            refused = PHRASES.problem(Conflict, "runs-already", run=holder)
            refused.more = {**refused.more, "run": holder}
            raise refused

    def _depth(self, tx: Transaction, run: str | None) -> int:
        depth = 0
        while run is not None:
            row = tx.session.get(RunRow, run)
            run, depth = (row.parent if row else None), depth + 1
        return depth

    def _tasks(self, tx: Transaction, row: RunRow, diagram: Diagram, waits: list[Wait], now: datetime) -> None:
        known = {task.id: task for task in tx.session.scalars(select(RunTaskRow).where(RunTaskRow.run == row.id))}
        wanted = {wait.step for wait in waits}
        for task in known.values():
            if task.state in OPEN_TASKS and task.id not in wanted:
                self._opener.gone(tx, task, now)
        for wait in waits:
            if wait.step not in known:
                self._opener.open(tx, row, diagram.steps.user[wait.element], wait, now)

    def _effects(self, tx: Transaction, row: RunRow, diagram: Diagram, waits: list[Wait], now: datetime) -> None:
        rows = tx.session.scalars(select(RunEffectRow).where(RunEffectRow.run == row.id)).all()
        wanted, known = {wait.step for wait in waits}, {effect.id for effect in rows}
        for effect in rows:
            if effect.state in ("waiting", "failed") and effect.step not in wanted:
                effect.state = "gone"
                wheel.drop(tx, "effect", effect.id)
        for place, wait in enumerate((w for w in waits if w.step not in known), start=len(rows)):
            step = diagram.steps.service[wait.element]
            tx.session.add(
                RunEffectRow(
                    id=wait.step,
                    run=row.id,
                    place=place,
                    step=wait.step,
                    element=wait.element,
                    title=step.title.model_dump(),
                    service=step.service,
                    inputs=dict(wait.inputs or {}),
                    state="waiting",
                    tries=0,
                    asked_at=now,
                )
            )
            wheel.put(tx, "effect", wait.step, row.id, now, held=row.state in ("paused", "manual"))

    def _timer(self, tx: Transaction, row: RunRow, waits: list[Wait]) -> None:
        dues = [wait.due for wait in waits if wait.due is not None]
        if dues:
            wheel.put(tx, "step", row.id, row.id, min(dues), held=row.state in ("paused", "manual"))
        else:
            wheel.drop(tx, "step", row.id)


def said(problem: Problem) -> Title:
    """What a refusal says, in both languages where it has them."""
    told = problem.more.get("said")
    return Title(**told) if told else Title(zh=problem.detail, en=problem.detail)


def _named(diagram: Diagram, element: str) -> dict[str, str]:
    node = diagram.drawing.nodes.get(element)
    return (node.title if node else Title(zh=element, en=element)).model_dump()
