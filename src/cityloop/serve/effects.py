"""Effects of runs: what a run tells of itself to the room that measures what it changed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cityloop.access.actor import Actor
from cityloop.analyse.service import Analyst
from cityloop.city.service import City
from cityloop.evaluate.effect_schemas import RunSpan
from cityloop.evaluate.effecting import Effects
from cityloop.linkage.desk import RunDesk
from cityloop.linkage.drawing import extension, read


def open_effects(shared: Mapping[str, Any], analyst: Analyst, city: City, runs: RunDesk) -> Effects:
    """The room's verbs over the runs of this house."""

    def span(actor: Actor, run: str) -> RunSpan:
        detail = runs.get(actor, run)
        wanted = next(iter(extension(read(detail.xml).process, "effect")), None)
        named = wanted.attrib if wanted is not None else {}
        return RunSpan(
            area=detail.run.area,
            start=detail.run.started_at,
            end=detail.run.ended_at,
            metric=named.get("metric"),
            by=named.get("by"),
        )

    return Effects(door=shared["door"], analyst=analyst, city=city, runs=span)
