"""Replays a real city's past through the case desk, in the order things happened, on a clock of its own.

Each chunk of events is one transaction: its cases, their timeline, audit lines and outbox events, and the position of
the replay. A run that is stopped or killed goes on behind the last chunk that was committed, without a double.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from threading import Event

from sqlalchemy import select

from cityloop.access.actor import Actor
from cityloop.access.audit import Audit
from cityloop.access.door import Door
from cityloop.cases.definitions import load_workflow
from cityloop.cases.dispatch import load_responsibility
from cityloop.cases.files import Folder
from cityloop.cases.intake import Brought
from cityloop.cases.models import CaseRow
from cityloop.cases.schemas import CaseReport, MoveRequest
from cityloop.cases.service import CaseDesk
from cityloop.cases.store import CaseStore
from cityloop.cases.values import Case
from cityloop.cases.workflow import Workflow
from cityloop.city.schemas import Position
from cityloop.city.service import City
from cityloop.core.clock import ManualClock
from cityloop.core.database import Database, Transaction
from cityloop.core.errors import Conflict, NotFound
from cityloop.core.outbox import Outbox
from cityloop.core.values import Title
from cityloop.drill.models import ReplayRow
from cityloop.drill.plan import MovePlan, RecordsPlan
from cityloop.drill.records import Record, digest, load_records_plan, read_records
from cityloop.drill.summary import AtEnd, Outcome, ReplaySummary, agreement, by_department, on_time

PAST = Actor(id="replay", name=Title(zh="历史回放", en="Replay"), kind="system", posts=("system",))
"""Makes the moves of a replay: what it does was decided long ago, so no guard for persons holds it up."""
CHUNK = 400
"""Events a transaction; large enough to be quick, small enough to stop within a second."""

Progress = Callable[[int, int, datetime], None]
"""Told after every chunk: events played, events in all, and the instant that was reached."""


@dataclass(frozen=True, slots=True)
class Happening:
    """A record was opened, or closed."""

    at: datetime
    record: Record
    closing: bool


def happenings(records: Iterable[Record]) -> list[Happening]:
    """Everything that happened, in order; a record that was closed at once is opened first."""
    found = []
    for index, record in enumerate(records):
        found.append((record.opened, index, False, record))
        if record.closed is not None:
            found.append((max(record.closed, record.opened), index, True, record))
    found.sort(key=lambda item: item[:3])
    return [Happening(at, record, closing) for at, _, closing, record in found]


def replay(
    city_folder: Path,
    start: date,
    end: date,
    data_folder: Path,
    source: Path | None = None,
    progress: Progress | None = None,
    stop: Event | None = None,
) -> ReplaySummary:
    """Play all records opened from ``start`` to ``end`` (days of the city's zone, both included) to their own end.

    ``data_folder`` takes the store and the position; the same call after a stop goes on. Raises :class:`NotFound` for
    an unknown folder or missing months, :class:`Invalid` for a window the wrong way round, :class:`Conflict` when the
    data folder holds another replay.
    """
    if not (city_folder / "city.yaml").is_file():
        raise NotFound(f"{city_folder} is no city folder", "name a folder that holds city.yaml, such as cities/boston")
    clock = ManualClock(datetime.fromtimestamp(0, UTC))
    city = City.load(city_folder, clock)
    plan = load_records_plan(city_folder)
    records = read_records(city, plan, start, end, source)
    run = Run(city, clock, plan, records, data_folder)
    try:
        run.begin(f"{city.id}:{start}:{end}")
        run.play(progress or (lambda done, total, at: None), stop or Event())
        return run.summary(start, end)
    finally:
        run.close()


class Run:
    """One run of a replay: its services, its position, its clock."""

    def __init__(
        self, city: City, clock: ManualClock, plan: RecordsPlan, records: Sequence[Record], data_folder: Path
    ) -> None:
        data_folder.mkdir(parents=True, exist_ok=True)
        self._city, self._clock, self._plan, self._records = city, clock, plan, records
        self._happenings = happenings(records)
        self._database = Database(f"sqlite:///{data_folder.resolve() / 'cityloop.db'}", synchronous="NORMAL")
        self._database.create()
        self._door = Door(city.policy)
        self._workflow = load_workflow(city.packs, city.folder)
        self._data = data_folder
        self._desk = self._case_desk()
        self._key = ""
        self._done = self._resumed = 0
        self._seconds = 0.0

    def begin(self, key: str) -> None:
        """Find the position of an earlier run; refuse a folder that holds another one."""
        self._key = f"{key}:{digest(self._records)}"
        with self._database.reading() as session:
            rows = list(session.scalars(select(ReplayRow)))
        other = next((row.id for row in rows if row.id != self._key), None)
        if other:
            detail = f"the data folder holds another replay ({other}), this one is {self._key}"
            raise Conflict(detail, "name another folder with --data, or remove this one")
        for row in rows:
            self._done, self._seconds = row.events, row.seconds
        self._resumed = self._done

    def play(self, progress: Progress, stop: Event) -> None:
        """Play chunk after chunk until the end or ``stop``."""
        total = len(self._happenings)
        with _few_collections():
            self._play(total, progress, stop)

    def _play(self, total: int, progress: Progress, stop: Event) -> None:
        while self._done < total and not stop.is_set():
            began = time.monotonic()
            chunk = self._happenings[self._done : self._done + CHUNK]
            with self._database.transaction() as tx:
                self._prefetch(tx, chunk)
                for happening in chunk:
                    self._happen(tx, happening)
                spent = self._seconds + time.monotonic() - began
                done = self._done + len(chunk)
                tx.session.merge(ReplayRow(id=self._key, events=done, clock=chunk[-1].at, seconds=spent))
            self._done, self._seconds = done, self._seconds + time.monotonic() - began
            progress(done, total, chunk[-1].at)

    def summary(self, start: date, end: date) -> ReplaySummary:
        """Count what the store holds now."""
        outcomes = self._outcomes()
        closed = sum(outcome.closed_at is not None for outcome in outcomes)
        last = datetime(end.year, end.month, end.day, tzinfo=self._city.zone) + timedelta(days=1)
        by_then = sum(outcome.closed_at is not None and outcome.closed_at < last for outcome in outcomes)
        moves = sum(outcome.moves for outcome in outcomes)
        titles = {department.id: department.title for department in self._city.departments.values()}
        return ReplaySummary(
            city=self._city.id,
            start=start,
            end=end,
            complete=self._done == len(self._happenings),
            records=len(self._records),
            opened=len(outcomes),
            closed=closed,
            open=len(outcomes) - closed,
            at_end=AtEnd(instant=last, closed=by_then, open=len(outcomes) - by_then),
            moves=moves,
            by_department=by_department(outcomes, titles),
            on_time=on_time(outcomes),
            agreement=agreement({record.number: record for record in self._records}, outcomes),
            resumed_at=self._resumed,
            seconds=round(self._seconds, 2),
            cases_per_second=_rate(len(outcomes), self._seconds),
            moves_per_second=_rate(moves, self._seconds),
        )

    def close(self) -> None:
        """Close the store."""
        self._database.close()

    def _case_desk(self) -> CaseDesk:
        city = self._city
        responsibility = load_responsibility(
            city.folder / "responsibility.yaml",
            city.departments,
            {matter.key for matter in city.catalogue.list()},
            {area.code for area in city.areas.list()},
            city.zone,
        )
        return CaseDesk(
            database=self._database,
            outbox=Outbox(self._database),
            door=self._door,
            audit=Audit(self._database),
            city=city,
            workflow=self._workflow,
            responsibility=responsibility,
            files=Folder(self._data / "attachments"),
        )

    def _prefetch(self, tx: Transaction, chunk: Sequence[Happening]) -> None:
        """Look the cases of the chunk up in one query a channel instead of one each."""
        for channel in {happening.record.channel for happening in chunk}:
            numbers = [happening.record.number for happening in chunk if happening.record.channel == channel]
            CaseStore.of(tx).prefetch(channel, numbers)

    def _happen(self, tx: Transaction, happening: Happening) -> None:
        self._clock.set(max(happening.at, self._clock.now()))
        record = happening.record
        if not happening.closing:
            brought = Brought(area=record.area, target_at=record.target, department=record.department)
            case, created = self._desk.report_in(tx, PAST, self._report(record), happening.at, brought)
            if created:
                self._make(tx, case, self._plan.open_moves, happening.at)
            return
        found = CaseStore.of(tx).by_external(record.channel, record.number)
        if found is not None:
            self._make(tx, found, self._plan.close_moves, happening.at)

    def _make(self, tx: Transaction, case: Case, moves: Sequence[MovePlan], at: datetime) -> None:
        """Make the moves that leave the state the case is in; those that automation has made already fall away."""
        for wish in moves:
            if _leaves(self._workflow, wish.move, case.state):
                request = MoveRequest(move=wish.move, version=case.version, opinion=wish.opinion, fields=wish.fields)
                case = self._desk.move_in(tx, PAST, case.id, request, at)

    def _report(self, record: Record) -> CaseReport:
        return CaseReport(
            title=record.title,
            matter=record.matter,
            position=Position(lon=record.lon, lat=record.lat),
            channel=record.channel,
            external_number=record.number,
            series=self._plan.series,
        )

    def _outcomes(self) -> list[Outcome]:
        scope = self._door.scope(PAST, "case")
        table = CaseRow.__table__.c
        columns = {name: table[name] for name in ("department", "area", "handler")}
        query = select(table.external_number, table.department, table.closed_at, table.on_time, table.entries).where(
            scope.where(columns), table.series == self._plan.series
        )
        with self._database.reading() as session:
            return [Outcome(str(row[0]), *row[1:]) for row in session.execute(query)]


@contextmanager
def _few_collections() -> Iterator[None]:
    """Collect garbage seldom: a chunk makes many objects that all live to its end, and looking at them each time costs
    a tenth of the replay."""
    before = gc.get_threshold()
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()


def _leaves(workflow: Workflow, move: str, state: str) -> bool:
    return any(known.id == move for known in workflow.moves_from[state])


def _rate(count: int, seconds: float) -> float:
    return round(count / seconds, 1) if seconds else 0.0
