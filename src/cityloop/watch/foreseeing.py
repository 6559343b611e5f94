"""What models say, as readings of a rule: deviations from what is usual, and forecasts. No I/O of its own, no clock.

Where a model has nothing to say there is no reading: such an entity has *no data*, which is neither quiet nor an error.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from cityloop.core.values import Title
from cityloop.watch.cells import Floats, Ints
from cityloop.watch.judging import instant
from cityloop.watch.outlook import Absent, Ahead, Expected, Outlook
from cityloop.watch.rules import Rule
from cityloop.watch.runs import Readings
from cityloop.watch.schemas import ModelEvidence
from cityloop.watch.state import State

_SECOND = 1_000_000
SHARE = 10
"""How often a bucket forecasts are asked for at most: new records come from many entities, one after the other."""
TOO_FAR = Title(zh="没有这一时长以内的预测", en="no forecast reaches less far than the rule's horizon")


@dataclass(frozen=True)
class Modelled:
    """Readings that a model made, the entities (by number) it knew nothing of, and why it knew nothing of any."""

    readings: Readings
    unknown: Ints
    absent: Title | None = None


def deviations(rule: Rule, state: State, readings: Readings, outlook: Outlook) -> Modelled:
    """How far records lie from what is usual for their entity at their instant, in usual spreads."""
    names = [state.names[number] for number in readings.entity]
    usual = outlook.expected(rule.entity_type, rule.property, names, readings.at / _SECOND)
    if isinstance(usual, Absent):
        return Modelled(_some(readings, np.zeros(len(names), np.bool_)), np.unique(readings.entity), usual.reason)
    known = np.isfinite(usual.level) & np.isfinite(usual.spread)
    away = Readings(readings.entity, readings.at, deviation(usual, readings.value))
    return Modelled(_some(away, known), np.setdiff1d(readings.entity, readings.entity[known]))


def deviation(usual: Expected, value: Floats) -> Floats:
    """A value's distance from the usual level in usual spreads; NaN where nothing is usual."""
    return np.asarray((value - usual.level) / usual.spread)


def usual_evidence(rule: Rule, entity: str, at: datetime, outlook: Outlook) -> ModelEvidence | None:
    """What is usual for an entity at an instant."""
    usual = outlook.expected(rule.entity_type, rule.property, [entity], np.array([at.timestamp()]))
    if isinstance(usual, Absent) or not np.isfinite(usual.level[0]):
        return None
    level, spread = float(usual.level[0]), float(usual.spread[0])
    return ModelEvidence(
        kind="usual", version=usual.version, at=at, origin=at, value=level, low=level - spread, high=level + spread
    )


@dataclass(frozen=True)
class _Told:
    """One answer: which horizon counts in each row."""

    ahead: Ahead
    chosen: Ints

    def evidence(self, row: int) -> ModelEvidence:
        ahead, h = self.ahead, int(self.chosen[row])
        origin = instant(round(float(ahead.origin[row]) * _SECOND))
        return ModelEvidence(
            kind="forecast",
            version=ahead.version,
            at=origin + ahead.horizons[h],
            origin=origin,
            value=float(ahead.value[row, h]),
            low=_known(ahead.low[row, h]),
            high=_known(ahead.high[row, h]),
            server=ahead.server[h],
            error=_known(ahead.error[h]),
            naive_error=_known(ahead.naive_error[h]),
            wished=ahead.wished,
            reached=_known(ahead.reached[h]),
        )


class Seer:
    """Asks for the forecasts of one rule: of entities that had records since it last asked, and not at each record."""

    def __init__(self, rule: Rule) -> None:
        self._rule = rule
        self._pause = timedelta(seconds=max(1.0, rule.bucket / SHARE))
        self._news: set[int] = set()
        self._looked: datetime | None = None
        self._told: dict[str, tuple[_Told, int]] = {}

    def hear(self, entity: Ints) -> None:
        """Note who had records."""
        self._news.update(np.unique(entity).tolist())

    def look(self, state: State, outlook: Outlook, now: datetime) -> Modelled | None:
        """The forecasts of whoever had records; ``None`` where there is nothing new, or the last look is fresh."""
        if not self._news or (self._looked is not None and timedelta(0) <= now - self._looked < self._pause):
            return None
        numbers = np.array(sorted(self._news), np.int64)
        self._news.clear()
        self._looked = now
        names = [state.names[number] for number in numbers]
        ahead = outlook.forecast(self._rule.entity_type, self._rule.property, names, now)
        if isinstance(ahead, Absent):
            return _nothing(numbers, ahead.reason)
        within = [n for n, horizon in enumerate(ahead.horizons) if horizon.total_seconds() <= self._rule.horizon]
        if not within:
            return _nothing(numbers, TOO_FAR)
        return self._read(ahead, len(within), numbers, names)

    def evidence(self, entity: str) -> ModelEvidence | None:
        """What was foretold of an entity last."""
        told = self._told.get(entity)
        return told[0].evidence(told[1]) if told else None

    def _read(self, ahead: Ahead, within: int, numbers: Ints, names: Sequence[str]) -> Modelled:
        """Of each entity the horizon at which it comes closest to the thresholds, or goes furthest beyond them."""
        wished: Floats = getattr(ahead, self._rule.bound)[:, :within]
        signed = np.where(np.isfinite(wished), self._rule.sign * wished, -np.inf)
        chosen = signed.argmax(axis=1)
        value = np.take_along_axis(wished, chosen[:, None], axis=1)[:, 0]
        known = np.isfinite(value) & np.isfinite(ahead.origin)
        told = _Told(ahead, chosen)
        self._told.update({names[row]: (told, row) for row in np.flatnonzero(known).tolist()})
        at = np.round(np.where(known, ahead.origin, 0.0) * _SECOND).astype(np.int64)
        return Modelled(_some(Readings(numbers, at, value), known), numbers[~known])


def _known(value: float) -> float | None:
    """A figure that was measured; NaN says that it was not."""
    return None if np.isnan(value) else float(value)


def _some(readings: Readings, wanted: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> Readings:
    return Readings(readings.entity[wanted], readings.at[wanted], readings.value[wanted])


def _nothing(numbers: Ints, reason: Title) -> Modelled:
    none = np.empty(0, np.int64)
    return Modelled(Readings(none, none, np.empty(0)), numbers, reason)
