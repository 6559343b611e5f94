"""Who observed: an entity as one feed tells of it."""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from cityloop.standard.numbers import Numbers


class Writers:
    """The pairs of entity and feed of one entity type, each with a lasting number."""

    def __init__(self) -> None:
        self._numbers = Numbers()

    def of(self, rows: pl.DataFrame) -> NDArray[np.int64]:
        """The writer's number of each row (columns ``entity`` and ``feed``)."""
        pair = pl.concat_str("entity", "feed", separator="\n")
        return self._numbers.of(rows.select_seq(pair).to_series())
