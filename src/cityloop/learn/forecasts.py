"""The forecasts of a city: which versions are in force, what they say to rules, and when they are to learn anew."""

from __future__ import annotations

import threading
import time
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from cityloop.city.service import City
from cityloop.core.errors import ContentError, NotFound
from cityloop.core.values import Title
from cityloop.lake.service import Lake
from cityloop.learn import artefact
from cityloop.learn.ahead.grid import Ints
from cityloop.learn.artefact import Card
from cityloop.learn.drift import drift_of
from cityloop.learn.forecast_content import Forecast, days_needed
from cityloop.learn.observed import Days
from cityloop.watch.cells import Floats
from cityloop.watch.outlook import Absent, Ahead, Expected

if TYPE_CHECKING:
    from cityloop.learn.following import Followed

PREFIX = "forecast."
_LOOK = 5.0
"""Real seconds between looks for a newer version on disk."""
_HURRY = 4
"""A model whose error has drifted learns anew after this part of the usual time."""


class Forecasts:
    """An :class:`Outlook`. LightGBM takes seconds to import: it comes with the first model, not before."""

    def __init__(self, *, lake: Lake, city: City, declared: Collection[Forecast], folder: Path, threads: int) -> None:
        self.declarations = {one.id: one for one in declared}
        self._lake, self._city, self._folder, self._threads = lake, city, folder, threads
        self._days = days_of(city)
        self._held: dict[str, tuple[Card, Followed]] = {}
        self._looked: dict[str, float] = {}
        self._asked: set[str] = set()
        self._lock = threading.RLock()
        self.troubles: dict[str, str] = {}
        """Why a model on disk is not in force, by model."""

    def declared(self, entity_type: str, property_id: str) -> bool:
        """See :class:`Outlook`."""
        return f"{entity_type}.{property_id}" in self.declarations

    def forecast(self, entity_type: str, property_id: str, entities: Sequence[str], at: datetime) -> Ahead | Absent:
        """See :class:`Outlook`."""
        name = f"{entity_type}.{property_id}"
        held = self.held(name)
        if held is None:
            return Absent(self.why_absent(name))
        card, followed = held
        told, trained = followed.at(at)[0], followed.trained
        rows, step = followed.places(entities), followed.wanted.step
        shape = (len(rows), len(trained.horizons))
        found = {part: np.full(shape, np.nan) for part in ("value", "low", "high")}
        origin = np.full(len(rows), np.nan)
        if told is not None:
            known = (rows >= 0) & ~np.isnan(told.value[rows]).all(1)
            origin[known] = told.origin * step
            for part, panel in found.items():
                panel[known] = getattr(told, part)[rows[known]]
        return Ahead(
            version=f"{card.name}/{card.version}",
            horizons=tuple(timedelta(seconds=horizon * step) for horizon in trained.horizons),
            origin=origin,
            **found,
            wished=trained.wished,
            server=trained.servers,
            error=tuple(_number(score.served_mae) for score in trained.scores),
            naive_error=tuple(_number(score.naive_mae) for score in trained.scores),
            reached=tuple(_number(score.coverage) for score in trained.scores),
        )

    def expected(self, entity_type: str, property_id: str, entities: Sequence[str], at: Floats) -> Expected | Absent:
        """See :class:`Outlook`."""
        name = f"{entity_type}.{property_id}"
        held = self.held(name)
        if held is None:
            return Absent(self.why_absent(name))
        card, followed = held
        level, spread = self.usual(followed, followed.places(entities), at)
        return Expected(f"{card.name}/{card.version}", level, spread)

    def usual(self, followed: Followed, rows: Ints, at: Floats) -> tuple[Floats, Floats]:
        """Usual level and spread of entities by their place (−1: unknown), each at an instant of its own."""
        stands = self._days.calendar(np.asarray(at, np.float64), followed.wanted.step)
        level, spread = followed.trained.usual.of(rows, stands.slot, stands.kind)
        return np.where(rows >= 0, level, np.nan), np.where(rows >= 0, spread, np.nan)

    def known(self, name: str) -> Forecast:
        """A declared forecast; raises :class:`NotFound`."""
        found = self.declarations.get(name)
        if found is None:
            raise NotFound(f"no forecast '{name}'", f"declared: {', '.join(self.declarations) or 'none'}")
        return found

    def held(self, name: str) -> tuple[Card, Followed] | None:
        """The newest sound version with its walk over the lake; ``None`` while there is none."""
        with self._lock:
            if name in self.declarations and time.monotonic() - self._looked.get(name, -_LOOK) >= _LOOK:
                self._looked[name] = time.monotonic()
                self._take_up(name)
            return self._held.get(name)

    def why_absent(self, name: str) -> Title:
        """Why a property has no model: not declared, too short a past, or not trained yet."""
        wanted = self.declarations.get(name)
        if wanted is None:
            return Title(zh=f"没有为 {name} 声明预测", en=f"no forecast of {name} is declared")
        days, needed = self._past(wanted), days_needed(wanted)
        if days < needed:
            return Title(
                zh=f"尚无模型：已有 {days} 天记录，约需 {needed} 天",
                en=f"no model yet: there are {days} days of records, about {needed} are needed",
            )
        return Title(zh="尚无模型：记录已够，等待训练", en="no model yet: records are enough, training is due")

    def ask(self, name: str) -> None:
        """Let a forecast learn anew as soon as the trainer is free; raises :class:`NotFound`."""
        with self._lock:
            self._asked.add(self.known(name).id)

    def due(self, hours: float) -> tuple[str, ...]:
        """The forecasts that should learn now.

        Those asked for; those without a model though there is past enough; those ``hours`` old by the city's clock, or
        a fourth of it when their error has drifted. 0 hours: only those asked for.
        """
        with self._lock:
            asked, self._asked = self._asked, set()
        return tuple(name for name in self.declarations if name in asked or (hours > 0 and self._due(name, hours)))

    def next_training(self, name: str, hours: float) -> datetime | None:
        """When a model learns anew by the schedule; ``None`` without a model or a schedule."""
        held = self.held(name)
        return held[0].trained_at + timedelta(hours=hours) if held and hours > 0 else None

    def _due(self, name: str, hours: float) -> bool:
        held = self.held(name)
        if held is None:
            wanted = self.declarations[name]
            return self._past(wanted) >= days_needed(wanted)
        card, followed = held
        now = self._city.clock.now()
        age = now - card.trained_at
        if age >= timedelta(hours=hours):
            return True
        hurried = age >= timedelta(hours=hours / _HURRY)
        return hurried and drift_of(followed.at(now)[1], followed.wanted).state == "drifted"

    def _past(self, wanted: Forecast) -> int:
        stats = self._lake.stats(wanted.entity_type) if wanted.entity_type in self._lake.tables() else None
        if stats is None or stats.first_day is None or stats.last_day is None:
            return 0
        return (stats.last_day - stats.first_day).days

    def _take_up(self, name: str) -> None:
        folder = PREFIX + name
        found, held = artefact.versions(self._folder, folder), self._held.get(name)
        if not found or (held is not None and held[0].version == found[-1]):
            return
        from cityloop.learn.following import Followed
        from cityloop.learn.forecast_model import Trained

        try:
            card, parts = artefact.load(self._folder, folder, found[-1])
            trained = Trained.of(parts, self._threads)
            if trained.horizons != self.declarations[name].steps:
                self.troubles[folder] = "the declared horizons are not those of the model: it learns anew"
                self._asked.add(name)
                return
        except (ContentError, KeyError, ValueError) as error:
            self.troubles[folder] = str(error)
            return
        self.troubles.pop(folder, None)
        self._held[name] = card, Followed(self._lake, self.declarations[name], self._days, trained)


def days_of(city: City) -> Days:
    """The city's time and its working days."""
    return Days(city.zone, city.calendars.of(None).works)


def _number(value: float | None) -> float:
    return float("nan") if value is None else value
