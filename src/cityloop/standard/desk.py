"""The standard's verbs for people: browse it, propose a mapping for a file, try one without writing anything."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any

import yaml

from cityloop.access.actor import Actor
from cityloop.access.door import Door
from cityloop.core.clock import Clock
from cityloop.core.errors import NotFound
from cityloop.standard.feeds import compile_feed, feed_from
from cityloop.standard.mapping import FeedMapping
from cityloop.standard.service import Standard
from cityloop.standard.suggest import Around, Suggestion, suggest
from cityloop.standard.tables import RawTable, TableOptions, flat, read_table
from cityloop.standard.trial import Trial, try_mapping
from cityloop.standard.units import units
from cityloop.standard.views import (
    FeedText,
    ListDetail,
    ListRow,
    StandardView,
    TypeDetail,
    TypeRow,
    UnitRow,
    list_detail,
    type_detail,
)
from cityloop.standard.world import Cards, World

READ = "standard.read"
Records = Sequence[Mapping[str, Any]]


class StandardDesk:
    """Answers about the standard in force; an adopted change is handed over by :meth:`adopt`."""

    def __init__(
        self, standard: Standard, feeds: Sequence[FeedMapping], *, door: Door, clock: Clock, zone: str,
        departments: Sequence[str], known: Callable[[str], Cards], world: World,
    ) -> None:  # fmt: skip
        self._door = door
        self._clock = clock
        self._zone = zone
        self._departments = departments
        self._known = known
        self._world = world
        self.adopt(standard, feeds)

    def adopt(self, standard: Standard, feeds: Sequence[FeedMapping]) -> None:
        """Answer about this standard and these feeds from now on."""
        self._standard, self._feeds = standard, {mapping.id: mapping for mapping in feeds}

    def overview(self, actor: Actor) -> StandardView:
        """The standard in figures."""
        self._door.permit(actor, READ)
        types, lists = self._standard.entity_types.values(), self._standard.code_lists.values()
        return StandardView(
            version=self._standard.version,
            entity_types=len(types),
            properties=sum(len(item.properties) for item in types),
            code_lists=len(lists),
            codes=sum(len(item.codes) for item in lists),
            feeds=len(self._feeds),
            units=len(units()),
        )

    def types(self, actor: Actor) -> list[TypeRow]:
        """All entity types."""
        self._door.permit(actor, READ)
        return [
            TypeRow(
                id=item.id,
                title=item.title,
                version=item.version,
                model=item.model,
                properties=len(item.properties),
                relations=len(item.relations),
                feeds=[mapping.id for mapping in self._filling(item.id)],
            )
            for item in self._standard.entity_types.values()
        ]

    def type(self, actor: Actor, identity: str) -> TypeDetail:
        """One entity type; raises :class:`NotFound`."""
        self._door.permit(actor, READ)
        return type_detail(self._standard.entity_type(identity), self._filling(identity))

    def code_lists(self, actor: Actor) -> list[ListRow]:
        """All code lists."""
        self._door.permit(actor, READ)
        return [
            ListRow(id=one.id, title=one.title, source=one.source, codes=len(one.codes), used_by=self._users(one.id))
            for one in self._standard.code_lists.values()
        ]

    def code_list(self, actor: Actor, identity: str, day: date | None) -> ListDetail:
        """One code list as of a day (city time today); raises :class:`NotFound`."""
        self._door.permit(actor, READ)
        found = self._standard.code_list(identity)
        return list_detail(found, self._users(identity), day or self._clock.now().date())

    def units(self, actor: Actor) -> list[UnitRow]:
        """All units."""
        self._door.permit(actor, READ)
        return [UnitRow(code=one.code, symbol=one.symbol, dimension=one.dimension) for one in units()]

    def feed(self, actor: Actor, identity: str) -> FeedText:
        """One feed's declaration; raises :class:`NotFound`."""
        self._door.permit(actor, READ)
        found = self._feeds.get(identity)
        if found is None:
            raise NotFound(f"no feed '{identity}'", f"known: {', '.join(sorted(self._feeds)) or 'none'}")
        plain = found.declaration.model_dump(mode="json", exclude_defaults=True)
        return FeedText(declaration=plain, yaml=yaml.safe_dump({"feeds": [plain]}, allow_unicode=True, sort_keys=False))

    def suggest(
        self, actor: Actor, entity_type: str, name: str, table: RawTable, options: TableOptions | None = None
    ) -> Suggestion:
        """Propose a mapping of a table; raises :class:`NotFound` for an unknown type."""
        self._door.permit(actor, READ)
        kind = self._standard.entity_type(entity_type)
        around = Around(self._known(kind.id), self._world, self._zone, actor.department or "")
        return suggest(name, table, kind, self._standard, around, options)

    def try_mapping(self, actor: Actor, feed: Mapping[str, Any] | str, table: RawTable) -> Trial:
        """Map the first records of a table and write nothing; raises :class:`Invalid` with the feed's faults."""
        self._door.permit(actor, READ)
        mapping = compile_feed(feed_from(feed), self._standard, self._departments)
        return try_mapping(mapping, table, self._clock.now(), self._known(mapping.entity_type.id), self._world)

    def _filling(self, entity_type: str) -> list[FeedMapping]:
        return [mapping for mapping in self._feeds.values() if mapping.entity_type.id == entity_type]

    def _users(self, code_list: str) -> list[str]:
        return [
            f"{kind.id}.{item.id}"
            for kind in self._standard.entity_types.values()
            for item in kind.properties
            if item.code_list == code_list
        ]


def table_of(rows: Records) -> RawTable:
    """Records of a request as a table of texts, like a JSON file."""
    return read_table("rows.json", json.dumps([flat(row) for row in rows], ensure_ascii=False).encode())
