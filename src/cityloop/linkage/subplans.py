"""A plan within a plan: its run begins in the step's own commit, and its end answers the step."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select

from cityloop.access.actor import SYSTEM, Actor
from cityloop.core.database import Transaction
from cityloop.core.errors import Conflict, Problem
from cityloop.core.values import Title
from cityloop.linkage.log import Log
from cityloop.linkage.models import RunEffectRow, RunRow
from cityloop.linkage.performing import UNDOABLE, Performer
from cityloop.linkage.phrases import PHRASES
from cityloop.linkage.ports import Answered, Occasion
from cityloop.linkage.runner import Begin, Runner
from cityloop.linkage.schemas import OPEN_RUNS


class Subplan:
    """The service ``subplan``."""

    def __init__(self, runner: Runner, performer: Performer, log: Log) -> None:
        self._runner, self._performer, self._log = runner, performer, log

    def do(self, tx: Transaction, inputs: Mapping[str, Any], occasion: Occasion) -> Answered:
        """Begin it; one that is over at once has answered already."""
        begin = Begin(
            plan=str(inputs.get("plan")),
            trigger="subplan",
            actor=SYSTEM,
            reason=occasion.plan_title.zh,
            area=str(inputs["area"]) if inputs.get("area") else occasion.area,
            subject=occasion.run,
            subject_title=occasion.plan_title,
            facts={key: value for key, value in inputs.items() if key != "plan"},
            parent=occasion.run,
            parent_effect=occasion.effect,
        )
        row = self._runner.begin(tx, begin, occasion.now)
        over = row.state not in OPEN_RUNS
        return Answered({"run": row.id, "state": row.state} if over else None, row.id, waits=not over)

    def undo(
        self, tx: Transaction, effect: Answered, inputs: Mapping[str, Any], actor: Actor, occasion: Occasion
    ) -> Title:
        """Undo what its run did, the last first, and end it; raises :class:`Conflict` with what cannot be undone."""
        row = self._runner.locked(tx, str(effect.reference))
        if row.state in OPEN_RUNS:
            row.state, row.ended_at, row.ended_by = "ended", occasion.now, actor.id
            row.end_reason = occasion.reason
            self._runner.advance(tx, row, lambda instance: instance.cancel(), occasion.now)
            self._log.run(tx, "ended", row, occasion.now, reason=occasion.reason)
            self._runner.close(tx, row, occasion.now)
        self._undo_effects(tx, row, actor, occasion)
        return PHRASES.what("undo-subplan")

    def _undo_effects(self, tx: Transaction, row: RunRow, actor: Actor, occasion: Occasion) -> None:
        done = (RunEffectRow.run == row.id) & RunEffectRow.state.in_(("done", "asked"))
        done &= RunEffectRow.service.in_(UNDOABLE)
        for effect in tx.session.scalars(select(RunEffectRow).where(done).order_by(RunEffectRow.place.desc())):
            try:
                self._performer.undo(tx, effect, actor, occasion.reason, occasion.now)
            except Problem as problem:
                raise Conflict(f"{effect.title['en']}: {problem.detail}", problem.mend, more=problem.more) from problem
