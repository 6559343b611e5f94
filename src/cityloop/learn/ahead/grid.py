"""Observations on an even grid of time, and where each step stands in the city's day."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from cityloop.core.errors import Invalid

Floats = npt.NDArray[np.floating]
Ints = npt.NDArray[np.int64]
DAY = 86_400


@dataclass(frozen=True)
class Calendar:
    """Where each step stands: ``day`` (days since 1970), ``slot`` of that day, ``kind`` (0 working day, 1 other).

    All have the shape (steps,) in the city's own time and go on beyond the last record by the longest horizon.
    """

    day: Ints
    slot: Ints
    kind: Ints
    slots: int
    """Slots of a day."""

    def __len__(self) -> int:
        return len(self.day)


@dataclass(frozen=True)
class Grid:
    """``values`` (steps, entities) of one property, NaN where there is no record; ``beside``: others of that shape."""

    values: Floats
    calendar: Calendar
    beside: Mapping[str, Floats] = field(default_factory=dict)

    @property
    def steps(self) -> int:
        """Steps with records; the calendar may be longer."""
        return len(self.values)

    @property
    def entities(self) -> int:
        """Entities, in the order of the columns."""
        return int(self.values.shape[1])

    def before(self, step: int) -> Grid:
        """The grid as it was known before ``step``: all later values are gone."""
        beside = {name: panel[:step] for name, panel in self.beside.items()}
        return replace(self, values=self.values[:step], beside=beside)


def calendar(local: npt.ArrayLike, grain: float, working: Mapping[int, bool] | None = None) -> Calendar:
    """The calendar of steps that start at ``local`` seconds of the city's time, counted as if it were UTC.

    ``working`` names days (since 1970) that differ from Monday to Friday. Raises :class:`Invalid` unless whole grains
    fill a day.
    """
    if grain <= 0 or DAY % grain:
        raise Invalid(f"a grain of {grain:g} s does not fill a day evenly", "choose 5min, 10min, 15min, 30min, 1h …")
    seconds = np.asarray(local, np.float64)
    day = np.floor_divide(seconds, DAY).astype(np.int64)
    slot = np.floor_divide(seconds - day * DAY, grain).astype(np.int64)
    weekend = (day + 3) % 7 >= 5
    kind = weekend.astype(np.int64)
    for told, works in (working or {}).items():
        kind[day == told] = 0 if works else 1
    return Calendar(day, slot, kind, int(DAY // grain))


def at(panel: Floats, step: Ints, entity: Ints) -> Floats:
    """Values at pairs of step and entity; NaN for steps outside of the panel."""
    inside = (step >= 0) & (step < len(panel))
    return np.where(inside, panel[np.where(inside, step, 0), entity], np.nan).astype(np.float32)
