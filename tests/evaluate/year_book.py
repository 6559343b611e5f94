"""What a story is written in: acts for the desk, and the lines of the clerk's book."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from cityloop.access.actor import Actor


@dataclass
class Noted:
    """What the clerk knows of a whole case; flags hold for every line of it."""

    number: int
    district: str
    cell: str
    filed: bool = False
    deferred: bool = False
    voided: bool = False
    exempt: bool = False


@dataclass
class Line:
    """One line of the clerk's book: one piece of work, from when it came to when it was done."""

    case: Noted
    step: str
    began: datetime
    ended: datetime | None = None
    outcome: str | None = None
    who: str | None = None
    post: str | None = None
    department: str | None = None
    late: bool | None = None
    due: datetime | None = None
    used: int | None = None
    rework: int = 0
    returned: int = 0
    extended: int = 0
    suspended: int = 0
    rating: int = 0

    def done(self, at: datetime, outcome: str, by: Actor | None) -> None:
        """Close the line; whoever is named already stays."""
        self.ended, self.outcome = at, outcome
        if self.who is None and by is not None:
            self.who, self.post = by.id, by.posts[0]


@dataclass(frozen=True)
class Act:
    """One thing that somebody does.

    ``do``: ``report``, ``put_right``, ``move``, ``part``, ``proof``, ``rate`` or ``tick``.
    """

    at: datetime
    case: int
    """The number of the story; negative: the second case of that story."""
    do: str
    by: Actor
    move: str = ""
    opinion: str = ""
    fields: dict[str, Any] = field(default_factory=dict)
