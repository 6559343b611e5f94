"""Measures what every feed brought, hour by hour: from the lake by SQL, from quarantine and tallies by their tables."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select

from cityloop.collect.models import EntityRow, FeedHourRow, QuarantineRow
from cityloop.core.database import Database
from cityloop.core.errors import NotFound
from cityloop.lake.service import Lake
from cityloop.quality.content import FeedTerms, Terms, terms_of
from cityloop.quality.scheme import Counts
from cityloop.quality.slots import HOUR, Grid, expected, micros, origin
from cityloop.standard.batch import EntityCard
from cityloop.standard.mapping import FeedMapping

CONSISTENCY_RULES = frozenset({"code", "enum", "entity", "reference", "cross"})
"""Rules of the standard and of feeds that speak of codes, references and fields that contradict each other."""
FLAGS = "quality"
"""Lake column that names what was flagged but accepted, where the table has it."""
OBSERVED = (
    "feed = $feed AND observed_at >= $first AND observed_at < $last AND date BETWEEN $first::DATE AND $last::DATE"
)
ARRIVED = "feed = $feed AND received_at >= $first AND received_at < $last"
"""Conditions on the rows of a feed in a period, by observation and by arrival."""


class FeedSource(Protocol):
    """What is measured: the feeds in force, and the entities of a type. The collector is one."""

    @property
    def mappings(self) -> Mapping[str, FeedMapping]:
        """Every feed by id."""
        ...

    def known(self, entity_type: str) -> Mapping[str, EntityCard]:
        """Every entity of a type by id."""
        ...

    def newest(self, feed: str) -> datetime | None:
        """When the newest record of a feed was observed."""
        ...


@dataclass(frozen=True)
class Missing:
    """Which slots of which entities a feed left empty: ``there[entity, slot]``, over what was expected."""

    entities: tuple[str, ...]
    slots: tuple[int, ...]
    grid: Grid
    wanted: NDArray[np.bool_]
    there: NDArray[np.bool_]


class Meter:
    """Counts of feeds over stretches of time. Completeness goes by time of observation, all else by time of arrival."""

    def __init__(
        self, lake: Lake, database: Database, source: FeedSource, own: Mapping[str, FeedTerms], zone: ZoneInfo
    ) -> None:
        self.lake = lake
        self.source = source
        self._database = database
        self._own = own
        self._zone = zone

    def feeds(self) -> list[Terms]:
        """The terms of every feed, by id."""
        return [self.terms(feed) for feed in sorted(self.source.mappings)]

    def terms(self, feed: str) -> Terms:
        """What is expected of a feed; raises :class:`NotFound`."""
        mapping = self.source.mappings.get(feed)
        if mapping is None:
            raise NotFound(f"no feed '{feed}'", f"known: {', '.join(sorted(self.source.mappings)) or 'none'}")
        return terms_of(mapping, self._own.get(feed), self._zone)

    def grid(self, terms: Terms) -> Grid:
        """The stretches that a feed is shown by: hours, or its rhythm where that is slower."""
        every = terms.rhythm.grid.every if terms.rhythm else HOUR
        return Grid(origin(self._zone), max(every, HOUR))

    def counts(self, feed: str, first: datetime, last: datetime, now: datetime) -> Counts:
        """Everything of [first, last) together."""
        return sum(self.cells(feed, first, last, now).values(), Counts())

    def cells(self, feed: str, first: datetime, last: datetime, now: datetime) -> dict[int, Counts]:
        """Counts by stretch of :meth:`grid`; stretches in which nothing was expected and nothing came are left out."""
        terms = self.terms(feed)
        found: dict[int, dict[str, int]] = defaultdict(lambda: defaultdict(int))
        for cell, counts in (
            *self._completeness(terms, first, last, now),
            *self._arrivals(terms, first, last),
            *self._refused(terms, first, last),
            *self._repeated(terms, first, last),
        ):
            for name, count in counts.items():
                found[cell][name] += count
        return {cell: Counts(**found[cell]) for cell in sorted(found)}

    def missing(self, feed: str, first: datetime, last: datetime, now: datetime) -> Missing | None:
        """Every slot of every entity that was due in [first, last), and whether a row came; ``None`` without rhythm."""
        terms = self.terms(feed)
        rhythm = terms.rhythm
        if rhythm is None:
            return None
        came = self._came(terms, rhythm.grid, first, last)
        slots = self._due(terms, first, last, now, came)
        since = self._since(terms, first, last)
        entities = tuple(sorted(since))
        place = {entity: number for number, entity in enumerate(entities)}
        at = {slot: number for number, slot in enumerate(slots)}
        there = np.zeros((len(entities), len(slots)), dtype=np.bool_)
        for entity, slot in came:
            if entity in place and slot in at:
                there[place[entity], at[slot]] = True
        ends = [rhythm.grid.at(slot + 1) for slot in slots]
        wanted = np.array([[begin is None or end > begin for end in ends] for begin in map(since.get, entities)])
        return Missing(entities, tuple(slots), rhythm.grid, wanted.reshape(there.shape).astype(np.bool_), there)

    def _completeness(
        self, terms: Terms, first: datetime, last: datetime, now: datetime
    ) -> Iterable[tuple[int, dict[str, int]]]:
        if terms.rhythm is None:
            return
        grid, cells = terms.rhythm.grid, self.grid(terms)
        sql = f"""
            SELECT (epoch_us(observed_at) - $origin) // $every AS slot, count(DISTINCT entity) AS n
            FROM "{terms.entity_type}" WHERE {OBSERVED} GROUP BY slot
        """  # noqa: S608 - the table is named by the standard
        rows = self._ask(terms, sql, {**_between(first, last), **_gridded(grid)})
        came = {int(row["slot"]): int(row["n"]) for row in rows}
        slots = self._due(terms, first, last, now, came)
        since = list(self._since(terms, first, last).values()) if slots else []
        for slot, wanted in zip(slots, expected(slots, grid, since), strict=True):
            yield cells.index(grid.at(slot)), {"expected": wanted, "received": min(came.get(slot, 0), wanted)}

    def _came(self, terms: Terms, grid: Grid, first: datetime, last: datetime) -> set[tuple[str, int]]:
        sql = f"""
            SELECT DISTINCT entity, (epoch_us(observed_at) - $origin) // $every AS slot
            FROM "{terms.entity_type}" WHERE {OBSERVED}
        """  # noqa: S608 - the table is named by the standard
        rows = self._ask(terms, sql, {**_between(first, last), **_gridded(grid)})
        return {(row["entity"], int(row["slot"])) for row in rows}

    def _due(
        self,
        terms: Terms,
        first: datetime,
        last: datetime,
        now: datetime,
        came: Mapping[int, int] | set[tuple[str, int]],
    ) -> list[int]:
        """Slots to count. A feed that brought nothing before counts from its first row on; without any, not at all."""
        assert terms.rhythm is not None
        slots = terms.rhythm.due(first, last, now)
        if not slots or self.began_before(terms, first):
            return slots
        numbers = [key if isinstance(key, int) else key[1] for key in came]
        begin = min(numbers, default=None)
        return [slot for slot in slots if begin is not None and slot >= begin]

    def began_before(self, terms: Terms, at: datetime) -> bool:
        """Whether the feed has rows observed before an instant."""
        sql = f'SELECT 1 AS yes FROM "{terms.entity_type}" WHERE feed = $feed AND observed_at < $first LIMIT 1'  # noqa: S608
        return bool(self._ask(terms, sql, {"first": at}))

    def _since(self, terms: Terms, first: datetime, last: datetime) -> dict[str, datetime | None]:
        """The entities that are expected of a feed, each with the instant it joined within the period, if it did.

        Where several feeds fill the type, an entity belongs to those that created it or have sent it.
        """
        cards = self.source.known(terms.entity_type)
        with self._database.reading() as session:
            query = select(EntityRow.id, EntityRow.feed, EntityRow.created_at)
            rows = session.execute(query.where(EntityRow.entity_type == terms.entity_type)).all()
        created = {row.id: (row.feed, row.created_at) for row in rows}
        alone = sum(m.entity_type.id == terms.entity_type for m in self.source.mappings.values()) == 1
        sent = set() if alone else self._sent(terms)
        own = [e for e in list(cards) if alone or e in sent or (e in created and created[e][0] == terms.feed)]
        joined = {e: created[e][1] for e in own if e in created and created[e][1] > first}
        earliest = self._earliest(terms, first, last, list(joined))
        return {e: min(joined[e], earliest.get(e, joined[e])) if e in joined else None for e in own}

    def _sent(self, terms: Terms) -> set[str]:
        sql = f'SELECT DISTINCT entity FROM "{terms.entity_type}" WHERE feed = $feed'  # noqa: S608
        return {row["entity"] for row in self._ask(terms, sql, {})}

    def _earliest(self, terms: Terms, first: datetime, last: datetime, ids: Sequence[str]) -> dict[str, datetime]:
        if not ids:
            return {}
        sql = f"""
            SELECT entity, min(observed_at) AS at FROM "{terms.entity_type}"
            WHERE {OBSERVED} AND entity IN (SELECT unnest($ids)) GROUP BY entity
        """  # noqa: S608 - the table is named by the standard
        rows = self._ask(terms, sql, {**_between(first, last), "ids": list(ids)})
        return {row["entity"]: row["at"] for row in rows}

    def _arrivals(self, terms: Terms, first: datetime, last: datetime) -> Iterable[tuple[int, dict[str, int]]]:
        flagged = f'count("{FLAGS}")' if self.flagged(terms) else "0"
        sql = f"""
            SELECT (epoch_us(received_at) - $origin) // $every AS cell, count(*) AS accepted,
                   count(*) FILTER (epoch_us(received_at) - epoch_us(observed_at) > $delay) AS late,
                   {flagged} AS inconsistent
            FROM "{terms.entity_type}" WHERE {ARRIVED} GROUP BY cell
        """  # noqa: S608 - the table is named by the standard
        delay = terms.fresh // timedelta(microseconds=1)
        given = {**_between(first, last), **_gridded(self.grid(terms)), "delay": delay}
        for row in self._ask(terms, sql, given):
            yield int(row["cell"]), {name: int(row[name]) for name in ("accepted", "late", "inconsistent")}

    def _refused(self, terms: Terms, first: datetime, last: datetime) -> Iterable[tuple[int, dict[str, int]]]:
        grid = self.grid(terms)
        where = (QuarantineRow.feed == terms.feed, QuarantineRow.received_at >= first, QuarantineRow.received_at < last)
        with self._database.reading() as session:
            query = select(QuarantineRow.received_at, QuarantineRow.rules).where(*where)
            rows = [(row.received_at, row.rules) for row in session.execute(query)]
        for at, named in rows:
            rules = set(filter(None, named.split(",")))
            odd = rules & CONSISTENCY_RULES
            yield (
                grid.index(at),
                {
                    "quarantined": 1,
                    "inconsistent": int(bool(odd)),
                    "only_inconsistent": int(bool(odd) and odd == rules),
                },
            )

    def _repeated(self, terms: Terms, first: datetime, last: datetime) -> Iterable[tuple[int, dict[str, int]]]:
        grid = self.grid(terms)
        for at, count in self.repeated(terms.feed, first, last):
            yield grid.index(at), {"duplicate": count}

    def repeated(self, feed: str, first: datetime, last: datetime) -> list[tuple[datetime, int]]:
        """Duplicates by hour of arrival."""
        where = (FeedHourRow.feed == feed, FeedHourRow.hour >= first, FeedHourRow.hour < last)
        with self._database.reading() as session:
            rows = session.execute(select(FeedHourRow.hour, FeedHourRow.duplicate).where(*where)).all()
        return [(row.hour, row.duplicate) for row in rows]

    def flagged(self, terms: Terms) -> bool:
        """Whether the table of a feed says which accepted rows were flagged."""
        return FLAGS in self.lake.schema(terms.entity_type).names

    def rows(
        self, terms: Terms, sql: str, first: datetime, last: datetime, more: Mapping[str, Any] | None = None
    ) -> list[dict[str, Any]]:
        """Run a SELECT with ``$feed``, ``$first``, ``$last`` and what else it names."""
        return self._ask(terms, sql, {**_between(first, last), **(more or {})})

    def _ask(self, terms: Terms, sql: str, given: Mapping[str, Any]) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = self.lake.query(
            sql, [terms.entity_type], {"feed": terms.feed, **given}
        ).to_pylist()
        return rows


def _between(first: datetime, last: datetime) -> dict[str, Any]:
    return {"first": first, "last": last}


def _gridded(grid: Grid) -> dict[str, Any]:
    return {"origin": micros(grid.start), "every": grid.every // timedelta(microseconds=1)}
