"""What a decision knows while it is made, and what is written down of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from cityloop.core.phrases import Saying
from cityloop.core.values import Title
from cityloop.decide.phrases import PHRASES


@dataclass(frozen=True)
class Hit:
    """The rules of one table that matched, in the order of the answer."""

    table: str
    rules: tuple[str, ...]
    reasons: tuple[Title, ...]
    default: bool = False


@dataclass
class Notes:
    """What happened in all tables of one decision, in order, and what went wrong."""

    hits: list[Hit] = field(default_factory=list)
    problems: list[Saying] = field(default_factory=list)

    def wrong(self, code: str, /, **parts: object) -> None:
        """Note a problem."""
        self.problems.append(PHRASES.say(code, **parts))


@dataclass(frozen=True)
class Frame:
    """The values of names, and the notes."""

    values: Mapping[str, Any]
    notes: Notes

    def having(self, values: Mapping[str, Any]) -> Frame:
        """The frame with more names."""
        return Frame({**self.values, **values}, self.notes)


Step = Callable[[Frame], Any]
