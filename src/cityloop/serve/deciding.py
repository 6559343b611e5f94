"""Decision tables of one city, ready for other rooms and for people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cityloop.city.service import City
from cityloop.decide.content import load_decisions
from cityloop.decide.desk import DecisionDesk
from cityloop.decide.service import Decider
from cityloop.decide.shelf import Shelf


def open_decisions(city: City, shared: Mapping[str, Any]) -> tuple[Decider, DecisionDesk]:
    """Load the packs' tables and put them into force; raises :class:`ContentError`."""
    shelf = Shelf(shared["database"], load_decisions(city.packs))
    decider = Decider(database=shared["database"], outbox=shared["outbox"], clock=city.clock, shelf=shelf)
    decider.open()
    return decider, DecisionDesk(**shared, clock=city.clock, shelf=shelf)
