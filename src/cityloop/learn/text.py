"""Text → class: character n-grams, a linear separator, calibrated confidence. Chinese and English alike, no segmenter.

Word segmentation and embeddings gained nothing on a few hundred rows (docs/learning.md has the figures).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.model_selection import StratifiedKFold
from sklearn.svm import LinearSVC

from cityloop.core.errors import Invalid
from cityloop.learn.artefact import Parts
from cityloop.learn.confidence import automatic, calibration_error, choose_threshold, confidences, sharpen
from cityloop.learn.past import Array

SEED = 20261122
LEAST_OF_CLASS = 5
"""A class with fewer rows is left out: one row for each fold at least."""
_FOLDS = 5
_MANY = 3000
"""From so many rows on, the latest fifth is held out instead of folds (cheaper, and it shows drift), and classes weigh
as often as they occur."""


@dataclass(frozen=True)
class Texts:
    """Labelled texts, oldest first; equal ones may be gathered, with their number as weight."""

    texts: Sequence[str]
    labels: Array
    weight: Array

    def __len__(self) -> int:
        return len(self.texts)

    def take(self, wanted: Array) -> Texts:
        """The rows at these positions, or where the mask holds."""
        places = np.flatnonzero(wanted) if wanted.dtype == bool else wanted
        return Texts([self.texts[n] for n in places.tolist()], self.labels[places], self.weight[places])

    def gathered(self) -> Texts:
        """Equal rows as one, in order of their first appearance."""
        seen: dict[tuple[str, str], float] = {}
        for text, label, weight in zip(self.texts, self.labels, self.weight, strict=True):
            seen[text, str(label)] = seen.get((text, str(label)), 0.0) + float(weight)
        return Texts([text for text, _ in seen], np.array([x for _, x in seen], dtype=str), np.array([*seen.values()]))

    @staticmethod
    def of(texts: Sequence[str], labels: Sequence[str]) -> Texts:
        """Rows of weight one."""
        return Texts(list(texts), np.array(labels, dtype=str), np.ones(len(texts)))


@dataclass(frozen=True)
class TextModel:
    """A fitted classifier. ``weights`` has shape (classes, grams)."""

    classes: tuple[str, ...]
    vectoriser: TfidfVectorizer
    weights: Array
    intercept: Array
    sharpness: float = 1.0
    threshold: float | None = None

    def margins(self, texts: Sequence[str]) -> Array:
        """Distance to each class's separator, shape (texts, classes)."""
        return np.asarray(self.vectoriser.transform(texts) @ self.weights.T) + self.intercept

    def confidences(self, texts: Sequence[str]) -> Array:
        """Calibrated confidence of each class, rows sum to 1."""
        return confidences(self.margins(texts), self.sharpness)

    def best(self, text: str, count: int = 3) -> list[tuple[str, float]]:
        """The likeliest classes with their confidence, best first."""
        row = self.confidences([text])[0]
        return [(self.classes[n], float(row[n])) for n in np.argsort(-row, kind="stable")[:count]]

    def parts(self) -> Parts:
        """Everything needed to build the model again."""
        grams = sorted(self.vectoriser.vocabulary_, key=self.vectoriser.vocabulary_.__getitem__)
        arrays = {
            "idf": self.vectoriser.idf_,
            "weights": self.weights.astype(np.float32),
            "intercept": self.intercept,
            "sharpness": np.array(self.sharpness),
            "threshold": np.array(np.nan if self.threshold is None else self.threshold),
        }
        return Parts(arrays, {"classes": list(self.classes), "grams": grams})

    @staticmethod
    def of(parts: Parts) -> TextModel:
        """The model that :meth:`parts` describes."""
        vectoriser = _vectoriser(1, {gram: n for n, gram in enumerate(parts.words["grams"])})
        vectoriser.idf_ = parts.arrays["idf"]
        threshold = float(parts.arrays["threshold"])
        return TextModel(
            tuple(parts.words["classes"]),
            vectoriser,
            parts.arrays["weights"],
            parts.arrays["intercept"],
            float(parts.arrays["sharpness"]),
            None if np.isnan(threshold) else threshold,
        )


@dataclass(frozen=True)
class HeldOut:
    """Predictions for rows that the predicting model had not seen: top confidence, whether right, weights."""

    predicted: Array
    truth: Array
    confidence: Array
    right: Array
    weight: Array

    def accuracy(self) -> float:
        """Share of right first choices."""
        return float(np.average(self.right, weights=self.weight))


def fit(rows: Texts) -> TextModel:
    """Fit without calibration; raises :class:`Invalid` for fewer than two classes.

    Among few rows every class weighs the same; among many, how often it occurs is knowledge. Equal rows count with the
    root of their number: the same form sent a thousand times says less than a thousand different texts.
    """
    if len(set(rows.labels)) < 2:
        raise Invalid("there are fewer than two classes to tell apart", "close more cases of several matters first")
    rows = rows.gathered()
    vectoriser = _vectoriser(2 if len(rows) >= 200 else 1)
    grams = vectoriser.fit_transform(rows.texts)
    balance = "balanced" if rows.weight.sum() < _MANY else None
    separator = LinearSVC(class_weight=balance, random_state=SEED, max_iter=5000)
    weight = np.sqrt(rows.weight)
    separator.fit(grams, rows.labels, sample_weight=weight / weight.mean())
    weights, intercept = separator.coef_, separator.intercept_
    if len(separator.classes_) == 2:
        weights, intercept = np.vstack([-weights, weights]), np.concatenate([-intercept, intercept])
    return TextModel(tuple(str(name) for name in separator.classes_), vectoriser, weights, intercept)


def train(rows: Texts) -> tuple[TextModel, HeldOut]:
    """Fit on everything, with sharpness and threshold from predictions on rows held out; and those predictions."""
    unseen = held_out(rows)
    sharpness = sharpen(unseen.margins, unseen.truth, unseen.rows.weight)
    held = unseen.judged(sharpness)
    threshold = choose_threshold(held.confidence, held.right, held.weight)
    return replace(fit(rows), sharpness=sharpness, threshold=threshold), held


@dataclass(frozen=True)
class Unseen:
    """Margins for rows by models that had not seen them; ``truth`` holds positions in ``classes``."""

    rows: Texts
    classes: tuple[str, ...]
    margins: Array
    truth: Array

    def judged(self, sharpness: float) -> HeldOut:
        """The margins as choices with confidence."""
        shares = confidences(self.margins, sharpness)
        top = shares.argmax(axis=1)
        right = (top == self.truth).astype(float)
        return HeldOut(np.array(self.classes)[top], self.rows.labels, shares.max(axis=1), right, self.rows.weight)


def held_out(rows: Texts, folds: int = _FOLDS, seed: int = SEED) -> Unseen:
    """The latest fifth judged by the rest when rows are many, else every row judged by folds without it."""
    if rows.weight.sum() >= _MANY:
        late = np.cumsum(rows.weight) > 0.8 * rows.weight.sum()
        return against(fit(rows.take(~late)), rows.take(late))
    splitter = StratifiedKFold(folds, shuffle=True, random_state=seed)
    parts = []
    for seen, unseen in splitter.split(rows.labels, rows.labels):
        parts.append((unseen, against(fit(rows.take(seen)), rows.take(unseen), gather=False)))
    classes = parts[0][1].classes
    margins = np.empty((len(rows), len(classes)))
    truth = np.empty(len(rows), dtype=int)
    for unseen, part in parts:
        margins[unseen], truth[unseen] = part.margins, part.truth
    return Unseen(rows, classes, margins, truth)


def against(model: TextModel, rows: Texts, gather: bool = True) -> Unseen:
    """What a model says of rows; a label that it does not know has the position -1."""
    rows = rows.gathered() if gather else rows
    position = {name: n for n, name in enumerate(model.classes)}
    truth = np.array([position.get(str(label), -1) for label in rows.labels])
    return Unseen(rows, model.classes, model.margins(rows.texts), truth)


def common(rows: Texts) -> tuple[Texts, int]:
    """The rows of classes that occur often enough to be learned, and how many rows are left out."""
    names, count = np.unique(rows.labels, return_counts=True)
    often = np.isin(rows.labels, names[count >= LEAST_OF_CLASS])
    return rows.take(often), int((~often).sum())


def metrics(held: HeldOut, threshold: float | None) -> dict[str, float | None]:
    """Figures for the card."""
    coverage, precision = automatic(held.confidence, held.right, held.weight, threshold)
    return {
        "accuracy": held.accuracy(),
        "macro_f1": macro_f1(held),
        "calibration_error": calibration_error(held.confidence, held.right, held.weight),
        "threshold": threshold,
        "automatic_share": coverage,
        "automatic_precision": precision,
    }


def macro_f1(held: HeldOut) -> float:
    """Mean F1 over the classes that occur."""
    scores = []
    for name in sorted(set(held.truth)):
        is_it, said = held.truth == name, held.predicted == name
        both, either = held.weight[is_it & said].sum(), held.weight[is_it].sum() + held.weight[said].sum()
        scores.append(2 * both / either)
    return float(np.mean(scores))


def _vectoriser(fewest: int, vocabulary: dict[str, int] | None = None) -> Any:
    return TfidfVectorizer(
        analyzer="char", ngram_range=(1, 3), sublinear_tf=True, min_df=fewest, vocabulary=vocabulary, dtype=np.float64
    )
