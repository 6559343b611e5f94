"""From margins to confidence, and from confidence to the threshold above which no person needs to look.

Pure. Everything here is fitted on predictions for cases that the predicting model had not seen.
"""

from __future__ import annotations

import numpy as np
from scipy.optimize import minimize_scalar

from cityloop.learn.past import Array

PRECISION = 0.98
"""Share of automatic choices that must be right on held-out cases."""
LEAST = 50
"""Fewest held-out cases above a threshold before it may be trusted."""


def confidences(margins: Array, sharpness: float) -> Array:
    """Softmax of ``sharpness`` × margins; rows sum to 1. Shape (cases, classes)."""
    scaled = sharpness * margins
    scaled = scaled - scaled.max(axis=1, keepdims=True)
    powers = np.exp(scaled)
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


def sharpen(margins: Array, truth: Array, weight: Array) -> float:
    """The sharpness under which the truth is likeliest (temperature scaling: one number, so few cases suffice).

    One mistake more than was seen is reckoned with, as Platt did, or faultless predictions would make it endless.
    ``truth`` holds class positions; -1 (a class that the model does not know) counts as no class at all.
    """
    known = truth >= 0
    if not known.any():
        return 1.0
    count = weight[known].sum()
    hit = (count + 1) / (count + 2)

    def surprise(logarithm: float) -> float:
        chosen = confidences(margins[known], float(np.exp(logarithm)))[np.arange(known.sum()), truth[known]]
        right, wrong = np.log(np.maximum(chosen, 1e-12)), np.log(np.maximum(1 - chosen, 1e-12))
        return float(-(weight[known] * (hit * right + (1 - hit) * wrong)).sum())

    found = minimize_scalar(surprise, bounds=(-3.0, 5.0), method="bounded")
    return float(np.exp(found.x))


def choose_threshold(
    confidence: Array, right: Array, weight: Array, precision: float = PRECISION, least: float = LEAST
) -> float | None:
    """The lowest confidence at and above which the share of right choices is at least ``precision``.

    One mistake more than was seen is reckoned with. ``None`` when no threshold has ``least`` cases above it: then
    nothing is automatic.
    """
    order = np.argsort(-confidence, kind="stable")
    falling, counted = confidence[order], np.cumsum(weight[order])
    good = np.cumsum(weight[order] * right[order])
    last_of_ties = np.append(falling[1:] != falling[:-1], True)
    fits = last_of_ties & (counted >= least) & (good >= precision * (counted + 1))
    return float(falling[np.flatnonzero(fits)[-1]]) if fits.any() else None


def automatic(confidence: Array, right: Array, weight: Array, threshold: float | None) -> tuple[float, float | None]:
    """Coverage and precision of the automatic choices; the precision of none is ``None``."""
    above = confidence >= threshold if threshold is not None else np.zeros(len(confidence), bool)
    share = float(weight[above].sum() / weight.sum()) if len(weight) else 0.0
    return share, float((weight * right)[above].sum() / weight[above].sum()) if above.any() else None


def calibration_error(confidence: Array, right: Array, weight: Array, bins: int = 10) -> float:
    """Expected calibration error: mean distance between stated and reached, over ``bins`` of equal width."""
    slot = np.minimum((confidence * bins).astype(int), bins - 1)
    told = np.bincount(slot, weight * confidence, bins)
    true = np.bincount(slot, weight * right, bins)
    return float(np.abs(told - true).sum() / weight.sum())
