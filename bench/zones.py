"""Where tomorrow's sanitation cases of Boston will be: 5 % of the cells of H3 at level 9, chosen every day anew."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from cityloop.learn.ahead.grid import Ints
from cityloop.learn.ahead.zones import Zones, accuracy_index, cells_of, hottest, rates, zones_of

_SHARE = 0.05
_PRIORS = (0.0, 5.0, 15.0, 30.0, 60.0)
"""Days that the neighbourhood weighs; 0 is the plain count."""
_EPOCH = date(1970, 1, 1)


def run(folder: Path) -> dict[str, Any]:
    """The prior is chosen on October, November is read once."""
    frame = pl.read_parquet(folder / "cases_boston311/boston311_2011.parquet")
    frame = frame.filter(pl.col("latitude").is_not_null() & pl.col("longitude").is_not_null())
    cells = cells_of(frame["latitude"].to_numpy(), frame["longitude"].to_numpy())
    day = (frame["open_dt"].dt.date() - _EPOCH).dt.total_days().to_numpy()
    october, november, end = ((date(2011, month, 1) - _EPOCH).days for month in (10, 11, 12))
    zones = zones_of([cell for cell, when in zip(cells, day.tolist(), strict=True) if when < october])
    wanted = (frame["reason"] == "Sanitation").to_numpy()
    place, when = zones.places(cells)[wanted], day[wanted]
    chosen = {prior: _hits(zones, place, when, range(october, november), prior) for prior in _PRIORS}
    best = max(_PRIORS, key=lambda prior: chosen[prior][0])
    last = min(end, int(day.max()) + 1)
    hits, cases = _hits(zones, place, when, range(november, last), best)
    plain, _ = _hits(zones, place, when, range(november, last), 0.0)
    of_november = np.bincount(place[(when >= november) & (place >= 0)], minlength=len(zones.cells)).astype(float)
    oracle = int(of_november[hottest(of_november, _SHARE)].sum())
    return {
        "cells": len(zones.cells),
        "days": last - november,
        "cases": cases,
        "prior_days": best,
        "share_of_cases": round(hits / cases, 3),
        "pai_at_5": round(accuracy_index(hits, cases, _SHARE), 2),
        "rivals": {
            "90-day counts": round(accuracy_index(plain, cases, _SHARE), 2),
            "the best fixed cells of November, by hindsight": round(accuracy_index(oracle, cases, _SHARE), 2),
            "cells by chance": 1.0,
        },
    }


def _hits(zones: Zones, place: Ints, when: Ints, days: range, prior: float) -> tuple[int, int]:
    """Cases of these days in the cells chosen on the evening before, and all of them."""
    hits = cases = 0
    for today in days:
        mine = place[when == today]
        hot = hottest(rates(zones, place, when, today, prior), _SHARE)
        hits += int(np.isin(mine, hot).sum())
        cases += len(mine)
    return hits, cases
