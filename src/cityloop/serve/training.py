"""Training in a process of its own: from the command line or beside a running city, which takes up the new versions."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from datetime import datetime
from multiprocessing import get_context
from multiprocessing.context import SpawnProcess
from pathlib import Path

from cityloop.access.audit import Audit
from cityloop.access.door import Door
from cityloop.city.service import City
from cityloop.core.clock import Clock, ManualClock, SystemClock
from cityloop.core.database import Database
from cityloop.core.outbox import Outbox
from cityloop.core.settings import Settings
from cityloop.learn.artefact import Card
from cityloop.learn.schemas import Untrained
from cityloop.learn.service import Learner

log = logging.getLogger(__name__)


def models_folder(settings: Settings) -> Path:
    """Where the versions of the city's models lie."""
    return settings.data / "models"


def train(settings: Settings, clock: Clock | None = None) -> list[Card | Untrained]:
    """Train every model of a city from its data folder, by the machine's time unless told otherwise."""
    city = City.load(settings.city, clock or SystemClock())
    settings.data.mkdir(parents=True, exist_ok=True)
    database = Database(settings.database_url())
    database.create()
    try:
        learner = Learner(
            database=database,
            outbox=Outbox(database),
            door=Door(city.policy),
            audit=Audit(database),
            city=city,
            folder=models_folder(settings),
            seconds=settings.risk_seconds,
        )
        return learner.train()
    finally:
        database.close()


class Apprentice:
    """Trains beside a running city at low priority: importing and fitting would hold up everybody in its process."""

    def __init__(self, settings: Settings, due: Callable[[float], bool], now: Callable[[], datetime]) -> None:
        self._settings, self._due, self._now = settings, due, now
        self._child: SpawnProcess | None = None

    def step(self) -> None:
        """Start a training when one is due; raise when the one before ended in an error."""
        if self._child is not None:
            if self._child.is_alive():
                return
            ended, self._child = self._child.exitcode, None
            if ended:
                raise RuntimeError(f"training ended with code {ended}: run 'cityloop train' to see why")
        if self._due(self._settings.train_hours):
            self._child = get_context("spawn").Process(
                target=_train_quietly, args=(self._settings, self._now()), name="training", daemon=True
            )
            self._child.start()

    def stop(self) -> None:
        """End a running training; the versions on disk stay whole."""
        if self._child is not None and self._child.is_alive():
            self._child.terminate()
            self._child.join(timeout=10)


def _train_quietly(settings: Settings, now: datetime) -> None:
    os.nice(10)
    for made in train(settings, ManualClock(now)):
        if isinstance(made, Untrained):
            log.info("%s was not trained: %s", made.name, made.reason)
