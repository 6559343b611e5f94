"""The aggregates of windows: from the cells of their buckets to one number each.

``windows(name)`` gives the cells of one kind in shape (entities, windows, …, buckets), ``count`` the records of each
window, (entities, windows). What stands where a window has no record is put right by the caller.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from cityloop.watch.cells import CELLS, Bools, Floats, Ints
from cityloop.watch.rules import Aggregate, Rule
from cityloop.watch.windows import Course

METRES_A_DEGREE = 111_195.0
"""Along a meridian, on a sphere of 6,371 km."""
Windows = Callable[[str], Floats]


def _sum(_rule: Rule, windows: Windows, _count: Ints) -> Floats:
    """Numbers that lie beside each other are always added in the same order, however many windows there are."""
    return np.asarray(np.ascontiguousarray(windows("total")).sum(axis=2))


def _mean(rule: Rule, windows: Windows, count: Ints) -> Floats:
    return np.asarray(_sum(rule, windows, count) / np.maximum(count, 1))


def _anomaly(rule: Rule, windows: Windows, count: Ints) -> Floats:
    """Mean deviation; noise to both sides cancels out before its sign is dropped."""
    found = _mean(rule, windows, count)
    return np.abs(found) if rule.direction == "either" else found


def _last(_rule: Rule, windows: Windows, _count: Ints) -> Floats:
    return _at(windows("newest"), windows("newest_at").argmax(axis=2))


def _change(_rule: Rule, windows: Windows, _count: Ints) -> Floats:
    newest = _at(windows("newest"), windows("newest_at").argmax(axis=2))
    return np.asarray(newest - _at(windows("oldest"), windows("first").argmin(axis=2)))


def _rate(rule: Rule, windows: Windows, count: Ints) -> Floats:
    """Change by time, per ``rule.per`` seconds; NaN where all records are of one instant."""
    spent = (windows("newest_at").max(axis=2) - windows("first").min(axis=2)) / 1_000_000
    known = (count > 0) & (spent > 0)
    return np.where(known, _change(rule, windows, count) / np.where(known, spent, 1.0) * rule.per, np.nan)


def _spread(_rule: Rule, windows: Windows, _count: Ints) -> Floats:
    return np.asarray(windows("high").max(axis=2) - windows("low").min(axis=2))


def _percentile(rule: Rule, windows: Windows, count: Ints) -> Floats:
    """Exact, linear between the two nearest values."""
    assert rule.percentile is not None
    values = windows("values")
    ordered = np.sort(values.reshape(*values.shape[:2], -1), axis=2)
    place = np.maximum(count - 1, 0) * (rule.percentile / 100)
    low = np.floor(place).astype(np.int64)
    below, above = _at(ordered, low), _at(ordered, np.minimum(low + 1, np.maximum(count - 1, 0)))
    return np.asarray(below + (above - below) * (place - low))


def _roam(_rule: Rule, windows: Windows, _count: Ints) -> Floats:
    """Diagonal, in metres, of the smallest box of longitude and latitude that holds all positions."""
    low, high = windows("low").min(axis=3), windows("high").max(axis=3)
    with np.errstate(invalid="ignore"):
        across = np.cos(np.radians((low[..., 1] + high[..., 1]) / 2))
        return np.asarray(np.hypot((high[..., 0] - low[..., 0]) * across, high[..., 1] - low[..., 1]) * METRES_A_DEGREE)


AGGREGATES: dict[Aggregate, Callable[[Rule, Windows, Ints], Floats]] = {
    "count": lambda _rule, _windows, count: count.astype(np.float64),
    "sum": _sum,
    "mean": _mean,
    "min": lambda _rule, windows, _count: np.asarray(windows("low").min(axis=2)),
    "max": lambda _rule, windows, _count: np.asarray(windows("high").max(axis=2)),
    "last": _last,
    "change": _change,
    "rate": _rate,
    "spread": _spread,
    "percentile": _percentile,
    "roam": _roam,
    "anomaly": _anomaly,
    "forecast": _last,
}


def measure(rule: Rule, windows: Windows) -> Floats:
    """The aggregate of windows, (entities, windows); NaN: no record, or too few of them."""
    count = windows("count").sum(axis=2)
    return _told(rule, AGGREGATES[rule.aggregate](rule, windows, count), count)


def bounds(rule: Rule, course: Course) -> tuple[Floats, Floats]:
    """Between which values the aggregate of each window of a course lies, that of :func:`measure` included."""
    if rule.aggregate == "percentile":
        count = course.cells["count"]
        return _told(rule, course.cells["low"], count), _told(rule, course.cells["high"], count)
    value = measure(rule, course.windows)
    if "total" not in CELLS[rule.aggregate]:
        return value, value
    off = course.doubt if rule.aggregate == "sum" else course.doubt / np.maximum(course.cells["count"], 1)
    return value - off, value + off


def _told(rule: Rule, result: Floats, count: Ints) -> Floats:
    """The result of windows that hold enough records."""
    result = np.where(count > 0, result, 0.0 if rule.empty == "zero" else np.nan)
    return result if rule.least == 1 else np.where((count > 0) & (count < rule.least), np.nan, result)


def instantaneous(windows: Windows) -> Bools:
    """Whether windows hold several records, but all of one instant: no rate can be told."""
    same = windows("newest_at").max(axis=2) == windows("first").min(axis=2)
    return np.asarray((windows("count").sum(axis=2) > 1) & same)


def _at(cells: Floats, place: Ints) -> Floats:
    return np.asarray(np.take_along_axis(cells, place[:, :, None], axis=2)[:, :, 0])
