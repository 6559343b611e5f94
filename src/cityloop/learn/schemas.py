"""What models take and answer on the wire."""

from __future__ import annotations

from pydantic import Field

from cityloop.core.values import Frozen


class Text(Frozen):
    """A report's words, before it has a matter."""

    title: str = Field(min_length=2, max_length=120)
    description: str = Field(default="", max_length=4000)


class Untrained(Frozen):
    """A model that could not be trained, and why."""

    name: str
    reason: str
