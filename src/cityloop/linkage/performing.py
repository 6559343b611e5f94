"""Carries effects out, after the commit that asked for them, each once.

What happens inside of the house shares one commit with the answer and the step. What leaves the house is asked for
between two commits, with the effect's id as idempotency key: after a crash it is asked for again with the same key.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from datetime import datetime

from cityloop.access.actor import SYSTEM, Actor
from cityloop.core.database import Database, Transaction
from cityloop.core.errors import Conflict, Invalid, Problem
from cityloop.core.values import Title
from cityloop.linkage import wheel
from cityloop.linkage.log import Log
from cityloop.linkage.models import LinkageTimerRow, RunEffectRow, RunRow
from cityloop.linkage.phrases import PHRASES
from cityloop.linkage.ports import Answered, Later, Occasion, Outside, Service
from cityloop.linkage.runner import Runner, said

log = logging.getLogger(__name__)
MOST_TRIES = 8
UNDOABLE = ("case.open", "notify", "cap", "command", "webhook", "subplan")
"""Services that leave something behind which can be taken back; how, each says when it is done."""
Services = Mapping[str, Service | Outside]


class Performer:
    """Asks for effects and takes them back."""

    def __init__(self, database: Database, runner: Runner, log: Log) -> None:
        self._database, self._runner, self._log = database, runner, log
        self._services: dict[str, Service | Outside] = {}

    def offer(self, services: Services) -> None:
        """These services can be carried out."""
        self._services |= services

    def perform(self, effect: str, now: datetime) -> bool:
        """Ask for one effect that is due; whether anything was done."""
        with self._database.reading() as session:
            row = session.get(RunEffectRow, effect)
        if row is None:
            return False
        outside = isinstance(self._services.get(row.service), Outside)
        run = row.run
        try:
            return self._ask_outside(effect, now) if outside else self._ask_inside(effect, now)
        except Later as reason:
            self._again(effect, str(reason), now)
        except Problem as problem:
            self._failed(effect, run, problem, now)
        except Exception as error:
            log.exception("effect %s failed and will be tried again", effect)
            self._again(effect, str(error), now)
        return True

    def undo(self, tx: Transaction, effect: RunEffectRow, actor: Actor, reason: str, now: datetime) -> Title:
        """Take one effect back; returns in a sentence how, raises :class:`Problem` when it cannot be."""
        if effect.state not in ("done", "asked"):
            raise PHRASES.problem(Conflict, "not-to-undo", state=effect.state)
        if effect.service not in UNDOABLE:
            raise PHRASES.problem(Conflict, "leaves-nothing")
        row = self._runner.locked(tx, effect.run)
        service = self._services.get(effect.service)
        answered = Answered(json.loads(effect.result or "null"), effect.reference)
        occasion = self._occasion(row, effect, now, reason)
        if service is None:
            raise PHRASES.problem(Invalid, "no-service", name=effect.service)
        if isinstance(service, Outside):
            how = service.recall(answered, effect.inputs, actor, occasion)
        else:
            how = service.undo(tx, answered, effect.inputs, actor, occasion)
        effect.state, effect.undone_at, effect.undone_by = "undone", now, actor.id
        text = PHRASES.what("line-undone", step=Title(**effect.title), how=how)
        self._log.line(tx, row.id, now, "undone", actor, text, effect.element, {"effect": effect.id})
        return how

    def _ask_inside(self, effect: str, now: datetime) -> bool:
        with self._database.transaction() as tx:
            if wheel.still_due(tx, "effect", effect, now) is None:
                return False
            row = tx.session.get_one(RunEffectRow, effect, populate_existing=True)
            run = self._runner.locked(tx, row.run)
            service = self._service(row)
            row.tries += 1
            answered = service.do(tx, row.inputs, self._occasion(run, row, now, run.reason))
            self._settle(tx, row, answered, now)
        return True

    def _ask_outside(self, effect: str, now: datetime) -> bool:
        with self._database.transaction() as tx:
            timer = wheel.still_due(tx, "effect", effect, now)
            if timer is None:
                return False
            wheel.lease(timer, now)
            row = tx.session.get_one(RunEffectRow, effect, populate_existing=True)
            row.tries += 1
            occasion = self._occasion(tx.session.get_one(RunRow, row.run), row, now, "")
            service, inputs = self._services[row.service], row.inputs
        assert isinstance(service, Outside)
        answered = service.call(inputs, occasion)
        with self._database.transaction() as tx:
            row = tx.session.get_one(RunEffectRow, effect, populate_existing=True)
            if row.state == "waiting":
                self._settle(tx, row, answered, now)
        return True

    def _settle(self, tx: Transaction, row: RunEffectRow, answered: Answered, now: datetime) -> None:
        """Keep what was answered; a step whose answer comes later stays open."""
        row.reference, row.reason = answered.reference, None
        tx.session.flush()
        if not answered.waits:
            self._runner.answer(tx, row, answered.result, now)
            return
        row.state = "asked"
        wheel.drop(tx, "effect", row.id)
        text = PHRASES.what("line-effect-asked", step=Title(**row.title))
        self._log.line(tx, row.run, now, "effect", SYSTEM, text, row.element, {"effect": row.id})
        self._runner.recover(tx, self._runner.locked(tx, row.run))

    def _service(self, row: RunEffectRow) -> Service:
        service = self._services.get(row.service)
        if service is None or isinstance(service, Outside):
            raise PHRASES.problem(Invalid, "no-service", name=row.service)
        return service

    def _again(self, effect: str, why: str, now: datetime) -> None:
        """Try again later, but not for ever."""
        with self._database.transaction() as tx:
            timer = tx.session.get(LinkageTimerRow, ("effect", effect), populate_existing=True)
            row = tx.session.get_one(RunEffectRow, effect, populate_existing=True)
            if timer is not None and timer.tries + 1 < MOST_TRIES and row.state == "waiting":
                wheel.later(timer, now)
                row.tries, row.reason = timer.tries, Title(zh=why[:300], en=why[:300]).model_dump()
                return
        self._failed(effect, row.run, PHRASES.problem(Conflict, "gave-up", tries=MOST_TRIES, why=why), now)

    def _failed(self, effect: str, run: str, problem: Problem, now: datetime) -> None:
        with self._database.transaction() as tx:
            row = tx.session.get_one(RunEffectRow, effect, populate_existing=True)
            row.state, row.reason = "failed", said(problem).model_dump()
            wheel.drop(tx, "effect", effect)
            self._runner.fail(tx, run, problem, now, row.element)

    def _occasion(self, run: RunRow, row: RunEffectRow, now: datetime, reason: str) -> Occasion:
        return Occasion(
            run=run.id,
            effect=row.id,
            plan_title=Title(**run.title),
            area=run.area,
            reason=reason or run.reason,
            now=now,
            facts=run.facts,
            tries=row.tries,
        )
