"""What rules may ask of the models: what a property will be, and what it usually is at this time.

The models live in a room above; the server passes them in as an :class:`Outlook`. Who asks is told what served (a
model, or a naive rival where no model beats it), how wrong it was on data it had not seen, and when there is nothing to
ask: :class:`Absent` is an answer of its own, never a value. Rules that rest on it then say *no data*.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, Protocol

from cityloop.core.values import Title
from cityloop.watch.cells import Floats

Server = Literal["model", "persistence", "seasonal"]
"""Who gives a forecast: the trained model, the newest value, or the value one season earlier."""


@dataclass(frozen=True)
class Absent:
    """There is no forecast to be had of this property, for the reason told in both languages."""

    reason: Title


@dataclass(frozen=True)
class Ahead:
    """Forecasts of one property, in its unit.

    ``value``, ``low`` and ``high`` have the shape (entities, horizons) in the order asked and of ``horizons``; a row is
    NaN where an entity is unknown or its newest record is older than two grains. ``origin`` (entities,) is the instant
    of that newest record in seconds since 1970: a horizon counts from there, not from the moment of asking.
    """

    version: str
    """``forecast.AirQualityStation.pm2_5/3``: the trained version, kept as evidence."""
    horizons: tuple[timedelta, ...]
    """Ascending."""
    origin: Floats
    value: Floats
    low: Floats
    high: Floats
    wished: float
    """Share of truths that low and high shall hold between them, 0.9."""
    server: tuple[Server, ...]
    """Who serves each horizon."""
    error: tuple[float, ...]
    """Mean absolute error of who serves, for each horizon, on the hold-out."""
    naive_error: tuple[float, ...]
    """The same of the better of persistence and seasonal-naive, on the same rows."""
    reached: tuple[float, ...]
    """Share of truths of the hold-out that did lie between low and high."""


@dataclass(frozen=True)
class Expected:
    """What a property usually is: ``level`` and ``spread`` have the shape (entities,), in the property's unit.

    The level is the seasonal slot's (time of day; working day or not, where the past is long enough). The spread is a
    robust standard deviation (1.4826 × median absolute deviation) of the slot's residuals and above 0. NaN where the
    entity had no such past.
    """

    version: str
    level: Floats
    spread: Floats


class Outlook(Protocol):
    """The models as rules see them. All methods may be called from any thread; none raises for what is missing."""

    def declared(self, entity_type: str, property_id: str) -> bool:
        """Whether a pack declares forecasts of this property at all; a rule on any other is a fault of its author."""
        ...

    def forecast(self, entity_type: str, property_id: str, entities: Sequence[str], at: datetime) -> Ahead | Absent:
        """Forecasts from the records observed up to ``at``. Reads the lake, at most once for each new record set."""
        ...

    def expected(self, entity_type: str, property_id: str, entities: Sequence[str], at: Floats) -> Expected | Absent:
        """The usual level of each entity at an instant of its own: ``at`` (entities,) in seconds since 1970.

        An entity may be named many times, so that one call judges a batch. Touches no disk.
        """
        ...


class NoOutlook:
    """An outlook without models, for cities and tests that have none."""

    def declared(self, entity_type: str, property_id: str) -> bool:
        """Nothing is."""
        return False

    def forecast(self, entity_type: str, property_id: str, entities: Sequence[str], at: datetime) -> Absent:
        """Nothing is foretold."""
        return NO_MODELS

    def expected(self, entity_type: str, property_id: str, entities: Sequence[str], at: Floats) -> Absent:
        """Nothing is usual."""
        return NO_MODELS


NO_MODELS = Absent(Title(zh="没有预测模型", en="there are no forecast models"))
