"""What one move changes, filled by one effect after another."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class Change:
    """New values of the case, facts for the timeline, and who receives the case."""

    values: dict[str, Any] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)
    receiver: str | None = None
    on_time: bool | None = None
    """The verdict of this very move; ``None`` when it judges nothing."""
    opens_linked: bool = False
    """A new case, linked to this one, is to be opened."""
