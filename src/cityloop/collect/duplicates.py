"""What was sent before: recent rows are remembered, older ones looked up in the lake.

Two rows are the same observation when entity, time and feed are the same; the first one stays.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray

from cityloop.collect.writers import Writers
from cityloop.lake.service import Lake
from cityloop.standard.numbers import ordered

Key = tuple[str, int, str]
"""Entity, microseconds since 1970 UTC, feed."""
_KEY = ("entity", "at", "feed")
_SCHEMA = {"entity": pl.String(), "at": pl.Int64(), "feed": pl.String()}
_PARTS = 64
"""Commits whose keys may lie side by side before they are put together."""


class RecentKeys:
    """Duplicates of one entity type. Used by its committing thread only.

    A row newer than all that its writer stored is no repetition. For the others the keys lie in columns; only those
    that were observed within the span of the rows are compared with them. Every stored row that was observed at
    ``floor`` or later is in memory, so memory alone decides there.
    """

    def __init__(self, lake: Lake, table: str, most: int = 200_000) -> None:
        self._lake = lake
        self._table = table
        self._most = most
        self._held = pl.DataFrame(schema=_SCHEMA)
        self._floor: int | None = None
        self._writers = Writers()
        self._newest = np.zeros(0, dtype=np.int64)
        """The newest instant in memory of each writer, by its number."""

    def warm(self) -> None:
        """Take over the newest rows of the lake."""
        sql = f"""
            SELECT entity, epoch_us(observed_at) AS "at", feed FROM "{self._table}" ORDER BY observed_at DESC LIMIT ?
        """  # noqa: S608 - the table is named by the standard
        rows = pl.DataFrame(self._lake.query(sql, [self._table], [self._most]), schema=_SCHEMA)
        self._held, self._floor, self._newest = rows, None, np.zeros(0, dtype=np.int64)
        self._learn(self._writers.of(rows), rows["at"].to_numpy())
        if rows.height == self._most:
            # The limit can cut through the oldest instant, which is then there in part only.
            self._let_go(int(rows["at"][-1]) + 1)

    def repeated(self, rows: pl.DataFrame) -> pl.Series | None:
        """For each row whether it is stored or stands earlier in ``rows``; ``None`` when that holds for none."""
        writers, at = self._writers.of(rows), rows["observed_at"].to_physical().to_numpy()
        again = _repeats(writers, at)
        doubtful = ~again & ~self._new(writers, at)
        if doubtful.any():
            keys = _keys(rows.filter(pl.Series(doubtful)))
            again[doubtful] = (self._near(keys) | self._old(keys)).to_numpy()
        return pl.Series(again) if again.any() else None

    def add(self, rows: pl.DataFrame) -> None:
        """Remember rows that have been committed; the oldest are let go when there are too many."""
        keys, floor = _keys(rows), self._floor
        self._learn(self._writers.of(rows), keys["at"].to_numpy())
        self._held = self._held.vstack(keys if floor is None else keys.filter(pl.col("at") >= floor))
        if self._held.height > 2 * self._most:
            newest = self._held["at"].top_k(self._most)
            self._let_go(int(newest.min()))  # type: ignore[arg-type]
        if self._held.n_chunks() > _PARTS:
            self._held = self._held.rechunk()

    def _learn(self, writers: NDArray[np.int64], at: NDArray[np.int64]) -> None:
        self._newest = _grown(self._newest, writers)
        np.maximum.at(self._newest, writers, at)

    def _new(self, writers: NDArray[np.int64], at: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Which rows are newer than all that is stored of their writer: most of what comes in, and quickly told."""
        self._newest = _grown(self._newest, writers)
        newer: NDArray[np.bool_] = at > self._newest[writers]
        return newer if self._floor is None else newer & (at >= self._floor)

    def _near(self, keys: pl.DataFrame) -> pl.Series:
        """Which keys are in memory."""
        near = self._held.filter(self._held["at"].is_between(keys["at"].min(), keys["at"].max()))
        return _marks(keys, near)

    def _old(self, keys: pl.DataFrame) -> pl.Series:
        """Which keys from before the floor are in the lake."""
        old = keys.filter(keys["at"] < self._floor) if self._floor is not None else keys.clear()
        stored = records_of(self._lake, self._table, list(old.iter_rows()))
        return _marks(keys, pl.DataFrame(list(stored), schema=_SCHEMA, orient="row"))

    def _let_go(self, floor: int) -> None:
        self._held = self._held.filter(pl.col("at") >= floor)
        self._floor = max(floor, self._floor or floor)


def _repeats(writers: NDArray[np.int64], at: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Which rows have writer and instant of an earlier one."""
    order = ordered(writers, at)
    writers, at = writers[order], at[order]
    found = np.zeros(len(order), dtype=np.bool_)
    found[order[1:][(writers[1:] == writers[:-1]) & (at[1:] == at[:-1])]] = True
    return found


def _grown(newest: NDArray[np.int64], writers: NDArray[np.int64]) -> NDArray[np.int64]:
    """With a place for each writer."""
    more = int(writers.max(initial=-1)) + 1 - len(newest)
    return np.concatenate([newest, np.full(more, np.iinfo(np.int64).min)]) if more > 0 else newest


def _keys(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.select("entity", pl.col("observed_at").to_physical().alias("at"), "feed")


def _marks(keys: pl.DataFrame, others: pl.DataFrame) -> pl.Series:
    """For each key whether it is among ``others``."""
    if others.is_empty():
        return pl.repeat(False, keys.height, dtype=pl.Boolean, eager=True)
    at = keys.with_row_index("n").join(others, on=_KEY, how="semi")["n"]
    return pl.int_range(keys.height, dtype=pl.UInt32, eager=True).is_in(at.implode())


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
