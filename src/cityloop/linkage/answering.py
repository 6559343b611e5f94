"""Answers that come later: a command has its effect, a case is closed, a warning has cleared."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select

from cityloop.core.database import Transaction
from cityloop.core.errors import Conflict
from cityloop.core.outbox import Event
from cityloop.core.values import Title
from cityloop.linkage.models import RunEffectRow
from cityloop.linkage.phrases import PHRASES
from cityloop.linkage.runner import Runner

COMMANDS = tuple(f"cityloop.command.{state}" for state in ("done", "refused", "expired", "failed", "unknown"))
ANSWERS = (*COMMANDS, "cityloop.case.moved", "cityloop.warning.cleared")
GO_ON = "on_failure"
"""Input of a command: ``go_on`` lets the plan judge an order that had no effect; otherwise the step fails."""
StillOpen = Callable[[Transaction, Mapping[str, Any], Mapping[str, Any]], bool]
"""Whether what a step waits for has not cleared yet; given its inputs and the facts of its run."""


class Answers:
    """Brings answers to the steps that wait for them."""

    def __init__(self, runner: Runner, still_open: StillOpen, final: Callable[[str], bool]) -> None:
        self._runner, self._still_open, self._final = runner, still_open, final

    def take(self, tx: Transaction, events: Sequence[Event]) -> None:
        """Relay handler of :data:`ANSWERS`."""
        for event in events:
            if event.type in COMMANDS:
                self._command(tx, event)
            elif event.type == "cityloop.case.moved":
                self._case(tx, event)
            else:
                self._cleared(tx, event)

    def _command(self, tx: Transaction, event: Event) -> None:
        command = event.data["command"]
        state = event.type.rpartition(".")[2]
        for effect in self._asked(tx, "command", command["id"]):
            told = {"command": command["id"], "state": state}
            if state == "done" or effect.inputs.get(GO_ON) == "go_on":
                self._runner.answer(tx, effect, told, event.time)
            else:
                self._failed(tx, effect, state, event.time)

    def _case(self, tx: Transaction, event: Event) -> None:
        case = event.data["case"]
        if not self._final(case["state"]):
            return
        for effect in self._asked(tx, "case.open", case["id"]):
            told = {"case": case["id"], "number": case["number"], "state": case["state"]}
            self._runner.answer(tx, effect, told, event.time)

    def _cleared(self, tx: Transaction, event: Event) -> None:
        """Every step that waits for a warning looks again: the one that cleared need not have been the last."""
        for effect in self._asked(tx, "wait_warning_clear"):
            run = self._runner.locked(tx, effect.run)
            if not self._still_open(tx, effect.inputs, run.facts):
                self._runner.answer(tx, effect, {"cleared_at": event.time.isoformat()}, event.time)

    def _asked(self, tx: Transaction, service: str, reference: str | None = None) -> Sequence[RunEffectRow]:
        where = (RunEffectRow.service == service) & (RunEffectRow.state == "asked")
        if reference is not None:
            where &= RunEffectRow.reference == reference
        tx.flush()
        return tx.session.scalars(select(RunEffectRow).where(where).order_by(RunEffectRow.id)).all()

    def _failed(self, tx: Transaction, effect: RunEffectRow, state: str, now: datetime) -> None:
        problem = PHRASES.problem(Conflict, "no-effect-seen", step=Title(**effect.title), state=state)
        effect.state, effect.reason = "failed", problem.more["said"]
        self._runner.fail(tx, effect.run, problem, now, effect.element)
