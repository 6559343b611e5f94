"""Reading what was collected: entities, histories, single records, feeds. Every answer passes the door."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from cityloop.access.actor import Actor
from cityloop.access.door import Door, Protected, Scope
from cityloop.collect.directory import Directory
from cityloop.collect.near import Near
from cityloop.collect.schemas import EntityTypeView, EntityView, FeedView, HistoryView, NearEntity, PropertyView
from cityloop.collect.state import LatestValues
from cityloop.collect.tallies import Tallies
from cityloop.core.clock import Clock
from cityloop.core.errors import AccessDenied, Invalid, NotFound
from cityloop.core.values import Page, Title, utc
from cityloop.core.web import Paging
from cityloop.lake.events import PROTECTED
from cityloop.lake.service import Lake
from cityloop.standard.batch import EntityCard
from cityloop.standard.mapping import FeedMapping
from cityloop.standard.service import Standard
from cityloop.standard.types import EntityType, Property

MOST_POINTS = 5000


OWNER = "owner"
"""The column of the entity directory, or the property of an entity type, that names the department that owns it."""


@dataclass(frozen=True)
class _Coded:
    """A property that holds codes: their titles, and whether they are classes of the catalogue of components."""

    id: str
    titles: Mapping[str, Title]
    of_components: bool


class Views:
    """The reading side of collect."""

    def __init__(
        self,
        *,
        lake: Lake,
        standard: Standard,
        feeds: Mapping[str, FeedMapping],
        directory: Directory,
        states: Mapping[str, LatestValues],
        tallies: Tallies,
        door: Door,
        clock: Clock,
    ) -> None:
        self._lake = lake
        self._standard = standard
        self._feeds = feeds
        self._directory = directory
        self._states = states
        self._tallies = tallies
        self._door = door
        self._clock = clock
        self._near = Near(directory)
        self._coded = {name: _coded(standard, name) for name in states}
        door.register(
            Protected("observation", department="feed", area="area", owned=self._feeds_of, levels=self._levels)
        )
        door.register(Protected("entity", area="area"))
        door.register(Protected("feed", department="department"))
        door.register(Protected("quarantine", department="department"))

    def feeds(self, actor: Actor) -> list[FeedView]:
        """All feeds that the actor may see."""
        scope = self._door.scope(actor, "feed")
        seen = [f for f in self._feeds.values() if scope.lets({"department": f.declaration.department})]
        return [self._feed(mapping) for mapping in seen]

    def entity_types(self, actor: Actor) -> list[EntityTypeView]:
        """The entity types that this city's feeds fill, with how many entities the actor may see."""
        return [
            EntityTypeView(
                id=kind.id,
                title=kind.title,
                properties=[PropertyView(id=p.id, title=p.title, unit=p.symbol, kind=p.kind) for p in kind.properties],
                count=sum(1 for _ in self._cards(actor, kind.id)),
            )
            for kind in self._standard.entity_types.values()
            if kind.id in self._states
        ]

    def entities(
        self, actor: Actor, paged: Paging, entity_type: str | None, area: str | None, text: str | None
    ) -> Page[EntityView]:
        """Entities with their latest values; ``area`` takes everything below it, ``text`` looks in ids and titles."""
        cards = [
            card
            for card in self._cards(actor, entity_type)
            if (not area or (card.area or "").startswith(area)) and (not text or _speaks_of(card, text))
        ]
        views = _sorted(self._shown(actor, cards), paged.sort)
        page = views[paged.offset : paged.offset + paged.size]
        return Page(items=page, total=len(views), page=paged.page, size=paged.size)

    def near(
        self, actor: Actor, lon: float, lat: float, metres: float, entity_type: str | None, size: int
    ) -> list[NearEntity]:
        """The entities within so many metres that the actor may see, nearest first, with their latest values."""
        self._door.scope(actor, "entity")
        if entity_type:
            self._standard.entity_type(entity_type)
        found: list[tuple[float, EntityCard]] = []
        for name in [entity_type] if entity_type else self._directory.types():
            scope = self._door.scope(actor, "entity", name)
            found += [item for item in self._near.within(name, lon, lat, metres) if _seen(scope, item[1])]
        found = sorted(found, key=lambda item: (item[0], item[1].id))[:size]
        views = self._shown(actor, [card for _, card in found])
        return [self._near_view(view, card, away) for view, (away, card) in zip(views, found, strict=True)]

    def _near_view(self, view: EntityView, card: EntityCard, away: float) -> NearEntity:
        classed = [item.id for item in self._coded.get(card.entity_type, ()) if item.of_components]
        code = next((view.values[name] for name in classed if view.values.get(name)), None)
        owner = card.attributes.get(OWNER) or view.values.get(OWNER) or None
        return NearEntity(**dict(view), metres=round(away, 1), code=code, owner=owner)

    def geojson(self, actor: Actor, entity_type: str | None) -> dict[str, Any]:
        """Entities with a position as GeoJSON points."""
        placed = [card for card in self._cards(actor, entity_type) if card.lon is not None and card.lat is not None]
        features = [
            {
                "type": "Feature",
                "id": view.id,
                "geometry": {"type": "Point", "coordinates": [view.lon, view.lat]},
                "properties": view.model_dump(mode="json"),
            }
            for view in self._shown(actor, placed)
        ]
        return {"type": "FeatureCollection", "features": features}

    def entity(self, actor: Actor, entity: str) -> EntityView:
        """One entity; one that the actor may not see is answered like one that does not exist."""
        return self._shown(actor, [self._card(actor, entity)])[0]

    def title_of(self, actor: Actor, entity: str) -> Title | None:
        """What an entity is called; ``None`` when it is unknown or out of the actor's sight."""
        try:
            return self._card(actor, entity).title
        except (NotFound, AccessDenied):
            return None

    def history(
        self, actor: Actor, entity: str, property_id: str, start: datetime | None, end: datetime | None
    ) -> HistoryView:
        """Observations of one property, oldest first, at most 5,000; by default of the last 24 hours."""
        card = self._card(actor, entity)
        scope = self._door.scope(actor, "observation", card.entity_type)
        item = self._property(card, property_id)
        last = _aware(end) or self._clock.now()
        first = _aware(start) or last - timedelta(hours=24)
        if first > last:
            raise Invalid(f"start {first.isoformat()} lies behind end {last.isoformat()}", "exchange the two")
        sql = f"""
            SELECT observed_at, "{item.id}", record, area, feed FROM "{card.entity_type}"
            WHERE entity = $entity AND observed_at BETWEEN $first AND $last AND "{item.id}" IS NOT NULL
              AND date BETWEEN $first::DATE AND $last::DATE AND {scope.tree().sql("duckdb")}
            ORDER BY observed_at LIMIT {MOST_POINTS}
        """  # noqa: S608 - names are the standard's own, the scope is a tree of literals
        rows = self._lake.query(sql, [card.entity_type], {"entity": card.id, "first": first, "last": last})
        points = [(r["observed_at"], scope.cover(r)[item.id], r["record"]) for r in rows.to_pylist()]
        return HistoryView(entity=card.id, property=item.id, unit=item.symbol, points=points)

    def record(self, actor: Actor, record: str) -> dict[str, Any]:
        """One stored row by its record id, whatever table holds it."""
        present = set(self._lake.tables())
        for table, entity in {**dict.fromkeys(self._states, "observation"), **PROTECTED}.items():
            if table not in present or not self._may_look(actor, entity):
                continue
            scope = self._door.scope(actor, entity, table)
            for row in self._lake.records(table, [record]).to_pylist():
                if scope.lets(row):
                    return {"entity_type": table, **scope.cover(row)}
        raise NotFound(f"no record '{record}' that {actor.id} may see", "record ids come with warnings and histories")

    def _may_look(self, actor: Actor, entity: str) -> bool:
        try:
            self._door.scope(actor, entity)
        except AccessDenied:
            return False
        return True

    def _cards(self, actor: Actor, entity_type: str | None) -> Iterator[EntityCard]:
        self._door.scope(actor, "entity")
        if entity_type:
            self._standard.entity_type(entity_type)
        for name in [entity_type] if entity_type else self._directory.types():
            scope = self._door.scope(actor, "entity", name)
            yield from (card for card in list(self._directory.of(name).values()) if _seen(scope, card))

    def _card(self, actor: Actor, entity: str) -> EntityCard:
        card = self._directory.find(entity)
        if card is None or not _seen(self._door.scope(actor, "entity", card.entity_type), card):
            raise NotFound(f"no entity '{entity}' that {actor.id} may see", "GET /api/v1/entities lists them")
        return card

    def _shown(self, actor: Actor, cards: Sequence[EntityCard]) -> list[EntityView]:
        self._door.scope(actor, "observation")
        types = dict.fromkeys(card.entity_type for card in cards)
        scopes = {name: self._door.scope(actor, "observation", name) for name in types}
        return [self._view(card, scopes[card.entity_type]) for card in cards]

    def _view(self, card: EntityCard, scope: Scope) -> EntityView:
        state, at = self._states.get(card.entity_type), None
        values: dict[str, Any] = {}
        if state:
            at, values = state.get(card.id, card.area, scope)
        return EntityView(
            id=card.id,
            entity_type=card.entity_type,
            title=card.title,
            area=card.area,
            lon=card.lon,
            lat=card.lat,
            observed_at=at,
            values=values,
            words=self._words(card.entity_type, values),
            series=card.series,
        )

    def _words(self, entity_type: str, values: Mapping[str, Any]) -> dict[str, Title]:
        """The titles of those values that are codes."""
        coded = self._coded.get(entity_type, ())
        return {item.id: title for item in coded if (title := item.titles.get(values.get(item.id) or ""))}

    def _feed(self, mapping: FeedMapping) -> FeedView:
        feed, tally, now = mapping.declaration, self._tallies.of(mapping.id), self._clock.now()
        observed = self._states[feed.entity_type].newest().get(feed.id)
        received = tally.last_received_at
        fresh = observed is not None and now - observed <= timedelta(minutes=feed.fresh_minutes)
        return FeedView(
            id=feed.id,
            title=feed.title,
            entity_type=feed.entity_type,
            department=feed.department,
            series=feed.series,
            accepted=tally.accepted,
            quarantined=tally.quarantined,
            duplicate=tally.duplicate,
            last_observed_at=observed,
            last_received_at=received,
            delay_seconds=(received - observed).total_seconds() if received and observed else None,
            fresh=fresh,
        )

    def _feeds_of(self, department: str) -> list[str]:
        """Feeds that a department owns: with them its own rows are known."""
        return [mapping.id for mapping in self._feeds.values() if mapping.declaration.department == department]

    def _levels(self, entity_type: str | None) -> dict[str, str]:
        """Sensitivity of the properties of one entity type, or of all together."""
        kinds = self._standard.entity_types
        wanted = [kinds[entity_type]] if entity_type in kinds else list(kinds.values())
        closed = [item for kind in wanted for item in kind.properties if item.sensitivity != "open"]
        return {item.id: item.sensitivity for item in sorted(closed, key=lambda item: item.sensitivity)}

    def _property(self, card: EntityCard, property_id: str) -> Property:
        kind: EntityType = self._standard.entity_type(card.entity_type)
        found = kind.find(property_id)
        if found is None:
            known = ", ".join(item.id for item in kind.properties)
            raise NotFound(f"{kind.id} has no property '{property_id}'", f"known: {known}")
        return found


def _coded(standard: Standard, entity_type: str) -> tuple[_Coded, ...]:
    kind = standard.entity_type(entity_type)
    lists = standard.lists_of(kind)
    return tuple(
        _Coded(item.id, {code.code: code.title for code in found.codes}, found.kind == "component")
        for item in kind.properties
        if item.code_list and (found := lists.get(item.code_list))
    )


def _seen(scope: Scope, card: EntityCard) -> bool:
    return scope.lets({"area": card.area, "id": card.id})


def _speaks_of(card: EntityCard, text: str) -> bool:
    return any(text.casefold() in name.casefold() for name in (card.id, card.title.zh, card.title.en))


_SORTS = {
    "": lambda view: (view.entity_type, view.id),
    "id": lambda view: (view.entity_type, view.id),
    "title": lambda view: view.title.zh,
    "area": lambda view: view.area or "",
    "observed_at": lambda view: view.observed_at.timestamp() if view.observed_at else 0.0,
}


def _sorted(views: list[EntityView], sort: str) -> list[EntityView]:
    key = _SORTS.get(sort.removeprefix("-"))
    if key is None:
        raise Invalid(f"entities cannot be sorted by '{sort}'", f"known: {', '.join(filter(None, _SORTS))}")
    return sorted(views, key=key, reverse=sort.startswith("-"))


def _aware(instant: datetime | None) -> datetime | None:
    if instant is not None and instant.tzinfo is None:
        raise Invalid(f"{instant.isoformat()} has no offset", "write +08:00 or Z behind it")
    return utc(instant) if instant else None
