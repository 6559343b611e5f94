"""A trained forecast over the lake: follows it step by step, in the present and once more in the past of a backtest."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from datetime import datetime

import numpy as np

from cityloop.lake.service import Lake
from cityloop.learn.ahead.grid import Ints
from cityloop.learn.forecast_content import Forecast
from cityloop.learn.forecast_model import Trained
from cityloop.learn.foretelling import Foreteller, Told
from cityloop.learn.observed import Days, Seen, joined, read

_PAUSE = 1.0
"""Real seconds between two looks at the lake within one step."""


class Follower:
    """One walk through time; going back begins a new one."""

    def __init__(self, lake: Lake, wanted: Forecast, days: Days, trained: Trained) -> None:
        self._lake, self._wanted, self._days, self._trained = lake, wanted, days, trained
        self._foreteller = Foreteller(trained)
        self._seen: Seen | None = None
        self._version, self._looked = -2, 0.0
        self._told: Told | None = None

    @property
    def end(self) -> int:
        """The step behind the last one looked at; 0 before the first look."""
        return self._seen.end if self._seen else 0

    @property
    def foreteller(self) -> Foreteller:
        """Who forecasts, with what was told of late."""
        return self._foreteller

    def at(self, step: int) -> Told | None:
        """Forecasts from the records up to and with ``step``, a number since 1970."""
        version = self._lake.version(self._wanted.entity_type)
        same = self.end == step + 1
        if same and (version == self._version or time.monotonic() - self._looked < _PAUSE):
            return self._told
        if self._seen is None or step + 1 < self.end:
            self._foreteller = Foreteller(self._trained)
            first = step + 1 - self._trained.window * self._wanted.slots
            self._seen = read(self._lake, self._wanted, self._days, first, step + 1, self._trained.entities)
        else:
            window = self._trained.window
            self._seen = joined(self._lake, self._wanted, self._days, self._seen, step + 1, window)
        self._version, self._looked = version, time.monotonic()
        self._told = self._foreteller.advance(self._seen)
        return self._told


class Followed:
    """A version of a model with its two walks; safe for threads."""

    def __init__(self, lake: Lake, wanted: Forecast, days: Days, trained: Trained) -> None:
        self.trained, self.wanted = trained, wanted
        self._place = {entity: number for number, entity in enumerate(trained.entities)}
        self._lock = threading.RLock()
        self._present, self._past = (Follower(lake, wanted, days, trained) for _ in range(2))

    def places(self, entities: Sequence[str]) -> Ints:
        """The place of each entity in the arrays; −1 for one that the model was not trained on."""
        return np.array([self._place.get(entity, -1) for entity in entities], np.int64)

    def at(self, instant: datetime) -> tuple[Told | None, Foreteller]:
        """Forecasts from what was observed up to ``instant``, and who gave them."""
        step = int(instant.timestamp() // self.wanted.step)
        with self._lock:
            walk = self._present if step + 1 >= self._present.end else self._past
            return walk.at(step), walk.foreteller
