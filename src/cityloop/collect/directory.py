"""The entity directory: what the city has, where it stands and what it is called."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Protocol

from sqlalchemy import select

from cityloop.city.schemas import Area, Place
from cityloop.collect.models import EntityRow
from cityloop.core.content import raise_faults
from cityloop.core.database import Database
from cityloop.core.errors import Fault
from cityloop.core.values import Title
from cityloop.standard.batch import EntityCard
from cityloop.standard.distances import read_shape
from cityloop.standard.world import World

COLUMNS = ("id", "title_zh", "title_en", "lon", "lat")
SHAPE = "shape"
"""Column with the WKT of what is more than a point, which a file may have."""


class Locator(Protocol):
    """Finds the areas that hold points; the city's areas are one."""

    def locate_many(self, lons: Sequence[float], lats: Sequence[float], /) -> list[Place | None]:
        """The smallest area and the district for each point, ``None`` outside of the city."""
        ...

    def nearest(self, lon: float, lat: float, /) -> tuple[Area, float] | None:
        """The area nearest to a point, and how many metres off it is; ``None`` without drawn areas."""
        ...


@dataclass(frozen=True)
class Entity:
    """One entity as declared or created; further columns of its file are ``attributes``."""

    id: str
    entity_type: str
    title: Title
    lon: float | None
    lat: float | None
    series: str | None = None
    shape: str | None = None
    """WKT in WGS 84."""
    attributes: Mapping[str, str] = field(default_factory=dict)


class Directory:
    """All entities by type and id, with their areas. Reading is free of locks: cards are only added and replaced."""

    def __init__(self, database: Database, locator: Locator) -> None:
        self._database = database
        self._locator = locator
        self._cards: dict[str, dict[str, EntityCard]] = {}
        self._created: set[tuple[str, str]] = set()
        self._versions: dict[str, int] = {}

    def load(self, folder: Path, series: Mapping[str, str | None]) -> None:
        """Read ``<EntityType>.csv`` for every type in ``series`` (type → series its feed replays).

        Raises :class:`ContentError` with all faults: file, line, column, what and how to mend it.
        """
        faults: list[Fault] = []
        known = {entity_type: folder / f"{entity_type}.csv" for entity_type in series}
        for path in sorted(folder.glob("*.csv")):
            if path.stem not in known:
                mend = f"known: {', '.join(sorted(known))}"
                faults.append(Fault(f"{path}:1", f"no feed of this city fills the entity type '{path.stem}'", mend))
        for entity_type, path in known.items():
            self._cards.setdefault(entity_type, {})
            if path.is_file():
                self.add(_read(path, entity_type, series[entity_type], faults))
        raise_faults("the entity directory", faults)

    def create(self, entities: Sequence[Entity], feed: str, now: datetime) -> None:
        """Add entities that a feed brought, durably."""
        with self._database.transaction() as tx:
            for item in entities:
                row = {"entity_type": item.entity_type, "id": item.id, "title": item.title.zh, "lon": item.lon,
                       "lat": item.lat, "feed": feed, "created_at": now}  # fmt: skip
                tx.insert(EntityRow, row)
        self._created |= {(item.entity_type, item.id) for item in entities}
        self.add(entities)

    def follow(self, entities: Sequence[Entity]) -> None:
        """Give entities that feeds created another title and place, durably; those that the city declares stay."""
        changed = [item for item in entities if (item.entity_type, item.id) in self._created and self._differs(item)]
        if not changed:
            return
        with self._database.transaction() as tx:
            for item in changed:
                row = tx.session.get_one(EntityRow, (item.entity_type, item.id))
                row.title, row.lon, row.lat = item.title.zh, item.lon, item.lat
        for name in {item.entity_type for item in changed}:
            # Another mapping: whoever looks entities up by title or place sees that these have changed.
            self._cards[name] = dict(self._cards[name])
        self.add(changed)

    def _differs(self, item: Entity) -> bool:
        card = self.get(item.entity_type, item.id)
        return card is not None and (card.title.zh, card.lon, card.lat) != (item.title.zh, item.lon, item.lat)

    def restore(self) -> None:
        """Add the entities that feeds have created."""
        with self._database.reading() as session:
            created = [
                Entity(row.id, row.entity_type, Title(zh=row.title, en=row.title), row.lon, row.lat)
                for row in session.scalars(select(EntityRow))
            ]
        self._created |= {(item.entity_type, item.id) for item in created}
        self.add(created)

    def add(self, entities: Iterable[Entity]) -> None:
        """Add entities; their areas are found by their positions."""
        found = list(entities)
        placed = [item for item in found if item.lon is not None and item.lat is not None]
        places = self._locator.locate_many([e.lon or 0.0 for e in placed], [e.lat or 0.0 for e in placed])
        place_of = {id(entity): place for entity, place in zip(placed, places, strict=True)}
        for item in found:
            place = place_of.get(id(item))
            card = EntityCard(
                id=item.id,
                entity_type=item.entity_type,
                title=item.title,
                area=place.area if place else None,
                district=place.district if place else None,
                lon=item.lon,
                lat=item.lat,
                series=item.series,
                shape=item.shape,
                attributes=item.attributes,
            )
            self._cards.setdefault(item.entity_type, {})[item.id] = card
        for name in {item.entity_type for item in found}:
            self._versions[name] = self.version(name) + 1

    def version(self, entity_type: str) -> int:
        """Goes up whenever the entities of a type have changed."""
        return self._versions.get(entity_type, 0)

    @property
    def world(self) -> World:
        """What mappings may ask: entities of all types, areas of points."""
        return World(of=self.of, locate=self._locator.locate_many, nearest=self._locator.nearest)

    def of(self, entity_type: str) -> Mapping[str, EntityCard]:
        """All entities of one type, by id."""
        return self._cards.get(entity_type, {})

    def types(self) -> list[str]:
        """Entity types that the directory knows."""
        return list(self._cards)

    def get(self, entity_type: str, entity: str) -> EntityCard | None:
        """One entity, ``None`` when unknown."""
        return self.of(entity_type).get(entity)

    def find(self, entity: str) -> EntityCard | None:
        """An entity by id alone: the first of any type."""
        return next((card for cards in self._cards.values() if (card := cards.get(entity))), None)

    def all(self) -> Iterator[EntityCard]:
        """Every entity."""
        for cards in self._cards.values():
            yield from list(cards.values())


def _read(path: Path, entity_type: str, series: str | None, faults: list[Fault]) -> list[Entity]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file)
        missing = [name for name in COLUMNS if name not in (reader.fieldnames or ())]
        if missing:
            faults.append(
                Fault(f"{path}:1", f"column {', '.join(missing)} is missing", f"expected: {', '.join(COLUMNS)}")
            )
            return []
        found: dict[str, Entity] = {}
        for row in reader:
            where = f"{path}:{reader.line_num}"
            entity = _entity(row, entity_type, series, where, faults)
            if entity and entity.id in found:
                faults.append(Fault(f"{where} id", f"'{entity.id}' is listed twice", "keep one of the two lines"))
            elif entity:
                found[entity.id] = entity
    return list(found.values())


def _entity(
    row: Mapping[str, str], entity_type: str, series: str | None, where: str, faults: list[Fault]
) -> Entity | None:
    identity, before = (row["id"] or "").strip(), len(faults)
    if not identity:
        faults.append(Fault(f"{where} id", "the id is empty", "give every entity an id"))
    lon = _column(row["lon"], 180, f"{where} lon", faults)
    lat = _column(row["lat"], 90, f"{where} lat", faults)
    shape = _shape(row.get(SHAPE), f"{where} {SHAPE}", faults)
    if len(faults) > before:
        return None
    title = Title(zh=row["title_zh"] or identity, en=row["title_en"] or row["title_zh"] or identity)
    others = {name: value for name, value in row.items() if name and name not in (*COLUMNS, SHAPE)}
    return Entity(identity, entity_type, title, lon, lat, others.get("series") or series, shape, others)


def degrees(value: str | float | None, most: float) -> float | None:
    """A value as degrees between ``-most`` and ``most``, ``None`` when it is none."""
    try:
        found = float(value) if value is not None else None
    except ValueError:
        return None
    return found if found is not None and abs(found) <= most else None


def _shape(text: str | None, where: str, faults: list[Fault]) -> str | None:
    if not (text or "").strip():
        return None
    try:
        read_shape(text or "")
    except ValueError as error:
        faults.append(Fault(where, f"this is no shape: {error}", "write WKT in WGS 84, longitude first"))
        return None
    return text


def _column(text: str | None, most: float, where: str, faults: list[Fault]) -> float | None:
    if not (text or "").strip():
        return None
    found = degrees(text, most)
    if found is None:
        faults.append(Fault(where, f"'{text}' is no degree between -{most:g} and {most:g}", "write WGS 84 degrees"))
    return found
