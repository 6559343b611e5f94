"""``cityloop suggest-mapping``: a proposed mapping for a file, from a city's folder alone, without a server."""

from __future__ import annotations

from pathlib import Path

from cityloop.city.service import City
from cityloop.collect.directory import Directory
from cityloop.core.clock import SystemClock
from cityloop.core.database import Database
from cityloop.core.errors import NotFound
from cityloop.serve.content import declaring
from cityloop.standard.feeds import load_feeds
from cityloop.standard.service import Standard
from cityloop.standard.suggest import Around, Suggestion, suggest
from cityloop.standard.tables import TableOptions, read_table


def suggest_file(folder: Path, file: Path, entity_type: str, sheet: str | None = None) -> Suggestion:
    """Propose a mapping of ``file`` to an entity type of the city; raises :class:`NotFound` and content errors."""
    if not file.is_file():
        raise NotFound(f"there is no file {file}", "correct the name")
    city = City.load(folder, SystemClock())
    standard = Standard.load(declaring(city), city.editions)
    kind = standard.entity_type(entity_type)
    directory = _directory(city, standard)
    owners = [f.declaration.department for f in load_feeds(declaring(city), standard) if f.entity_type.id == kind.id]
    department = next(iter([*owners, *city.departments]))
    around = Around(directory.of(kind.id), directory.world, city.zone.key, department)
    options = TableOptions(sheet=sheet)
    table = read_table(file.name, file.read_bytes(), options)
    return suggest(file.name, table, kind, standard, around, options)


def _directory(city: City, standard: Standard) -> Directory:
    """The entities that the city declares; those that feeds created stand in the database of a running city."""
    database = Database("sqlite://")
    directory = Directory(database, city.areas)
    directory.load(city.folder / "entities", dict.fromkeys(standard.entity_types))
    database.close()
    return directory
