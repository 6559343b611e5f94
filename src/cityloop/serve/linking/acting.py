"""The services that act with authority: ``command`` orders a device, ``decide`` asks a decision table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cityloop.access.actor import SYSTEM, Actor
from cityloop.command.schemas import Order
from cityloop.command.service import Commander
from cityloop.core.database import Transaction
from cityloop.core.errors import Conflict
from cityloop.core.values import Title
from cityloop.decide.service import Decider
from cityloop.linkage.answering import GO_ON
from cityloop.linkage.phrases import PHRASES
from cityloop.linkage.ports import Answered, Occasion
from cityloop.serve.linking.asking import Leaves

_OWN = ("entity", "entity_type", "command", "level", GO_ON)


class Commands:
    """Orders in the name of a run. Whether they may be given is for the rules of commands, and for ``system`` there."""

    def __init__(self, commander: Commander) -> None:
        self._commander = commander

    def do(self, tx: Transaction, inputs: Mapping[str, Any], occasion: Occasion) -> Answered:
        """Give the order, and wait until its effect is seen, or what else became of it."""
        level = inputs.get("level")
        order = Order(
            entity=str(inputs["entity"]),
            entity_type=str(inputs["entity_type"]),
            command=str(inputs["command"]),
            parameters={name: value for name, value in inputs.items() if name not in _OWN},
            reason=f"{occasion.plan_title.zh}：{occasion.reason}"[:1000],
            key=f"{occasion.effect}:{occasion.tries}",
            level=int(level) if level is not None else None,
            run=occasion.run,
        )
        given = self._commander.order(order, SYSTEM, occasion.now, tx)
        return Answered(None, given.id, waits=True)

    def undo(
        self, tx: Transaction, effect: Answered, inputs: Mapping[str, Any], actor: Actor, occasion: Occasion
    ) -> Title:
        """Order the way back; raises :class:`Conflict` where there is none, or where it is refused."""
        back = self._commander.undo(str(effect.reference), actor, occasion.reason, occasion.now, tx)
        if back.state == "refused":
            why = next((one.said for one in back.reasons if not one.fits), Title(zh=back.state, en=back.state))
            raise PHRASES.problem(Conflict, "not-taken", why=why)
        return PHRASES.what("undo-command")


class Decide(Leaves):
    """A decision over the other inputs; it is kept with the table's version and the rules that matched."""

    def __init__(self, decider: Decider) -> None:
        self._decider = decider

    def do(self, tx: Transaction, inputs: Mapping[str, Any], occasion: Occasion) -> Answered:
        """The outputs of the table; raises :class:`Conflict` when it errs, and when no rule matched."""
        given = {name: value for name, value in inputs.items() if name != "table"}
        table = str(inputs["table"])
        made = self._decider.decide(table, given, subject=occasion.run, actor=SYSTEM.id, now=occasion.now, tx=tx)
        if made.outcome != "matched":
            why = made.reasons[0] if made.reasons else Title(zh=made.outcome, en=made.outcome)
            raise PHRASES.problem(Conflict, "undecided", table=table, why=why)
        outputs = made.outputs if isinstance(made.outputs, dict) else {"items": made.outputs}
        return Answered({**outputs, "decision": made.id, "rules": list(made.rules)}, made.id)
