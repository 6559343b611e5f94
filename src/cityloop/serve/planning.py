"""The library of plans of one city: what its diagrams may name, and the plans that its packs bring."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

from cityloop.city.grammar import NeedsHuman
from cityloop.city.service import City
from cityloop.core.clock import Clock
from cityloop.core.values import Title
from cityloop.linkage.engine import Engine
from cityloop.linkage.library import Library, load_plans
from cityloop.linkage.limits import Limits
from cityloop.linkage.lint_known import PlanNames
from cityloop.linkage.rehearse import Rehearsal


def plan_names(city: City, rules: Callable[[], Collection[str]] | None = None) -> PlanNames:
    """What plans of this city may name; ``rules`` once they are known."""

    def unclear(text: str) -> Title | None:
        read = city.deadlines.parse(text)
        return read.reason if isinstance(read, NeedsHuman) else None

    return PlanNames(
        departments=city.departments,
        posts=city.policy.posts,
        areas={area.code for area in city.areas.list()},
        rules=rules,
        unclear=unclear,
    )


def open_library(
    shared: Mapping[str, Any], city: City, clock: Clock, rules: Callable[[], Collection[str]]
) -> tuple[Library, Rehearsal]:
    """The library over the packs in use, and its dry runs; raises :class:`ContentError` for a plan with faults."""
    names, engine = plan_names(city, rules), Engine(Limits(city.deadlines).due_of)
    library = Library(**shared, clock=clock, packs=load_plans(city.packs, names), names=names, engine=engine)
    titles = {id: post.title for id, post in city.policy.posts.items()}
    titles |= {id: department.title for id, department in city.departments.items()}
    return library, Rehearsal(library, engine, shared["door"], clock, titles)
