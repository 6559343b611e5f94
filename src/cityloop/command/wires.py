"""The ways to devices. A wire hands a message over once; what comes of it is told later, by whoever answers.

A message may be handed over again with the same id and key: a device carries it out once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, Protocol

from cityloop.core.values import Frozen


class NotSent(Exception):
    """It surely did not reach the device: it is tried again while it is valid."""


class Rejected(Exception):
    """It surely did not reach the device and never will."""


@dataclass(frozen=True)
class Message:
    """An order on its way."""

    id: str
    key: str
    entity_type: str
    entity: str
    command: str
    parameters: Mapping[str, Any]
    expires: datetime

    def document(self) -> dict[str, Any]:
        """What the device gets."""
        return {
            "id": self.id,
            "key": self.key,
            "command": self.command,
            "parameters": dict(self.parameters),
            "expires": self.expires.isoformat(),
        }


class Answer(Frozen):
    """What a device says of an order. ``done`` is its own word: whether it is true the data show."""

    id: str
    state: Literal["acknowledged", "refused", "done"]
    reason: str = ""


Heard = Callable[[Answer], None]


class Wire(Protocol):
    """One way to devices."""

    def start(self, heard: Heard) -> None:
        """Begin; every answer is handed to ``heard``, which returns once it is durable."""
        ...

    def stop(self) -> None:
        """End."""
        ...

    def send(self, message: Message) -> Answer | None:
        """Hand a message over; a wire that answers at once returns the answer.

        Raises :class:`NotSent` and :class:`Rejected`. Anything in between counts as sent: nobody knows.
        """
        ...

    @property
    def trouble(self) -> str:
        """Why it does not work now; empty when it does."""
        ...
