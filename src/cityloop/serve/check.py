"""``cityloop check``: every fault of a city and its packs, without starting anything."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from cityloop.analyse.content import load_model
from cityloop.approve.content import load_items
from cityloop.cases.definitions import load_workflow
from cityloop.city.check import check_folder
from cityloop.city.service import City
from cityloop.collect.sources.loading import load_sources
from cityloop.core.clock import SystemClock
from cityloop.core.errors import ContentError, Fault
from cityloop.decide.content import load_decisions
from cityloop.drill.people import load_people
from cityloop.drill.plan import load_plan
from cityloop.emergency.content import load_emergency
from cityloop.evaluate.content import load_evaluation
from cityloop.linkage.library import load_plans
from cityloop.quality.content import load_quality
from cityloop.serve.content import city_rules, declaring, load_table, rule_names
from cityloop.serve.notices.content import load_notices
from cityloop.serve.open311.content import load_open311
from cityloop.serve.planning import plan_names
from cityloop.serve.webhooks import load_webhooks
from cityloop.standard.feeds import load_feeds
from cityloop.standard.service import Standard
from cityloop.steward.boards import load_boards
from cityloop.watch.cap_cases import load_cap_cases


def check_city(folder: Path) -> list[Fault]:
    """All faults; parts that need the city itself are only looked at when the city folder is sound."""
    faults = check_folder(folder)
    if faults:
        return faults
    city = City.load(folder, SystemClock())
    standard = _try(faults, lambda: Standard.load(declaring(city), city.editions))
    if standard is not None:
        feeds = _try(faults, lambda: load_feeds(declaring(city), standard, city.departments))
        if feeds is not None:
            _try(faults, lambda: load_quality(city, feeds))
            _try(faults, lambda: load_sources(folder, {mapping.id: mapping for mapping in feeds}))
        rules = _try(faults, lambda: city_rules(city, standard))
        if rules is not None:
            _try(faults, lambda: load_emergency(city, {rule.id for rule in rules}))
        _try(faults, lambda: load_cap_cases(folder, rule_names(city, standard)))
        model = _try(faults, lambda: load_model(city.packs, standard))
        if model is not None:
            _try(faults, lambda: load_boards(city.packs, model.metrics))
    _try(faults, lambda: load_decisions(city.packs))
    _try(faults, lambda: load_workflow(city.packs, city.folder))
    _try(faults, lambda: load_table(city))
    _try(faults, lambda: load_plans(city.packs, plan_names(city)))
    _try(faults, lambda: load_evaluation(city.packs, city.folder))
    _try(faults, lambda: load_items(city))
    _try(faults, lambda: load_open311(city))
    _try(faults, lambda: load_notices(folder, city.departments))
    _try(faults, lambda: load_webhooks(folder))
    if (folder / "drill.yaml").exists():
        _try(faults, lambda: load_plan(folder))
        _try(faults, lambda: load_people(folder, city.policy))
    return faults


T = TypeVar("T")


def _try(faults: list[Fault], read: Callable[[], T]) -> T | None:
    try:
        return read()
    except ContentError as error:
        faults.extend(error.faults or [Fault(error.detail, "cannot be read", error.mend)])
        return None
