"""What the drill room shows of its actors."""

from __future__ import annotations

from cityloop.core.values import Frozen, Title


class DrillActorView(Frozen):
    """One player and whether it is at work."""

    account: str
    name: Title
    posts: list[str]
    department: str | None
    playing: bool
    moves_made: int


class DrillChange(Frozen):
    """Switch one player on or off."""

    playing: bool
