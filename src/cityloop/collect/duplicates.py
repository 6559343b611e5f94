"""What was sent before: recent rows are remembered, older ones looked up in the lake.

Two rows are the same observation when entity, time and feed are the same; the first one stays.
"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from cityloop.lake.service import Lake

Key = tuple[str, int, str]
"""Entity, microseconds since 1970 UTC, feed."""
_KEY = ("entity", "at", "feed")
_SCHEMA = {"entity": pl.String(), "at": pl.Int64(), "feed": pl.String()}
_PARTS = 64
"""Commits whose keys may lie side by side before they are put together."""


class RecentKeys:
    """Duplicates of one entity type. Used by its committing thread only.

    The keys lie in columns. Only those that were observed within the span of a batch are compared with it, which for
    new observations are few. Every stored row that was observed at ``floor`` or later is in memory, so memory alone
    decides there.
    """

    def __init__(self, lake: Lake, table: str, most: int = 200_000) -> None:
        self._lake = lake
        self._table = table
        self._most = most
        self._held = pl.DataFrame(schema=_SCHEMA)
        self._floor: int | None = None

    def warm(self) -> None:
        """Take over the newest rows of the lake."""
        sql = f"""
            SELECT entity, epoch_us(observed_at) AS "at", feed FROM "{self._table}" ORDER BY observed_at DESC LIMIT ?
        """  # noqa: S608 - the table is named by the standard
        rows = pl.DataFrame(self._lake.query(sql, [self._table], [self._most]), schema=_SCHEMA)
        self._held, self._floor = rows, None
        if rows.height == self._most:
            # The limit can cut through the oldest instant, which is then there in part only.
            self._let_go(int(rows["at"][-1]) + 1)

    def repeated(self, rows: pl.DataFrame) -> pl.Series | None:
        """For each row whether it is stored or stands earlier in ``rows``; ``None`` when that holds for none."""
        keys = _keys(rows)
        first = keys.select(pl.struct(_KEY).is_first_distinct()).to_series()
        marks = ~first | self._near(keys) | self._old(keys)
        return marks if marks.any() else None

    def add(self, rows: pl.DataFrame) -> None:
        """Remember rows that have been committed; the oldest are let go when there are too many."""
        keys, floor = _keys(rows), self._floor
        self._held = self._held.vstack(keys if floor is None else keys.filter(pl.col("at") >= floor))
        if self._held.height > 2 * self._most:
            newest = self._held["at"].top_k(self._most)
            self._let_go(int(newest.min()))  # type: ignore[arg-type]
        if self._held.n_chunks() > _PARTS:
            self._held = self._held.rechunk()

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
