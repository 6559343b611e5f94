"""Opens the room of questions over what the other rooms know."""

from __future__ import annotations

from collections.abc import Mapping

from cityloop.access.door import Door
from cityloop.analyse.model import Model
from cityloop.analyse.service import Analyst
from cityloop.ask.helper import Endpoint
from cityloop.ask.service import AskDesk
from cityloop.city.service import City
from cityloop.collect.service import Collector
from cityloop.core.settings import Settings
from cityloop.core.values import Title


def open_asking(
    settings: Settings,
    model: Model,
    analyst: Analyst,
    door: Door,
    city: City,
    collector: Collector,
    rules: Mapping[str, Title],
) -> AskDesk:
    """The desk; with a language model only where one is set. ``rules`` are titles that may change while it runs."""
    helper = Endpoint(settings) if settings.ask_model_url else None
    return AskDesk(
        model=model, analyst=analyst, door=door, city=city, known=collector.known, rules=lambda: rules, helper=helper
    )
