"""What the city's standard and feeds are at this moment, as one value that is exchanged as a whole."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cityloop.standard.mapping import FeedMapping
from cityloop.standard.service import Standard


@dataclass(frozen=True)
class Declared:
    """The standard and the feeds that fill it."""

    standard: Standard
    feeds: tuple[FeedMapping, ...]

    def feeds_of(self, entity_type: str) -> list[FeedMapping]:
        """Feeds that fill an entity type, in the order of their declaration."""
        return [mapping for mapping in self.feeds if mapping.entity_type.id == entity_type]

    def owners(self, entity_type: str) -> list[str]:
        """Departments whose feeds fill an entity type: they own its rows."""
        return list(dict.fromkeys(mapping.declaration.department for mapping in self.feeds_of(entity_type)))

    def feed(self, identity: str) -> FeedMapping | None:
        """One feed by id."""
        return next((mapping for mapping in self.feeds if mapping.id == identity), None)


class Current:
    """Holds the :class:`Declared` in force; readers take it once for each request."""

    def __init__(self, standard: Standard, feeds: Sequence[FeedMapping]) -> None:
        self.declared = Declared(standard, tuple(feeds))
