"""Making decisions: every answer is kept with the version, the inputs and the rules that gave it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from cityloop.core import canonical
from cityloop.core.clock import Clock
from cityloop.core.database import Database, Transaction
from cityloop.core.ids import new_id
from cityloop.core.outbox import Outbox
from cityloop.decide.models import DecisionRow
from cityloop.decide.schemas import Answer
from cityloop.decide.shelf import Shelf

MADE = "cityloop.decision.made"


class Decider:
    """What other rooms ask. ``clock`` is only for :meth:`open`; a decision takes the instant that it is made at."""

    def __init__(self, *, database: Database, outbox: Outbox, clock: Clock, shelf: Shelf) -> None:
        self._database, self._outbox, self._clock = database, outbox, clock
        self.shelf = shelf

    def open(self) -> None:
        """Put all tables into force."""
        self.shelf.open(self._clock.now())

    def decide(
        self,
        table: str,
        inputs: Mapping[str, Any],
        *,
        subject: str,
        actor: str,
        now: datetime,
        tx: Transaction | None = None,
    ) -> Answer:
        """Make a decision and keep it, in the transaction given or in one of its own.

        A table that errs or matches nothing says so in ``outcome``. Raises :class:`NotFound` for an unknown table.
        """
        if tx is not None:
            return self._made(tx, table, inputs, subject, actor, now)
        with self._database.transaction() as own:
            return self._made(own, table, inputs, subject, actor, now)

    def _made(
        self, tx: Transaction, table: str, inputs: Mapping[str, Any], subject: str, actor: str, now: datetime
    ) -> Answer:
        found = self.shelf.get(table)
        trial = found.ready.answer(inputs)
        answer = Answer(
            id=new_id("dec"),
            table=table,
            version=found.version,
            inputs=trial.inputs,
            outputs=trial.outputs,
            rules=tuple(trial.rules),
            outcome=trial.outcome,
            reasons=trial.reasons,
        )
        plain = answer.model_dump(mode="json")
        digest = canonical.digest({"table": table, "inputs": plain["inputs"]})
        hits = [hit.model_dump() for hit in trial.hits]
        row = {**plain, "at": now, "subject": subject, "actor": actor, "digest": digest, "hits": hits}
        tx.insert(DecisionRow, row)
        told = {name: value for name, value in plain.items() if name != "inputs"}
        self._outbox.record(tx, MADE, answer.id, now, {"decision": {**told, "subject": subject, "actor": actor}})
        return answer
