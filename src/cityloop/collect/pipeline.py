"""From raw columns to durable rows, for one entity type: map and check, quarantine, sort out duplicates, commit."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa

from cityloop.collect.committer import Job
from cityloop.collect.directory import Directory, Entity
from cityloop.collect.duplicates import RecentKeys, keys_of
from cityloop.collect.past import Pasts
from cityloop.collect.quarantine import Quarantine, Setback
from cityloop.collect.schemas import Receipt
from cityloop.collect.state import LatestValues
from cityloop.collect.tallies import COMMIT_SECONDS, Tallies
from cityloop.core.errors import Conflict
from cityloop.core.values import Title
from cityloop.lake.append import fitted
from cityloop.lake.service import Lake
from cityloop.standard.batch import ObservationBatch
from cityloop.standard.checks import Refusal
from cityloop.standard.comparisons import Comparer
from cityloop.standard.mapped import INDEX, Mapped
from cityloop.standard.mapping import FeedMapping
from cityloop.standard.numbers import Numbers
from cityloop.standard.types import EntityType

log = logging.getLogger(__name__)
Listener = Callable[[ObservationBatch], None]
_JOB = "record:job"
SHOWN = 20
"""Rejections that a receipt lists."""


@dataclass
class _Outcome:
    """What became of one job's records."""

    job: Job
    setbacks: list[Setback] = field(default_factory=list)
    accepted: int = 0
    duplicate: int = 0

    def receipt(self) -> Receipt:
        shown = [rejection for setback in self.setbacks[:SHOWN] for rejection in setback.rejections()][:SHOWN]
        return Receipt(
            feed=self.job.mapping.id,
            batch=self.job.batch,
            received=self.job.decoded.received,
            accepted=self.accepted,
            quarantined=0 if self.job.again else len(self.setbacks),
            duplicate=self.duplicate,
            rejections=shown,
        )


@dataclass(frozen=True)
class Reading:
    """A group of jobs, mapped and checked: what became of each so far, and the good rows."""

    now: datetime
    outcomes: Sequence[_Outcome]
    rows: pl.DataFrame | None


class Pipeline:
    """The committing side of one entity type: one thread reads, one settles, as :class:`Committer` leads them."""

    def __init__(
        self,
        entity_type: EntityType,
        *,
        lake: Lake,
        directory: Directory,
        quarantine: Quarantine,
        tallies: Tallies,
        listeners: Sequence[Listener],
    ) -> None:
        self.entity_type = entity_type
        self.state = LatestValues(entity_type.id, [item.id for item in entity_type.properties])
        self._lake = lake
        self._directory = directory
        self._quarantine = quarantine
        self._tallies = tallies
        self._listeners = listeners
        self._recent = RecentKeys(lake, entity_type.id)
        self._pasts = Pasts(lake, entity_type.id)
        self._comparer = Comparer(entity_type, self.state.newest_rows)
        self._numbers = Numbers()

    def prepare(self) -> None:
        """Create or widen the lake table, and rebuild state and memory of recent rows from it."""
        self._lake.ensure(self.entity_type.id, self.entity_type.schema)
        self.state.rebuild(self._lake)
        self._recent.warm()

    def read(self, group: Sequence[Job]) -> Reading:
        """Map and check the records of these jobs."""
        now = max(job.now for job in group)
        outcomes = [_Outcome(job) for job in group]
        frames = [frame for part in _by_mapping(outcomes) if (frame := self._mapped(part, now)) is not None]
        return Reading(now, outcomes, pl.concat(frames, how="diagonal") if frames else None)

    def settle(self, read: Reading) -> None:
        """Carry what was read to the end: quarantine first, then the commit, then whoever listens."""
        outcomes, rows = read.outcomes, read.rows
        first = outcomes[0].job
        self._in_turn(first)
        self._quarantine.put([s for outcome in outcomes for s in _refused_first(outcome)], read.now)
        if rows is not None:
            rows = self._comparer.added(self._first_only(rows, outcomes))
        self._commit(rows, first.txn)
        self._tallies.add(((o.job.actor, o.receipt()) for o in outcomes), read.now)
        for outcome in outcomes:
            outcome.job.done.set_result(outcome.receipt())

    def apart(self, group: Sequence[Job]) -> bool:
        """Whether the mapping asks what is stored: for values that must be unique, or how new an entity's place is."""
        return any(job.mapping.unique_rules or job.mapping.declaration.entity.follow for job in group)

    def forget(self) -> None:
        """Let go of what records told that may never be stored."""
        self._pasts.forget()
        self._comparer.forget()

    def _in_turn(self, job: Job) -> None:
        """Raise :class:`Conflict` when the lake does not hold what stands before a numbered job."""
        if job.txn is None or job.after is None:
            return
        held = self._lake.txn_version(self.entity_type.id, job.txn[0]) or 0
        if held != job.after and held < job.txn[1]:
            what = f"the lake holds {job.txn[0]} up to {held}, this batch goes on behind {job.after}"
            raise Conflict(what, "the source starts again behind the lake's number")

    def _mapped(self, outcomes: Sequence[tuple[int, _Outcome]], now: datetime) -> pl.DataFrame | None:
        """Map the records of all jobs of one feed together; refused ones go into their outcome."""
        mapping = outcomes[0][1].job.mapping
        frames = [outcome.job.decoded.frame for _, outcome in outcomes]
        starts = np.cumsum([0, *(frame.height for frame in frames)])
        known, world = self._directory.of(self.entity_type.id), self._directory.world
        mapped = self._pasts.judge(mapping, mapping.apply(pl.concat(frames, rechunk=True), now, known, world))
        for number, (_, outcome) in enumerate(outcomes):
            outcome.setbacks = _setbacks(outcome.job, mapped.refusals, int(starts[number]), int(starts[number + 1]))
        if mapped.rows.is_empty():
            return None
        if mapping.declaration.entity.create:
            self._create(mapped, mapping, now)
        at = mapped.rows[INDEX].to_numpy()
        part = np.searchsorted(starts, at, side="right") - 1
        records = _records([outcome.job for _, outcome in outcomes]).gather(mapped.rows[INDEX])
        jobs = np.array([number for number, _ in outcomes])[part]
        return self._with_base(mapped, mapping.id, records, now).with_columns(pl.Series(_JOB, jobs))

    def _with_base(self, mapped: Mapped, feed: str, records: pl.Series, now: datetime) -> pl.DataFrame:
        """Base columns; the area is the one of the record's own position where the feed asks for it."""
        rows = mapped.rows
        areas = self._areas(rows["entity"])
        if mapped.head.height:
            areas = mapped.head.select(pl.coalesce(pl.col("area").replace("", None), areas)).to_series()
        return rows.with_columns_seq(
            pl.lit(now, dtype=pl.Datetime("us", "UTC")).alias("received_at"),
            pl.lit(feed).alias("feed"),
            records.alias("record"),
            areas.alias("area"),
            pl.col("observed_at").dt.date().alias("date"),
        ).drop(INDEX)

    def _areas(self, entities: pl.Series) -> pl.Series:
        """The area of each entity, by the directory."""
        numbers = self._numbers.of(entities)
        somewhere = np.full(int(numbers.max(initial=-1)) + 1, -1)
        somewhere[numbers] = np.arange(len(numbers))
        present = np.flatnonzero(somewhere >= 0)
        cards, names = self._directory.of(self.entity_type.id), entities.gather(somewhere[present]).to_list()
        areas = pl.Series([card.area if (card := cards.get(name)) else None for name in names], dtype=pl.String)
        somewhere[present] = np.arange(len(present))
        return areas.gather(somewhere[numbers])

    def _create(self, mapped: Mapped, mapping: FeedMapping, now: datetime) -> None:
        """Add the entities that this feed may create to the directory, with the titles and places of their records."""
        cards, rows = self._directory.of(self.entity_type.id), mapped.rows
        told = pl.concat([rows.select("entity", "observed_at"), mapped.head], how="horizontal")
        known = pl.col("entity").is_in(list(cards))
        if mapping.declaration.entity.follow:
            self._follow(told.filter(known), mapping.id)
        fresh = told.filter(~known).unique("entity", keep="first", maintain_order=True)
        if not fresh.is_empty():
            entities = [_newcomer(self.entity_type.id, row) for row in fresh.iter_rows(named=True)]
            self._directory.create(entities, mapping.id, now)

    def _follow(self, told: pl.DataFrame, feed: str) -> None:
        """Let known entities take the title and place of their newest record, unless a newer one is stored."""
        newest = told.sort("observed_at", maintain_order=True).unique("entity", keep="last", maintain_order=True)
        entities = [
            _newcomer(self.entity_type.id, row)
            for row in newest.iter_rows(named=True)
            if (held := self.state.seen_at(row["entity"], feed)) is None or row["observed_at"] >= held
        ]
        self._directory.follow(entities)

    def _first_only(self, rows: pl.DataFrame, outcomes: Sequence[_Outcome]) -> pl.DataFrame:
        """Leave out what is stored already or comes twice; count for each job. Returns the rest."""
        repeated = self._recent.repeated(rows)
        sent = np.bincount(rows[_JOB], minlength=len(outcomes))
        if repeated is not None:
            _tell_duplicates(rows.filter(repeated), outcomes)
            rows = rows.filter(~repeated)
        kept = np.bincount(rows[_JOB], minlength=len(outcomes))
        for outcome, before, after in zip(outcomes, sent.tolist(), kept.tolist(), strict=True):
            outcome.accepted, outcome.duplicate = after, before - after
        return rows.drop(_JOB)

    def _commit(self, rows: pl.DataFrame | None, txn: tuple[str, int] | None) -> None:
        name = self.entity_type.id
        if (rows is None or rows.is_empty()) and txn is None:
            return
        table = self._table(rows)
        try:
            with COMMIT_SECONDS.labels(name).time():
                version = self._lake.append(name, table, txn)
        except Exception:
            # The commit may have landed before it failed: what the lake holds decides what a second push repeats.
            self._recent.warm()
            self.state.rebuild(self._lake)
            raise
        if rows is None or rows.is_empty():
            return
        self._recent.add(rows)
        self.state.update(table)
        batch = ObservationBatch(name, table, version)
        for listener in self._listeners:
            try:
                listener(batch)
            except Exception:
                log.exception("a listener failed on version %d of %s; it catches up on the next start", version, name)

    def _table(self, rows: pl.DataFrame | None) -> pa.Table:
        schema = self.entity_type.schema
        return fitted(rows.to_arrow(), schema) if rows is not None else schema.empty_table()


def _refused_first(outcome: _Outcome) -> Sequence[Setback]:
    """The refused records of a job; those that lie in quarantine already are told to whoever tries them again."""
    again = outcome.job.again
    if again is None:
        return outcome.setbacks
    again.reasons |= {setback.id: setback.rejections() for setback in outcome.setbacks}
    return ()


def _tell_duplicates(rows: pl.DataFrame, outcomes: Sequence[_Outcome]) -> None:
    """Under which keys records that are tried again are stored already."""
    for number, record, key in zip(rows[_JOB], rows["record"], keys_of(rows), strict=True):
        if again := outcomes[number].job.again:
            again.duplicates[record] = key


def _by_mapping(outcomes: Sequence[_Outcome]) -> list[list[tuple[int, _Outcome]]]:
    """Jobs that can be mapped together: of one feed, with raw columns of the same types."""
    parts: dict[tuple[str, tuple[str, ...]], list[tuple[int, _Outcome]]] = defaultdict(list)
    for number, outcome in enumerate(outcomes):
        shape = tuple(str(dtype) for dtype in outcome.job.decoded.frame.dtypes)
        parts[outcome.job.mapping.id, shape].append((number, outcome))
    return list(parts.values())


def _records(jobs: Sequence[Job]) -> pl.Series:
    """The record ids of all records of these jobs, in turn."""
    counts = [len(job.decoded.positions) for job in jobs]
    batches = pl.Series([job.batch for job in jobs]).gather(np.repeat(np.arange(len(jobs)), counts))
    positions = np.concatenate([np.asarray(job.decoded.positions, dtype=np.int64) for job in jobs])
    return pl.select(pl.concat_str(batches, pl.lit(":"), pl.Series(positions).cast(pl.String))).to_series()


def _setbacks(job: Job, refusals: dict[int, list[Refusal]], start: int, end: int) -> list[Setback]:
    """All refused records of one job, in the order they were sent, with their texts."""
    found: dict[int, list[Refusal]] = {refusal.index: [refusal] for refusal in job.decoded.refusals}
    found |= {job.decoded.positions[at - start]: refusals[at] for at in refusals if start <= at < end}
    raws = job.decoded.raws(list(found)) if found else {}
    return [Setback(job.mapping, job.batch, position, raws[position], found[position]) for position in sorted(found)]


def _newcomer(entity_type: str, row: Mapping[str, Any]) -> Entity:
    title = str(row["title"] or row["entity"])
    return Entity(row["entity"], entity_type, Title(zh=title, en=title), row["lon"], row["lat"])
