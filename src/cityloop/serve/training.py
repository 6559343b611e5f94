"""Training from the command line, beside a running city (which takes up the new versions by itself) or without one."""

from __future__ import annotations

from cityloop.access.audit import Audit
from cityloop.access.door import Door
from cityloop.city.service import City
from cityloop.core.clock import SystemClock
from cityloop.core.database import Database
from cityloop.core.outbox import Outbox
from cityloop.core.settings import Settings
from cityloop.learn.artefact import Card
from cityloop.learn.schemas import Untrained
from cityloop.learn.service import Learner
from cityloop.serve.house import models_folder


def train(settings: Settings) -> list[Card | Untrained]:
    """Train every model of a city from its data folder, by the machine's time."""
    city = City.load(settings.city, SystemClock())
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
