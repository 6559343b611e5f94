"""The way back: the order that takes a command back, made of what was before it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from cityloop.command.declarations import Command, Device
from cityloop.command.models import CommandRow
from cityloop.command.phrases import PHRASES
from cityloop.command.schemas import Order, Value
from cityloop.command.verdict import value
from cityloop.core.errors import Conflict


def order_of(row: CommandRow, device: Device | None, command: Command | None, why: str) -> Order:
    """The order that undoes ``row``; raises :class:`Conflict` where there is none."""
    if device is None or command is None or command.undo is None:
        raise PHRASES.problem(Conflict, "no_undo", command=row.command)
    read = {"before": row.before, "parameters": row.parameters, "state": row.before}
    parameters: dict[str, Value | None] = {}
    for name, text in command.undo.parameters.items():
        found = _plain(value(text, read))
        if found is None:
            raise PHRASES.problem(Conflict, "no_way_back", name=name)
        parameters[name] = found
    return Order(
        entity=row.entity,
        entity_type=row.entity_type,
        command=command.undo.command,
        parameters=parameters,
        reason=why,
        key=f"undo:{row.id}",
        run=row.run,
        exercise=row.exercise,
    )


def _plain(found: Any) -> Value | None:
    """A value as JSON has it."""
    if found is None or isinstance(found, (bool, str)):
        return found
    if isinstance(found, datetime):
        return found.isoformat()
    number = float(found)
    return int(number) if number.is_integer() else number
