"""Forecasts of four measured cities, in order of time, beside persistence, seasonal-naive and published figures.

Of every set the last fifth of the time is held out and forecast once. Candidates are chosen on the sixth before it.
Errors are over the rows that all could forecast; where a published figure counts otherwise, ``protocol`` says how.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from cityloop.learn.ahead.columns import Columns
from cityloop.learn.ahead.fitting import Effort
from cityloop.learn.ahead.forecaster import Aim, Parts, Report, build
from cityloop.learn.ahead.grid import Floats, Grid, calendar
from cityloop.learn.ahead.judging import rows_of
from cityloop.learn.ahead.near import Near, of_graph, of_likeness
from cityloop.learn.ahead.profile import Profile

_EVERY = 10**8
_WINDS = ("N", "NNE", "NE", "ENE", "E", "ESE", "SE", "SSE", "S", "SSW", "SW", "WSW", "W", "WNW", "NW", "NNW")


@dataclass(frozen=True)
class Set:
    """One data set with what is asked of it."""

    name: str
    protocol: str
    unit: str
    grid: Grid
    near: Near | None
    aim: Aim
    cut: Parts
    groups: Mapping[str, tuple[int, ...]]
    """Label of a figure → the horizons (steps) that are averaged for it."""
    published: Mapping[str, str] = field(default_factory=dict)
    scored_from: int = 0
    """The first origin of the hold-out that counts."""


def los_loop(folder: Path, threads: int) -> Set:
    """207 loop detectors of Los Angeles, mph every 5 minutes, one week."""
    at, values = _panel(pl.read_parquet(folder / "traffic_los_loop/los_speed.parquet"))
    horizons = tuple(range(1, 13))
    cut = int(len(values) * 0.8)
    return Set(
        name="Los-loop, speed",
        protocol="last 20 %; windows of 12 steps in and 12 out lie wholly in it; averaged up to the horizon, as T-GCN",
        unit="mph",
        grid=Grid(values, calendar(_on(at, 300, 12), 300)),
        near=of_graph(np.load(folder / "traffic_los_loop/los_adj.npz")["adj"], 8),
        aim=Aim(horizons, 288, Effort(rows=200_000, rounds=150, threads=threads), judged=_EVERY),
        cut=Parts(int(len(values) * 0.64), cut),
        groups={"15 min": horizons[:3], "30 min": horizons[:6], "60 min": horizons},
        published={"15 min": "T-GCN 3.18", "30 min": "T-GCN 3.75", "60 min": "T-GCN 4.60"},
        scored_from=cut + 11,
    )


def sz_taxi(folder: Path, threads: int, missing: bool) -> Set:
    """40 roads of Shenzhen, km/h from taxis every 15 minutes; 0 means that no taxi was seen."""
    at, values = _panel(pl.read_parquet(folder / "traffic_sz_taxi/sz_speed_40roads.parquet"))
    values = np.where(values == 0, np.nan, values).astype(np.float32) if missing else values
    cut = int(len(values) * 0.8)
    effort = Effort(rows=100_000, rounds=240, leaves=15, rate=0.05, threads=threads)
    return Set(
        name=f"SZ-taxi, speed, {'zeros are missing' if missing else 'zeros count as speeds'}",
        protocol="last 20 %, one step after windows of 4, as T-GCN"
        + ("; rows with a taxi before and after" if missing else ""),
        unit="km/h",
        grid=Grid(values, calendar(_on(at, 900, 1), 900)),
        near=of_graph(np.load(folder / "traffic_sz_taxi/sz_adj_40.npz")["adj"], 6),
        aim=Aim((1,), 96, effort, squared=True, judged=_EVERY),
        cut=Parts(int(len(values) * 0.64), cut),
        groups={"15 min": (1,)},
        published={} if missing else {"15 min": "T-GCN 4.871 / 3.528"},
        scored_from=cut + 3,
    )


def metro(folder: Path, threads: int) -> Set:
    """Entries of 80 stations of the Hangzhou metro every 10 minutes; the nights are closed."""
    frame = pl.read_parquet(folder / "metro_hangzhou/hangzhou_inflow_10min.parquet")
    at, open_hours = _panel(frame)
    step = ((at - at[0]) / 600).astype(int)
    values = np.full((step[-1] + 1, open_hours.shape[1]), np.nan, np.float32)
    values[step] = open_hours
    new_year = int(at[0] // 86_400)
    a_day, opening = 144, 36
    choose, judge = (a_day * day - opening for day in (13, 16))
    effort = Effort(rows=200_000, rounds=200, leaves=31, rate=0.08, threads=threads)
    return Set(
        name="Hangzhou metro, entries",
        protocol="last 4 of 20 days, 06:00 to 24:00; 1 January is no working day",
        unit="persons/10 min",
        grid=Grid(values, calendar(_on(at[0] + 600.0 * np.arange(len(values)), 600, 6), 600, {new_year: False})),
        near=of_likeness(values[:choose], 6),
        aim=Aim(
            (2, 4, 6),
            7 * a_day,
            effort,
            (("deviation", "l1"), ("deviation", "l2")),
            squared=True,
            lowest=0,
            judged=_EVERY,
        ),
        cut=Parts(choose, judge),
        groups={"2 steps": (2,), "4 steps": (4,), "6 steps": (6,)},
        published={"2 steps": "TRMF 30.6", "4 steps": "TRMF 32.6", "6 steps": "TRMF 33.9"},
    )


def beijing(folder: Path, threads: int) -> Set:
    """PM2.5 of 12 stations of Beijing, hourly, three years, with the weather at the origin (never that of later)."""
    frame = pl.read_parquet(folder / "air_beijing_prsa/prsa.parquet")
    angle = pl.col("wd").replace_strict({wind: n * np.pi / 8 for n, wind in enumerate(_WINDS)}, default=None)
    frame = frame.with_columns(
        (angle.sin() * pl.col("WSPM")).alias("east"), (angle.cos() * pl.col("WSPM")).alias("north")
    )

    def pivoted(name: str) -> pl.DataFrame:
        return frame.pivot(on="station", index="time", values=name).sort("time")

    at, values = _panel(pivoted("PM2.5"))
    beside = {
        name: _panel(pivoted(name))[1] for name in ("TEMP", "DEWP", "PRES", "WSPM", "PM10", "CO", "east", "north")
    }
    cut = Parts(int(len(values) * 0.64), int(len(values) * 0.8))
    effort = Effort(rows=400_000, rounds=300, leaves=63, rate=0.04, threads=threads)
    return Set(
        name="Beijing, PM2.5",
        protocol="last 20 % of three years; the weather after the origin is not used",
        unit="µg/m³",
        grid=Grid(values, calendar(_on(at, 3600, 24), 3600), beside),
        near=of_likeness(values[: cut.choose], 6),
        aim=Aim((1, 6, 24), 24, effort, (("change", "l1"),), lowest=0),
        cut=cut,
        groups={"1 h": (1,), "6 h": (6,), "24 h": (24,)},
        published={"1 h": "persistence 10.2", "6 h": "persistence 31.8", "24 h": "persistence 58.2"},
    )


def measure(one: Set) -> dict[str, Any]:
    """Train and judge one set."""
    report = build(one.grid, one.aim, one.near, one.cut)
    mask = report.judged.origins >= one.scored_from
    judged = replace(
        report.judged,
        origins=report.judged.origins[mask],
        told={who: told[mask] for who, told in report.judged.told.items()},
        truth=report.judged.truth[mask],
    )
    scored = replace(report, judged=judged)
    share = scored.covered.share()
    return {
        "set": one.name,
        "protocol": one.protocol,
        "unit": one.unit,
        "entities": one.grid.entities,
        "steps": {"choose_from": one.cut.choose, "judge_from": one.cut.judge, "all": one.grid.steps},
        "chosen": f"{report.fit.target}, {report.fit.loss}, trees {report.fit.share:.0%}, the rest ridge",
        "figures": {label: _figure(scored, one, places) for label, places in one.groups.items()},
        "coverage_at_90": [round(float(share.min()), 3), round(float(share.max()), 3)],
        "training_cpu_seconds": round(report.fitting_seconds, 1),
        "choosing_cpu_seconds": round(report.choosing_seconds, 1),
        "rows": report.rows,
    }


def _figure(report: Report, one: Set, horizons: tuple[int, ...]) -> dict[str, Any]:
    places = [one.aim.horizons.index(horizon) for horizon in horizons]
    found: dict[str, Any] = {}
    for who in report.judged.told:
        errors = [error for place in places if (error := report.judged.errors(who, place)) is not None]
        found[who] = {
            "mae": round(float(np.mean([error.mae for error in errors])), 3),
            "rmse": round(float(np.mean([error.rmse for error in errors])), 3),
        }
    found["published"] = one.published.get("".join(label for label, held in one.groups.items() if held == horizons))
    return found


def scoring(entities: int = 20_000, days: int = 30, threads: int = 1) -> dict[str, Any]:
    """Four forecasts of each of very many entities from one origin, columns and profile included; made-up values."""
    chance = np.random.default_rng(1)
    steps = days * 24
    course = 50 + 20 * np.sin(2 * np.pi * np.arange(steps) / 24)[:, None]
    values = (course + chance.normal(0, 5, (steps, entities))).astype(np.float32)
    grid = Grid(values, calendar(3600.0 * np.arange(steps + 24), 3600))
    aim = Aim((1, 6, 12, 24), 24, Effort(rows=100_000, rounds=150, threads=threads), (("change", "l1"),))
    some = replace(grid, values=values[:, :200])
    fit = build(some, aim, None, Parts(int(steps * 0.64), int(steps * 0.8))).fit
    started, clock = time.process_time(), time.perf_counter()
    origin = steps - 1
    columns = Columns(grid, Profile(grid, 24), None, 24, origin)
    told = replace(fit, share=0.5).predict(columns, rows_of(np.array([origin]), entities, aim.horizons))
    return {
        "entities": entities,
        "horizons": len(aim.horizons),
        "forecasts": len(told),
        "cpu_seconds": round(time.process_time() - started, 2),
        "seconds": round(time.perf_counter() - clock, 2),
    }


def _panel(frame: pl.DataFrame) -> tuple[Floats, Floats]:
    """Instants in seconds, and values (steps, entities)."""
    at = frame["time"].dt.epoch("s").to_numpy().astype(float)
    return at, frame.drop("time").to_numpy().astype(np.float32)


def _on(at: Floats, step: float, longest: int) -> Floats:
    """The instants, and those of the longest horizon behind them."""
    return np.append(at, at[-1] + step * np.arange(1, longest + 1))
