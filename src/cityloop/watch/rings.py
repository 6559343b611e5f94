"""Ring buckets, as numpy arrays.

Event time is cut into buckets. Every entity has a ring of buckets that ends at its *head*, the newest bucket it has a
record in. A late record lands in its own bucket, so order of arrival does not matter within the tolerance.
"""

from __future__ import annotations

import numpy as np

from cityloop.watch.cells import Cells, Ints


class Rings:
    """Rings by row, with the newest bucket (``head``) and the newest instant of each; ``step`` is a bucket in µs.

    The rows are the numbers of entities in a ``State``; a copy may hold a row for each moment of entities instead.
    """

    def __init__(self, step: int, size: int, cells: dict[str, Cells], head: Ints, last: Ints) -> None:
        self.step, self.size = step, size
        self.cells, self.head, self.last = cells, head, last

    def recent(self, name: str, row: Ints, length: int) -> Cells:
        """The newest ``length`` buckets of these rows, oldest first: shape (rows, length)."""
        back = np.arange(length - 1, -1, -1)
        slots = (self.head[row] % self.size)[:, None] - back  # one that is negative counts from the end of the ring
        return np.asarray(self.cells[name][row[:, None], slots])
