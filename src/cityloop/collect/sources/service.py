"""The sources' verbs: list, look, pause, resume, run now, try without writing."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from fastapi import Response

from cityloop.access.actor import Actor
from cityloop.access.audit import Audit
from cityloop.access.door import Door, Protected
from cityloop.collect.decode import decode
from cityloop.collect.service import Collector
from cityloop.collect.sources.database import DatabaseWire
from cityloop.collect.sources.declarations import (
    DatabaseConnection,
    FilesConnection,
    MqttConnection,
    NatsConnection,
    PullConnection,
)
from cityloop.collect.sources.files import FilesWire
from cityloop.collect.sources.jetstream import JetStreamWire
from cityloop.collect.sources.ledger import LAG, Ledger, Pause
from cityloop.collect.sources.loading import Source
from cityloop.collect.sources.mqtt import MqttWire
from cityloop.collect.sources.pull import PullWire
from cityloop.collect.sources.runner import Runner, told
from cityloop.collect.sources.schedule import Schedule
from cityloop.collect.sources.schemas import DryRunView, ScheduleView, SourceFilter, SourceView
from cityloop.collect.sources.sink import Read, Sink, Wire
from cityloop.collect.sources.standing import Doorkeeper, Standing
from cityloop.collect.sources.trial import dry_run
from cityloop.collect.sources.trouble import SourceTrouble
from cityloop.core.clock import Clock
from cityloop.core.database import Database
from cityloop.core.errors import Conflict, Invalid, NotFound, Problem
from cityloop.core.outbox import Outbox
from cityloop.core.values import Page
from cityloop.core.web import EXPORT_LIMIT, ExportFormat, Paging, export

log = logging.getLogger(__name__)
KEEP_SECONDS = 5.0
Member = Runner | Standing


class CityLike(Protocol):
    """What sources need of a city."""

    @property
    def clock(self) -> Clock:
        """City time."""
        ...

    @property
    def zone(self) -> ZoneInfo:
        """The zone of daily schedules."""
        ...


class Sources:
    """All sources of one city. :meth:`start` begins their threads; what they counted is written every few seconds."""

    def __init__(
        self,
        sources: Iterable[Source],
        *,
        collector: Collector,
        database: Database,
        city: CityLike,
        door: Door,
        audit: Audit,
        outbox: Outbox,
        replaying: bool = False,
    ) -> None:
        """With ``replaying`` the city plays its series, and each of them is a source."""
        self._collector = collector
        self._database = database
        self._clock = city.clock
        self._door = door
        self._audit = audit
        self._outbox = outbox
        self._runners = {source.id: self._runner(source, city.zone) for source in sources}
        self._doorkeeper = Doorkeeper(collector, database, city.clock, replaying=replaying)
        collector.entrance = self._doorkeeper
        self._stop = threading.Event()
        self._keeper: threading.Thread | None = None
        door.register(Protected("source", department="department"))

    def start(self) -> None:
        """Begin to listen and to run."""
        for runner in self._runners.values():
            runner.start()
        self._stop.clear()
        self._keeper = threading.Thread(target=self._keep, name="sources-keeper", daemon=True)
        self._keeper.start()

    def stop(self) -> None:
        """End every source; what is under way is settled or left unacknowledged."""
        for runner in self._runners.values():
            runner.halt(ending=True)
        for runner in self._runners.values():
            runner.join()
        self._stop.set()
        if self._keeper:
            self._keeper.join(timeout=30)
        self._write()

    @property
    def troubles(self) -> Mapping[str, str]:
        """Sources that fail now, each with its error."""
        failing = [runner for runner in self._runners.values() if runner.state == "failing"]
        return {runner.sink.source.id: runner.sink.ledger.last_error or "" for runner in failing}

    def page(self, actor: Actor, wanted: SourceFilter, paged: Paging) -> Page[SourceView]:
        """One page of the sources that the actor may see."""
        views = self._sorted(actor, wanted, paged.sort)
        page = views[paged.offset : paged.offset + paged.size]
        return Page(items=page, total=len(views), page=paged.page, size=paged.size)

    def export(self, actor: Actor, wanted: SourceFilter, form: ExportFormat) -> Response:
        """The same list as a file."""
        rows = [_row(view) for view in self._sorted(actor, wanted, "")[:EXPORT_LIMIT]]
        return export("sources", form, _COLUMNS, rows)

    def get(self, actor: Actor, source: str) -> SourceView:
        """One source; raises :class:`NotFound`."""
        return self._view(self._find(actor, source))

    def pause(self, actor: Actor, source: str, reason: str) -> SourceView:
        """Stop taking records until somebody resumes; a broker keeps what comes meanwhile."""
        runner = self._operated(actor, source)
        if runner.sink.ledger.pause:
            raise Conflict(f"'{source}' is paused already", "resume it first")
        self._change(actor, runner, Pause(actor.id, self._clock.now(), reason), "cityloop.source.paused")
        runner.halt(ending=False)
        return self._view(runner)

    def resume(self, actor: Actor, source: str) -> SourceView:
        """Go on where the source was paused."""
        runner = self._operated(actor, source)
        if not runner.sink.ledger.pause:
            raise Conflict(f"'{source}' is not paused", "there is nothing to resume")
        self._change(actor, runner, None, "cityloop.source.resumed")
        runner.run_now()
        return self._view(runner)

    def run(self, actor: Actor, source: str) -> SourceView:
        """Run at once, whatever the schedule or the back-off say."""
        runner = self._operated(actor, source)
        if runner.sink.ledger.pause:
            raise Conflict(f"'{source}' is paused", "resume it first")
        if isinstance(runner, Standing):
            raise Conflict(f"records come to '{source}' by themselves", "there is nothing to start")
        with self._database.transaction() as tx:
            self._audit.record(tx, self._clock.now(), actor.id, "source.run", source, {})
        runner.run_now()
        return self._view(runner)

    def dry_run(self, actor: Actor, source: str, given: tuple[bytes, str] | None = None) -> DryRunView:
        """The first records before and after the mapping; raises :class:`SourceTrouble` when they cannot be had.

        ``given`` are records and their media type, for a push; no other source can be given any.
        """
        runner = self._operated(actor, source)
        department = self._collector.mapping(runner.sink.source.feed).declaration.department
        if not self._door.scope(actor, "quarantine").lets({"department": department}):
            raise NotFound(f"no source '{source}' whose records {actor.id} may see", "ask for sight of its quarantine")
        read = _given(runner, given) if given else _sampled(runner)
        mapping, now = runner.sink.mapping(), self._clock.now()
        with self._database.transaction() as tx:
            self._audit.record(tx, now, actor.id, "source.dry_run", source, {})
        known, world = self._collector.known(mapping.entity_type.id), self._collector.world
        return dry_run(source, mapping, read(mapping), now, known, world)

    def _all(self) -> dict[str, Member]:
        return {**self._doorkeeper.all(), **self._runners}

    def _runner(self, source: Source, zone: ZoneInfo) -> Runner:
        sink = Sink(source, self._collector, Ledger(self._database, source.id), self._database, self._clock)
        return Runner(wire_of(source), sink, zone)

    def _change(self, actor: Actor, runner: Member, pause: Pause | None, event: str) -> None:
        now, source = self._clock.now(), runner.sink.source
        data = {"source": source.id, "feed": source.feed, "actor": actor.id, "reason": pause.reason if pause else ""}
        with self._database.transaction() as tx:
            runner.sink.ledger.set_pause(tx, pause)
            self._outbox.record(tx, event, source.id, now, data)
            self._audit.record(
                tx, now, actor.id, event.removeprefix("cityloop."), source.id, {"reason": data["reason"]}
            )

    def _find(self, actor: Actor, source: str) -> Member:
        scope, runner = self._door.scope(actor, "source"), self._all().get(source)
        if runner is None or not scope.lets({"department": self._department(runner)}):
            raise NotFound(f"no source '{source}' that {actor.id} may see", "GET /api/v1/sources lists them")
        return runner

    def _operated(self, actor: Actor, source: str) -> Member:
        self._door.permit(actor, "source.operate")
        return self._find(actor, source)

    def _department(self, runner: Member) -> str:
        return runner.sink.mapping().declaration.department

    def _sorted(self, actor: Actor, wanted: SourceFilter, sort: str) -> list[SourceView]:
        scope = self._door.scope(actor, "source")
        key = _SORTS.get(sort.removeprefix("-") or "id")
        if key is None:
            raise Invalid(f"sources cannot be sorted by '{sort}'", f"known: {', '.join(_SORTS)}")
        seen = [runner for runner in self._all().values() if scope.lets({"department": self._department(runner)})]
        views = [view for runner in seen if _fits(view := self._view(runner), wanted)]
        return sorted(sorted(views, key=lambda view: view.id), key=key, reverse=sort.startswith("-"))

    def _view(self, runner: Member) -> SourceView:
        sink, ledger = runner.sink, runner.sink.ledger
        declaration, mapping, pause, state = sink.source.declaration, sink.mapping(), ledger.pause, runner.state
        return SourceView(
            id=declaration.id,
            title=declaration.title,
            feed=declaration.feed,
            feed_title=mapping.declaration.title,
            entity_type=mapping.entity_type.id,
            department=mapping.declaration.department,
            wire=declaration.wire,
            address=runner.wire.address(),
            schedule=_schedule(declaration.schedule),
            state=state,
            paused_by=pause.by if pause else None,
            paused_at=pause.at if pause else None,
            pause_reason=pause.reason if pause else "",
            last_run_at=ledger.last_run_at,
            next_run_at=None if pause else runner.next_run(),
            last_record_at=ledger.last_record_at,
            lag_seconds=self._lag(sink),
            waiting=sink.waiting,
            rate_per_minute=ledger.rate_per_minute(),
            **ledger.counts,
            last_error=ledger.last_error,
            last_error_at=ledger.last_error_at,
            failures=runner.failures if state == "failing" else 0,
            retry_at=runner.retry_at if state == "failing" else None,
        )

    def _lag(self, sink: Sink) -> float | None:
        newest = self._collector.newest(sink.source.feed)
        return (self._clock.now() - newest).total_seconds() if newest else None

    def _keep(self) -> None:
        while not self._stop.wait(KEEP_SECONDS):
            try:
                self._write()
            except Exception:
                log.exception("the counts of the sources were not written and will be tried again")

    def _write(self) -> None:
        for name, runner in self._all().items():
            if runner.sink.ledger.dirty:
                runner.sink.ledger.write()
            if (lag := self._lag(runner.sink)) is not None:
                LAG.labels(name).set(lag)


def wire_of(source: Source) -> Wire:
    """The wire of a source."""
    connection = source.connection
    if isinstance(connection, MqttConnection):
        return MqttWire(source, connection)
    if isinstance(connection, NatsConnection):
        return JetStreamWire(source, connection)
    if isinstance(connection, DatabaseConnection):
        return DatabaseWire(source, connection)
    if isinstance(connection, PullConnection):
        return PullWire(source, connection)
    assert isinstance(connection, FilesConnection)
    return FilesWire(source, connection)


def _given(runner: Member, given: tuple[bytes, str]) -> Read:
    if runner.sink.source.wire != "push":
        raise Invalid("a dry run of this source takes its own records", "leave the body empty")
    return lambda mapping: decode(*given, mapping)


def _sampled(runner: Member) -> Read:
    try:
        return runner.wire.sample(runner.sink)
    except Problem as error:
        if isinstance(runner, Standing):
            raise
        raise SourceTrouble(error.detail, error.mend) from error
    except Exception as error:
        raise SourceTrouble(told(error), "see the log of the server") from error


def _schedule(schedule: Schedule | None) -> ScheduleView:
    if schedule is None:
        return ScheduleView(kind="stream")
    kind = "every" if schedule.seconds is not None else "daily"
    return ScheduleView(kind=kind, seconds=schedule.seconds, at=schedule.daily)


def _fits(view: SourceView, wanted: SourceFilter) -> bool:
    text = (wanted.text or "").casefold()
    words = (view.id, view.title.zh, view.title.en, view.address)
    return (
        wanted.wire in (None, view.wire)
        and wanted.state in (None, view.state)
        and wanted.feed in (None, view.feed)
        and wanted.department in (None, view.department)
        and any(text in word.casefold() for word in words)
    )


_SORTS: dict[str, Callable[[SourceView], Any]] = {
    "id": lambda view: view.id,
    "title": lambda view: view.title.zh,
    "wire": lambda view: view.wire,
    "state": lambda view: view.state,
    "last_record_at": lambda view: view.last_record_at.timestamp() if view.last_record_at else 0.0,
    "next_run_at": lambda view: view.next_run_at.timestamp() if view.next_run_at else 0.0,
    "lag_seconds": lambda view: view.lag_seconds or 0.0,
    "rate_per_minute": lambda view: view.rate_per_minute,
    "accepted": lambda view: view.accepted,
    "quarantined": lambda view: view.quarantined,
}
_COLUMNS = (
    ("id", "数据源"), ("title", "名称"), ("feed", "数据接入"), ("department", "部门"), ("wire", "接入方式"),
    ("address", "地址"), ("state", "状态"), ("last_record_at", "最近入库"), ("lag_seconds", "延迟（秒）"),
    ("rate_per_minute", "每分钟条数"),
    ("accepted", "入库"), ("quarantined", "隔离"), ("duplicate", "重复"), ("last_error", "最近错误"),
    ("last_error_at", "错误时间"), ("next_run_at", "下次运行"),
)  # fmt: skip


def _row(view: SourceView) -> dict[str, Any]:
    return {**view.model_dump(), "title": view.title.zh}
