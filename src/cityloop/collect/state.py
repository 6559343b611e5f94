"""The state of every entity: its latest row from each feed, in memory, rebuilt from the lake on start."""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
from numpy.typing import NDArray

from cityloop.access.door import Scope
from cityloop.collect.writers import Writers
from cityloop.lake.service import Lake
from cityloop.standard.numbers import ends, ordered

Row = tuple[Any, ...]
_START = datetime(1970, 1, 1, tzinfo=UTC)


class LatestValues:
    """Latest rows of one entity type, keyed by entity and feed. Writers take turns; readers see whole rows."""

    def __init__(self, table: str, columns: list[str]) -> None:
        self._table = table
        self._columns = columns
        self._rows: dict[str, dict[str, tuple[int, Row]]] = {}
        self._writers = Writers()
        self._turn = threading.Lock()

    def rebuild(self, lake: Lake) -> None:
        """Take the latest row of every entity and feed from the lake."""
        names = ", ".join(f'"{name}"' for name in self._columns)
        newest = "row_number() OVER (PARTITION BY entity, feed ORDER BY observed_at DESC) = 1"
        sql = f'SELECT entity, feed, observed_at, {names} FROM "{self._table}" QUALIFY {newest}'  # noqa: S608
        self.update(lake.query(sql, [self._table]))

    def update(self, rows: pa.Table | pl.DataFrame) -> None:
        """Take over committed rows; a row older than the one that is held changes nothing."""
        frame = rows if isinstance(rows, pl.DataFrame) else pl.DataFrame(rows)
        if frame.is_empty():
            return
        newest = frame[self._last(frame)]
        keys = (newest[name].to_list() for name in ("entity", "feed"))
        times = newest["observed_at"].to_physical().to_list()
        values = newest.select_seq(self._columns).rows()
        with self._turn:
            for entity, feed, at, row in zip(*keys, times, values, strict=True):
                held = self._rows.setdefault(entity, {})
                if feed not in held or held[feed][0] <= at:
                    held[feed] = (at, row)

    def get(self, entity: str, area: str | None, scope: Scope) -> tuple[datetime | None, dict[str, Any]]:
        """When the entity was last observed, and its values: the newest that is not empty, over all of its feeds.

        Only rows that ``scope`` lets through count, with its covers.
        """
        with self._turn:
            held = sorted(self._rows.get(entity, {}).items(), key=lambda item: item[1][0])
        seen = []
        for feed, (at, values) in held:
            row = {"area": area, "feed": feed, **dict(zip(self._columns, values, strict=True))}
            seen += [(at, scope.cover(row))] if scope.lets(row) else []
        found: dict[str, Any] = dict.fromkeys(self._columns) if seen or not held else {}
        for _, row in seen:
            found.update({name: row[name] for name in self._columns if row[name] is not None})
        return (_START + timedelta(microseconds=seen[-1][0]) if seen else None), found

    def seen_at(self, entity: str, feed: str) -> datetime | None:
        """When a feed last observed an entity."""
        with self._turn:
            held = self._rows.get(entity, {}).get(feed)
        return _START + timedelta(microseconds=held[0]) if held else None

    def latest(self, entity: str, column: str) -> Any:
        """The newest value of a property that is not empty, over all feeds; whoever asks has no actor to answer to."""
        at = self._columns.index(column)
        with self._turn:
            held = sorted(self._rows.get(entity, {}).values(), key=lambda item: item[0], reverse=True)
        return next((values[at] for _, values in held if values[at] is not None), None)

    def newest_rows(self, columns: Sequence[str], entities: Collection[str] | None) -> dict[str, tuple[int, Row]]:
        """When (µs since 1970) these entities (``None``: all) were last observed by any feed, and these columns then.

        Entities that were never observed are left out.
        """
        places = [self._columns.index(name) for name in columns]
        with self._turn:
            held = {
                name: self._rows[name] for name in (self._rows if entities is None else entities) if name in self._rows
            }
            newest = {entity: max(rows.values(), key=lambda item: item[0]) for entity, rows in held.items()}
        return {entity: (at, tuple(row[n] for n in places)) for entity, (at, row) in newest.items()}

    def newest(self) -> Mapping[str, datetime]:
        """The newest time of observation for each feed."""
        best: dict[str, int] = {}
        with self._turn:
            for feed, at in self._pairs():
                best[feed] = max(at, best.get(feed, at))
        return {feed: _START + timedelta(microseconds=at) for feed, at in best.items()}

    def _last(self, frame: pl.DataFrame) -> NDArray[np.int64]:
        """Where the newest row of every writer stands; of equally new ones the last."""
        writers = self._writers.of(frame)
        order = ordered(writers, frame["observed_at"].to_physical().to_numpy())
        return order[ends(writers[order])]

    def _pairs(self) -> Iterator[tuple[str, int]]:
        for held in self._rows.values():
            for feed, (at, _) in held.items():
                yield feed, at
