"""The service ``decide``: a step of a plan asks a decision table; the decision is kept with the step."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cityloop.access.actor import SYSTEM
from cityloop.core.database import Transaction
from cityloop.decide.service import Decider
from cityloop.linkage.engine import plain
from cityloop.linkage.ports import Answered, Occasion
from cityloop.serve.linking.asking import Leaves


class Decisions(Leaves):
    """Asks in the transaction of the run."""

    def __init__(self, decider: Decider) -> None:
        self._decider = decider

    def do(self, tx: Transaction, inputs: Mapping[str, Any], occasion: Occasion) -> Answered:
        """The outputs with ``decision``, ``rules``, ``outcome``: ``none`` and ``error`` are for the plan to judge."""
        given = {name: value for name, value in inputs.items() if name != "table"}
        made = self._decider.decide(
            str(inputs["table"]), given, subject=occasion.run, actor=SYSTEM.id, now=occasion.now, tx=tx
        )
        outputs = made.outputs if isinstance(made.outputs, dict) else {"results": made.outputs}
        return Answered(plain({**outputs, "decision": made.id, "rules": made.rules, "outcome": made.outcome}), made.id)
