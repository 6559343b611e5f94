"""The clocks of the posts (accept, verification, filing, dispatch, inspection, closing): continuous minutes.

The handling clock is not here: it runs on the limit language of :mod:`cityloop.city.deadline`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class PostClock:
    """``used`` counts whole seconds before ``running_since``; neither running nor stopped means paused."""

    used: int = 0
    running_since: datetime | None = None
    stopped_at: datetime | None = None

    def seconds(self, at: datetime) -> int:
        """Seconds used until ``at``."""
        if self.running_since is None:
            return self.used
        return self.used + max(0, int((at - self.running_since).total_seconds()))

    def document(self) -> dict[str, Any]:
        """The clock as plain JSON."""
        return {
            "used": self.used,
            "running_since": self.running_since.isoformat() if self.running_since else None,
            "stopped_at": self.stopped_at.isoformat() if self.stopped_at else None,
        }

    @staticmethod
    def of(document: Mapping[str, Any]) -> PostClock:
        """The clock of :meth:`document`."""
        running, stopped = document["running_since"], document["stopped_at"]
        return PostClock(
            document["used"],
            datetime.fromisoformat(running) if running else None,
            datetime.fromisoformat(stopped) if stopped else None,
        )


def start(at: datetime) -> PostClock:
    """A clock that begins to run at ``at``."""
    return PostClock(running_since=at)


def pause(clock: PostClock, at: datetime) -> PostClock:
    """Keep what was used; a clock that does not run stays as it is."""
    if clock.running_since is None:
        return clock
    return replace(clock, used=clock.seconds(at), running_since=None)


def resume(clock: PostClock, at: datetime) -> PostClock:
    """Go on with what was left; a running or stopped clock stays as it is."""
    if clock.running_since is not None or clock.stopped_at is not None:
        return clock
    return replace(clock, running_since=at)


def stop(clock: PostClock, at: datetime) -> PostClock:
    """End the clock for good; a stopped clock stays as it is."""
    if clock.stopped_at is not None:
        return clock
    return replace(pause(clock, at), stopped_at=at)
