"""Forecasts for people: every answer passes the door, and shows its error."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from cityloop.access.actor import Actor
from cityloop.access.audit import Audit
from cityloop.access.door import Door
from cityloop.collect.schemas import EntityView
from cityloop.core.clock import Clock
from cityloop.core.database import Database
from cityloop.core.errors import Invalid, NotFound
from cityloop.core.values import Page
from cityloop.core.web import Paging
from cityloop.learn.drift import drift_of
from cityloop.learn.forecast_content import Forecast
from cityloop.learn.forecast_schemas import EntityForecast, EntityOutlook, ForecastModel
from cityloop.learn.forecast_views import (
    NO_DRIFT,
    SILENT,
    UNKNOWN,
    Usual,
    model_view,
    outlook,
    past,
    points_of,
    recent_errors,
)
from cityloop.learn.forecasts import PREFIX, Forecasts
from cityloop.standard.service import Standard
from cityloop.watch.cells import Floats

if TYPE_CHECKING:
    from cityloop.learn.following import Followed

PERMISSION = "model.train"
_EVERY = 1_000_000
_SORTS: dict[str, Callable[[EntityOutlook], Any]] = {
    "title": lambda one: one.title.zh,
    "value": lambda one: one.value,
    "highest": lambda one: one.highest,
}


class Entities(Protocol):
    """Who knows the entities and shows each actor those in sight, with the values he may see."""

    def entities(
        self, actor: Actor, paged: Paging, *, entity_type: str | None, area: str | None, text: str | None
    ) -> Page[EntityView]:
        """A page of entities."""
        ...

    def entity(self, actor: Actor, entity: str) -> EntityView:
        """One; raises :class:`NotFound` outside the actor's sight."""
        ...


class ForecastDesk:
    """Lists models and forecasts, and lets those who may have them learn anew."""

    def __init__(
        self,
        *,
        database: Database,
        door: Door,
        audit: Audit,
        clock: Clock,
        forecasts: Forecasts,
        entities: Entities,
        standard: Callable[[], Standard],
        hours: float,
    ) -> None:
        self._database, self._door, self._audit, self._clock = database, door, audit, clock
        self._forecasts, self._entities, self._standard, self._hours = forecasts, entities, standard, hours

    def models(self, actor: Actor) -> list[ForecastModel]:
        """Every declared forecast with its model or the reason why it has none."""
        self._door.scope(actor, "observation")
        return [self._view(one) for one in self._forecasts.declarations.values()]

    def model(self, actor: Actor, name: str) -> ForecastModel:
        """One of them; raises :class:`NotFound`."""
        self._door.scope(actor, "observation")
        return self._view(self._forecasts.known(name))

    def retrain(self, actor: Actor, name: str) -> ForecastModel:
        """Let a model learn anew as soon as the trainer is free."""
        self._door.permit(actor, PERMISSION)
        wanted = self._forecasts.known(name)
        with self._database.transaction() as tx:
            self._audit.record(tx, self._clock.now(), actor.id, "model.retrain", PREFIX + name, {})
        self._forecasts.ask(name)
        return self._view(wanted)

    def page(
        self, actor: Actor, paged: Paging, name: str, area: str | None = None, text: str | None = None
    ) -> Page[EntityOutlook]:
        """Entities of the type that the actor sees, with their forecasts; sorted by title, value or highest."""
        wanted = self._forecasts.known(name)
        key = _SORTS.get(paged.sort.removeprefix("-") or "title")
        if key is None:
            raise Invalid(f"forecasts cannot be sorted by '{paged.sort}'", f"known: {', '.join(_SORTS)}")
        every = Paging(page=1, size=_EVERY, sort="")
        found = self._entities.entities(actor, every, entity_type=wanted.entity_type, area=area, text=text)
        every_one = self._outlooks(wanted, found.items)
        told = sorted((one for one in every_one if key(one) is not None), key=key, reverse=paged.sort.startswith("-"))
        ordered = [*told, *(one for one in every_one if key(one) is None)]
        items = ordered[paged.offset : paged.offset + paged.size]
        return Page(items=items, total=len(ordered), page=paged.page, size=paged.size)

    def entity(self, actor: Actor, name: str, entity: str, hours: float) -> EntityForecast:
        """One entity with its forecasts and the last ``hours``; raises :class:`NotFound` outside the actor's sight."""
        wanted = self._forecasts.known(name)
        view = self._entities.entity(actor, entity)
        if view.entity_type != wanted.entity_type:
            raise NotFound(f"'{entity}' is no {wanted.entity_type}", f"see GET /api/v1/forecasts/{name}/entities")
        found = self._outlooks(wanted, [view])[0]
        held = self._forecasts.held(name)
        points = []
        if held is not None and _value(view, wanted) is not None:
            place = int(held[1].places([entity])[0])
            teller = held[1].at(self._clock.now())[1]
            steps = int(timedelta(hours=hours).total_seconds() // wanted.step)
            points = past(teller, place, steps, self._usual(held[1], place))
        own, plain = recent_errors(points, wanted.steps[0])
        return EntityForecast(
            model=self._view(wanted), outlook=found, past=points, recent_mae=own, recent_naive_mae=plain
        )

    def _outlooks(self, wanted: Forecast, views: Sequence[EntityView]) -> list[EntityOutlook]:
        held = self._forecasts.held(wanted.id)
        if held is None:
            reason = self._forecasts.why_absent(wanted.id)
            return [outlook(view, _value(view, wanted), [], reason) for view in views]
        followed = held[1]
        told, trained = followed.at(self._clock.now())[0], followed.trained
        found = []
        for view, place in zip(views, followed.places([view.id for view in views]).tolist(), strict=True):
            value, points = _value(view, wanted), []
            if told is not None and place >= 0 and value is not None:
                points = points_of(wanted, place, told, trained, self._usual(followed, place))
            found.append(outlook(view, value, points, UNKNOWN if place < 0 else SILENT))
        return found

    def _usual(self, followed: Followed, place: int) -> Usual:
        def usual(at: Floats) -> Floats:
            return self._forecasts.usual(followed, np.full(len(at), place, np.int64), at)[0]

        return usual

    def _view(self, wanted: Forecast) -> ForecastModel:
        kind = self._standard().entity_type(wanted.entity_type)
        held = self._forecasts.held(wanted.id)
        if held is None:
            return model_view(wanted, kind, None, self._forecasts.why_absent(wanted.id), NO_DRIFT)
        card, followed = held
        teller = followed.at(self._clock.now())[1]
        view = model_view(wanted, kind, (card, followed.trained), None, drift_of(teller, wanted))
        return view.model_copy(update={"next_training_at": self._forecasts.next_training(wanted.id, self._hours)})


def _value(view: EntityView, wanted: Forecast) -> float | None:
    """The newest value as the actor may see it; covered ones are no numbers."""
    value = view.values.get(wanted.property)
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None
