"""What was sent before: recent rows are remembered, older ones looked up in the lake.

Two rows are the same observation when entity, time and feed are the same; the first one stays.
"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from cityloop.lake.service import Lake

Key = tuple[str, int, str]
"""Entity, microseconds since 1970 UTC, feed."""


class RecentKeys:
    """Duplicates of one entity type. Used by its committing thread only.

    ``floor`` divides: every stored row at or above it is in memory, so memory alone decides there.
    """

    def __init__(self, lake: Lake, table: str, most: int = 200_000) -> None:
        self._lake = lake
        self._table = table
        self._most = most
        self._keys: set[Key] = set()
        self._floor: int | None = None

    def warm(self) -> None:
        """Take over the newest rows of the lake."""
        sql = f'SELECT entity, epoch_us(observed_at), feed FROM "{self._table}" ORDER BY observed_at DESC LIMIT ?'  # noqa: S608
        rows = self._lake.query(sql, [self._table], [self._most])
        self._keys = set(zip(*(column.to_pylist() for column in rows.columns), strict=True))
        # The oldest instant may be there in part only: the limit can cut through it.
        self._floor = min((key[1] for key in self._keys), default=0) + 1 if rows.num_rows == self._most else None

    def repeated(self, rows: pl.DataFrame) -> list[bool]:
        """For each row (``entity``, ``observed_at``, ``feed``), whether it is stored or stands earlier in ``rows``."""
        keys = _keys(rows)
        stored = self._stored([key for key in keys if self._floor is not None and key[1] < self._floor])
        here: set[Key] = set()
        marks = []
        for key in keys:
            marks.append(key in self._keys or key in here or key in stored)
            here.add(key)
        return marks

    def add(self, rows: pl.DataFrame) -> None:
        """Remember rows that have been committed; the oldest are let go when there are too many."""
        self._keys.update(_keys(rows))
        if len(self._keys) > 2 * self._most:
            times = sorted(key[1] for key in self._keys)
            self._floor = times[-self._most]
            self._keys = {key for key in self._keys if key[1] >= self._floor}

    def _stored(self, keys: Sequence[Key]) -> set[Key]:
        if not keys:
            return set()
        times = [key[1] for key in keys]
        sql = f"""
            SELECT entity, epoch_us(observed_at), feed FROM "{self._table}"
            WHERE date BETWEEN make_timestamptz($low)::DATE AND make_timestamptz($high)::DATE
              AND observed_at BETWEEN make_timestamptz($low) AND make_timestamptz($high)
              AND entity IN (SELECT unnest($entities))
        """  # noqa: S608 - the table is named by the standard
        wanted = {"low": min(times), "high": max(times), "entities": sorted({key[0] for key in keys})}
        rows = self._lake.query(sql, [self._table], wanted)
        return set(zip(*(column.to_pylist() for column in rows.columns), strict=True))


def _keys(rows: pl.DataFrame) -> list[Key]:
    times = rows["observed_at"].to_physical().to_list()
    return list(zip(rows["entity"].to_list(), times, rows["feed"].to_list(), strict=True))
