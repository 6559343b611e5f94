"""Cards of what is watched without being an entity of a feed: districts, feeds, places where reports gather."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from cityloop.city.areas import Areas
from cityloop.core.errors import NotFound
from cityloop.core.values import Title
from cityloop.standard.batch import EntityCard
from cityloop.watch.places import centre_of

Describe = Callable[[str, str], EntityCard | None]
"""The card of an entity by type and id; ``None`` when it is unknown."""


def with_areas(describe: Describe, areas: Areas, titles: Mapping[str, Title] | None = None) -> Describe:
    """``describe``, and cards of area codes (as in ``CaseEvent``), of places and of groups.

    ``titles`` name what groups are made of: matters, feeds.
    """
    named = titles or {}

    def find(entity_type: str, entity: str) -> EntityCard | None:
        return describe(entity_type, entity) or _area(areas, entity_type, entity) or made(entity_type, entity)

    def made(entity_type: str, entity: str) -> EntityCard | None:
        if "@" in entity:
            return _place(areas, named, entity_type, entity)
        if "|" in entity:
            return _group(find, entity_type, entity)
        title = named.get(entity)
        return EntityCard(entity, entity_type, title) if title else None

    return find


def card_of(describe: Describe, entity_type: str, entity: str, area: str | None) -> EntityCard:
    """The card of an entity; an unknown one is called by its id and lies where its records say."""
    found = describe(entity_type, entity)
    return found or EntityCard(entity, entity_type, Title(zh=entity, en=entity), area=area)


def _area(areas: Areas, entity_type: str, code: str) -> EntityCard | None:
    try:
        area = areas.get(code)
    except NotFound:
        return None
    district = code if area.level == "district" else areas.district_of(code)
    lon, lat = (area.centre.lon, area.centre.lat) if area.centre else (None, None)
    return EntityCard(code, entity_type, area.title, code, district, lon, lat)


def _place(areas: Areas, named: Mapping[str, Title], entity_type: str, entity: str) -> EntityCard:
    """A place where records of one kind gather, called by its kind and the area that holds its centre."""
    kind, (lon, lat) = entity.rpartition("@")[0], centre_of(entity)
    place = areas.locate(lon, lat)
    what = named.get(kind, Title(zh=kind, en=kind))
    where = areas.title(place.area) if place else Title(zh=f"{lon:.4f}，{lat:.4f}", en=f"{lon:.4f}, {lat:.4f}")
    title = Title(zh=f"{where.zh}{what.zh}", en=f"{what.en}, {where.en}".strip(", "))
    return EntityCard(
        entity, entity_type, title, place.area if place else None, place.district if place else None, lon, lat
    )


def _group(find: Describe, entity_type: str, entity: str) -> EntityCard:
    """Several columns together: their titles in a row, and the place of the one that has a place."""
    names = entity.split("|")
    parts = [find(entity_type, name) or EntityCard(name, entity_type, Title(zh=name, en=name)) for name in names]
    place = next((part for part in parts if part.area), parts[0])
    title = Title(zh=" · ".join(p.title.zh for p in parts), en=" · ".join(p.title.en for p in parts))
    return EntityCard(entity, entity_type, title, place.area, place.district, place.lon, place.lat)
