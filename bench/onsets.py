"""The onset of congestion on Los-loop: from a free road to less than half of free flow within 30 minutes."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.metrics import average_precision_score, precision_recall_curve

from bench.forecasts import los_loop
from cityloop.learn.ahead.columns import Columns
from cityloop.learn.ahead.fitting import Effort
from cityloop.learn.ahead.grid import Floats
from cityloop.learn.ahead.onset import Onset, States, fit_onset, states
from cityloop.learn.ahead.profile import Profile

WITHIN = 6
_FREE, _HALF = 0.85, 0.5
"""Free flow is this quantile of a detector's speeds in the training part."""
_RECALL = 0.6
_MINUTES = 5
_EFFORTS = (
    Effort(rows=200_000, rounds=200, leaves=15, rate=0.04),
    Effort(rows=200_000, rounds=400, leaves=15, rate=0.02),
    Effort(rows=200_000, rounds=200, leaves=31, rate=0.03),
)


def run(folder: Path, threads: int) -> dict[str, Any]:
    """Choose on the part before the hold-out, then read the hold-out once."""
    one = los_loop(folder, threads)
    cut, steps = one.cut, one.grid.steps
    limit = _HALF * np.nanquantile(one.grid.values[: cut.judge], _FREE, axis=0)
    found = states(one.grid.values, limit, WITHIN)
    tried = Columns(one.grid, Profile(one.grid, WITHIN, cut.choose), one.near, WITHIN)
    fits = [fit_onset(tried, limit, WITHIN, cut.choose, effort) for effort in _EFFORTS]
    span = range(cut.choose, cut.judge - WITHIN)
    precisions = [_precision(found, _chances(fit, tried, span), span) for fit in fits]
    best = int(np.argmax(precisions))
    threshold = _threshold(found, _chances(fits[best], tried, span), span)
    started = time.process_time()
    columns = Columns(one.grid, Profile(one.grid, WITHIN, cut.judge), one.near, WITHIN)
    fit = fit_onset(columns, limit, WITHIN, cut.judge, _EFFORTS[best])
    seconds = time.process_time() - started
    span = range(cut.judge, steps - WITHIN)
    chance = _chances(fit, columns, span)
    speed = one.grid.values[span.start : span.stop] / limit
    return {
        "what": "below half of free flow within 30 min, free now",
        "rows": int(found.ready[span.start : span.stop].sum()),
        "onsets_share": round(float(found.soon[span.start : span.stop][found.ready[span.start : span.stop]].mean()), 4),
        "average_precision": round(_precision(found, chance, span), 3),
        "rival": {"average_precision": round(_precision(found, -speed, span), 3), "what": "current speed alone"},
        "chosen_on_validation": {
            str(effort.leaves): round(p, 3) for effort, p in zip(_EFFORTS, precisions, strict=True)
        },
        **_alarms(found, chance, threshold, span),
        "training_cpu_seconds": round(seconds, 1),
    }


def _chances(fit: Onset, columns: Columns, span: range) -> Floats:
    """Shape (steps of the span, entities)."""
    origin, entity = np.meshgrid(np.arange(span.start, span.stop), np.arange(columns.grid.entities), indexing="ij")
    return fit.chance(columns, origin.ravel(), entity.ravel()).reshape(origin.shape)


def _precision(found: States, chance: Floats, span: range) -> float:
    ready = found.ready[span.start : span.stop]
    return float(average_precision_score(found.soon[span.start : span.stop][ready], chance[ready]))


def _threshold(found: States, chance: Floats, span: range) -> float:
    """The chance at which so many of the rows before an onset are named."""
    ready = found.ready[span.start : span.stop]
    _, recall, thresholds = precision_recall_curve(found.soon[span.start : span.stop][ready], chance[ready])
    return float(thresholds[np.flatnonzero(recall[:-1] >= _RECALL)[-1]])


def _alarms(found: States, chance: Floats, threshold: float, span: range) -> dict[str, Any]:
    """Rows that are named rightly, episodes that were told of before, and how long before."""
    ready, soon, below = (panel[span.start : span.stop] for panel in (found.ready, found.soon, found.below))
    named = (chance >= threshold) & ready
    leads, missed = [], 0
    for before, entity in np.argwhere(below[1:] & ~below[:-1]).tolist():
        step = before + 1
        early = max(0, step - WITHIN)
        if not ready[early:step, entity].all():
            continue
        told = np.flatnonzero(named[early:step, entity])
        leads += [(step - early - int(told[0])) * _MINUTES] if len(told) else []
        missed += not len(told)
    return {
        "threshold_from_validation": round(threshold, 3),
        "precision": round(float(soon[named].mean()), 3),
        "recall": round(float(named[soon & ready].mean()), 3),
        "episodes": len(leads) + missed,
        "episodes_told": round(len(leads) / max(1, len(leads) + missed), 3),
        "median_lead_minutes": float(np.median(leads)) if leads else None,
    }
