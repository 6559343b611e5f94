"""Oddities in the series of the Numenta Anomaly Benchmark, judged by that benchmark's published rules.

A window surrounds every labelled anomaly. The first detection in a window earns up to 1 by how early it is, a detection
outside costs by the sigmoid of its distance from the window before it, a missed window costs 1; the threshold is the
best for all files together, as the benchmark sets it; 0 is a detector that says nothing, 100 a perfect one. The rival
is the benchmark's windowed Gaussian, written here from its description: the tail of a normal distribution fitted on a
window of 6,400 values that moves by 100.
"""

from __future__ import annotations

import csv
import gzip
import json
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from cityloop.learn.ahead.grid import Floats
from cityloop.learn.ahead.oddity import Pace, oddities

_PROBATION = 0.15
_WINDOW, _STEP = 6_400, 100
_PACES = [Pace(level=level, size=size) for level in (0.5, 7.0, 30.0) for size in (3.0, 30.0)]


@dataclass(frozen=True)
class Series:
    """Values in order of time with the labelled windows as places of first and last value."""

    name: str
    at: Floats
    values: Floats
    windows: tuple[tuple[int, int], ...]

    @property
    def probation(self) -> int:
        """Values at the beginning that are not judged."""
        return math.floor(_PROBATION * min(len(self.values), 5_000))


@dataclass(frozen=True)
class Profile:
    """What hits, misses and false alarms weigh."""

    hit: float
    miss: float
    false_alarm: float


def run(folder: Path) -> dict[str, Any]:
    """Scores of ours and of the rival under the benchmark's three profiles."""
    place = folder / "anomaly_nab"
    every = [_series(path, place) for path in sorted(place.glob("*.csv.gz"))]
    profiles = json.loads((place / "profiles.json").read_text(encoding="utf-8"))
    published = json.loads((place / "final_results.json").read_text(encoding="utf-8"))
    started = time.process_time()
    ours = [_ours(one) for one in every]
    seconds = time.process_time() - started
    rival = [_windowed_gaussian(one.values) for one in every]
    found = {}
    for name, weights in profiles.items():
        profile = _profile(weights)
        found[name] = {"ours": score(every, ours, profile), "windowed_gaussian": score(every, rival, profile)}
    others = [score(every, [_ours(one, pace) for one in every], _profile(profiles["standard"])) for pace in _PACES]
    return {
        "files": len(every),
        "values": sum(len(one.values) for one in every),
        "windows": sum(len(one.windows) for one in every),
        "paces": "half a day to 30 days for the level and 3 to 30 days for the usual size",
        "range": [min(others), max(others)],
        "microseconds_a_value": round(1e6 * seconds / sum(len(one.values) for one in every), 1),
        "scores": found,
        "published_on_all_58_files": {name: round(one["standard"], 1) for name, one in published.items()},
    }


def _profile(weights: dict[str, Any]) -> Profile:
    cost = weights["CostMatrix"]
    return Profile(cost["tpWeight"], cost["fnWeight"], cost["fpWeight"])


def _series(path: Path, folder: Path) -> Series:
    labels = json.loads((folder / "combined_windows.json").read_text(encoding="utf-8"))
    name = path.name.removesuffix(".gz")
    windows = next(found for key, found in labels.items() if key.split("/")[-1] == name)
    with gzip.open(path, "rt", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    at = np.array([_seconds(row["timestamp"]) for row in rows])
    spans = [(_seconds(start), _seconds(end)) for start, end in windows]
    places = tuple((int(np.searchsorted(at, a)), int(np.searchsorted(at, b, "right")) - 1) for a, b in spans)
    return Series(name, at, np.array([float(row["value"]) for row in rows]), places)


def _seconds(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


def _ours(series: Series, pace: Pace | None = None) -> Floats:
    return oddities(series.at, series.values, float(np.median(np.diff(series.at))), pace)


def _windowed_gaussian(values: Floats) -> Floats:
    found = np.zeros(len(values))
    held: list[float] = []
    step: list[float] = []
    mean, spread = 0.0, 1.0
    for place, value in enumerate(values.tolist()):
        if held:
            found[place] = 1 - math.erfc(abs(value - mean) / spread / math.sqrt(2)) / 2
        if len(held) < _WINDOW:
            held.append(value)
            mean, spread = _moments(held)
        else:
            step.append(value)
            if len(step) >= _STEP:
                held, step = held[_STEP:] + step, []
                mean, spread = _moments(held)
    return found


def _moments(values: Sequence[float]) -> tuple[float, float]:
    array = np.array(values)
    return float(array.mean()), float(array.std()) or 1e-6


def score(every: Sequence[Series], found: Sequence[Floats], profile: Profile) -> float:
    """The normalised score of all files under the one threshold that is best for them."""
    windows = sum(len(one.windows) for one in every)
    worst, perfect = -profile.miss * windows, profile.hit * windows
    gains = [_gains(one, told, profile) for one, told in zip(every, found, strict=True)]
    best = max(_total(gains, threshold, profile) for threshold in _thresholds(found))
    return round(100 * (best - worst) / (perfect - worst), 1)


def _thresholds(found: Sequence[Floats]) -> list[float]:
    """All scores that came, thinned, and one that nothing reaches."""
    told = np.unique(np.concatenate(found))
    return [*told[:: max(1, len(told) // 4000)].tolist(), float(told[-1]), math.inf]


@dataclass(frozen=True)
class _Gains:
    told: Floats
    worth: Floats
    window: Floats
    windows: int


def _gains(series: Series, told: Floats, profile: Profile) -> _Gains:
    """What a detection at each judged place is worth, and in which window it lies (−1: none)."""
    places = np.arange(series.probation, len(told))
    worth, window = np.zeros(len(told)), np.full(len(told), -1)
    best = _sigmoid(-1.0)
    for place in places.tolist():
        inside = next((n for n, (first, last) in enumerate(series.windows) if first <= place <= last), None)
        if inside is not None:
            first, last = series.windows[inside]
            window[place] = inside
            worth[place] = profile.hit * _sigmoid(-(last - place + 1) / (last - first + 1)) / best
            continue
        before = [(first, last) for first, last in series.windows if last < place]
        far = (place - before[-1][1]) / max(1, before[-1][1] - before[-1][0]) if before else math.inf
        worth[place] = profile.false_alarm * _sigmoid(far)
    return _Gains(told[places], worth[places], window[places], len(series.windows))


def _total(gains: Sequence[_Gains], threshold: float, profile: Profile) -> float:
    total = 0.0
    for one in gains:
        said = one.told >= threshold
        total += float(one.worth[said & (one.window < 0)].sum())
        for number in range(one.windows):
            mine = one.worth[said & (one.window == number)]
            total += float(mine.max()) if len(mine) else -profile.miss
    return total


def _sigmoid(position: float) -> float:
    """2 ÷ (1 + e^5x) − 1, and −1 for all that is farther than 3 windows behind."""
    return -1.0 if position > 3 else 2 / (1 + math.exp(5 * position)) - 1
