"""The collector: takes records in, keeps the state of every entity, and answers what was collected."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from cityloop.access.actor import SYSTEM, Actor
from cityloop.access.audit import Audit
from cityloop.access.door import Door
from cityloop.collect.committer import Committer, Job
from cityloop.collect.decode import Decoded, decode
from cityloop.collect.directory import Directory, Locator
from cityloop.collect.entrance import Entrance, Open, push_of, replay_of
from cityloop.collect.gate import Gate
from cityloop.collect.pipeline import Listener, Pipeline, Reading
from cityloop.collect.quarantine import Quarantine
from cityloop.collect.quarantine_schemas import QuarantineDetail, QuarantineSummary, QuarantineView, Selection
from cityloop.collect.repairs import Repairs
from cityloop.collect.replay import Replay, load_replays
from cityloop.collect.schemas import EntityTypeView, EntityView, FeedView, HistoryView, NearEntity, Receipt
from cityloop.collect.tallies import Tallies
from cityloop.collect.views import OWNER, Views
from cityloop.core.clock import Clock
from cityloop.core.database import Database
from cityloop.core.errors import Conflict, NotFound, TooLarge
from cityloop.core.ids import new_id
from cityloop.core.outbox import Outbox
from cityloop.core.settings import Settings
from cityloop.core.values import Page, Title
from cityloop.core.web import Paging
from cityloop.lake.service import Lake
from cityloop.standard.batch import EntityCard
from cityloop.standard.mapping import FeedMapping
from cityloop.standard.service import Standard
from cityloop.standard.world import World

_READERS = max(1, (os.cpu_count() or 1) // 2)
"""Deliveries that are read at once: more would only take the processor from those that are being committed."""


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


@dataclass(frozen=True)
class Delivery:
    """Records on their way in. ``read`` decodes them by the mapping that is in force when their turn comes."""

    actor: str
    feed: str
    read: Callable[[FeedMapping], Decoded]
    batch: str | None = None
    """Names the batch where records have lasting positions; by default every batch has a name of its own."""
    txn: tuple[str, int] | None = None
    after: int | None = None
    hurry: bool = False


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
        self.entrance: Entrance = Open()
        """Who lets pushes and replays in, and counts what they bring."""
        self._lake = lake
        self._door = door
        self._settings = settings
        self._clock = city.clock
        self._folder = city.folder
        self._gate = Gate()
        self._readers = threading.BoundedSemaphore(_READERS)
        self._running = False
        self._directory = Directory(database, city.areas)
        self._quarantine = Quarantine(database, outbox)
        self._tallies = Tallies(database, audit)
        self._feeds: dict[str, FeedMapping] = {}
        self._pipelines: dict[str, Pipeline] = {}
        self._committers: dict[str, Committer[Reading]] = {}
        self._replays: list[Replay] = []
        self._take_over(standard, {mapping.id: mapping for mapping in feeds})
        self._tallies.restore(self._accepted(), self._quarantine.counts())
        self.repairs = Repairs(
            database=database,
            outbox=outbox,
            audit=audit,
            door=door,
            lake=lake,
            clock=city.clock,
            quarantine=self._quarantine,
            find=self._known,
            submit=self._submit,
        )
        """What is done to records in quarantine."""

    def start(self) -> None:
        """Start the committing threads and the writing of tallies."""
        self._running = True
        self._start_committers()
        self._tallies.start()
        self.repairs.start()

    def stop(self) -> None:
        """Commit what is waiting, write the tallies, end the threads."""
        self.repairs.stop()
        self._running = False
        self._stop_committers()
        self._tallies.stop()

    def adopt(self, standard: Standard, feeds: Iterable[FeedMapping]) -> None:
        """Work by another standard and other mappings from the next record on.

        What was taken in before is committed by the old mapping, whatever comes later by the new one: no row is half of
        each. Pushes and sources wait meanwhile. The state of the entities and the replays are kept; new properties
        become columns of the lake. Raises :class:`Conflict` when the lake cannot hold the change and
        :class:`ContentError` when replays or entities no longer fit; then nothing has changed.
        """
        fresh = {mapping.id: mapping for mapping in feeds}
        with self._gate.alone():
            self._stop_committers()
            try:
                self._take_over(standard, fresh)
            except ValueError as error:
                raise Conflict(f"the lake cannot hold this standard: {error}", "keep the old property too") from error
            finally:
                if self._running:
                    self._start_committers()

    def push(self, actor: Actor, feed: str, body: bytes, content_type: str) -> Receipt:
        """Take in records; return once good rows are durable in the lake and bad ones lie in quarantine.

        Raises what :meth:`hand_in` raises.
        """
        receipt = self._let_in(actor, feed, body, content_type).result()
        self.entrance.took(push_of(feed), receipt)
        return receipt

    def hand_in(self, actor: Actor, feed: str, body: bytes, content_type: str) -> Future[Receipt]:
        """The same without waiting: the future is done once good rows are durable and bad ones lie in quarantine.

        Raises :class:`AccessDenied`, :class:`NotFound` for an unknown feed, :class:`TooLarge`, and :class:`Invalid`
        when the body as a whole cannot be read. Single bad records never raise; the receipt tells of them.
        """
        done = self._let_in(actor, feed, body, content_type)
        done.add_done_callback(lambda taken: self._took(feed, taken))
        return done

    def _took(self, feed: str, taken: Future[Receipt]) -> None:
        if taken.exception() is None:
            self.entrance.took(push_of(feed), taken.result())

    def _let_in(self, actor: Actor, feed: str, body: bytes, content_type: str) -> Future[Receipt]:
        self._door.permit(actor, "feed.push")
        self.mapping(feed)
        if reason := self.entrance.closed(push_of(feed)):
            raise Conflict(f"feed '{feed}' takes no pushes now: {reason}", "keep the records and send them again later")
        if len(body) > self._settings.body_limit:
            what = f"the body has {len(body)} bytes, the limit is {self._settings.body_limit}"
            raise TooLarge(what, "send the records in smaller pushes")
        return self.take(Delivery(actor.id, feed, lambda mapping: decode(body, content_type, mapping)))

    def take(self, delivery: Delivery) -> Future[Receipt]:
        """Take in what a push or a source brings; the future is done once it is durable, or fails with the reason.

        Raises :class:`NotFound` for an unknown feed, and whatever reading the delivery raises.
        """
        with self._gate.together():
            mapping = self.mapping(delivery.feed)
            with self._readers:
                decoded = delivery.read(mapping)
            job = Job(
                actor=delivery.actor,
                mapping=mapping,
                batch=delivery.batch or new_id("bat"),
                decoded=decoded,
                now=self._clock.now(),
                txn=delivery.txn,
                after=delivery.after,
                hurry=delivery.hurry,
            )
            return self._committers[mapping.entity_type.id].submit(job)

    def _submit(self, job: Job) -> Future[Receipt]:
        with self._gate.together():
            if self._feeds.get(job.mapping.id) is not job.mapping:
                raise Conflict(f"the mapping of feed '{job.mapping.id}' has changed meanwhile", "start it again")
            return self._committers[job.mapping.entity_type.id].submit(job)

    def taken_up_to(self, feed: str, app: str) -> int:
        """The last number of writer ``app`` that the lake holds for the feed's entity type; 0 when there is none."""
        return self._lake.txn_version(self.mapping(feed).entity_type.id, app) or 0

    def newest(self, feed: str) -> datetime | None:
        """The newest time of observation of a feed; ``None`` when it brought nothing or is unknown."""
        mapping = self._feeds.get(feed)
        return self._pipelines[mapping.entity_type.id].state.newest().get(feed) if mapping else None

    def known(self, entity_type: str) -> Mapping[str, EntityCard]:
        """The entities of one type, by id."""
        return self._directory.of(entity_type)

    def refused(self, batch: str) -> list[QuarantineView]:
        """What one batch left in quarantine, in the order it was sent; for the report of a file."""
        return self._quarantine.of_batch(batch)

    def replay_step(self, now: datetime) -> int:
        """Commit every replayed row whose time has come by ``now``; return how many were looked at.

        Each series goes on behind the last row that the lake made durable, in whatever process that was.
        """
        done = 0
        with self._gate.together():
            for replay in self._replays:
                table, source = replay.mapping.entity_type.id, replay_of(replay.declaration.series)
                if self.entrance.closed(source):
                    continue
                for job in replay.jobs(self._lake.txn_version(table, replay.app) or 0, now):
                    receipt = self._committers[table].submit(job).result()
                    self.entrance.took(source, receipt)
                    done += receipt.received
        return done

    def replays(self) -> list[Replay]:
        """The series this city replays."""
        return list(self._replays)

    def owner_of(self, entity: str) -> str | None:
        """Who owns an entity: ``owner`` of its directory, else its latest value; ``None`` where nobody is named."""
        card = self._directory.find(entity)
        if card is None:
            return None
        pipeline = self._pipelines.get(card.entity_type)
        told = pipeline is not None and pipeline.entity_type.find(OWNER) is not None
        return card.attributes.get(OWNER) or (pipeline.state.latest(entity, OWNER) if pipeline and told else None)

    def latest(self, entity_type: str, entity: str) -> tuple[datetime | None, dict[str, Any]]:
        """When an entity was last observed and its newest values, as the system itself sees them."""
        pipeline = self._pipelines.get(entity_type)
        if pipeline is None:
            return None, {}
        return pipeline.state.get(entity, None, self._door.scope(SYSTEM, "observation", entity_type))

    def title_of(self, actor: Actor, entity: str) -> Title | None:
        """What an entity is called; ``None`` when it is unknown or out of the actor's sight."""
        return self._views.title_of(actor, entity)

    def describe(self, entity_type: str, entity: str) -> EntityCard | None:
        """What a warning needs to know of an entity; ``None`` when it is unknown."""
        return self._directory.get(entity_type, entity)

    @property
    def world(self) -> World:
        """What mappings may ask of the city: entities of all types, areas of points."""
        return self._directory.world

    @property
    def mappings(self) -> Mapping[str, FeedMapping]:
        """Every feed in force, by id."""
        return self._feeds

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

    def near(
        self, actor: Actor, lon: float, lat: float, metres: float, entity_type: str | None = None, size: int = 50
    ) -> list[NearEntity]:
        """See :meth:`Views.near`."""
        return self._views.near(actor, lon, lat, metres, entity_type, size)

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

    def mapping(self, feed: str) -> FeedMapping:
        """The mapping a feed has now; raises :class:`NotFound`."""
        found = self._feeds.get(feed)
        if found is None:
            raise NotFound(f"no feed '{feed}'", f"known: {', '.join(sorted(self._feeds)) or 'none'}")
        return found

    def _take_over(self, standard: Standard, feeds: dict[str, FeedMapping]) -> None:
        """Make everything that rests on the standard, and only then put it in the place of what was there."""
        series = _series(feeds)
        if not set(series) <= set(self._directory.types()):
            self._directory.load(self._folder / "entities", series)
            self._directory.restore()
        replays = self._replays_of(feeds)
        pipelines = {name: self._pipeline(standard, name) for name in series}
        views = self._views_of(standard, feeds, pipelines)
        self._feeds, self._replays, self._pipelines, self._views = feeds, replays, pipelines, views
        self._committers = {
            name: Committer(name, pipeline, self._settings.linger_ms / 1000) for name, pipeline in pipelines.items()
        }

    def _replays_of(self, feeds: Mapping[str, FeedMapping]) -> list[Replay]:
        """The replays by the new mappings; files are read again only when a mapping of theirs has changed."""
        now = [feeds.get(replay.mapping.id) for replay in self._replays]
        then = [replay.mapping for replay in self._replays]
        if then and all(new and new.declaration == old.declaration for new, old in zip(now, then, strict=True)):
            for replay in self._replays:
                replay.mapping = feeds[replay.mapping.id]
            return self._replays
        return load_replays(self._folder, feeds)

    def _pipeline(self, standard: Standard, name: str) -> Pipeline:
        """The pipeline of an entity type: the one there is, as long as the type stays the same."""
        entity_type, old = standard.entity_type(name), self._pipelines.get(name)
        if old is not None and old.entity_type == entity_type:
            return old
        pipeline = Pipeline(
            entity_type,
            lake=self._lake,
            directory=self._directory,
            quarantine=self._quarantine,
            tallies=self._tallies,
            listeners=self.on_committed,
        )
        pipeline.prepare()
        return pipeline

    def _views_of(
        self, standard: Standard, feeds: Mapping[str, FeedMapping], pipelines: Mapping[str, Pipeline]
    ) -> Views:
        return Views(
            lake=self._lake,
            standard=standard,
            feeds=feeds,
            directory=self._directory,
            states={name: pipeline.state for name, pipeline in pipelines.items()},
            tallies=self._tallies,
            door=self._door,
            clock=self._clock,
        )

    def _start_committers(self) -> None:
        for committer in self._committers.values():
            committer.start()

    def _stop_committers(self) -> None:
        for committer in self._committers.values():
            committer.stop()

    def _accepted(self) -> dict[str, int]:
        """Rows of every feed in the lake."""
        counts: dict[str, int] = {}
        for name in self._pipelines:
            sql = f'SELECT feed, count(*) AS n FROM "{name}" GROUP BY feed'  # noqa: S608 - named by the standard
            counts |= {row["feed"]: row["n"] for row in self._lake.query(sql, [name]).to_pylist()}
        return counts


def _series(feeds: Mapping[str, FeedMapping]) -> dict[str, str | None]:
    """Entity types that the feeds fill, each with the series it replays."""
    found: dict[str, str | None] = {}
    for mapping in feeds.values():
        name = mapping.entity_type.id
        found[name] = found.get(name) or mapping.declaration.series
    return found
