"""Choosing, judging and fitting a forecaster in order of time.

The steps fall into three parts. Candidates are fitted on the first and chosen on the second; the chosen one is fitted
anew on both and forecasts the third once: from there come its errors, those of its rivals on the same rows, and the
coverage of its intervals. Where a rival is better at a horizon, the rival serves it.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace

import numpy as np

from cityloop.core.errors import Invalid
from cityloop.learn.ahead import intervals
from cityloop.learn.ahead.columns import Columns
from cityloop.learn.ahead.fitting import Effort, Fit, Loss, Target, fit, sample
from cityloop.learn.ahead.grid import Floats, Grid
from cityloop.learn.ahead.judging import Judged, judge
from cityloop.learn.ahead.near import Near
from cityloop.learn.ahead.needs import CHOOSE, JUDGE, LAGS, least_steps, steps_needed
from cityloop.learn.ahead.profile import Profile
from cityloop.watch.outlook import Server

_SHARES = (1.0, 0.8, 0.6, 0.4, 0.2, 0.0)


@dataclass(frozen=True)
class Aim:
    """What is to be forecast; horizons and season in steps of the grid."""

    horizons: tuple[int, ...]
    season: int
    effort: Effort = field(default_factory=Effort)
    candidates: tuple[tuple[Target, Loss], ...] = (("change", "l1"), ("deviation", "l1"))
    squared: bool = False
    """Whether candidates are chosen by root mean squared error instead of mean absolute error."""
    lowest: float = -np.inf
    """No forecast and no interval goes below."""
    wished: float = intervals.WISHED
    judged: int = 400_000
    """Forecasts of one part that are looked at; of a longer part only every n-th origin is."""

    @property
    def longest(self) -> int:
        """The longest horizon."""
        return max(self.horizons)


@dataclass(frozen=True)
class Parts:
    """The steps at which the second and the third part begin."""

    choose: int
    judge: int


@dataclass(frozen=True)
class Report:
    """What the choosing and the judging found; times are of the processor."""

    parts: Parts
    fit: Fit
    candidates: dict[str, float]
    """Error of each candidate on the second part, by its name."""
    judged: Judged
    servers: tuple[Server, ...]
    scale: intervals.Scale
    adaptive: intervals.Adaptive
    """As it stands at the end of the third part."""
    covered: intervals.Covered
    rows: int
    """Rows that the fit rests on."""
    choosing_seconds: float
    fitting_seconds: float


def parts(steps: int) -> Parts:
    """The usual parts."""
    return Parts(int(steps * (1 - JUDGE - CHOOSE)), int(steps * (1 - JUDGE)))


def build(grid: Grid, aim: Aim, near: Near | None, cut: Parts) -> Report:
    """Choose, fit and judge; raises :class:`Invalid` when a part is too short for the horizons."""
    _enough(grid, aim, cut)
    started = time.process_time()
    chosen, candidates, tried = choose(grid.before(cut.judge), aim, near, cut.choose)
    between = time.process_time()
    columns = Columns(grid, Profile(grid, aim.longest, cut.judge), near, aim.longest)
    final, rows = fitted(columns, aim, chosen, cut.judge)
    done = time.process_time()
    judged = _judge(columns, final, aim, range(cut.judge, grid.steps))
    servers = tuple(judged.server(place) for place in range(len(aim.horizons)))
    scale = intervals.usual_error(tried.of(servers), tried.truth)
    adaptive = _warmed(tried.of(servers), tried.truth, scale, aim)
    horizons = np.array(aim.horizons)
    covered = intervals.run(adaptive, scale, judged.of(servers), judged.truth, judged.origins, horizons)
    return Report(
        parts=cut,
        fit=final,
        candidates=candidates,
        judged=judged,
        servers=servers,
        scale=scale,
        adaptive=adaptive,
        covered=covered,
        rows=rows,
        choosing_seconds=between - started,
        fitting_seconds=done - between,
    )


def choose(known: Grid, aim: Aim, near: Near | None, cut: int) -> tuple[Fit, dict[str, float], Judged]:
    """Fit every candidate on steps before ``cut`` and judge it on the rest of what is known; the best with its figures.

    Candidates get half the rounds and rows: it is their order that matters.
    """
    columns = Columns(known, Profile(known, aim.longest, cut), near, aim.longest)
    effort = replace(aim.effort, rows=aim.effort.rows // 2, rounds=aim.effort.rounds // 2)
    rows = sample(known.values[:cut], aim.horizons, effort.rows, max(LAGS))
    figures: dict[str, float] = {}
    best: tuple[float, Fit, Judged] | None = None
    for target, loss in aim.candidates:
        tried = fit(columns, rows, target, loss, effort)
        for share, judged in _blends(columns, tried, aim, range(cut, known.steps)):
            error = _error(judged, aim.squared)
            figures[f"{target} {loss} {share:.1f}"] = round(error, 6)
            if best is None or error < best[0]:
                best = error, replace(tried, share=share), judged
    assert best is not None
    return best[1], figures, best[2]


def fitted(columns: Columns, aim: Aim, like: Fit, until: int) -> tuple[Fit, int]:
    """The chosen candidate, fitted on all targets before ``until``; with the number of its rows."""
    rows = sample(columns.grid.values[:until], aim.horizons, aim.effort.rows, max(LAGS))
    return replace(fit(columns, rows, like.target, like.loss, aim.effort), share=like.share), len(rows)


def _blends(columns: Columns, tried: Fit, aim: Aim, span: range) -> list[tuple[float, Judged]]:
    """One candidate under every share of trees and ridge; the two predict once."""
    trees = _judge(columns, replace(tried, share=1.0), aim, span)
    ridge = _judge(columns, replace(tried, share=0.0), aim, span).told["model"]
    return [
        (share, replace(trees, told={**trees.told, "model": share * trees.told["model"] + (1 - share) * ridge}))
        for share in _SHARES
    ]


def _judge(columns: Columns, model: Fit, aim: Aim, span: range) -> Judged:
    judged = judge(columns, model, aim.horizons, aim.season, span, aim.judged)
    told = {**judged.told, "model": np.maximum(judged.told["model"], aim.lowest)}
    return replace(judged, told=told)


def _error(judged: Judged, squared: bool) -> float:
    """The mean over the horizons."""
    found = [judged.errors("model", place) for place in range(judged.truth.shape[2])]
    return float(np.mean([one.rmse if squared else one.mae for one in found if one is not None]))


def _warmed(forecast: Floats, truth: Floats, scale: intervals.Scale, aim: Aim) -> intervals.Adaptive:
    adaptive = intervals.Adaptive(len(aim.horizons), aim.wished)
    for place in range(len(aim.horizons)):
        told, true = forecast[:, :, place], truth[:, :, place]
        adaptive.warm(place, (np.abs(true - told) / scale.of(place, told)).ravel())
    return adaptive


def _enough(grid: Grid, aim: Aim, cut: Parts) -> None:
    slots = grid.calendar.slots
    shortest = min(cut.judge - cut.choose, grid.steps - cut.judge)
    if cut.choose < least_steps(aim.longest, slots) or shortest <= aim.longest:
        days = -(-steps_needed(aim.longest, slots) // slots)
        raise Invalid(
            f"{grid.steps} steps are too few to learn horizons of up to {aim.longest} steps",
            f"about {days} days are needed",
        )
