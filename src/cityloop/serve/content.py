"""The content of one city, loaded in the order in which its parts refer to each other."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from cityloop.analyse.content import load_model
from cityloop.analyse.model import Model
from cityloop.approve.content import ItemBook, load_items
from cityloop.cases.definitions import load_workflow
from cityloop.cases.dispatch import Responsibility, load_responsibility
from cityloop.cases.workflow import Workflow
from cityloop.city.service import City
from cityloop.collect.sources.loading import Source, load_sources
from cityloop.command.content import Known as Orderable
from cityloop.command.content import load_commands
from cityloop.command.declarations import Device
from cityloop.emergency.content import EmergencyBook, load_emergency
from cityloop.evaluate.content import Book, load_evaluation
from cityloop.learn.forecast_content import Forecast, load_forecasts
from cityloop.quality.content import QualityContent, load_quality
from cityloop.serve.open311.content import Open311File, load_open311
from cityloop.standard.feeds import load_feeds
from cityloop.standard.mapping import FeedMapping
from cityloop.standard.service import Standard
from cityloop.steward.boards import Board, load_boards
from cityloop.steward.declared import Declared
from cityloop.watch.cap_cases import CapCase, load_cap_cases
from cityloop.watch.checking import Known
from cityloop.watch.content import known_of, load_rules
from cityloop.watch.rules import Rule


@dataclass(frozen=True)
class Content:
    """Everything that packs and the city folder declare."""

    standard: Standard
    feeds: tuple[FeedMapping, ...]
    sources: tuple[Source, ...]
    rules: tuple[Rule, ...]
    workflow: Workflow
    responsibility: Responsibility
    model: Model
    evaluation: Book
    quality: QualityContent
    boards: tuple[Board, ...]
    open311: Open311File | None
    cap_cases: tuple[CapCase, ...]
    forecasts: tuple[Forecast, ...]
    devices: dict[str, Device]
    items: ItemBook
    emergency: EmergencyBook


def load_content(city: City, in_force: Declared | None = None, data: Path | None = None) -> Content:
    """Load and check everything; the first part with faults raises :class:`ContentError` with all of its faults.

    ``in_force`` is the standard with its applied versions, where there are any; else the folders alone declare it.
    ``data`` is the data folder, for sources that watch a folder below it.
    """
    declared = in_force or load_declared(city)
    standard, feeds = declared.standard, declared.feeds
    model, rules = load_model(city.packs, standard), city_rules(city, standard)
    return Content(
        standard=standard,
        feeds=feeds,
        sources=load_sources(city.folder, {mapping.id: mapping for mapping in feeds}, data),
        rules=rules,
        workflow=load_workflow(city.packs, city.folder),
        responsibility=load_table(city),
        evaluation=load_evaluation(city.packs, city.folder),
        model=model,
        quality=load_quality(city, feeds),
        boards=load_boards(city.packs, model.metrics),
        open311=load_open311(city),
        cap_cases=load_cap_cases(city.folder, rule_names(city, standard)),
        forecasts=load_forecasts(city.packs, standard),
        devices=load_commands(city.packs, Orderable(standard, city.departments, city.policy.posts)),
        items=load_items(city),
        emergency=load_emergency(city, {rule.id for rule in rules}),
    )


def load_declared(city: City) -> Declared:
    """The standard and the feeds as packs and city declare them."""
    folders = declaring(city)
    standard = Standard.load(folders, city.editions)
    return Declared(standard, load_feeds(folders, standard, city.departments))


def declaring(city: City) -> tuple[Path, ...]:
    """Folders that declare types, code lists and feeds: the packs in use, then the city's own folder."""
    return (*city.packs, city.folder)


def city_rules(city: City, standard: Standard) -> tuple[Rule, ...]:
    """The rules of the city's packs, checked against its standard, departments and catalogue."""
    known = rule_names(city, standard)
    return load_rules(city.packs, standard, known.departments, known.matters, known.areas, known.foretold)


def rule_names(city: City, standard: Standard) -> Known:
    """What a rule of this city may refer to."""
    matters = {matter.key for matter in city.catalogue.list()}
    areas = {area.code for area in city.areas.list()}
    forecasts = {(one.entity_type, one.property) for one in load_forecasts(city.packs, standard)}
    known = Known(
        departments=city.departments, matters=matters, areas=areas, foretold=lambda *asked: asked in forecasts
    )
    return known_of(standard, known)


def load_table(city: City) -> Responsibility:
    """The city's table of responsibility, checked against its departments, catalogue and areas."""
    matters = {matter.key for matter in city.catalogue.list()}
    areas = {area.code for area in city.areas.list()}
    return load_responsibility(city.folder / "responsibility.yaml", city.departments, matters, areas, city.zone)
