"""How likely a case is to miss its limit, from what is known when it is opened.

Gradient-boosted trees over the matter, department, place, channel, limit, hour and weekday, and how the cases of the
same matter have fared in the month before; the department's load was tried and did not help on later months. The raw
score is calibrated on later cases than those it was fitted on (Platt). An outcome counts as known only from the instant
at which it was: on time at the close, late at the due instant.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import lightgbm
import numpy as np
from scipy.special import expit, logit
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from cityloop.core.errors import Invalid
from cityloop.learn.artefact import Parts
from cityloop.learn.past import CODED, Array, Past

SEED = 20261122
FEATURES = (*CODED, "limit_hours", "hour", "weekday", "late_share_matter")
_DAY = 86_400.0
_MONTH = 30 * _DAY
_ROUNDS = 200
_PARAMETERS: Mapping[str, Any] = {
    "objective": "binary",
    "learning_rate": 0.03,
    "num_leaves": 15,
    "lambda_l2": 20.0,
    "cat_smooth": 60.0,
    "cat_l2": 30.0,
    "feature_fraction": 0.6,
    "bagging_fraction": 0.7,
    "bagging_freq": 1,
    "seed": SEED,
    "deterministic": True,
    "force_row_wise": True,
    "num_threads": 1,
    "verbosity": -1,
}
"""Slow and heavily smoothed: quicker trees learned the season, not the city (chosen on October, judged on November)."""


def features(rows: Past, history: Past) -> dict[str, Array]:
    """The columns of :data:`FEATURES` but the coded ones, each from what ``history`` had shown at the opening."""
    return {
        "limit_hours": (rows.due - rows.opened) / 3600,
        "hour": (rows.local % _DAY) // 3600,
        "weekday": (rows.local // _DAY + 3) % 7,
        "late_share_matter": _late_share(rows, history),
    }


def settled(rows: Past, at: float) -> Array:
    """Mask of cases whose limit has run out at ``at``.

    Cases that were closed early before a limit still ahead are left out with the open ones of the same age: taking
    only the closed would teach that recent cases are never late.
    """
    return rows.due <= at


@dataclass(frozen=True)
class RiskModel:
    """Trees, the codes of words, and the calibration of their score."""

    booster: lightgbm.Booster
    codes: Mapping[str, Mapping[str, int]]
    slope: float
    offset: float

    def risk(self, rows: Past, history: Past) -> Array:
        """Calibrated probability of running late, for each row."""
        raw = np.asarray(self.booster.predict(_matrix(rows, history, self.codes), num_threads=1))
        return np.asarray(expit(self.slope * logit(np.clip(raw, 1e-6, 1 - 1e-6)) + self.offset))

    def weighed(self, row: Past, history: Past) -> tuple[float, list[float], list[float]]:
        """For one row: the risk, what each of :data:`FEATURES` adds to its log-odds (TreeSHAP), and its values."""
        matrix = _matrix(row, history, self.codes)
        shares = np.asarray(self.booster.predict(matrix, pred_contrib=True, num_threads=1))[0]
        weights = (self.slope * shares[: len(FEATURES)]).tolist()
        return float(self.risk(row, history)[0]), weights, matrix[0].tolist()

    def parts(self) -> Parts:
        """Everything needed to build the model again."""
        calibration = {"slope": np.array(self.slope), "offset": np.array(self.offset)}
        words = {name: dict(codes) for name, codes in self.codes.items()}
        return Parts(calibration, {"codes": words}, self.booster.model_to_string())

    @staticmethod
    def of(parts: Parts) -> RiskModel:
        """The model that :meth:`parts` describes."""
        booster = lightgbm.Booster(model_str=parts.trees)
        arrays = parts.arrays
        return RiskModel(booster, parts.words["codes"], float(arrays["slope"]), float(arrays["offset"]))


def train(rows: Past, history: Past) -> tuple[RiskModel, dict[str, float | None]]:
    """Fit on all rows, calibrated and measured on the latest fifth by trees that had not seen it.

    Raises :class:`Invalid` unless both outcomes occur among the earlier and the later rows.
    """
    late = rows.late()
    cut = int(len(rows) * 0.8)
    first, last = np.arange(len(rows)) < cut, np.arange(len(rows)) >= cut
    if len(set(late[first])) < 2 or len(set(late[last])) < 2:
        raise Invalid("cases on time and late must both occur", "close more cases that have a limit first")
    codes = {name: _coded(rows.words[name]) for name in CODED}
    table = _matrix(rows, history, codes)
    early = _boost(table[first], late[first])
    raw = np.clip(np.asarray(early.predict(table[last], num_threads=1)), 1e-6, 1 - 1e-6)
    slope, offset = _platt(logit(raw), late[last])
    told = expit(slope * logit(raw) + offset)
    means = type_means(rows.words["matter"][first], late[first], rows.words["matter"][last])
    figures = {f"holdout_{name}": value for name, value in scores(told, late[last]).items()}
    figures |= {f"holdout_type_mean_{name}": value for name, value in scores(means, late[last]).items()}
    return RiskModel(_boost(table, late), codes, slope, offset), figures


def scores(told: Array, late: Array) -> dict[str, float | None]:
    """AUC (``None`` where only one outcome occurs) and Brier score."""
    auc = float(roc_auc_score(late, told)) if len(set(late)) == 2 else None
    return {"auc": auc, "brier": float(np.mean((told - late) ** 2))}


def type_means(matters: Array, late: Array, asked: Array) -> Array:
    """The plain rival: the share of late cases of the same matter so far, the overall share for a new matter."""
    names, place = np.unique(matters, return_inverse=True)
    share = np.bincount(place, late) / np.bincount(place)
    known = dict(zip(names.tolist(), share.tolist(), strict=True))
    return np.array([known.get(name, float(late.mean())) for name in asked.tolist()])


def _boost(table: Array, late: Array) -> lightgbm.Booster:
    data = lightgbm.Dataset(table, late, feature_name=list(FEATURES), categorical_feature=list(CODED))
    leaf = min(100, max(20, len(table) // 100))
    return lightgbm.train({**_PARAMETERS, "min_data_in_leaf": leaf}, data, num_boost_round=_ROUNDS)


def _platt(score: Array, late: Array) -> tuple[float, float]:
    fitted = LogisticRegression(C=1e6).fit(score.reshape(-1, 1), late)
    return float(fitted.coef_[0, 0]), float(fitted.intercept_[0])


def _matrix(rows: Past, history: Past, codes: Mapping[str, Mapping[str, int]]) -> Array:
    plain = features(rows, history)
    columns = [[codes[name].get(str(word), -1) for word in rows.words[name].tolist()] for name in CODED]
    return np.column_stack([*columns, *[plain[name] for name in FEATURES[len(CODED) :]]]).astype(float)


def _coded(words: Array) -> dict[str, int]:
    return {str(word): n for n, word in enumerate(sorted(set(words.tolist())))}


def _places(keys: Sequence[str]) -> dict[str, Array]:
    found: dict[str, list[int]] = {}
    for n, key in enumerate(keys):
        found.setdefault(key, []).append(n)
    return {key: np.array(value) for key, value in found.items()}


def _late_share(rows: Past, history: Past) -> Array:
    """Share of late cases among those of the same matter that were settled in the month before; NaN without any."""
    late, known = history.late(), history.known_at()
    behind = _places(history.words["matter"].tolist())
    share = np.full(len(rows), np.nan)
    for key, places in _places(rows.words["matter"].tolist()).items():
        past = behind.get(key, np.array([], dtype=int))
        past = past[~np.isnan(known[past])]
        past = past[np.argsort(known[past], kind="stable")]
        total = np.concatenate([[0.0], np.cumsum(late[past])])
        at = rows.opened[places]
        end, start = np.searchsorted(known[past], at), np.searchsorted(known[past], at - _MONTH)
        counted = end - start
        share[places] = np.where(counted > 0, (total[end] - total[start]) / np.maximum(counted, 1), np.nan)
    return share
