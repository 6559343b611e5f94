"""The content of one city, loaded in the order in which its parts refer to each other."""

from __future__ import annotations

from dataclasses import dataclass

from cityloop.analyse.content import load_model
from cityloop.analyse.model import Model
from cityloop.cases.definitions import load_workflow
from cityloop.cases.dispatch import Responsibility, load_responsibility
from cityloop.cases.workflow import Workflow
from cityloop.city.service import City
from cityloop.lake.events import SCHEMAS
from cityloop.standard.batch import BASE_COLUMNS
from cityloop.standard.feeds import load_feeds
from cityloop.standard.mapping import FeedMapping
from cityloop.standard.service import Standard
from cityloop.watch.content import Known, read_rules
from cityloop.watch.rules import Rule


@dataclass(frozen=True)
class Content:
    """Everything that packs and the city folder declare."""

    standard: Standard
    feeds: tuple[FeedMapping, ...]
    rules: tuple[Rule, ...]
    workflow: Workflow
    responsibility: Responsibility
    model: Model


def load_content(city: City) -> Content:
    """Load and check everything; the first part with faults raises :class:`ContentError` with all of its faults."""
    standard = Standard.load(city.packs)
    return Content(
        standard=standard,
        feeds=load_feeds(city.packs, standard, city.departments),
        rules=load_rules(city, standard),
        workflow=load_workflow(city.packs, city.folder),
        responsibility=load_table(city),
        model=load_model(city.packs),
    )


def load_rules(city: City, standard: Standard) -> tuple[Rule, ...]:
    """The rules of the city's packs, checked against its standard, departments and catalogue."""
    return read_rules(city.packs, known(city, standard))


def load_table(city: City) -> Responsibility:
    """The city's table of responsibility, checked against its departments, catalogue and areas."""
    matters = {matter.key for matter in city.catalogue.list()}
    areas = {area.code for area in city.areas.list()}
    return load_responsibility(city.folder / "responsibility.yaml", city.departments, matters, areas, city.zone)


def known(city: City, standard: Standard) -> Known:
    """What a rule may refer to in this city: entity types of the standard, and the events of cases and warnings."""
    base = {field.name for field in BASE_COLUMNS}
    types = standard.entity_types.values()
    units = {t.id: {p.id: p.unit for p in t.properties if p.kind in ("number", "integer")} for t in types}
    columns = {t.id: base | {p.id for p in t.properties} for t in types}
    events = {name: {field.name for field in schema} for name, schema in SCHEMAS.items()}
    return Known(
        units=units | {"CaseEvent": {"opened": "", "final": ""}, "WarningEvent": {}},
        columns=columns | events,
        departments=city.departments,
        matters={matter.key for matter in city.catalogue.list()},
    )
