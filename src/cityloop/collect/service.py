"""The collector: takes records in, keeps the state of every entity, and answers what was collected."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from cityloop.access.actor import Actor
from cityloop.access.audit import Audit
from cityloop.access.door import Door
from cityloop.collect.committer import Committer, Job
from cityloop.collect.decode import decode
from cityloop.collect.directory import Directory, Locator
from cityloop.collect.pipeline import Listener, Pipeline
from cityloop.collect.quarantine import Quarantine
from cityloop.collect.quarantine_schemas import QuarantineDetail, QuarantineSummary, QuarantineView, Selection
from cityloop.collect.repairs import Repairs
from cityloop.collect.replay import Replay, load_replays
from cityloop.collect.schemas import (
    EntityTypeView,
    EntityView,
    FeedView,
    HistoryView,
    Receipt,
)
from cityloop.collect.tallies import Tallies
from cityloop.collect.views import Views
from cityloop.core.clock import Clock
from cityloop.core.database import Database
from cityloop.core.errors import NotFound, TooLarge
from cityloop.core.ids import new_id
from cityloop.core.outbox import Outbox
from cityloop.core.settings import Settings
from cityloop.core.values import Page
from cityloop.core.web import Paging
from cityloop.lake.service import Lake
from cityloop.standard.batch import EntityCard
from cityloop.standard.mapping import FeedMapping
from cityloop.standard.service import Standard


class CityLike(Protocol):
    """What collect needs of a city: its folder, its areas, its clock."""

    @property
    def folder(self) -> Path:
        """Where ``entities/`` and ``drill.yaml`` lie."""
        ...

    @property
    def areas(self) -> Locator:
        """Finds the area of a point."""
        ...

    @property
    def clock(self) -> Clock:
        """City time."""
        ...


class Collector:
    """One for each city. :meth:`start` runs the committing threads; without it pushes commit in the caller's thread."""

    def __init__(
        self,
        database: Database,
        lake: Lake,
        standard: Standard,
        feeds: Iterable[FeedMapping],
        city: CityLike,
        door: Door,
        audit: Audit,
        outbox: Outbox,
        settings: Settings,
    ) -> None:
        self.on_committed: list[Listener] = []
        """Called after every durable commit, in order, from the committing thread, before the push is answered."""
        self._lake = lake
        self._door = door
        self._settings = settings
        self._clock = city.clock
        self._feeds = {mapping.id: mapping for mapping in feeds}
        self._directory = Directory(database, city.areas)
        self._directory.load(city.folder / "entities", self._series())
        self._directory.restore()
        self._quarantine = Quarantine(database, outbox)
        self._tallies = Tallies(database, audit)
        self._pipelines = {name: self._pipeline(standard, name) for name in self._series()}
        self._committers = {
            name: Committer(name, pipeline.run, settings.linger_ms / 1000) for name, pipeline in self._pipelines.items()
        }
        self.repairs = Repairs(
            database=database,
            outbox=outbox,
            audit=audit,
            door=door,
            lake=lake,
            clock=city.clock,
            quarantine=self._quarantine,
            find=self._known,
            submit=lambda job: self._committers[job.mapping.entity_type.id].submit(job),
        )
        """What is done to records in quarantine."""
        self._replays = load_replays(city.folder, self._feeds)
        self._views = Views(
            lake=lake,
            standard=standard,
            feeds=self._feeds,
            directory=self._directory,
            states={name: pipeline.state for name, pipeline in self._pipelines.items()},
            tallies=self._tallies,
            door=door,
            clock=city.clock,
        )
        self._prepare()

    def start(self) -> None:
        """Start the committing threads and the writing of tallies."""
        for committer in self._committers.values():
            committer.start()
        self._tallies.start()
        self.repairs.start()

    def stop(self) -> None:
        """Commit what is waiting, write the tallies, end the threads."""
        self.repairs.stop()
        for committer in self._committers.values():
            committer.stop()
        self._tallies.stop()

    def push(self, actor: Actor, feed: str, body: bytes, content_type: str) -> Receipt:
        """Take in records; return once good rows are durable in the lake and bad ones lie in quarantine.

        Raises :class:`AccessDenied`, :class:`NotFound` for an unknown feed, :class:`TooLarge`, and :class:`Invalid`
        when the body as a whole cannot be read. Single bad records never raise; the receipt tells of them.
        """
        self._door.permit(actor, "feed.push")
        mapping = self._mapping(feed)
        if len(body) > self._settings.body_limit:
            what = f"the body has {len(body)} bytes, the limit is {self._settings.body_limit}"
            raise TooLarge(what, "send the records in smaller pushes")
        job = Job(actor.id, mapping, new_id("bat"), decode(body, content_type, mapping), self._clock.now())
        return self._committers[mapping.entity_type.id].submit(job).result()

    def replay_step(self, now: datetime) -> int:
        """Commit every replayed row whose time has come by ``now``; return how many were looked at.

        Each series goes on behind the last row that the lake made durable, in whatever process that was.
        """
        done = 0
        for replay in self._replays:
            table = replay.mapping.entity_type.id
            position = self._lake.txn_version(table, replay.app) or 0
            for job in replay.jobs(position, now):
                done += self._committers[table].submit(job).result().received
        return done

    def replays(self) -> list[Replay]:
        """The series this city replays."""
        return list(self._replays)

    def describe(self, entity_type: str, entity: str) -> EntityCard | None:
        """What a warning needs to know of an entity; ``None`` when it is unknown."""
        return self._directory.get(entity_type, entity)

    def feeds(self, actor: Actor) -> list[FeedView]:
        """See :meth:`Views.feeds`."""
        return self._views.feeds(actor)

    def entity_types(self, actor: Actor) -> list[EntityTypeView]:
        """See :meth:`Views.entity_types`."""
        return self._views.entity_types(actor)

    def entities(
        self,
        actor: Actor,
        paged: Paging,
        *,
        entity_type: str | None = None,
        area: str | None = None,
        text: str | None = None,
    ) -> Page[EntityView]:
        """See :meth:`Views.entities`."""
        return self._views.entities(actor, paged, entity_type, area, text)

    def geojson(self, actor: Actor, entity_type: str | None) -> dict[str, Any]:
        """See :meth:`Views.geojson`."""
        return self._views.geojson(actor, entity_type)

    def entity(self, actor: Actor, entity: str) -> EntityView:
        """See :meth:`Views.entity`."""
        return self._views.entity(actor, entity)

    def history(
        self, actor: Actor, entity: str, property_id: str, start: datetime | None, end: datetime | None
    ) -> HistoryView:
        """See :meth:`Views.history`."""
        return self._views.history(actor, entity, property_id, start, end)

    def record(self, actor: Actor, record: str) -> dict[str, Any]:
        """See :meth:`Views.record`."""
        return self._views.record(actor, record)

    def quarantine(self, actor: Actor, paged: Paging, feed: str | None) -> Page[QuarantineView]:
        """Records of one feed, or of all, that broke the standard."""
        return self.quarantine_page(actor, paged, Selection(feed=feed))

    def quarantine_page(self, actor: Actor, paged: Paging, wanted: Selection) -> Page[QuarantineView]:
        """Records that broke the standard, newest first."""
        return self._quarantine.page(self._door.scope(actor, "quarantine"), paged, wanted)

    def quarantine_rows(self, actor: Actor, sort: str, wanted: Selection) -> Iterator[Mapping[str, Any]]:
        """The same records as flat rows."""
        return self._quarantine.export(self._door.scope(actor, "quarantine"), sort, wanted)

    def quarantine_summary(self, actor: Actor, wanted: Selection) -> QuarantineSummary:
        """Counts by feed and rule."""
        return self._quarantine.summary(self._door.scope(actor, "quarantine"), wanted, self._known)

    def quarantine_detail(self, actor: Actor, identity: str) -> QuarantineDetail:
        """One record with its history."""
        return self._quarantine.detail(self._door.scope(actor, "quarantine"), identity, self._known)

    def _known(self, feed: str) -> FeedMapping | None:
        return self._feeds.get(feed)

    def _mapping(self, feed: str) -> FeedMapping:
        found = self._feeds.get(feed)
        if found is None:
            raise NotFound(f"no feed '{feed}'", f"known: {', '.join(sorted(self._feeds)) or 'none'}")
        return found

    def _series(self) -> dict[str, str | None]:
        """Entity types that the feeds fill, each with the series it replays."""
        found: dict[str, str | None] = {}
        for mapping in self._feeds.values():
            name = mapping.entity_type.id
            found[name] = found.get(name) or mapping.declaration.series
        return found

    def _pipeline(self, standard: Standard, name: str) -> Pipeline:
        return Pipeline(
            standard.entity_type(name),
            lake=self._lake,
            directory=self._directory,
            quarantine=self._quarantine,
            tallies=self._tallies,
            listeners=self.on_committed,
        )

    def _prepare(self) -> None:
        accepted: dict[str, int] = {}
        for name, pipeline in self._pipelines.items():
            pipeline.prepare()
            sql = f'SELECT feed, count(*) AS n FROM "{name}" GROUP BY feed'  # noqa: S608 - named by the standard
            accepted |= {row["feed"]: row["n"] for row in self._lake.query(sql, [name]).to_pylist()}
        self._tallies.restore(accepted, self._quarantine.counts())
