"""Which earlier reports say the same: TF-IDF over the n-grams of title and body. Minhashing finds copies only."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer

from cityloop.learn.past import Array


def grams(titles: Sequence[str], bodies: Sequence[str]) -> Any:
    """Unit rows over title and body, sparse, so that a dot product is the similarity (0 to 1)."""
    weighing = TfidfVectorizer(analyzer="char", ngram_range=(2, 3), sublinear_tf=True)
    return weighing.fit_transform([f"{title}\n{body}" for title, body in zip(titles, bodies, strict=True)])


def similarities(rows: Any) -> Array:
    """Dot products of all rows with all, shape (n, n); meant for thousands of rows, not for millions."""
    return np.asarray((rows @ rows.T).toarray())


def average_precision(similar: Array, same: Array) -> float:
    """Area under precision over recall, as the mean of the precision at every true pair; ties in favour of none."""
    order = np.lexsort((same, -similar))
    hits = same[order].astype(bool)
    found = np.cumsum(hits)
    return float((found[hits] / (np.flatnonzero(hits) + 1)).mean()) if hits.any() else 0.0
