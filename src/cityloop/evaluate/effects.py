"""What an action changed, against no action: before and after, a control group, the season, a stated uncertainty.

Pure. Every unit's figure is first freed of what is usual for it at this hour of such a day, learned before the action
began. The units acted upon (treated) are held against the others (control): the control's departure, as far as the two
used to depart together, is taken off. What is left in the time of the action, less what was left in as long a time
right before it, is the effect.

How much such a difference moves by itself is measured, not assumed: the same sum is made for every span of the same
length before the action, when nothing was done. The interval is the effect plus and minus what these reach with the
wished share (split conformal, by the number of spans that do not overlap). With fewer than :data:`LEAST_SPANS` of them
nothing is claimed.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]

Verdict = Literal["lower", "higher", "no_difference", "not_enough"]
WISHED = 0.9
LEAST_SPANS = 9
"""So many spans that do not overlap are needed for an interval that holds with :data:`WISHED`."""


@dataclass(frozen=True)
class Panel:
    """Figures (steps, units) on an even grid, NaN where there are none; which units were acted upon, and when.

    ``slots`` numbers for each step what is alike from day to day: the hour, told apart by working day and day of rest.
    """

    values: Floats
    treated: Bools
    slots: Ints
    begin: int
    end: int


@dataclass(frozen=True)
class Estimate:
    """An effect in the figure's own unit. ``observed`` and ``expected`` are means over the time of the action."""

    verdict: Verdict
    effect: float | None
    low: float | None
    high: float | None
    observed: float | None
    expected: float | None
    spans: int
    """Spans before the action, of its length, that do not overlap."""
    share: float
    """How much of the control's departure is found in the treated units; 0 without a control."""
    measured: Floats
    """Mean of the treated units, for each step."""
    without: Floats
    """The same as expected without action; before the action it shows how well that expectation holds."""


def estimate(panel: Panel) -> Estimate:
    """The effect of the action on the treated units; see the module for how."""
    usual = _usual(panel)
    apart = panel.values - usual
    treated, control = _mean(apart[:, panel.treated]), _mean(apart[:, ~panel.treated])
    share = _share(treated[: panel.begin], control[: panel.begin])
    control_part = np.where(np.isnan(control), 0.0, control) * share if share else np.zeros(len(treated))
    left = treated - control_part
    measured = _mean(np.where(np.isnan(usual), np.nan, panel.values)[:, panel.treated])
    length = panel.end - panel.begin
    level = _over(left, panel.begin - length, panel.begin)
    without = measured - left + (0.0 if math.isnan(level) else level)
    effect = _over(left, panel.begin, panel.end) - level
    quiet, spans = _quiet(left, panel.begin, length)
    return _told(panel, effect, quiet, spans, share, measured, without)


def _told(
    panel: Panel, effect: float, quiet: Floats, spans: int, share: float, measured: Floats, without: Floats
) -> Estimate:
    during = slice(panel.begin, panel.end)
    observed, expected = _number(_nanmean(measured[during])), _number(_nanmean(without[during]))
    base: dict[str, Any] = {"observed": observed, "expected": expected, "spans": spans, "share": share}
    base |= {"measured": measured, "without": without}
    if spans < LEAST_SPANS or math.isnan(effect):
        return Estimate(verdict="not_enough", effect=_number(effect), low=None, high=None, **base)
    reach = float(np.quantile(np.abs(quiet), min(1.0, math.ceil((spans + 1) * WISHED) / spans)))
    low, high = effect - reach, effect + reach
    verdict: Verdict = "lower" if high < 0 else "higher" if low > 0 else "no_difference"
    return Estimate(verdict=verdict, effect=effect, low=low, high=high, **base)


def _usual(panel: Panel) -> Floats:
    """Each unit's mean of its slot before the action; NaN where it has none there."""
    usual = np.full_like(panel.values, np.nan)
    before = np.arange(len(panel.values)) < panel.begin
    for slot in np.unique(panel.slots):
        here = panel.slots == slot
        usual[here] = _mean(panel.values[here & before].T)
    return usual


def _share(treated: Floats, control: Floats) -> float:
    known = ~(np.isnan(treated) | np.isnan(control))
    power = float(np.sum(control[known] ** 2))
    return float(np.sum(treated[known] * control[known]) / power) if power > 0 else 0.0


def _quiet(left: Floats, begin: int, length: int) -> tuple[Floats, int]:
    """The same difference for every span of this length before the action, and how many of them do not overlap."""
    found = np.array([_over(left, at, at + length) - _over(left, at - length, at) for at in _starts(begin, length)])
    known = found[~np.isnan(found)]
    return known, min(len(known), max(0, begin // length - 1))


def _starts(begin: int, length: int) -> range:
    return range(length, begin - length + 1)


def _over(values: Floats, first: int, end: int) -> float:
    return _nanmean(values[max(0, first) : end])


def _nanmean(values: Floats) -> float:
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else math.nan


def _mean(values: Floats) -> Floats:
    """The mean of each row's known values; NaN for a row without any."""
    known = ~np.isnan(values)
    count = known.sum(axis=1)
    total = np.where(known, values, 0.0).sum(axis=1)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def _number(value: float) -> float | None:
    return None if math.isnan(value) else value
