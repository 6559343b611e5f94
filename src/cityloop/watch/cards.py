"""Cards of what is watched without being an entity of a feed: the districts that case and warning events speak of."""

from __future__ import annotations

from collections.abc import Callable

from cityloop.city.areas import Areas
from cityloop.core.errors import NotFound
from cityloop.standard.batch import EntityCard

Describe = Callable[[str, str], EntityCard | None]
"""The card of an entity by type and id; ``None`` when it is unknown."""


def with_areas(describe: Describe, areas: Areas) -> Describe:
    """``describe``, and for ids that are area codes (as in ``CaseEvent``) the card of the area."""

    def find(entity_type: str, entity: str) -> EntityCard | None:
        return describe(entity_type, entity) or _area(areas, entity_type, entity)

    return find


def _area(areas: Areas, entity_type: str, code: str) -> EntityCard | None:
    try:
        area = areas.get(code)
    except NotFound:
        return None
    district = code if area.level == "district" else None
    lon, lat = (area.centre.lon, area.centre.lat) if area.centre else (None, None)
    return EntityCard(code, entity_type, area.title, code, district, lon, lat)
