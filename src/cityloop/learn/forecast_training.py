"""Trains the declared forecasts from the lake and keeps each as a version; in a process of its own."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import numpy as np

from cityloop.access.actor import SYSTEM
from cityloop.access.audit import Audit
from cityloop.city.service import City
from cityloop.core.database import Database
from cityloop.core.errors import Invalid
from cityloop.core.outbox import Outbox
from cityloop.core.values import Title
from cityloop.lake.service import Lake
from cityloop.learn import artefact
from cityloop.learn.ahead.columns import Columns
from cityloop.learn.ahead.fitting import SEED, Effort
from cityloop.learn.ahead.forecaster import Report, parts
from cityloop.learn.ahead.near import Near, of_likeness, of_places
from cityloop.learn.ahead.profile import Profile
from cityloop.learn.artefact import Card
from cityloop.learn.forecast_content import Forecast, days_needed, seconds
from cityloop.learn.forecast_model import Trained, aim_of, train
from cityloop.learn.forecasts import PREFIX, days_of
from cityloop.learn.observed import Seen, read
from cityloop.learn.schemas import Untrained
from cityloop.standard.batch import EntityCard
from cityloop.standard.service import Standard

Places = Callable[[str], Mapping[str, EntityCard]]
"""Entities of a type, by id."""
ROWS, ROUNDS = 200_000, 150
TRAINED = "cityloop.model.trained"


class ForecastTrainer:
    """One training after another, each judged on the newest part of its own past."""

    def __init__(
        self,
        *,
        database: Database,
        outbox: Outbox,
        audit: Audit,
        lake: Lake,
        city: City,
        standard: Standard,
        places: Places,
        folder: Path,
        threads: int,
    ) -> None:
        self._database, self._outbox, self._audit = database, outbox, audit
        self._lake, self._city, self._standard, self._places = lake, city, standard, places
        self._folder, self._threads = folder, threads
        self._days = days_of(city)

    def train(self, declared: Collection[Forecast]) -> list[Card | Untrained]:
        """Train each; one without enough past says so."""
        made: list[Card | Untrained] = []
        for wanted in declared:
            try:
                made.append(self._train(wanted))
            except Invalid as refused:
                made.append(Untrained(name=PREFIX + wanted.id, reason=f"{refused}: {refused.mend}"))
        return made

    def _train(self, wanted: Forecast) -> Card:
        seen = self._past(wanted)
        if not seen.entities:
            raise Invalid("there are no records to learn from", f"about {days_needed(wanted)} days are needed")
        found = self._standard.entity_type(wanted.entity_type).find(wanted.property)
        lowest = found.min if found is not None and found.min is not None else -math.inf
        aim = aim_of(wanted, lowest, Effort(rows=ROWS, rounds=ROUNDS, threads=self._threads))
        trained, report = train(seen, wanted, aim, self._near(seen, wanted))
        return self._keep(self._card(wanted, seen, trained, report), trained)

    def _past(self, wanted: Forecast) -> Seen:
        """The declared past, from the first record on."""
        end = int(self._city.clock.now().timestamp() // wanted.step)
        first = end - seconds(wanted.past) // wanted.step
        stats = self._lake.stats(wanted.entity_type) if wanted.entity_type in self._lake.tables() else None
        if stats is not None and stats.first_day is not None:
            began = datetime.combine(stats.first_day, datetime.min.time(), UTC).timestamp()
            first = max(first, int(began // wanted.step))
        return read(self._lake, wanted, self._days, first, max(end, first + 1))

    def _near(self, seen: Seen, wanted: Forecast) -> Near | None:
        told = wanted.neighbours
        if told is None or len(seen.entities) < 2:
            return None
        if told.by == "alike":
            return of_likeness(seen.grid.values[: parts(seen.grid.steps).choose], told.most)
        cards = self._places(wanted.entity_type)
        placed = [cards.get(entity) for entity in seen.entities]
        lon = np.array([card.lon if card and card.lon is not None else np.nan for card in placed])
        lat = np.array([card.lat if card and card.lat is not None else np.nan for card in placed])
        return of_places(lon, lat, told.most, told.kilometres)

    def _card(self, wanted: Forecast, seen: Seen, trained: Trained, report: Report) -> Card:
        name, longest = PREFIX + wanted.id, max(trained.horizons)
        grid = seen.grid.before(2)
        names = Columns(grid, Profile(grid, longest), trained.near, longest).names()
        kind = self._standard.entity_type(wanted.entity_type)
        found = kind.find(wanted.property)
        about = found.title if found is not None else kind.title
        span = seen.instants(np.array([0, seen.grid.steps - 1])).tolist()
        metrics = {f"mae_{score.horizon_seconds}s": score.served_mae for score in trained.scores}
        metrics |= {f"coverage_{score.horizon_seconds}s": score.coverage for score in trained.scores}
        return Card(
            name=name,
            version=max(artefact.versions(self._folder, name), default=0) + 1,
            title=Title(zh=f"{kind.title.zh}{about.zh}预测", en=f"Forecast of {about.en}, {kind.title.en}"),
            trained_at=self._city.clock.now(),
            trained_by=SYSTEM.id,
            rows=report.rows,
            first=datetime.fromtimestamp(span[0], UTC),
            last=datetime.fromtimestamp(span[1], UTC),
            features=tuple(names),
            metrics={**metrics, "training_seconds": round(report.choosing_seconds + report.fitting_seconds, 2)},
            seed=SEED,
            libraries={package: version(package) for package in ("lightgbm", "numpy")},
        )

    def _keep(self, card: Card, trained: Trained) -> Card:
        kept = artefact.save(self._folder, card, trained.parts())
        with self._database.transaction() as tx:
            subject, now = f"{kept.name}/{kept.version}", self._city.clock.now()
            self._audit.record(tx, now, kept.trained_by, "model.train", subject, {"rows": kept.rows})
            self._outbox.record(tx, TRAINED, subject, now, {"model": kept.model_dump(mode="json")})
        return kept
