"""The values that questions may name: areas, departments, matters, series, rules, observed things, packs' own."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from cityloop.access.actor import Actor
from cityloop.access.door import Door, Scope
from cityloop.access.predicates import Both, Either, Everything, In, Nothing, Predicate, Under
from cityloop.analyse.labels import ENTITIES
from cityloop.analyse.model import Dimension, Model
from cityloop.ask.index import Term
from cityloop.ask.lexicon import Lexicon, Offered
from cityloop.city.service import City
from cityloop.core.errors import AccessDenied
from cityloop.core.values import Title
from cityloop.standard.batch import EntityCard

Known = Callable[[str], Mapping[str, EntityCard]]
WHOLE_CITY = ""
"""The code of the city itself: naming it is no condition."""


def offered(model: Model, city: City, known: Known, rules: Mapping[str, Title]) -> dict[str, list[Offered]]:
    """The values of every dimension that has names for them, each with the row that rights are tested on."""
    return {
        dimension.id: list(_values(dimension, city, known, rules))
        for dimension in model.dimensions.values()
        if dimension.kind != "time"
    }


def _values(dimension: Dimension, city: City, known: Known, rules: Mapping[str, Title]) -> Iterator[Offered]:
    column, labels = dimension.column, dimension.labels or ""
    for code, title in _titles(dimension, city, rules).items():
        yield Offered(code, title, (), {column: code})
    if labels == "departments":
        for department in city.departments.values():
            short = (department.short.zh, department.short.en) if department.short else ()
            yield Offered(department.id, department.title, _tailless(short), {column: department.id})
    elif labels == "areas":
        yield from _areas(column, city)
    elif labels.startswith(ENTITIES):
        for code, card in known(labels.removeprefix(ENTITIES)).items():
            row = {column: code} | ({"area": card.area} if card.area else {})
            yield Offered(code, card.title, (), row)


def _titles(dimension: Dimension, city: City, rules: Mapping[str, Title]) -> dict[str, Title]:
    """Values that have a title and nothing more."""
    found = dict(dimension.values)
    if dimension.labels == "matters":
        found |= {matter.key: matter.title for matter in city.catalogue.list()}
    elif dimension.labels == "matter_classes":
        # Events carry the class by its Chinese name.
        found |= {matter.class_title.zh: matter.class_title for matter in city.catalogue.list()}
    elif dimension.labels == "series":
        found |= {series.id: series.title for series in city.series}
    elif dimension.labels == "rules":
        found |= rules
    return found


def _areas(column: str, city: City) -> Iterator[Offered]:
    whole = column == "district"
    for area in city.areas.list():
        if area.level == "city":
            yield from [Offered(WHOLE_CITY, area.title)] if whole else []
        elif (area.level == "district") == whole:
            yield Offered(area.code, area.title, (), {"area": area.code, column: area.code})


def _tailless(names: tuple[str, ...]) -> tuple[str, ...]:
    """Short names also without the last sign that says office (城管局 is said 城管)."""
    bare = [name[:-1] for name in names if name.endswith("局") and len(name) > 2]
    return (*names, *bare)


class Sight:
    """What one actor may know of the words of a city; nothing that this hides is matched, offered or counted."""

    def __init__(self, actor: Actor, door: Door, lexicon: Lexicon) -> None:
        self._lexicon = lexicon
        self._scopes: dict[str, list[Scope]] = {}
        model = lexicon.model
        for metric in model.metrics.values():
            scope = _scope(actor, door, metric.protected, metric.table)
            if scope is not None:
                for name in model.cuts(metric):
                    self._scopes.setdefault(name, []).append(scope)
        self._entities = _scope(actor, door, "entity", None)
        self._seen: dict[Term, bool] = {}

    def __call__(self, term: Term) -> bool:
        if term not in self._seen:
            self._seen[term] = term.kind != "value" or self._sees_value(term)
        return self._seen[term]

    def _sees_value(self, term: Term) -> bool:
        dimension = self._lexicon.model.dimensions[term.dimension]
        row = self._lexicon.rows.get((term.dimension, term.id))
        if row is None:
            # An area under another dimension of areas: a district as the beginning of its cells.
            row = {"area": term.id, dimension.column: term.id}
        if (dimension.labels or "").startswith(ENTITIES) and (
            self._entities is None or _could(self._entities.all_rows, row) is False
        ):
            return False
        return any(
            not isinstance(scope.shown(dimension.column), Nothing) and _could(scope.all_rows, row) is not False
            for scope in self._scopes.get(dimension.id, ())
        )


def _scope(actor: Actor, door: Door, entity: str, dataset: str | None) -> Scope | None:
    try:
        return door.scope(actor, entity, dataset)
    except AccessDenied:
        return None


def _could(rows: Predicate, row: Mapping[str, str]) -> bool | None:
    """Whether rows of this value may be seen; ``None`` where the value alone does not tell."""
    match rows:
        case Everything():
            return True
        case Nothing():
            return False
        case In(column, values):
            return row[column] in values if column in row else None
        case Under(column, areas):
            # A district that holds an area of the actor's is one of its own too.
            return any(row[column].startswith(a) or a.startswith(row[column]) for a in areas) if column in row else None
        case Both(parts):
            found = [_could(part, row) for part in parts]
            return False if False in found else None if None in found else True
        case Either(parts):
            found = [_could(part, row) for part in parts]
            return True if True in found else False if False in found else None
