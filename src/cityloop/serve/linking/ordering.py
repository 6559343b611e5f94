"""The service ``command``: a step of a plan gives an order to a device, with the plan's own authority and no more."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cityloop.access.actor import SYSTEM, Actor
from cityloop.command.schemas import CommandView, Order
from cityloop.command.service import Commander
from cityloop.core.database import Transaction
from cityloop.core.errors import Conflict, Invalid
from cityloop.core.values import Title
from cityloop.linkage.answering import GO_ON
from cityloop.linkage.phrases import PHRASES
from cityloop.linkage.ports import Answered, Occasion

_OWN = ("entity", "entity_type", "command", "level", GO_ON)


class Orders:
    """Orders by the commander; the effect's id is the order's key, so none is given twice."""

    def __init__(self, commander: Commander) -> None:
        self._commander = commander

    def do(self, tx: Transaction, inputs: Mapping[str, Any], occasion: Occasion) -> Answered:
        """Give it and wait for its effect; raises :class:`Conflict` with the reasons of a refusal."""
        given = self._commander.order(_order(inputs, occasion), SYSTEM, occasion.now, tx)
        if given.state != "refused":
            return Answered({"command": given.id, "state": given.state}, given.id, waits=given.state != "done")
        if inputs.get(GO_ON) == "go_on":
            return Answered({"command": given.id, "state": given.state}, given.id)
        raise PHRASES.problem(Conflict, "order-refused", why=_why(given))

    def undo(
        self, tx: Transaction, effect: Answered, inputs: Mapping[str, Any], actor: Actor, occasion: Occasion
    ) -> Title:
        """Give the order that takes it back; raises :class:`Conflict` when there is no way back."""
        back = self._commander.undo(str(effect.reference), actor, occasion.reason, occasion.now, tx)
        if back.state == "refused":
            raise PHRASES.problem(Conflict, "order-refused", why=_why(back))
        return PHRASES.what("undo-command")


def _order(inputs: Mapping[str, Any], occasion: Occasion) -> Order:
    level = inputs.get("level")
    if not inputs.get("entity"):
        raise PHRASES.problem(Invalid, "no-device")
    return Order(
        entity=str(inputs["entity"]),
        entity_type=str(inputs["entity_type"]),
        command=str(inputs["command"]),
        parameters={name: value for name, value in inputs.items() if name not in _OWN},
        reason=occasion.reason or occasion.plan_title.zh,
        key=occasion.effect,
        level=int(level) if level is not None else None,
        run=occasion.run,
    )


def _why(view: CommandView) -> Title:
    against = [reason.said for reason in view.reasons if not reason.fits]
    return Title(zh="；".join(one.zh for one in against), en="; ".join(one.en for one in against))
