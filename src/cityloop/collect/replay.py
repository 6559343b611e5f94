"""File replay: a measured series plays through its feed as city time passes, each row exactly once.

Rows take the same way as pushed ones. The lake's commit carries the number of the next row, so a replay that was
killed goes on at the row behind the last durable one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path

import polars as pl
from pydantic import BaseModel, ConfigDict

from cityloop.collect.committer import MOST_ROWS, Job
from cityloop.collect.decode import Decoded
from cityloop.core.content import checked, fault_at, raise_faults, read_yaml
from cityloop.core.errors import Fault
from cityloop.core.values import Frozen, utc
from cityloop.standard.mapping import FeedMapping

FILE = "drill.yaml"
ACTOR = "replay"


class ReplayDeclaration(Frozen):
    """One series that is replayed: its label in the city, its file beside the city's, the feed it plays through."""

    series: str
    file: str
    feed: str


class ReplaysFile(BaseModel):
    """The part of ``drill.yaml`` that this room reads; the rest belongs to the drill."""

    model_config = ConfigDict(extra="ignore", frozen=True)
    replays: tuple[ReplayDeclaration, ...] = ()


class Replay:
    """One series, in memory, in the order of its times."""

    def __init__(self, declaration: ReplayDeclaration, mapping: FeedMapping, path: Path) -> None:
        self.declaration = declaration
        self.mapping = mapping
        self._rows = _load(path, mapping)
        self._times = self._rows[mapping.declaration.time.field]

    @property
    def app(self) -> str:
        """Under this name the lake keeps how far the series has come."""
        return f"replay:{self.declaration.series}"

    @property
    def total(self) -> int:
        """Rows of the series."""
        return self._rows.height

    @property
    def span(self) -> tuple[datetime, datetime] | None:
        """First and last time of the series, ``None`` when it is empty."""
        return (self._times[0], self._times[-1]) if self.total else None

    def jobs(self, position: int, now: datetime) -> Iterator[Job]:
        """The rows from ``position`` on whose time has come, as jobs of bounded size."""
        end = int(self._times.search_sorted(utc(now), side="right"))
        for start in range(position, end, MOST_ROWS):
            yield self._job(start, min(start + MOST_ROWS, end), now)

    def _job(self, start: int, end: int, now: datetime) -> Job:
        batch = f"replay.{self.declaration.series}"
        return Job(ACTOR, self.mapping, batch, self.slice(start, end), utc(now), (self.app, end))

    def slice(self, start: int, end: int) -> Decoded:
        """The rows from ``start`` to before ``end``, as if they had been pushed."""
        rows = self._rows.slice(start, end - start)

        def raws(wanted: Sequence[int]) -> Mapping[int, str]:
            return {n: self._rows.slice(n, 1).write_ndjson().strip() for n in wanted}

        return Decoded(rows, range(start, start + rows.height), (), raws)


def load_replays(city: Path, feeds: Mapping[str, FeedMapping]) -> list[Replay]:
    """Read the replays of a city; no ``drill.yaml`` means none. Raises :class:`ContentError` with all faults."""
    path = city / FILE
    if not path.is_file():
        return []
    value, lines = read_yaml(path)
    faults: list[Fault] = []
    found: list[Replay] = []
    for index, item in enumerate(checked(path, ReplaysFile, value, lines).replays):
        key, file = ("replays", index), city / item.file
        if item.feed not in feeds:
            known = ", ".join(sorted(feeds))
            faults.append(fault_at(path, lines, (*key, "feed"), f"no feed '{item.feed}'", f"known: {known}"))
        elif not file.is_file():
            faults.append(fault_at(path, lines, (*key, "file"), f"{file} is missing", "correct the name"))
        else:
            mapping = feeds[item.feed]
            lacking = sorted(_needed(mapping) - set(pl.read_parquet_schema(file)))
            faults += [fault_at(path, lines, (*key, "file"), f"the file has no column '{name}'") for name in lacking]
            found += [] if lacking else [Replay(item, mapping, file)]
    raise_faults("the replays", faults)
    return found


def _needed(mapping: FeedMapping) -> set[str]:
    return {mapping.declaration.entity.field, mapping.declaration.time.field}


def _load(path: Path, mapping: FeedMapping) -> pl.DataFrame:
    """The series with the raw columns of its feed: all text but the time, as if it had been pushed."""
    time = mapping.declaration.time.field
    rows = pl.read_parquet(path)
    columns = [
        (pl.col(name).cast(pl.String) if name in rows.columns else pl.lit(None, dtype=pl.String)).alias(name)
        for name in mapping.text
        if name != time
    ]
    instant = pl.col(time).cast(pl.Datetime("us", "UTC")).alias(time)
    return rows.select(*columns, instant).select(list(mapping.text)).sort(time, maintain_order=True)
