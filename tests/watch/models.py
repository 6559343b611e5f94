"""Models for tests: what is usual, and what is foretold, as they were told."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import numpy as np

from cityloop.watch.cells import Floats
from cityloop.watch.outlook import NO_MODELS, Absent, Ahead, Expected
from tests.watch.naive import START

Forecast = tuple[float, tuple[float, ...]]
"""Second of the newest record, and the values for the horizons."""


class Models:
    """An outlook that knows what ``usual`` and ``told`` hold by entity; without ``ready`` there are no models."""

    def __init__(self, horizons: Sequence[int] = (60, 120)) -> None:
        self.usual: dict[str, tuple[float, float]] = {}
        self.told: dict[str, Forecast] = {}
        self.ready = True
        self.asked = 0
        self.error = 1.5
        self._horizons = tuple(timedelta(seconds=horizon) for horizon in horizons)

    def declared(self, entity_type: str, property_id: str) -> bool:
        """Only ``x``."""
        return property_id == "x"

    def forecast(self, entity_type: str, property_id: str, entities: Sequence[str], at: datetime) -> Ahead | Absent:
        """What was told."""
        self.asked += 1
        if not self.ready:
            return NO_MODELS
        width = len(self._horizons)
        found = [self.told.get(entity, (np.nan, (np.nan,) * width)) for entity in entities]
        value = np.array([values for _, values in found], np.float64).reshape(-1, width)
        return Ahead(
            version="forecast.Thing.x/1",
            horizons=self._horizons,
            origin=np.array([START.timestamp() + second for second, _ in found]),
            value=value,
            low=value - 5,
            high=value + 5,
            wished=0.9,
            server=("model", *("persistence" for _ in self._horizons[1:])),  # type: ignore[arg-type]
            error=tuple(self.error + n for n in range(width)),
            naive_error=tuple(3.0 + n for n in range(width)),
            reached=(0.91,) * width,
        )

    def expected(self, entity_type: str, property_id: str, entities: Sequence[str], at: Floats) -> Expected | Absent:
        """What is usual."""
        if not self.ready:
            return NO_MODELS
        found = np.array([self.usual.get(entity, (np.nan, np.nan)) for entity in entities]).reshape(-1, 2)
        return Expected("forecast.Thing.x/1", found[:, 0], found[:, 1])
