"""Diagrams by plan and version, parsed once and shared by all runs."""

from __future__ import annotations

import threading

from cityloop.linkage.engine import Diagram, Engine
from cityloop.linkage.ports import Plans, PlanSource


class Diagrams:
    """Parses a version the first time that it is asked for; a version never changes."""

    def __init__(self, engine: Engine, plans: Plans) -> None:
        self.engine, self.plans = engine, plans
        self._parsed: dict[tuple[str, int], tuple[PlanSource, Diagram]] = {}
        self._turn = threading.Lock()

    def current(self, plan: str) -> tuple[PlanSource, Diagram]:
        """The version that new runs follow; raises :class:`NotFound`."""
        return self._of(self.plans.current(plan))

    def version(self, plan: str, version: int) -> tuple[PlanSource, Diagram]:
        """A version, also an old one; raises :class:`NotFound`."""
        found = self._parsed.get((plan, version))
        return found or self._of(self.plans.version(plan, version))

    def in_force(self) -> list[tuple[PlanSource, Diagram]]:
        """Every plan that new runs may follow."""
        return [self._of(source) for source in self.plans.in_force()]

    def _of(self, source: PlanSource) -> tuple[PlanSource, Diagram]:
        key = (source.plan, source.version)
        found = self._parsed.get(key)
        if found is None:
            with self._turn:
                found = self._parsed.setdefault(key, (source, self.engine.parse(source.xml)))
        return found
