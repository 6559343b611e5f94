"""The cells of a bucket: what each aggregate keeps of records, and how a cell grows with them.

Instants are microseconds since 1970 (UTC).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from cityloop.watch.rules import Aggregate

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Cells = npt.NDArray[Any]

NEVER = np.iinfo(np.int64).min // 4
"""An instant or bucket before all others."""
ALWAYS = -NEVER

CELLS: dict[Aggregate, dict[str, float]] = {
    "mean": {"count": 0, "total": 0.0},
    "sum": {"count": 0, "total": 0.0},
    "count": {"count": 0},
    "min": {"count": 0, "low": np.inf},
    "max": {"count": 0, "high": -np.inf},
    "last": {"count": 0, "newest": np.nan, "newest_at": NEVER},
    "change": {"count": 0, "newest": np.nan, "newest_at": NEVER, "oldest": np.nan},
    "rate": {"count": 0, "newest": np.nan, "newest_at": NEVER, "oldest": np.nan},
    "spread": {"count": 0, "low": np.inf, "high": -np.inf},
    "percentile": {"count": 0, "low": np.inf, "high": -np.inf, "values": np.nan},
    "roam": {"count": 0, "low": np.inf, "high": -np.inf},
    "silence": {"count": 0},
    "anomaly": {"count": 0, "total": 0.0},
    "forecast": {"count": 0, "newest": np.nan, "newest_at": NEVER},
}
"""What each aggregate keeps for a bucket, with the value of an empty one."""
WHOLE = frozenset({"count", "newest_at", "first"})
"""Cells that hold whole numbers."""
DEPTH: dict[Aggregate, dict[str, int]] = {"percentile": {"values": 8}, "roam": {"low": 2, "high": 2}}
"""Cells that hold more than one number: room for the values themselves, longitude and latitude."""
MOST_VALUES = 1024
"""Values that a bucket of a percentile keeps; what comes beyond is an error of the rule."""
WAYS: dict[str, np.ufunc] = {
    "count": np.add,
    "total": np.add,
    "first": np.minimum,
    "low": np.minimum,
    "high": np.maximum,
    "newest_at": np.maximum,
}
"""How cells grow with records, and how those of several buckets become those of a window."""
_NOTHING = {"count": 0, "total": 0, "first": ALWAYS, "low": np.inf, "high": -np.inf, "newest_at": NEVER}
"""What changes none of them."""


def grown(base: Mapping[str, Cells], at: Ints, value: Floats, there: Bools) -> dict[str, Cells]:
    """Cells after each of some records: ``base`` is shaped (rows, …), the records and the result (rows, records, …).

    Where no record stands, the cells are as before it.
    """
    gains: dict[str, Cells] = {
        "count": np.ones(1, np.int64),
        "total": value,
        "first": at,
        "low": value,
        "high": value,
        "newest_at": at,
    }
    found = {name: _grown(name, cells, gains[name], there) for name, cells in base.items() if name in WAYS}
    if "newest" in base:
        newer = there & (at >= np.c_[base["newest_at"], found["newest_at"][:, :-1]])
        found["newest"] = _latest_of(newer, base["newest"], value)
    if "oldest" in base:
        older = there & (at < np.c_[base["first"], found["first"][:, :-1]])
        found["oldest"] = _latest_of(older, base["oldest"], value)
    return found


def merged(buckets: Mapping[str, Cells]) -> dict[str, Cells]:
    """The cells of windows from those of their buckets: (rows, buckets, …) becomes (rows, …)."""
    found = {name: WAYS[name].reduce(cells, axis=1) for name, cells in buckets.items() if name in WAYS}
    for name, instants, place in (("newest", "newest_at", np.argmax), ("oldest", "first", np.argmin)):
        if name in buckets:
            where = place(buckets[instants], axis=1)
            found[name] = np.take_along_axis(buckets[name], where[:, None], axis=1)[:, 0]
    return found


def _grown(name: str, base: Cells, gain: Cells, there: Bools) -> Cells:
    mask = there[..., None] if base.ndim == 2 else there
    gains = np.where(mask, gain, np.array(_NOTHING[name], base.dtype))
    if gains.shape[1] == 1:
        return np.asarray(WAYS[name](base[:, None], gains))
    return np.asarray(WAYS[name].accumulate(np.concatenate([base[:, None], gains], axis=1), axis=1)[:, 1:])


def _latest_of(chosen: Bools, base: Floats, value: Floats) -> Floats:
    """For each record the value of the last chosen one up to it, else ``base``."""
    place = np.maximum.accumulate(np.where(chosen, np.arange(1, chosen.shape[1] + 1), 0), axis=1)
    return np.asarray(np.take_along_axis(np.c_[base, value], place, axis=1))
