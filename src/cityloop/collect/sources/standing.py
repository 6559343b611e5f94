"""Sources that every city has without declaring them: the push interface of each feed, and the series it replays.

Records come by themselves, so there is no thread, no schedule and no failed attempt; what a declared source has beside
that, they have too: a health line, pause and resume, a dry run.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path

from cityloop.collect.entrance import push_of, replay_of
from cityloop.collect.replay import Replay
from cityloop.collect.schemas import Receipt
from cityloop.collect.service import Collector
from cityloop.collect.sources.declarations import StandingDeclaration
from cityloop.collect.sources.ledger import Ledger
from cityloop.collect.sources.loading import Source
from cityloop.collect.sources.runner import State
from cityloop.collect.sources.sink import SAMPLE, Read, Sink, Wire
from cityloop.core.clock import Clock
from cityloop.core.database import Database
from cityloop.core.errors import Conflict, Invalid
from cityloop.core.values import Title
from cityloop.standard.mapping import FeedMapping


class PushWire:
    """The push interface of one feed."""

    def __init__(self, feed: str) -> None:
        self._feed = feed

    def address(self) -> str:
        """Where records are sent."""
        return f"POST /api/v1/feeds/{self._feed}/records"

    def run(self, sink: Sink, halt: threading.Event) -> None:
        """Raise :class:`Conflict`: nothing can be fetched."""
        raise Conflict("records are pushed here, nothing can be fetched", self.address())

    def sample(self, sink: Sink) -> Read:
        """Raise :class:`Invalid`: what would be pushed has to be given."""
        mend = "send them as the body of the dry run, in the Content-Type of the push: JSON array, NDJSON or CSV"
        raise Invalid("a dry run of a push needs the records that are to be tried", mend)


class ReplayWire:
    """One series that is replayed as city time passes."""

    def __init__(self, collector: Collector, series: str) -> None:
        self._collector = collector
        self._series = series

    def address(self) -> str:
        """The file of the series."""
        return self.replay().declaration.file

    def run(self, sink: Sink, halt: threading.Event) -> None:
        """Raise :class:`Conflict`: city time alone brings the next record."""
        raise Conflict("a replayed series follows city time, nothing can be fetched", "wait for its next record")

    def sample(self, sink: Sink) -> Read:
        """The records that came last."""
        replay, position = self.replay(), self.position()
        return lambda mapping: replay.slice(max(0, position - SAMPLE), position)

    def replay(self) -> Replay:
        """The series, by the mapping in force."""
        return next(r for r in self._collector.replays() if r.declaration.series == self._series)

    def position(self) -> int:
        """How many of its rows the lake holds."""
        replay = self.replay()
        return self._collector.taken_up_to(replay.mapping.id, replay.app)


class Standing:
    """One such source; it answers like a runner that never has to be started."""

    failures = 0
    retry_at: datetime | None = None

    def __init__(self, sink: Sink, wire: PushWire | ReplayWire) -> None:
        self.sink = sink
        self.wire: Wire = wire

    @property
    def state(self) -> State:
        """Running while records came within the last minute."""
        if isinstance(self.wire, ReplayWire):
            self.sink.waiting = self.wire.replay().total - self.wire.position()
        if self.sink.ledger.pause:
            return "paused"
        return "running" if self.sink.ledger.rate_per_minute() else "waiting"

    def next_run(self) -> datetime | None:
        """There is no schedule."""
        return None

    def halt(self, *, ending: bool) -> None:
        """Nothing is under way but what its sender waits for."""

    def run_now(self) -> None:
        """Nothing can be started."""


class Doorkeeper:
    """Every standing source of a city, made when it is first asked for; feeds come and go with the standard."""

    def __init__(self, collector: Collector, database: Database, clock: Clock, *, replaying: bool) -> None:
        self._collector = collector
        self._database = database
        self._clock = clock
        self._replaying = replaying
        self._known: dict[str, Standing] = {}
        self._turn = threading.Lock()

    def closed(self, source: str) -> str | None:
        """See :class:`Entrance`."""
        standing = self._find(source)
        pause = standing.sink.ledger.pause if standing else None
        if pause is None:
            return None
        return f"'{source}' is paused since {pause.at.isoformat(timespec='seconds')}" + (
            f": {pause.reason}" if pause.reason else ""
        )

    def took(self, source: str, receipt: Receipt) -> None:
        """See :class:`Entrance`."""
        if standing := self._find(source):
            standing.sink.settled(receipt)

    def _find(self, source: str) -> Standing | None:
        return self._known.get(source) or self.all().get(source)

    def all(self) -> Mapping[str, Standing]:
        """The sources of the feeds in force, by id."""
        feeds = self._collector.mappings
        wanted = {push_of(feed): feed for feed in feeds}
        replays = self._collector.replays() if self._replaying else []
        wanted |= {replay_of(replay.declaration.series): replay.mapping.id for replay in replays}
        with self._turn:
            for source, wire in self._missing(wanted, replays):
                self._known[source] = self._standing(source, feeds[wanted[source]], wire)
        return {source: self._known[source] for source in wanted}

    def _missing(self, wanted: Mapping[str, str], replays: list[Replay]) -> Iterator[tuple[str, PushWire | ReplayWire]]:
        series = {replay_of(replay.declaration.series): replay.declaration.series for replay in replays}
        for source, feed in wanted.items():
            if source not in self._known:
                yield source, ReplayWire(self._collector, series[source]) if source in series else PushWire(feed)

    def _standing(self, identity: str, mapping: FeedMapping, wire: PushWire | ReplayWire) -> Standing:
        named, replayed = mapping.declaration.title, isinstance(wire, ReplayWire)
        zh, en = ("回放", "replay") if replayed else ("HTTP 推送", "HTTP push")
        declaration = StandingDeclaration(
            id=identity,
            title=Title(zh=f"{named.zh}（{zh}）", en=f"{named.en} ({en})"),
            feed=mapping.id,
            wire="replay" if replayed else "push",
        )
        source = Source(declaration, None, Path())
        return Standing(
            Sink(source, self._collector, Ledger(self._database, identity), self._database, self._clock), wire
        )
