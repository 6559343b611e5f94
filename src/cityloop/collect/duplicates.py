"""What was sent before: recent rows are remembered, older ones looked up in the lake.

Two rows are the same observation when entity, time and feed are the same; the first one stays.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import polars as pl

from cityloop.lake.service import Lake

Key = tuple[str, int, str]
"""Entity, microseconds since 1970 UTC, feed."""
_SECOND = 1_000_000
_NONE: set[Key] = set()


class RecentKeys:
    """Duplicates of one entity type. Used by its committing thread only.

    Keys lie in buckets of one second of observation, so that the oldest are let go without looking at the others.
    ``floor`` divides: every stored row of that second or later is in memory, so memory alone decides there.
    """

    def __init__(self, lake: Lake, table: str, most: int = 200_000) -> None:
        self._lake = lake
        self._table = table
        self._most = most
        self._buckets: dict[int, set[Key]] = {}
        self._count = 0
        self._floor: int | None = None

    def warm(self) -> None:
        """Take over the newest rows of the lake."""
        sql = f'SELECT entity, epoch_us(observed_at), feed FROM "{self._table}" ORDER BY observed_at DESC LIMIT ?'  # noqa: S608
        rows = self._lake.query(sql, [self._table], [self._most])
        self._buckets, self._count, self._floor = {}, 0, None
        self.add(zip(*(column.to_pylist() for column in rows.columns), strict=True))
        if rows.num_rows == self._most:
            # The limit can cut through the oldest second, which is then there in part only.
            self._let_go(min(self._buckets))

    def repeated(self, keys: Sequence[Key]) -> list[bool] | None:
        """For each key whether it is stored or stands earlier in ``keys``; ``None`` when that holds for none."""
        fresh, floor = set(keys), self._floor
        buckets = [self._buckets.get(second, _NONE) for second in {key[1] // _SECOND for key in fresh}]
        old = [] if floor is None else [key for key in fresh if key[1] // _SECOND < floor]
        if len(fresh) == len(keys) and not old and all(fresh.isdisjoint(bucket) for bucket in buckets):
            return None
        seen, marks = self._stored(old).union(*(bucket & fresh for bucket in buckets)), []
        for key in keys:
            marks.append(key in seen)
            seen.add(key)
        return marks if any(marks) else None

    def add(self, keys: Iterable[Key]) -> None:
        """Remember rows that have been committed; the oldest are let go when there are too many."""
        for key in keys:
            bucket = self._buckets.get(key[1] // _SECOND)
            if bucket is None:
                bucket = self._buckets[key[1] // _SECOND] = set()
            bucket.add(key)
            self._count += 1
        if self._count > 2 * self._most:
            for second in sorted(self._buckets)[:-1]:
                if self._count <= self._most:
                    break
                self._let_go(second)

    def _let_go(self, second: int) -> None:
        self._count -= len(self._buckets.pop(second))
        self._floor = max(second + 1, self._floor or 0)

    def _stored(self, keys: Sequence[Key]) -> set[Key]:
        return set(records_of(self._lake, self._table, keys))


def records_of(lake: Lake, table: str, keys: Sequence[Key]) -> dict[Key, str]:
    """The record ids under which these keys are stored; keys that are not stored are left out."""
    if not keys:
        return {}
    times = [key[1] for key in keys]
    sql = f"""
        SELECT entity, epoch_us(observed_at), feed, record FROM "{table}"
        WHERE date BETWEEN make_timestamptz($low)::DATE AND make_timestamptz($high)::DATE
          AND observed_at BETWEEN make_timestamptz($low) AND make_timestamptz($high)
          AND entity IN (SELECT unnest($entities))
    """  # noqa: S608 - the table is named by the standard
    wanted = {"low": min(times), "high": max(times), "entities": sorted({key[0] for key in keys})}
    rows = zip(*(column.to_pylist() for column in lake.query(sql, [table], wanted).columns), strict=True)
    asked = set(keys)
    return {key: record for *parts, record in rows if (key := (parts[0], parts[1], parts[2])) in asked}


def keys_of(rows: pl.DataFrame) -> list[Key]:
    """The keys of rows with ``entity``, ``observed_at`` and ``feed``."""
    times = rows["observed_at"].to_physical().to_list()
    return list(zip(rows["entity"].to_list(), times, rows["feed"].to_list(), strict=True))
