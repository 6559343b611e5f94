"""What was sent before: recent rows are remembered, older ones looked up in the lake.

Two rows are the same observation when entity, time and feed are the same; the first one stays.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

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

    def repeated(self, keys: Sequence[Key]) -> list[bool] | None:
        """For each key whether it is stored or stands earlier in ``keys``; ``None`` when that holds for none."""
        fresh, floor = set(keys), self._floor
        old = [] if floor is None else [key for key in fresh if key[1] < floor]
        if len(fresh) == len(keys) and not old and self._keys.isdisjoint(fresh):
            return None
        seen, marks = self._keys.intersection(fresh) | self._stored(old), []
        for key in keys:
            marks.append(key in seen)
            seen.add(key)
        return marks if any(marks) else None

    def add(self, keys: Iterable[Key]) -> None:
        """Remember rows that have been committed; the oldest are let go when there are too many."""
        self._keys.update(keys)
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


def keys_of(rows: pl.DataFrame) -> list[Key]:
    """The keys of rows with ``entity``, ``observed_at`` and ``feed``."""
    times = rows["observed_at"].to_physical().to_list()
    return list(zip(rows["entity"].to_list(), times, rows["feed"].to_list(), strict=True))
