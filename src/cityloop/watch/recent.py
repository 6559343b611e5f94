"""Recent rows of one entity type in memory, so that a warning's evidence costs no scan of the lake."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import isfinite
from typing import cast

import pyarrow as pa
import pyarrow.compute as pc

MOST_ROWS = 400_000
"""Rows kept; beyond it the oldest go and evidence is read from the lake."""
_PIECE = 8192
"""Rows up to which pieces that arrive are put together."""

Point = tuple[datetime, float, str]
Belongs = Callable[[pa.Table], pa.Array]
"""Which rows of a table are wanted, as a mask."""


@dataclass(frozen=True)
class _Piece:
    """Rows that arrived together, with the least and greatest of their instants."""

    rows: pa.Table
    oldest: datetime
    newest: datetime

    @classmethod
    def of(cls, rows: pa.Table) -> _Piece:
        span = pc.min_max(rows["observed_at"]).as_py()
        return cls(rows, span["min"], span["max"])

    def join(self, other: _Piece) -> _Piece:
        rows = pa.concat_tables([self.rows, other.rows]).combine_chunks()
        return _Piece(rows, min(self.oldest, other.oldest), max(self.newest, other.newest))


class Recent:
    """The newest rows, as they arrived. ``complete_from`` is the instant after which nothing is missing."""

    def __init__(self, columns: Sequence[str], span: timedelta) -> None:
        self.columns = list(columns)
        self._span = span
        self._pieces: deque[_Piece] = deque()
        self._newest: datetime | None = None
        self._rows = 0
        self.complete_from: datetime | None = None

    def add(self, rows: pa.Table, until: datetime) -> None:
        """Keep these rows too, and drop what no window can reach any more; rows beyond ``until`` are never wanted."""
        at = rows["observed_at"]
        rows = rows.filter(pc.less_equal(at, pa.scalar(until, at.type))) if _beyond(at, until) else rows
        if not rows.num_rows:
            return
        piece = _Piece.of(pa.Table.from_arrays([rows[name] for name in self.columns], names=self.columns))
        self._rows += rows.num_rows
        self._newest = max(piece.newest, self._newest or piece.newest)
        while self._pieces and self._pieces[-1].rows.num_rows + piece.rows.num_rows <= _PIECE:
            if self._pieces[-1].rows.num_rows > 2 * piece.rows.num_rows:
                break
            piece = self._pieces.pop().join(piece)
        self._pieces.append(piece)
        self._drop(self._newest - self._span)

    def pick(self, belongs: Belongs, start: datetime, end: datetime) -> pa.Table | None:
        """Rows that ``belongs`` chooses in ``[start, end)``; ``None`` when there are none."""
        near = [piece.rows for piece in self._pieces if piece.newest >= start and piece.oldest < end]
        found = [picked for rows in near if (picked := pick(rows, belongs, start, end)).num_rows]
        return pa.concat_tables(found) if found else None

    def area(self, entity: str) -> str | None:
        """The area that the newest kept row of an entity gives; ``None`` when there is none."""
        for piece in reversed(self._pieces):
            rows = piece.rows.filter(pc.equal(piece.rows["entity"], entity))
            if rows.num_rows:
                return cast("str | None", rows["area"][-1].as_py())
        return None

    def _drop(self, reach: datetime) -> None:
        """Forget the first pieces as long as they are out of reach, and rows beyond the most that are kept."""
        while self._pieces and self._pieces[0].newest < reach:
            self._rows -= self._pieces.popleft().rows.num_rows
        while self._rows > MOST_ROWS:
            first = self._pieces.popleft()
            excess = min(self._rows - MOST_ROWS, first.rows.num_rows)
            gone = _Piece.of(first.rows.slice(0, excess)).newest + timedelta(microseconds=1)
            self.complete_from = max(gone, self.complete_from or gone)
            self._rows -= excess
            if excess < first.rows.num_rows:
                self._pieces.appendleft(_Piece.of(first.rows.slice(excess)))


def _beyond(at: pa.ChunkedArray, until: datetime) -> bool:
    newest = pc.max(at).as_py()
    return newest is not None and newest > until


def pick(rows: pa.Table, belongs: Belongs, start: datetime, end: datetime) -> pa.Table:
    """Rows that ``belongs`` chooses in ``[start, end)``."""
    at = rows["observed_at"]
    rows = rows.filter(pc.and_(pc.greater_equal(at, pa.scalar(start, at.type)), pc.less(at, pa.scalar(end, at.type))))
    return rows.filter(belongs(rows)) if rows.num_rows else rows


def points(rows: pa.Table, values: Sequence[float]) -> list[Point]:
    """``(observed_at, value, record)``, oldest first; a value that is no number is no point."""
    columns = (rows["observed_at"].to_pylist(), values, rows["record"].to_pylist())
    found = [(at, float(value), str(record)) for at, value, record in zip(*columns, strict=True)]
    return sorted(point for point in found if isfinite(point[1]))
