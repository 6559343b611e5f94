"""Recent rows of one entity type in memory, so that a warning's evidence costs no scan of the lake."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from math import isfinite
from typing import cast

import pyarrow as pa
import pyarrow.compute as pc

MOST_ROWS = 400_000
"""Rows kept; beyond it the oldest go and evidence is read from the lake."""
_PIECES = 64

Point = tuple[datetime, float, str]
Belongs = Callable[[pa.Table], pa.Array]
"""Which rows of a table are wanted, as a mask."""


class Recent:
    """The newest rows, as they arrived. ``complete_from`` is the instant after which nothing is missing."""

    def __init__(self, columns: Sequence[str], span: timedelta) -> None:
        self.columns = list(columns)
        self._span = span
        self._pieces: list[pa.Table] = []
        self.complete_from: datetime | None = None

    def add(self, rows: pa.Table) -> None:
        """Keep these rows too; now and then drop what no window can reach any more."""
        if not rows.num_rows:
            return
        self._pieces.append(pa.Table.from_arrays([rows[name] for name in self.columns], names=self.columns))
        if len(self._pieces) > _PIECES:
            self._pack()

    def pick(self, belongs: Belongs, start: datetime, end: datetime) -> pa.Table | None:
        """Rows that ``belongs`` chooses in ``[start, end)``; ``None`` when there are none."""
        found = [picked for piece in self._pieces if (picked := pick(piece, belongs, start, end)).num_rows]
        return pa.concat_tables(found) if found else None

    def area(self, entity: str) -> str | None:
        """The area that the newest kept row of an entity gives; ``None`` when there is none."""
        for piece in reversed(self._pieces):
            rows = piece.filter(pc.equal(piece["entity"], entity))
            if rows.num_rows:
                return cast("str | None", rows["area"][-1].as_py())
        return None

    def _pack(self) -> None:
        table = pa.concat_tables(self._pieces).combine_chunks()
        newest = pc.max(table["observed_at"]).as_py()
        table = table.filter(
            pc.greater_equal(table["observed_at"], pa.scalar(newest - self._span, table["observed_at"].type))
        )
        if table.num_rows > MOST_ROWS:
            dropped = table.slice(0, table.num_rows - MOST_ROWS)
            self.complete_from = pc.max(dropped["observed_at"]).as_py() + timedelta(microseconds=1)
            table = table.slice(table.num_rows - MOST_ROWS)
        self._pieces = [table]


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
