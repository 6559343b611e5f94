"""Deadlines of tasks and timers of diagrams, in the city's language of limits."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from cityloop.city.deadline import HandlingClock
from cityloop.city.deadlines import Deadlines
from cityloop.city.grammar import NeedsHuman
from cityloop.core.errors import Invalid
from cityloop.linkage.phrases import PHRASES

Clock = Mapping[str, Any]
"""A :class:`HandlingClock` as JSON."""


class Limits:
    """Reads limit texts as the city does."""

    def __init__(self, deadlines: Deadlines) -> None:
        self._deadlines = deadlines

    def due_of(self, text: str, at: datetime, department: str | None = None) -> datetime:
        """When a limit that begins at ``at`` is used up; raises :class:`Invalid` for a text that is no limit."""
        due = self._deadlines.due(self._start(text, at, department)).at
        if due is None:
            raise PHRASES.problem(Invalid, "no-limit", text=text)
        return due

    def start(self, text: str, at: datetime, department: str | None) -> tuple[dict[str, Any], datetime | None]:
        """A clock from ``at``, as JSON, and when it is used up; raises :class:`Invalid`."""
        clock = self._start(text, at, department)
        return clock.model_dump(mode="json"), self._deadlines.due(clock).at

    def pause(self, clock: Clock, at: datetime) -> dict[str, Any]:
        """The clock standing still; one that stands stays as it is."""
        read = HandlingClock.model_validate(clock)
        return (self._deadlines.pause(read, at) if read.running else read).model_dump(mode="json")

    def resume(self, clock: Clock, at: datetime) -> tuple[dict[str, Any], datetime | None]:
        """The clock going on with what was left, and when it is used up."""
        read = HandlingClock.model_validate(clock)
        on = self._deadlines.resume(read, at) if read.paused else read
        return on.model_dump(mode="json"), self._deadlines.due(on).at

    def _start(self, text: str, at: datetime, department: str | None) -> HandlingClock:
        clock = self._deadlines.start(text, at, department)
        if isinstance(clock, NeedsHuman):
            raise PHRASES.problem(Invalid, "no-limit", text=text)
        return clock
