"""Who stands where records come in by themselves: the doorkeeper of pushes and replays."""

from __future__ import annotations

from typing import Protocol

from cityloop.collect.schemas import Receipt


class Entrance(Protocol):
    """Knows every source that nobody has to fetch from, by its id."""

    def closed(self, source: str) -> str | None:
        """Why nothing is let in now, for whoever sends; ``None`` while the source is open."""
        ...

    def took(self, source: str, receipt: Receipt) -> None:
        """What a source brought is durable."""
        ...


class Open:
    """An entrance without a doorkeeper."""

    def closed(self, source: str) -> str | None:
        """Nothing is ever closed."""
        return None

    def took(self, source: str, receipt: Receipt) -> None:
        """Nobody counts."""


def push_of(feed: str) -> str:
    """The id of the source by which a feed's records are pushed."""
    return f"push-{feed}"


def replay_of(series: str) -> str:
    """The id of the source by which a series is replayed."""
    return f"replay-{series}"


RESERVED = (push_of(""), replay_of(""))
"""How the ids of these sources begin; no declared source may have such an id."""
