"""What comes of mapping one batch: good rows with their marks, and why others were refused."""

from __future__ import annotations

import functools
import operator
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import polars as pl

from cityloop.standard.checks import Check, Refusal

INDEX = "record:index"
"""Column of :attr:`Mapped.rows`: the 0-based position of the record in the frame that was given."""
HEAD = {"title": pl.String(), "lon": pl.Float64(), "lat": pl.Float64(), "area": pl.String()}
CLEAN = pl.lit(None, dtype=pl.String).alias("quality")
"""Nothing is marked."""


@dataclass(frozen=True)
class Mapped:
    """Good rows (``entity``, ``observed_at``, properties, ``quality``, :data:`INDEX`) and why others were refused.

    ``flags`` explains the rows that were kept with a mark; ``head`` has, row by row, the title and position that the
    record gives its entity, and the area of that position where the feed asks for it.
    """

    rows: pl.DataFrame
    refusals: dict[int, list[Refusal]] = field(default_factory=dict)
    flags: dict[int, list[Refusal]] = field(default_factory=dict)
    head: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=HEAD))

    def refused(self, found: Mapping[int, Refusal]) -> Mapped:
        """The same without these records, by their index."""
        keep = ~self.rows[INDEX].is_in(list(found))
        refusals = {**self.refusals, **{index: [refusal] for index, refusal in found.items()}}
        flags = {index: flag for index, flag in self.flags.items() if index not in found}
        return Mapped(
            self.rows.filter(keep), refusals, flags, self.head.filter(keep) if self.head.height else self.head
        )

    def marked(self, found: Mapping[int, Refusal], code: str) -> Mapped:
        """The same with ``code`` added to the quality of these records."""
        here = pl.col(INDEX).is_in(list(found))
        mark = pl.concat_str([pl.col("quality"), pl.lit(code)], separator=",", ignore_nulls=True)
        rows = self.rows.with_columns_seq(pl.when(here).then(mark).otherwise(pl.col("quality")).alias("quality"))
        flags = {**self.flags, **{n: [*self.flags.get(n, []), refusal] for n, refusal in found.items()}}
        return Mapped(rows, self.refusals, flags, self.head)


def broken_by(work: pl.DataFrame, checks: Sequence[Check]) -> tuple[pl.DataFrame, list[Check]]:
    """The checks that some row breaks, and which rows break each, in columns named by place."""
    every = work.select_seq(check.marks.alias(str(n)) for n, check in enumerate(checks)).get_columns()
    hit = [n for n, column in enumerate(every) if column.any()]
    return pl.DataFrame([every[n].alias(str(place)) for place, n in enumerate(hit)]), [checks[n] for n in hit]


def any_of(broken: pl.DataFrame, places: Sequence[int]) -> pl.Series:
    """The rows that break at least one of the checks in these places."""
    found = pl.Series(np.zeros(broken.height, dtype=np.bool_))
    return functools.reduce(operator.or_, (broken[str(place)] for place in places), found)


def refusals_of(
    work: pl.DataFrame, broken: pl.DataFrame, checks: Sequence[Check], wanted: pl.Series
) -> dict[int, list[Refusal]]:
    """The broken checks of each row that is ``wanted``, by its index, with the reasons."""
    found: dict[int, list[Refusal]] = {}
    at = wanted.arg_true()
    if at.is_empty():
        return found
    for row, flags in zip(work[at].rows(named=True), broken[at].rows(), strict=True):
        index = row[INDEX]
        found[index] = [
            Refusal(index, check.column, check.rule, check.reason(row))
            for check, flag in zip(checks, flags, strict=True)
            if flag
        ]
    return found


def quality_of(broken: pl.DataFrame, checks: Sequence[Check], marking: Sequence[int]) -> pl.Series:
    """The names of the checks that flag each row, with commas between them; null where none does."""
    marks = [pl.when(pl.col(str(n))).then(pl.lit(checks[n].code)) for n in marking]
    joined = pl.concat_str(marks, separator=",", ignore_nulls=True)
    return broken.select_seq(pl.when(joined != "").then(joined).alias("quality")).to_series()
