"""What the cells of an entity's newest window come to, kept up to date record by record.

Totals that grow by addition differ from those that are summed anew in the last bits. ``gross`` bounds by how much, so
that whatever lies further from every threshold than that needs no second look, and what lies nearer is summed anew.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np

from cityloop.watch.cells import NEVER, Bools, Cells, Floats, Ints, grown, merged
from cityloop.watch.rings import Rings

ROUNDING = 4 * np.finfo(np.float64).eps
"""Most that one addition adds to the difference of two sums of the same numbers, for each unit of their gross."""
MOST_CELLS = 1_000_000
"""Most cells of one kind that are summed at once."""


@dataclass(frozen=True)
class Course:
    """The cells of windows after each record of runs: shape (rows, records, …)."""

    cells: dict[str, Cells]
    gross: Floats
    """Sum of the magnitudes that went into each total."""
    span: int

    def windows(self, name: str) -> Cells:
        """The cells of one kind as those of windows of a single bucket: (rows, records, …, 1)."""
        return self.cells[name][..., None]

    @property
    def doubt(self) -> Floats:
        """By how much a total may differ from one that is summed anew."""
        return np.asarray((self.cells["count"] + self.span) * ROUNDING * self.gross)


class Windows:
    """Windows of one width, in buckets, by row of the rings."""

    def __init__(self, span: int, names: Collection[str]) -> None:
        self.span, self._names = span, names
        self._cells: dict[str, Cells] = {}
        self._gross = np.empty(0)
        self._head = np.empty(0, np.int64)
        """Up to which bucket each is known; ``NEVER``: not at all."""

    def forget(self, row: Ints) -> None:
        """These rings have changed otherwise."""
        row = row[row < len(self._head)]
        self._head[row] = NEVER

    def course(self, rings: Rings, row: Ints, at: Ints, value: Floats, there: Bools) -> Course:
        """The windows of these rows, whose rings stand before the records but at their head, after each record."""
        self._fit(rings)
        self._renew(rings, row[self._head[row] != rings.head[row]])
        within = there & (at // rings.step > rings.head[row][:, None] - self.span)
        cells = grown({name: cells[row] for name, cells in self._cells.items()}, at, value, within)
        gross = self._gross[row][:, None]
        if "total" in cells:
            gross = gross + np.where(within, np.abs(value), 0.0).cumsum(axis=1)
        return Course(cells, gross, self.span)

    def keep(self, row: Ints, course: Course, chosen: Ints) -> None:
        """The records of these rows of a course are in their rings now."""
        for name, cells in course.cells.items():
            self._cells[name][row] = cells[chosen, -1]
        self._gross[row] = course.gross[chosen, -1]

    def _renew(self, rings: Rings, row: Ints) -> None:
        portion = max(1, MOST_CELLS // self.span)
        for rows in np.split(row, range(portion, len(row), portion)):
            found = {name: rings.recent(name, rows, self.span) for name in self._names}
            for name, cells in merged(found).items():
                self._cells[name][rows] = cells
            if "total" in found:
                self._gross[rows] = np.abs(found["total"]).sum(axis=1)
        self._head[row] = rings.head[row]

    def _fit(self, rings: Rings) -> None:
        more = len(rings.head) - len(self._head)
        if more <= 0:
            return
        for name in self._names:
            like = rings.cells[name]
            room = np.zeros((more, *like.shape[2:]), like.dtype)
            self._cells[name] = np.concatenate([self._cells[name], room]) if name in self._cells else room
        self._gross = np.concatenate([self._gross, np.zeros(more)])
        self._head = np.concatenate([self._head, np.full(more, NEVER, np.int64)])
