"""What the lake holds of a property, on the even grid that models work on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from cityloop.lake.service import Lake
from cityloop.learn.ahead.grid import Calendar, Floats, Grid, Ints, calendar
from cityloop.learn.forecast_content import Forecast

_EPOCH = date(1970, 1, 1)
Works = Callable[[date], bool]
LATE = 3
"""Steps before the end that late records may still change."""


class Days:
    """The city's own time: offsets of its zone, and which days are worked though no Monday to Friday, or not."""

    def __init__(self, zone: ZoneInfo, works: Works) -> None:
        self._zone, self._works = zone, works
        self._offsets: dict[int, float] = {}

    def local(self, at: Floats) -> Floats:
        """Instants (seconds since 1970) as the clocks of the city show them, counted as if it were UTC."""
        hours, which = np.unique(np.floor_divide(at, 3600).astype(np.int64), return_inverse=True)
        offsets = np.array([self._offset(hour) for hour in hours.tolist()])
        return np.asarray(at + offsets[which.ravel()])

    def calendar(self, at: Floats, step: int) -> Calendar:
        """Where grid steps that begin at these instants stand."""
        local = self.local(at)
        days = np.unique(np.floor_divide(local, 86_400).astype(np.int64)).tolist()
        return calendar(local, step, {day: self._works(_EPOCH + timedelta(days=day)) for day in days})

    def _offset(self, hour: int) -> float:
        if hour not in self._offsets:
            told = datetime.fromtimestamp(hour * 3600, UTC).astimezone(self._zone).utcoffset()
            self._offsets[hour] = told.total_seconds() if told else 0.0
        return self._offsets[hour]


@dataclass(frozen=True)
class Seen:
    """Records of a span as a grid; ``first`` is the number of its first step since 1970."""

    entities: tuple[str, ...]
    first: int
    step: int
    grid: Grid

    @property
    def end(self) -> int:
        """The number of the step behind the last one."""
        return self.first + self.grid.steps

    def instants(self, steps: Ints) -> npt.NDArray[np.float64]:
        """When steps of the grid begin, in seconds since 1970."""
        return (self.first + steps).astype(np.float64) * self.step


def read(lake: Lake, wanted: Forecast, days: Days, first: int, end: int, entities: Sequence[str] = ()) -> Seen:
    """The steps from ``first`` to before ``end`` (numbers since 1970), of these entities or of all there are."""
    rows = _rows(lake, wanted, first, end)
    names = tuple(entities) or tuple(sorted(set(rows["entity"].to_pylist())))
    number = {name: place for place, name in enumerate(names)}
    column = np.array([number.get(name, -1) for name in rows["entity"].to_pylist()], np.int64)
    step = rows["step"].to_numpy().astype(np.int64) - first
    known = column >= 0
    panels = {}
    for name in (wanted.property, *wanted.beside):
        panel = np.full((end - first, len(names)), np.nan, np.float32)
        panel[step[known], column[known]] = rows[name].to_numpy().astype(np.float32)[known]
        panels[name] = panel
    return assembled(wanted, days, names, first, panels)


def assembled(wanted: Forecast, days: Days, names: tuple[str, ...], first: int, panels: dict[str, Floats]) -> Seen:
    """Panels (steps, entities) by property, with a calendar that goes on for the longest horizon."""
    panels = dict(panels)
    values = panels.pop(wanted.property)
    at = (first + np.arange(len(values) + max(wanted.steps))) * float(wanted.step)
    return Seen(names, first, wanted.step, Grid(values, days.calendar(at, wanted.step), panels))


def _rows(lake: Lake, wanted: Forecast, first: int, end: int) -> pa.Table:
    names = (wanted.property, *wanted.beside)
    means = ", ".join(f'avg("{name}") AS "{name}"' for name in names)
    sql = f"""
        SELECT entity, floor(epoch(observed_at) / $step)::BIGINT AS step, {means} FROM "{wanted.entity_type}"
        WHERE observed_at >= $first AND observed_at < $end AND date BETWEEN $first::DATE AND $end::DATE
          AND "{wanted.property}" IS NOT NULL
        GROUP BY ALL
    """  # noqa: S608 - names are the standard's own
    span = {
        name: datetime.fromtimestamp(number * wanted.step, UTC) for name, number in (("first", first), ("end", end))
    }
    return lake.query(sql, [wanted.entity_type], {"step": wanted.step, **span})


def joined(lake: Lake, wanted: Forecast, days: Days, held: Seen, end: int, window: int) -> Seen:
    """``held``, continued to before ``end`` and cut to its last ``window`` days; steps of late are read anew."""
    known = max(held.first, held.end - LATE)
    fresh = read(lake, wanted, days, known, end, held.entities)
    first = max(held.first, end - window * wanted.slots)
    panels = {}
    for name, panel in {wanted.property: held.grid.values, **held.grid.beside}.items():
        new = fresh.grid.values if name == wanted.property else fresh.grid.beside[name]
        panels[name] = np.concatenate((panel[: known - held.first], new))[first - held.first :]
    return assembled(wanted, days, held.entities, first, panels)
