"""The content of one city, loaded in the order in which its parts refer to each other."""

from __future__ import annotations

from dataclasses import dataclass

from cityloop.analyse.content import load_model
from cityloop.analyse.model import Model
from cityloop.cases.definitions import load_workflow
from cityloop.cases.dispatch import Responsibility, load_responsibility
from cityloop.cases.workflow import Workflow
from cityloop.city.service import City
from cityloop.evaluate.content import Book, load_evaluation
from cityloop.standard.feeds import load_feeds
from cityloop.standard.mapping import FeedMapping
from cityloop.standard.service import Standard
from cityloop.watch.content import load_rules
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
    evaluation: Book


def load_content(city: City) -> Content:
    """Load and check everything; the first part with faults raises :class:`ContentError` with all of its faults."""
    standard = Standard.load(city.packs)
    return Content(
        standard=standard,
        feeds=load_feeds(city.packs, standard, city.departments),
        rules=city_rules(city, standard),
        workflow=load_workflow(city.packs, city.folder),
        responsibility=load_table(city),
        model=load_model(city.packs, standard),
        evaluation=load_evaluation(city.packs, city.folder),
    )


def city_rules(city: City, standard: Standard) -> tuple[Rule, ...]:
    """The rules of the city's packs, checked against its standard, departments and catalogue."""
    return load_rules(city.packs, standard, city.departments, {matter.key for matter in city.catalogue.list()})


def load_table(city: City) -> Responsibility:
    """The city's table of responsibility, checked against its departments, catalogue and areas."""
    matters = {matter.key for matter in city.catalogue.list()}
    areas = {area.code for area in city.areas.list()}
    return load_responsibility(city.folder / "responsibility.yaml", city.departments, matters, areas, city.zone)
