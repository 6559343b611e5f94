"""Models judged on what they have not seen, each beside a plain rival on the same rows; docs/models.md shows it.

Every part is measured by itself, and its figures are kept in docs/models.json with the conditions they were measured
under; the page is written anew from all of them. Forecasts, onsets, oddities and zones say in their own modules how.

Messages: 456 labelled rows of ``cases_zhengwu``, ten folds; confidence, threshold and precision from opposite halves.
Duplicates: ``hot_topic_messages`` of topics, a topic being a place that at least 5 (3, 8) people name in titles; a pair
is true where both name the same place. That truth is a rule over titles, not a judgement by people, and the figure
depends on it. Departments and risk: Boston 2011, trained on July to October (for the risk: on limits that had run out
by 1 November), tested on November. Rows are never printed.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from sklearn.metrics import average_precision_score

from bench import anomalies, forecasts, onsets, zones
from bench.conditions import conditions
from cityloop.cases.vocabulary import told
from cityloop.cases.wording import Vector, Words, text_likeness
from cityloop.core.errors import NotFound
from cityloop.learn import risk, text
from cityloop.learn.confidence import automatic, calibration_error, choose_threshold, sharpen
from cityloop.learn.past import Array, Past

ROOT = Path(__file__).parents[1]
_PLACE = re.compile(
    r"[\u4e00-\u9fff]{2}"
    r"(?:小区|花园|公寓|新城|家园|广场|学校|小学|中学|幼儿园|学院|国际|府|苑|城|湾|庭|社区|村)"
)
_DAYS = 90
_CITY_NAME = re.compile(r"[A-Z]\d*(?:市|区|县)")


def run(source: Path | None = None, only: Sequence[str] = (), threads: int = 1) -> Iterator[tuple[str, dict[str, Any]]]:
    """Name and figures of the wanted parts (default: all), one after another as they are measured.

    Raises :class:`NotFound` naming the folder or the part that is missing.
    """
    folder = source or Path(os.environ.get("CITYLOOP_SHARED", ROOT.parent / "shared")) / "data"
    if not (folder / "cases_zhengwu").is_dir() or not (folder / "cases_boston311").is_dir():
        raise NotFound(f"there are no case data sets in {folder}", "give --source, or set CITYLOOP_SHARED")
    unknown = sorted(set(only) - set(PARTS))
    if unknown:
        raise NotFound(f"there is no part {', '.join(unknown)}", f"known: {', '.join(PARTS)}")
    for name in only or PARTS:
        started = time.process_time()
        figures = PARTS[name](folder, threads)
        measured = {
            **conditions("scikit-learn", "lightgbm", "numpy", "h3"),
            "threads": threads,
            "seed": text.SEED,
            "cpu_seconds": round(time.process_time() - started, 1),
        }
        yield name, {**figures, "conditions": measured}


def messages(folder: Path) -> dict[str, Any]:
    """Seven classes of messages: ten-fold macro-F1, and what opposite halves show of the automatic share."""
    frame = pl.read_parquet(folder / "cases_zhengwu/labelled_sample.parquet")
    texts = [f"{a.strip()}\n{b.strip()}" for a, b in frame.select("留言主题", "留言详情").iter_rows()]
    unseen = text.held_out(text.Texts.of(texts, frame["一级标签"].to_list()), folds=10)
    sharpness = sharpen(unseen.margins, unseen.truth, unseen.rows.weight)
    held = unseen.judged(sharpness)
    return {
        "rows": len(texts),
        "folds": 10,
        "macro_f1": _short(text.macro_f1(held)),
        "accuracy": _short(held.accuracy()),
        "calibration_error": _short(calibration_error(held.confidence, held.right, held.weight)),
        "rival": {"macro_f1": 0.772, "what": "TF-IDF and linear SVM on the same 456 rows, as published with the data"},
        **_halves(held),
    }


def _halves(held: text.HeldOut) -> dict[str, Any]:
    """The threshold of one half applied to the other, both ways."""
    half = np.random.default_rng(text.SEED).permutation(len(held.right)) % 2 == 0
    shares, right, count = [], 0.0, 0.0
    for mine in (half, ~half):
        threshold = choose_threshold(held.confidence[mine], held.right[mine], held.weight[mine])
        share, precision = automatic(held.confidence[~mine], held.right[~mine], held.weight[~mine], threshold)
        shares.append(share)
        right += (precision or 0.0) * share
        count += share
    return {"automatic_share": _short(np.mean(shares)), "automatic_precision": _short(right / count) if count else None}


def duplicates(folder: Path) -> dict[str, Any]:
    """The duplicate guard's likeness of words, for hot topics of several sizes, weighed by the messages not judged.

    Its rival is the overlap of shingles that minhashing estimates.
    """
    frame = pl.read_parquet(folder / "cases_zhengwu/hot_topic_messages.parquet")
    texts = [told(title, body) for title, body in frame.select("留言主题", "留言详情").iter_rows()]
    truth = f"the same place in both titles, at most {_DAYS} days apart; a topic is a place that so many people name"
    return {"truth": truth, **{f"people_{least}": _topics(frame, texts, least) for least in (5, 3, 8)}}


def _topics(frame: pl.DataFrame, texts: Sequence[str], least: int) -> dict[str, Any]:
    places = [set(_PLACE.findall(_CITY_NAME.sub("", title.strip()))) for title in frame["留言主题"].to_list()]
    people: dict[str, set[str]] = {}
    for named, person in zip(places, frame["留言用户"].to_list(), strict=True):
        for place in named:
            people.setdefault(place, set()).add(person)
    hot = {place for place, who in people.items() if len(who) >= least}
    chosen = [n for n, named in enumerate(places) if named & hot]
    words = Words(texts[n] for n in sorted(set(range(len(texts))) - set(chosen)))
    vectors = [words.vector(texts[n]) for n in chosen]
    days = np.array([at.timestamp() / 86_400 for at in frame["留言时间"][chosen].to_list()])
    first, second = np.triu_indices(len(chosen), 1)
    near = np.abs(days[first] - days[second]) <= _DAYS
    first, second = first[near], second[near]
    pairs = zip(first.tolist(), second.tolist(), strict=True)
    same = np.array([bool(places[chosen[a]] & places[chosen[b]] & hot) for a, b in pairs], dtype=int)
    both = [(vectors[a], vectors[b]) for a, b in zip(first.tolist(), second.tolist(), strict=True)]
    return {
        "topics": len(hot),
        "messages": len(chosen),
        "pairs": len(same),
        "true_pairs": int(same.sum()),
        "average_precision": _short(average_precision_score(same, [text_likeness(one, other) for one, other in both])),
        "rival": {
            "average_precision": _short(average_precision_score(same, [_overlap(one, other) for one, other in both])),
            "what": "overlap of shingles",
        },
    }


def _overlap(one: Vector, other: Vector) -> float:
    """Shared pairs and triples of letters among all of both."""
    shared = len(one.keys() & other.keys())
    return shared / (len(one) + len(other) - shared)


def departments(frame: pl.DataFrame) -> dict[str, Any]:
    """Title and kind → department, trained on July to October, tested on November."""
    kinds, truth = frame["type"].to_list(), frame["department"].to_list()
    rows = text.Texts.of([f"{a}\n{b}" for a, b in zip(frame["case_title"].to_list(), kinds, strict=True)], truth)
    months = frame["open_dt"].dt.month().to_numpy()
    seen, _ = text.common(rows.take(months <= 10))
    model, _ = text.train(seen)
    held = text.against(model, rows.take(months == 11)).judged(model.sharpness)
    share, precision = automatic(held.confidence, held.right, held.weight, model.threshold)
    best = choose_threshold(held.confidence, held.right, held.weight)
    return {
        "train": int(seen.weight.sum()),
        "test": int(held.weight.sum()),
        "accuracy": _short(held.accuracy()),
        "automatic_share": _short(share),
        "automatic_precision": _short(precision),
        "threshold": _short(model.threshold),
        "coverage_at_98_by_hindsight": _short(automatic(held.confidence, held.right, held.weight, best)[0]),
        "rival": {"accuracy": _short(_usual(kinds, truth, months)), "what": "the kind's usual department"},
    }


def _usual(kinds: list[str], truth: list[str], months: Array) -> float:
    """Accuracy of giving each kind to the department that had most of it before November."""
    known = pl.DataFrame({"kind": kinds, "department": truth, "month": months})
    before = known.filter(pl.col("month") <= 10).group_by("kind", "department").len().sort("len", descending=True)
    usual = dict(before.unique("kind", keep="first", maintain_order=True).select("kind", "department").iter_rows())
    most = before.group_by("department").agg(pl.col("len").sum()).sort("len", descending=True)["department"][0]
    later = known.filter(pl.col("month") == 11)
    return float(np.mean([usual.get(k, most) == d for k, d in later.select("kind", "department").iter_rows()]))


def lateness(frame: pl.DataFrame) -> dict[str, Any]:
    """Risk of missing the limit: fitted on limits run out by 1 November, tested on the cases opened in November."""
    frame = frame.filter(pl.col("target_dt").is_not_null())
    words = {"matter": "type", "department": "department", "area": "neighborhood", "channel": "source"}
    columns = {name: frame[column].fill_null("").to_numpy().astype(str) for name, column in words.items()}
    opened, due, closed = (_seconds(frame[name]) for name in ("open_dt", "target_dt", "closed_dt"))
    past = Past(columns, opened, opened, due, closed)
    cut = datetime(2011, 11, 1, tzinfo=UTC).timestamp()
    rows, test = past.take(risk.settled(past, cut)), past.take(opened >= cut)
    model, _ = risk.train(rows, past)
    late = test.late()
    means = risk.type_means(rows.words["matter"], rows.late(), test.words["matter"])
    return {
        "train": len(rows),
        "test": len(test),
        "late_share": _short(late.mean()),
        **{name: _short(value) for name, value in risk.scores(model.risk(test, past), late).items()},
        "rival": {
            **{name: _short(value) for name, value in risk.scores(means, late).items()},
            "what": "share of late cases of the same kind",
        },
    }


def _boston(folder: Path) -> pl.DataFrame:
    return pl.read_parquet(folder / "cases_boston311/boston311_2011.parquet").sort("open_dt", "case_enquiry_id")


def _seconds(instants: pl.Series) -> Array:
    return instants.dt.epoch("s").cast(pl.Float64).fill_null(float("nan")).to_numpy()


def _short(value: Any) -> float | None:
    return None if value is None else round(float(value), 4)


PARTS: Mapping[str, Callable[[Path, int], dict[str, Any]]] = {
    "messages": lambda folder, _: messages(folder),
    "duplicates": lambda folder, _: duplicates(folder),
    "boston_department": lambda folder, _: departments(_boston(folder)),
    "boston_risk": lambda folder, _: lateness(_boston(folder)),
    "los_loop": lambda folder, threads: forecasts.measure(forecasts.los_loop(folder, threads)),
    "sz_taxi": lambda folder, threads: forecasts.measure(forecasts.sz_taxi(folder, threads, missing=False)),
    "sz_taxi_missing": lambda folder, threads: forecasts.measure(forecasts.sz_taxi(folder, threads, missing=True)),
    "metro": lambda folder, threads: forecasts.measure(forecasts.metro(folder, threads)),
    "beijing": lambda folder, threads: forecasts.measure(forecasts.beijing(folder, threads)),
    "scoring": lambda _, threads: forecasts.scoring(threads=threads),
    "onset": onsets.run,
    "oddities": lambda folder, _: anomalies.run(folder),
    "zones": lambda folder, _: zones.run(folder),
}
