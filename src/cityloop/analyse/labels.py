"""Titles of dimension values: departments, areas, matters and series of the city, and what serve adds."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from cityloop.analyse.model import Dimension
from cityloop.city.service import City
from cityloop.core.errors import Problem
from cityloop.core.values import Title
from cityloop.standard.batch import EntityCard

Titles = Callable[[str], Title | None]
Describe = Callable[[str, str], EntityCard | None]
ENTITIES = "entities."
SOURCES = ("departments", "areas", "matters", "matter_classes", "series", "rules", f"{ENTITIES}<entity type>")
"""What ``labels`` of a dimension may name."""


def known_labels(name: str | None) -> bool:
    """Whether a dimension may name this source."""
    return name is None or name in SOURCES or name.startswith(ENTITIES)


def of_entities(dimensions: Sequence[Dimension], describe: Describe) -> dict[str, Titles]:
    """The label sources of observed things, one for each entity type that a dimension names."""

    def titles(kind: str) -> Titles:
        return lambda key: card.title if (card := describe(kind, key)) else None

    named = [d.labels for d in dimensions if d.labels and d.labels.startswith(ENTITIES)]
    return {name: titles(name.removeprefix(ENTITIES)) for name in named}


def of_city(city: City) -> dict[str, Titles]:
    """The label sources a city has."""
    series = {label.id: label.title for label in city.series}
    classes: dict[str, Title] = {}
    for matter in city.catalogue.list():
        classes[matter.class_code] = classes[matter.class_title.zh] = matter.class_title
    return {
        "departments": lambda key: city.departments[key].title if key in city.departments else None,
        "areas": _forgiving(city.areas.title),
        "matters": _forgiving(lambda key: city.catalogue.get(key).title),
        "matter_classes": classes.get,
        "series": series.get,
    }


def labels(
    dimensions: Sequence[Dimension], rows: Sequence[Mapping[str, Any]], sources: Mapping[str, Titles]
) -> dict[str, dict[str, Title]]:
    """Titles of the values that occur in ``rows``, by dimension; values without a title are left out."""
    found: dict[str, dict[str, Title]] = {}
    for dimension in dimensions:
        values = dict.fromkeys(_key(row[dimension.id]) for row in rows if row[dimension.id] is not None)
        source = sources.get(dimension.labels or "", _untitled)
        titles = {value: dimension.values.get(value) or source(value) for value in values}
        found[dimension.id] = {value: title for value, title in titles.items() if title is not None}
    return found


def _untitled(_key: str) -> Title | None:
    return None


def _key(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _forgiving(titles: Callable[[str], Title]) -> Titles:
    def find(key: str) -> Title | None:
        try:
            return titles(key)
        except Problem:
            return None

    return find
