"""How far the truth may lie from a forecast: conformal prediction that adapts while truths come in.

A radius is a quantile of past scores, a score being an error divided by the error usual for the entity, the horizon and
the size of the forecast. The level of the quantile moves with every miss and every hit (adaptive conformal inference,
Gibbs and Candès 2021), so that the share of truths inside is kept up when the errors grow or shrink.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cityloop.learn.ahead.grid import Floats, Ints

WISHED = 0.9
RATE = 0.03
"""How far one step in which everything is missed moves the level."""
WINDOW = 2_000
"""Scores kept of each horizon."""
_A_STEP = 64
"""Scores that one step brings at most; more say little that is new."""
_BINS = 5
_DRAWN = 20.0
"""Errors of all entities that stand beside an entity's own."""
_BEYOND = 1.5
"""Radius above the greatest score seen, where the level asks for more than was ever seen."""


@dataclass(frozen=True)
class Scale:
    """The usual error by horizon, entity, and size of the forecast."""

    entity: Floats
    """(horizons, entities), in the property's unit."""
    edges: Floats
    """(horizons, bins − 1): borders of the sizes."""
    factor: Floats
    """(horizons, bins): by how much errors of a size exceed the usual one."""

    def of(self, horizon: int, forecast: Floats) -> Floats:
        """The usual error of forecasts (…, entities) of one horizon, by its place; above 0."""
        size = np.searchsorted(self.edges[horizon], np.nan_to_num(forecast))
        return np.asarray(self.entity[horizon] * self.factor[horizon][size])


def usual_error(forecast: Floats, truth: Floats) -> Scale:
    """Measured on forecasts (origins, entities, horizons) for times that the model had not seen."""
    error = np.abs(truth - forecast)
    known = ~np.isnan(error)
    count, total = known.sum(0), np.where(known, error, 0).sum(0)
    pooled = total.sum(0) / np.maximum(count.sum(0), 1)
    pooled = np.maximum(pooled, np.maximum(pooled.max(initial=0), 1e-6) * 1e-3)
    entity = ((total + _DRAWN * pooled) / (count + _DRAWN)).T
    edges, factor = [], []
    for place in range(forecast.shape[2]):
        mine = known[:, :, place]
        sizes, errors = forecast[:, :, place][mine], (error[:, :, place] / entity[place])[mine]
        cuts = np.quantile(sizes, np.linspace(0, 1, _BINS + 1)[1:-1]) if len(sizes) else np.zeros(_BINS - 1)
        slot = np.searchsorted(cuts, sizes)
        held, summed = np.bincount(slot, minlength=_BINS), np.bincount(slot, errors, _BINS)
        edges.append(cuts)
        factor.append((summed + _DRAWN) / (held + _DRAWN))
    return Scale(entity, np.array(edges), np.array(factor))


class Adaptive:
    """Radii for each horizon, from the scores of late; ``level`` is the share of scores a radius leaves outside."""

    def __init__(self, horizons: int, wished: float = WISHED, rate: float = RATE) -> None:
        self.wished, self.rate = wished, rate
        self.level = np.full(horizons, 1 - wished)
        self.scores = np.full((horizons, WINDOW), np.nan, np.float32)
        self._next = np.zeros(horizons, np.int64)

    def warm(self, horizon: int, scores: Floats) -> None:
        """Take scores that were measured before, without moving the level."""
        known = scores[~np.isnan(scores)]
        self._keep(horizon, known[:: max(1, len(known) // WINDOW)])

    def radius(self, horizon: int) -> float:
        """How many usual errors wide either side is; endless while nothing was ever scored."""
        known = self.scores[horizon][~np.isnan(self.scores[horizon])]
        if not len(known):
            return float("inf")
        share = (1 - self.level[horizon]) * (len(known) + 1) / len(known)
        greatest = float(known.max())
        return greatest * _BEYOND if share > 1 else float(np.quantile(known, max(share, 0.0)))

    def learn(self, horizon: int, scores: Floats, radius: float) -> None:
        """The truths of one step have come in: ``scores`` (entities,) of forecasts that were given with ``radius``."""
        known = scores[~np.isnan(scores)]
        if not len(known):
            return
        missed = float((known > radius).mean())
        self.level[horizon] += self.rate * (1 - self.wished - missed)
        self.level[horizon] = min(max(self.level[horizon], -self.rate), 1.0)
        self._keep(horizon, known[:: max(1, len(known) // _A_STEP)])

    def _keep(self, horizon: int, scores: Floats) -> None:
        scores = scores[-WINDOW:]
        places = (self._next[horizon] + np.arange(len(scores))) % WINDOW
        self.scores[horizon, places] = scores
        self._next[horizon] += len(scores)


@dataclass(frozen=True)
class Covered:
    """Intervals of a run of origins, each given only from truths known at its origin."""

    radius: Floats
    """(origins, horizons), in usual errors."""
    inside: Floats
    """(origins, entities, horizons): 1 where the truth lay inside, 0 outside, NaN where there is none."""
    width: Floats
    """(horizons,): mean width of the intervals, in the property's unit."""

    def share(self) -> Floats:
        """Share of truths inside, for each horizon; NaN where there was none."""
        known = ~np.isnan(self.inside)
        count = known.sum((0, 1))
        return np.asarray(np.where(known, self.inside, 0).sum((0, 1)) / np.where(count > 0, count, np.nan))


def run(adaptive: Adaptive, scale: Scale, forecast: Floats, truth: Floats, origins: Ints, horizons: Ints) -> Covered:
    """Live through origins (ascending) in order; a truth is learned only once its step is at or before the origin.

    ``forecast`` and ``truth`` have the shape (origins, entities, horizons); ``adaptive`` is changed.
    """
    radius = np.zeros((len(origins), len(horizons)))
    usual = np.stack([scale.of(place, forecast[:, :, place]) for place in range(len(horizons))], axis=2)
    score = np.abs(truth - forecast) / usual
    for place, horizon in enumerate(horizons.tolist()):
        done = 0
        for number, origin in enumerate(origins.tolist()):
            while done < number and origins[done] + horizon <= origin:
                adaptive.learn(place, score[done, :, place], radius[done, place])
                done += 1
            radius[number, place] = adaptive.radius(place)
        for late in range(done, len(origins)):
            adaptive.learn(place, score[late, :, place], radius[late, place])
    inside = np.where(np.isnan(score), np.nan, score <= radius[:, None, :])
    width = np.nanmean(2 * radius[:, None, :] * usual, axis=(0, 1))
    return Covered(radius, inside, width)
