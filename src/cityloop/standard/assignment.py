"""Optimum matching of columns to targets: the pairing with the largest sum of scores, not the greedy one."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def best_pairs(scores: Sequence[Sequence[float]]) -> list[tuple[int, int]]:
    """Pairs (row, column) of a matrix, each row and column at most once, with the largest possible sum.

    The Hungarian method with potentials: rows are added one by one along a shortest augmenting path. Pairs whose score
    is not above 0 are left out.
    """
    matrix = np.array(scores, dtype=float)
    if matrix.size == 0:
        return []
    flipped = matrix.shape[0] > matrix.shape[1]
    gains = matrix.T if flipped else matrix
    owners = _owners(-gains)
    pairs = [(int(row), column) for column, row in enumerate(owners) if row >= 0]
    pairs = [(column, row) if flipped else (row, column) for row, column in pairs]
    return sorted((row, column) for row, column in pairs if matrix[row, column] > 0)


def _owners(costs: NDArray[np.float64]) -> NDArray[np.int64]:
    """For each column the row that has it, -1 for none; there are at least as many columns as rows."""
    height, width = costs.shape
    row_price, column_price = np.zeros(height), np.zeros(width)
    owner = np.full(width, -1)
    for row in range(height):
        length = np.full(width, np.inf)
        came_from = np.full(width, -1)
        done = np.zeros(width, dtype=bool)
        here, last = row, -1
        while True:
            if last >= 0:
                done[last] = True
            reduced = costs[here] - row_price[here] - column_price
            shorter = ~done & (reduced < length)
            length[shorter], came_from[shorter] = reduced[shorter], last
            column = int(np.argmin(np.where(done, np.inf, length)))
            step = length[column]
            row_price[row] += step
            row_price[owner[done]] += step
            column_price[done] -= step
            length[~done] -= step
            last = column
            if owner[column] < 0:
                break
            here = int(owner[column])
        while last >= 0:
            before = int(came_from[last])
            owner[last] = owner[before] if before >= 0 else row
            last = before
    return owner
