"""A trained forecast: how it is made from a grid, kept as arrays, words and trees, and read again."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from cityloop.core.values import Title
from cityloop.learn.ahead.columns import Columns
from cityloop.learn.ahead.fitting import Effort, Fit, Ridge
from cityloop.learn.ahead.forecaster import Aim, Report, build, fitted, parts
from cityloop.learn.ahead.intervals import Adaptive, Scale
from cityloop.learn.ahead.near import Near
from cityloop.learn.ahead.profile import MEMORY, Profile
from cityloop.learn.ahead.usual import Usual, usual
from cityloop.learn.artefact import Parts
from cityloop.learn.forecast_content import Forecast
from cityloop.learn.forecast_schemas import HorizonScore
from cityloop.learn.observed import Seen
from cityloop.watch.outlook import Server

_NAMES: dict[Server, Title] = {
    "model": Title(zh="模型", en="the model"),
    "persistence": Title(zh="最新值不变", en="the newest value"),
    "seasonal": Title(zh="上一周期同时刻的值", en="the value one season earlier"),
}


@dataclass(frozen=True)
class Trained:
    """All that forecasting needs, for the entities it was trained on and in their order."""

    fit: Fit
    near: Near | None
    entities: tuple[str, ...]
    horizons: tuple[int, ...]
    season: int
    lowest: float
    servers: tuple[Server, ...]
    scale: Scale
    level: np.ndarray[Any, Any]
    errors: np.ndarray[Any, Any]
    """Scores of late as the intervals knew them at the end of the training."""
    usual: Usual
    window: int
    """Days of the past that a forecast rests on."""
    scores: tuple[HorizonScore, ...]
    wished: float
    candidates: Mapping[str, float]
    """Error of each candidate on the part that chose."""
    holdout_from: float
    """When the held-out part begins, in seconds since 1970."""

    def adaptive(self) -> Adaptive:
        """Intervals as they stood at the end of the training."""
        found = Adaptive(len(self.horizons), self.wished)
        found.level = self.level.copy()
        for place in range(len(self.horizons)):
            found.warm(place, self.errors[place])
        return found

    def parts(self) -> Parts:
        """As arrays, words and trees."""
        ridge, near = self.fit.ridge, self.near
        arrays = {
            "ridge_horizons": ridge.horizons,
            "ridge_mean": ridge.mean,
            "ridge_scale": ridge.scale,
            "ridge_weight": ridge.weight,
            "scale_entity": self.scale.entity,
            "scale_edges": self.scale.edges,
            "scale_factor": self.scale.factor,
            "level": self.level,
            "errors": self.errors,
            "usual_level": self.usual.level,
            "usual_spread": self.usual.spread,
        }
        arrays |= {"near_index": near.index, "near_weight": near.weight} if near else {}
        words = {
            "target": self.fit.target,
            "loss": self.fit.loss,
            "share": self.fit.share,
            "entities": list(self.entities),
            "horizons": list(self.horizons),
            "season": self.season,
            "lowest": self.lowest if math.isfinite(self.lowest) else None,
            "servers": list(self.servers),
            "window": self.window,
            "wished": self.wished,
            "candidates": dict(self.candidates),
            "holdout_from": self.holdout_from,
            "scores": [score.model_dump(mode="json") for score in self.scores],
        }
        return Parts(arrays, words, self.fit.trees)

    @classmethod
    def of(cls, kept: Parts, threads: int) -> Trained:
        """From what :meth:`parts` gave."""
        arrays, words = kept.arrays, kept.words
        ridge = Ridge(*(arrays[f"ridge_{name}"] for name in ("horizons", "mean", "scale", "weight")))
        near = Near(arrays["near_index"], arrays["near_weight"]) if "near_index" in arrays else None
        return cls(
            fit=Fit(words["target"], words["loss"], kept.trees, ridge, words["share"], threads),
            near=near,
            entities=tuple(words["entities"]),
            horizons=tuple(words["horizons"]),
            season=words["season"],
            lowest=-math.inf if words["lowest"] is None else words["lowest"],
            servers=tuple(words["servers"]),
            scale=Scale(*(arrays[f"scale_{name}"] for name in ("entity", "edges", "factor"))),
            level=arrays["level"],
            errors=arrays["errors"],
            usual=Usual(arrays["usual_level"], arrays["usual_spread"]),
            window=words["window"],
            scores=tuple(HorizonScore.model_validate_json(json.dumps(one)) for one in words["scores"]),
            wished=words["wished"],
            candidates=words["candidates"],
            holdout_from=words["holdout_from"],
        )


def aim_of(wanted: Forecast, lowest: float, effort: Effort) -> Aim:
    """What a declaration asks for."""
    return Aim(wanted.steps, wanted.season_steps, effort, lowest=lowest)


def train(seen: Seen, wanted: Forecast, aim: Aim, near: Near | None) -> tuple[Trained, Report]:
    """Choose and judge in order of time, then fit the chosen on all there is; raises :class:`Invalid` if too short."""
    grid = seen.grid
    report = build(grid, aim, near, parts(grid.steps))
    profile = Profile(grid, aim.longest)
    final, _ = fitted(Columns(grid, profile, near, aim.longest), aim, report.fit, grid.steps)
    days = MEMORY + profile.reach + 2 if profile.rolling else -(-grid.steps // grid.calendar.slots) + 1
    trained = Trained(
        fit=replace(final, share=report.fit.share),
        near=near,
        entities=seen.entities,
        horizons=aim.horizons,
        season=aim.season,
        lowest=aim.lowest,
        servers=report.servers,
        scale=report.scale,
        level=report.adaptive.level,
        errors=report.adaptive.scores,
        usual=usual(grid, MEMORY),
        window=days,
        scores=tuple(_score(report, wanted, place) for place in range(len(aim.horizons))),
        wished=aim.wished,
        candidates=report.candidates,
        holdout_from=float(seen.instants(np.array([report.parts.judge]))[0]),
    )
    return trained, report


def _score(report: Report, wanted: Forecast, place: int) -> HorizonScore:
    judged, server = report.judged, report.servers[place]
    found = {who: judged.errors(who, place) for who in judged.told}
    mae = {who: errors.mae if errors else None for who, errors in found.items()}
    rmse = {who: errors.rmse if errors else None for who, errors in found.items()}
    share = float(report.covered.share()[place])
    score = HorizonScore(
        horizon_seconds=wanted.steps[place] * wanted.step,
        server=server,
        reason=_reason(server, None, None),
        rows=int(judged.known(place).sum()),
        model_mae=mae["model"],
        model_rmse=rmse["model"],
        persistence_mae=mae["persistence"],
        persistence_rmse=rmse["persistence"],
        seasonal_mae=mae["seasonal"],
        seasonal_rmse=rmse["seasonal"],
        gain=None,
        coverage=share if math.isfinite(share) else None,
        width=float(report.covered.width[place]) if math.isfinite(report.covered.width[place]) else None,
    )
    served, naive = score.served_mae, score.naive_mae
    gain = max(0.0, 1 - served / naive) if served is not None and naive else None
    return score.model_copy(update={"gain": gain, "reason": _reason(server, score.model_mae, naive)})


def _reason(server: Server, model: float | None, naive: float | None) -> Title:
    if model is None or not naive:
        return Title(zh="留出期内没有可比较的记录", en="the hold-out had no rows to compare on")
    share = abs(1 - model / naive)
    if server == "model":
        return Title(
            zh=f"留出期内模型误差比朴素法低 {share:.0%}",
            en=f"on the hold-out the model's error is {share:.0%} below the better plain forecast",
        )
    name = _NAMES[server]
    return Title(
        zh=f"留出期内模型误差比朴素法高 {share:.0%}，由“{name.zh}”代替",
        en=f"on the hold-out the model's error is {share:.0%} above: {name.en} serves",
    )
