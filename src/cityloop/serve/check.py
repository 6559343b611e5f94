"""``cityloop check``: every fault of a city and its packs, without starting anything."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from cityloop.analyse.content import load_model
from cityloop.cases.definitions import load_workflow
from cityloop.city.check import check_folder
from cityloop.city.service import City
from cityloop.core.clock import SystemClock
from cityloop.core.errors import ContentError, Fault
from cityloop.drill.people import load_people
from cityloop.drill.plan import load_plan
from cityloop.evaluate.content import load_evaluation
from cityloop.serve.content import city_rules, load_table
from cityloop.standard.feeds import load_feeds
from cityloop.standard.service import Standard


def check_city(folder: Path) -> list[Fault]:
    """All faults; parts that need the city itself are only looked at when the city folder is sound."""
    faults = check_folder(folder)
    if faults:
        return faults
    city = City.load(folder, SystemClock())
    standard = _try(faults, lambda: Standard.load(city.packs))
    if standard is not None:
        _try(faults, lambda: load_feeds(city.packs, standard, city.departments))
        _try(faults, lambda: city_rules(city, standard))
        _try(faults, lambda: load_model(city.packs, standard))
    _try(faults, lambda: load_workflow(city.packs, city.folder))
    _try(faults, lambda: load_table(city))
    _try(faults, lambda: load_evaluation(city.packs, city.folder))
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
