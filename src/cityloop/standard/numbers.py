"""Texts as numbers, so that columns of them are compared, ordered and looked up as numbers are."""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

_SHORT = 2**16


class Numbers:
    """Gives every text a number, from 0 on, that it keeps for as long as this object lives."""

    def __init__(self) -> None:
        self._kept = pl.Series(dtype=pl.Categorical(pl.Categories.random()))
        """Keeps the numbers alive: codes of categories of its own, which count up from 0."""

    def of(self, texts: pl.Series) -> NDArray[np.int64]:
        """The number of each text; a new one gets the next. There is none for null, which must not come."""
        return texts.cast(self._kept.dtype).to_physical().to_numpy().astype(np.int64)


def ordered(numbers: NDArray[np.int64], times: NDArray[np.int64]) -> NDArray[np.int64]:
    """Rows by number, then time, then place; rows in order of time need no comparing."""
    if numbers.max(initial=0) < _SHORT and not (times[1:] < times[:-1]).any():
        return np.argsort(numbers.astype(np.uint16), kind="stable")
    return np.lexsort((times, numbers))


def ends(numbers: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Where the last row of each number stands among ordered ones."""
    return np.append(numbers[1:] != numbers[:-1], True)[: len(numbers)]
