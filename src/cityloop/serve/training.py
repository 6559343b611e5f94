"""Training in a process of its own: from the command line or beside a running city, which takes up the new versions."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Collection
from datetime import datetime
from multiprocessing import get_context
from multiprocessing.context import SpawnProcess
from pathlib import Path

from cityloop.access.audit import Audit
from cityloop.access.door import Door
from cityloop.city.service import City
from cityloop.collect.directory import Directory
from cityloop.core.clock import Clock, ManualClock, SystemClock
from cityloop.core.database import Database
from cityloop.core.outbox import Outbox
from cityloop.core.settings import Settings
from cityloop.learn.artefact import Card
from cityloop.learn.forecast_content import load_forecasts
from cityloop.learn.schemas import Untrained
from cityloop.learn.service import Learner
from cityloop.serve.content import declaring, load_declared
from cityloop.serve.stores import open_lake
from cityloop.steward.versions import in_force

log = logging.getLogger(__name__)
CASES = "cases"
"""Names what is learned from closed cases, beside the ids of forecasts."""


def models_folder(settings: Settings) -> Path:
    """Where the versions of the city's models lie."""
    return settings.data / "models"


def train(
    settings: Settings, clock: Clock | None = None, wanted: Collection[str] | None = None
) -> list[Card | Untrained]:
    """Train the models of a city from its data folder, by the machine's time unless told otherwise.

    ``wanted``: :data:`CASES` for what is learned from closed cases, forecasts by their id; ``None``: all.
    """
    city = City.load(settings.city, clock or SystemClock())
    settings.data.mkdir(parents=True, exist_ok=True)
    database = Database(settings.database_url())
    database.create()
    try:
        of_cases = _learner(settings, city, database).train() if wanted is None or CASES in wanted else []
        return [*of_cases, *_train_forecasts(settings, city, database, wanted)]
    finally:
        database.close()


def _learner(settings: Settings, city: City, database: Database) -> Learner:
    return Learner(
        database=database,
        outbox=Outbox(database),
        door=Door(city.policy),
        audit=Audit(database),
        city=city,
        folder=models_folder(settings),
        seconds=settings.risk_seconds,
    )


def _train_forecasts(
    settings: Settings, city: City, database: Database, wanted: Collection[str] | None
) -> list[Card | Untrained]:
    content = in_force(declaring(city), city, database) or load_declared(city)
    every = load_forecasts(city.packs, content.standard)
    declared = [one for one in every if wanted is None or one.id in wanted]
    if not declared:
        return []
    from cityloop.learn.forecast_training import ForecastTrainer

    directory = Directory(database, city.areas)
    directory.load(city.folder / "entities", {feed.entity_type.id: None for feed in content.feeds})
    directory.restore()
    lake = open_lake(settings)
    try:
        trainer = ForecastTrainer(
            database=database,
            outbox=Outbox(database),
            audit=Audit(database),
            lake=lake,
            city=city,
            standard=content.standard,
            places=directory.of,
            folder=models_folder(settings),
            threads=settings.model_threads,
        )
        return trainer.train(declared)
    finally:
        lake.close()


class Apprentice:
    """Trains beside a running city at low priority: importing and fitting would hold up everybody in its process."""

    def __init__(
        self, settings: Settings, due: Callable[[float], Collection[str]], now: Callable[[], datetime]
    ) -> None:
        """``due`` names what is to be trained, as :func:`train` takes it, for so many hours between trainings."""
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
        if wanted := tuple(self._due(self._settings.train_hours)):
            arguments = (self._settings, self._now(), wanted)
            self._child = get_context("spawn").Process(
                target=_train_quietly, args=arguments, name="training", daemon=True
            )
            self._child.start()

    def stop(self) -> None:
        """End a running training; the versions on disk stay whole."""
        if self._child is not None and self._child.is_alive():
            self._child.terminate()
            self._child.join(timeout=10)


def _train_quietly(settings: Settings, now: datetime, wanted: Collection[str]) -> None:
    os.nice(10)
    for made in train(settings, ManualClock(now), wanted):
        if isinstance(made, Untrained):
            log.info("%s was not trained: %s", made.name, made.reason)
