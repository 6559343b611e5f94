"""docs/models.md from the figures that were measured last."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

Figures = Mapping[str, Any]
_FORECASTS = ("los_loop", "sz_taxi", "sz_taxi_missing", "metro", "beijing")
_HEAD = """# What the models reach

Written by `cityloop bench models` from `docs/models.json`; nothing here is typed by hand. How the models work stands in
[learning.md](learning.md). A part is measured anew with `cityloop bench models --only <part>`.

Of every series the last part of the time was held out: candidates were fitted on the first part, chosen on the one
behind it, and the held-out part was forecast by the chosen one; no figure of it chose anything. While the program was
written two of them were read twice: Los-loop before some columns were added for other series, and Boston's November
with the cells known by October alone (PAI 3.61) before all cells were taken.
"""


def update(folder: Path, found: Figures) -> Path:
    """Keep new figures beside the old ones, write the page, return it."""
    kept = folder / "models.json"
    every = json.loads(kept.read_text(encoding="utf-8")) if kept.exists() else {}
    every.update(found)
    kept.write_text(json.dumps(every, ensure_ascii=False, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    page = folder / "models.md"
    page.write_text(written(every), encoding="utf-8")
    return page


def written(every: Figures) -> str:
    """The page as text; a part that was never measured is left out."""
    single = {"onset": _onset, "oddities": _oddities, "zones": _zones}
    parts = [line for name, part in single.items() if name in every for line in part(every[name])]
    return "\n".join([_HEAD, *_forecasts(every), *parts, *_cases(every), *_conditions(every)])


def _forecasts(every: Figures) -> Iterator[str]:
    held = [every[name] for name in _FORECASTS if name in every]
    if not held:
        return
    yield "## Forecasts\n\nMAE / RMSE in the unit of the series, on the same rows; published as the data say.\n"
    yield "| series | ahead | model | persistence | seasonal-naive | published |"
    yield "|---|---|---|---|---|---|"
    for one in held:
        for label, figure in one["figures"].items():
            told = " | ".join(
                f"{figure[who]['mae']} / {figure[who]['rmse']}" for who in ("model", "persistence", "seasonal")
            )
            yield f"| {one['set']} ({one['unit']}) | {label} | {told} | {figure['published'] or '—'} |"
    yield "\n| series | judged on | chosen before | 90 % intervals held | training, CPU s | choosing, CPU s |"
    yield "|---|---|---|---|---|---|"
    for one in held:
        low, high = (f"{100 * share:.1f}" for share in one["coverage_at_90"])
        times = f"{one['training_cpu_seconds']} | {one['choosing_cpu_seconds']}"
        yield f"| {one['set']} | {one['protocol']} | {one['chosen']} | {low} to {high} % | {times} |"
    if "scoring" in every:
        one = every["scoring"]
        yield (
            f"\n{one['entities']:,} entities × {one['horizons']} horizons from one origin took "
            f"{one['cpu_seconds']} s of the processor ({one['seconds']} s by the clock), profile and columns included."
        )
    yield ""


def _onset(one: Figures) -> Iterator[str]:
    yield (
        f"## Onset of congestion\n\nLos-loop, {one['what']}: average precision **{one['average_precision']}** on "
        f"{one['rows']:,} rows ({one['rival']['what']}: {one['rival']['average_precision']}). At the threshold set on "
        f"the part before: precision {one['precision']}, recall {one['recall']}; of {one['episodes']} episodes "
        f"{100 * one['episodes_told']:.0f} % were told of, half of them at least "
        f"{one['median_lead_minutes']:.0f} minutes before.\n"
    )


def _oddities(one: Figures) -> Iterator[str]:
    yield (
        f"## Oddities\n\n{one['files']} series of the Numenta Anomaly Benchmark ({one['values']:,} values, "
        f"{one['windows']} windows), by its scorer, one threshold for all files; "
        f"{one['microseconds_a_value']} µs a value.\n"
    )
    yield "| profile | ours | windowed Gaussian, same files |"
    yield "|---|---|---|"
    for name, figure in one["scores"].items():
        yield f"| {name} | {figure['ours']} | {figure['windowed_gaussian']} |"
    whole = one["published_on_all_58_files"]
    yield (
        f"\nThe half-lives were looked at on these files, which flatters a little; with those of {one['paces']} the "
        f"standard score lies between {one['range'][0]} and {one['range'][1]}. Published on all 58 files of the "
        f"benchmark, which are not here: HTM {whole['numenta']}, windowed Gaussian {whole['windowedGaussian']}.\n"
    )


def _zones(one: Figures) -> Iterator[str]:
    rivals = ", ".join(f"{name} {figure}" for name, figure in one["rivals"].items())
    yield (
        f"## Hot zones\n\nBoston, sanitation, each day of November ({one['cases']:,} cases): 5 % of {one['cells']:,} "
        f"cells of H3 level 9 held {100 * one['share_of_cases']:.1f} % of the day's cases, PAI **{one['pai_at_5']}** "
        f"({rivals}); the weight of the neighbourhood, {one['prior_days']:.0f} days, was chosen on October.\n"
    )


def _cases(every: Figures) -> Iterator[str]:
    rows = [
        ("messages", "456 Chinese messages, 7 classes, ten folds, macro-F1", "macro_f1", "macro_f1"),
        ("boston_department", "Boston, title and kind → department, accuracy", "accuracy", "accuracy"),
        ("boston_risk", "Boston, risk of running late, AUC", "auc", "auc"),
    ]
    held = [row for row in rows if row[0] in every]
    if held:
        yield "## Cases\n\n| what | ours | rival |\n|---|---|---|"
        for name, what, ours, theirs in held:
            rival = every[name]["rival"]
            yield f"| {what} | {every[name][ours]} | {rival[theirs]}, {rival['what']} |"
    if "duplicates" in every:
        one = every["duplicates"]["people_5"]
        rival = one["rival"]
        told = f"{one['average_precision']} | {rival['average_precision']}, {rival['what']}"
        yield f"| messages naming one place, topics of 5 people and more, average precision | {told} |"
    yield ""


def _conditions(every: Figures) -> Iterator[str]:
    yield "## Conditions\n\n| part | threads | CPU s | Python | LightGBM | scikit-learn | NumPy |"
    yield "|---|---|---|---|---|---|---|"
    for name, one in every.items():
        told = one["conditions"]
        versions = " | ".join(str(told[key]) for key in ("python", "lightgbm", "scikit-learn", "numpy"))
        yield f"| {name} | {told['threads']} | {told['cpu_seconds']} | {versions} |"
    yield ""
